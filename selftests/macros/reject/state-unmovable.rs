// SPDX-License-Identifier: GPL-2.0

//! Fields that point into the module, or that the kernel calls back.

use kernel::prelude::*;

/// One of the module's own types.
pub trait Answer: Send + Sync {}

/// A table of functions of the module.
#[derive(molt::State)]
pub struct Boxed {
    answer: KBox<dyn Answer>,
}

/// A function of the module.
#[derive(molt::State)]
pub struct Hook {
    function: fn(u64) -> u64,
}

/// Nobody knows where it points.
#[derive(molt::State)]
pub struct Raw {
    first: *mut u64,
}

/// The head of a list, which its neighbours point to.
#[derive(molt::State)]
pub struct Head {
    list: kernel::types::Opaque<kernel::bindings::list_head>,
}

/// The kernel wakes its waiters.
#[derive(molt::State)]
pub struct Waiting {
    done: kernel::sync::Completion,
}

/// What is in the lock is not movable.
#[derive(molt::State)]
pub struct Locked {
    label: kernel::sync::Mutex<&'static str>,
}
