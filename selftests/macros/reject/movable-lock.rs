// SPDX-License-Identifier: GPL-2.0

//! A lock carries a lock class key of the module that made it.

use kernel::sync::{Arc, Mutex};

/// Shares a lock.
#[derive(molt::Movable)]
pub struct Shared {
    list: Arc<Mutex<u64>>,
}
