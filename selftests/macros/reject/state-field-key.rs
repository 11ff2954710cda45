// SPDX-License-Identifier: GPL-2.0

//! Attributes of fields are not known in this release.

/// Labelled.
#[derive(molt::State)]
pub struct Store {
    number: u64,
    #[state(default)]
    calls: u64,
}
