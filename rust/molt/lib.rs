// SPDX-License-Identifier: GPL-2.0

//! Molt: dynamic update for kernel modules written in Rust.
//!
//! Where a call goes: [`handle`], then [`gate`]. Where a transition is driven:
//! [`update`], then [`transition`]. Where state is moved: [`exchange`], by the tables of
//! [`transfer`].
//!
//! A public function that may sleep says so; all others may be called in any context but an NMI.
//! Times are in the unit that the name ends in.

#![crate_name = "molt"]

mod blocker;
mod census;
pub mod class;
pub mod contract;
pub mod error;
mod exchange;
pub mod fingerprint;
pub mod gate;
pub mod handle;
mod helpers;
pub mod history;
pub mod implementation;
pub mod interface;
mod log;
pub mod movable;
pub mod object;
pub mod plan;
mod primitives;
mod reaper;
mod record;
pub mod registry;
pub mod schema;
mod slot;
mod testing;
pub mod text;
pub mod transfer;
pub mod transition;
pub mod update;

pub use blocker::{Blocker, Who};
pub use class::Typed as Class;
pub use handle::Handle;
pub use implementation::Implementation;
pub use molt_macros::{interface, module, Movable, State};
pub use movable::Movable;
pub use schema::State;
pub use testing::shows_state;
pub use transfer::Transfer;

use kernel::prelude::{Result, ThisModule};

kernel::prelude::module! {
    type: Framework,
    name: "molt",
    authors: ["The Molt developers"],
    description: "Dynamic update for kernel modules written in Rust: the framework",
    license: "GPL",
}

struct Framework {
    _root: registry::Root,
}

impl kernel::Module for Framework {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _root: registry::Root::new()?,
        })
    }
}
