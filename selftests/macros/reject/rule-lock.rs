// SPDX-License-Identifier: GPL-2.0

//! A lock is made in its place, when nothing can fail any more.

use kernel::prelude::*;
use kernel::sync::Mutex;

/// Tries.
#[derive(molt::State)]
pub struct Store {
    #[state(try_convert(u64 => locked))]
    number: Mutex<u64>,
}

/// The function makes what is in the lock.
#[derive(molt::State)]
pub struct Other {
    #[state(rebuild = made)]
    number: Mutex<u64>,
}

fn locked(number: &u64) -> Result<u64> {
    Ok(*number)
}

fn made() -> u32 {
    0
}
