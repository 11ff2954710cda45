// SPDX-License-Identifier: GPL-2.0

//! Molt: dynamic update for kernel modules written in Rust.
//!
//! Where a call goes: [`handle`], then [`gate`], and [`window`] in classes of atomic context.
//! Where a transition is driven: [`plan`], [`transition`], [`job`], then [`attempt`]. How states
//! become those of another version: [`schema`], compared for [`transfer`], then [`moves`]. Where
//! instances are moved: [`exchange`].
//!
//! A public function that may sleep says so; all others may be called in any context but an NMI.
//! Times are in the unit that the name ends in.

#![crate_name = "molt"]

extern crate self as molt;

mod attempt;
mod blocker;
pub mod callback;
mod census;
mod chain;
pub mod choice;
pub mod class;
pub mod container;
pub mod contract;
mod crew;
mod domain;
mod errand;
pub mod error;
mod exchange;
pub mod explain;
pub mod fingerprint;
pub mod front;
pub mod gate;
pub mod handle;
mod helpers;
pub mod history;
pub mod holder;
pub mod implementation;
pub mod interface;
mod job;
mod kept;
#[cfg(CONFIG_MOLT_KUNIT_TEST)]
mod kunit;
mod lists;
pub mod lock;
mod log;
pub mod movable;
mod moves;
pub mod object;
mod place;
pub mod plan;
mod primitives;
mod raw_lock;
mod reaper;
mod record;
pub mod registry;
pub mod repair;
#[cfg(testlib)]
pub mod round_trip;
mod route;
pub mod schema;
mod slot;
mod statics;
mod sweep;
mod testing;
pub mod text;
mod trace;
pub mod transfer;
pub mod transition;
mod trial;
pub mod typed;
mod window;

pub use attempt::Timing;
pub use blocker::{Blocker, Stack, Who};
pub use callback::Callback;
pub use handle::Handle;
pub use implementation::Implementation;
pub use molt_macros::{interface, module, Movable, State};
pub use movable::Movable;
pub use repair::Repair;
pub use schema::{Closed, State};
pub use testing::{fault, for_each_fault_site, shows_state, Site};
pub use transfer::{Convert, Transfer};
pub use typed::Typed as Class;

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
