// SPDX-License-Identifier: GPL-2.0

//! An unknown key is answered with the known ones.

/// Labelled.
#[derive(molt::State)]
#[state(name = "Store", since = "Shop@1")]
pub struct Store {
    number: u64,
}
