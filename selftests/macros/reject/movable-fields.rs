// SPDX-License-Identifier: GPL-2.0

//! Fields that point into a module, by themselves or deep inside.

use kernel::prelude::*;

/// A text of the module.
#[derive(molt::Movable)]
pub struct Label {
    number: u64,
    text: &'static str,
}

/// A function of the module.
#[derive(molt::Movable)]
pub enum Action {
    /// Nothing.
    Stop,
    /// A function.
    Call(fn(u64)),
}

/// A table of functions of the module.
#[derive(molt::Movable)]
pub struct Boxed(Option<KBox<dyn Send>>);
