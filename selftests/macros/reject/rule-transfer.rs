// SPDX-License-Identifier: GPL-2.0

//! A function of a state with what is made again could keep it.

use molt::transfer::Table;
use molt::{Convert, State};

/// Points into the module.
#[derive(State)]
#[state(name = "Store", version = 1)]
pub struct Before {
    #[state(rebuild = label)]
    label: &'static str,
}

/// The newer one.
#[derive(State)]
pub struct Store {
    #[state(rebuild = label)]
    label: &'static str,
}

impl Convert<Before> for Store {
    fn convert(old: &mut Before) -> Self {
        Self { label: old.label }
    }
}

fn label() -> &'static str {
    "a text of the module"
}

/// What the engine sees.
pub const TABLE: Table = Table::of::<Before, Store>();
