// SPDX-License-Identifier: GPL-2.0

//! A state is found by its name.

/// Generic.
#[derive(molt::State)]
pub struct Store<T: Send + 'static> {
    item: T,
}
