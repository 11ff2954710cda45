// SPDX-License-Identifier: GPL-2.0

//! Rules in what is moved whole would not be followed.

use kernel::sync::Arc;
use molt::schema::Type;
use molt::{Movable, State};

/// A part with a rule.
#[derive(Movable)]
pub struct Part {
    #[state(renamed = "number")]
    count: u64,
}

/// It is shared.
#[derive(State)]
pub struct Store {
    shared: Arc<Part>,
}

/// A description.
pub const STORE: &Type = <Store as State>::TYPE;
