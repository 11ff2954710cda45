// SPDX-License-Identifier: GPL-2.0

//! Round trips: what `make check-module` needs of the framework. Only built for the host
//! (`testlib`, as the kernel crate calls that).
//!
//! There is no registry then. Whatever registers is handed to the tool, and the module's init
//! ends with an error, so that nothing else of it runs.

use kernel::error::code::ENODEV;
use kernel::prelude::*;
use kernel::sync::Arc;

use crate::chain::Chain;
use crate::class::Class;
use crate::error::Refusal;
use crate::implementation::{Descriptor, Pin, Registered};
use crate::moves::{Moves, PATH_LEN};
use crate::place::{self, Place};
use crate::route::{Route, Way};
use crate::schema::{Part, Type};
use crate::text::Text;
use crate::transfer::{self, is_end_of, Rules};

extern "Rust" {
    /// The tool's.
    fn molt_host_take(implementation: Arc<Registered>);
}

/// What the registry's function of this name does in the kernel.
///
/// # Errors
///
/// `ENODEV`, always.
pub(crate) fn register(
    _descriptor: &'static Descriptor,
    implementation: Arc<Registered>,
) -> Result<Arc<Class>, Refusal> {
    // SAFETY: The tool defines it, in Rust, with this signature.
    unsafe { molt_host_take(implementation) };
    Err(ENODEV.into())
}

impl Registered {
    /// The fields of a state.
    pub fn fields(&self) -> &'static [Part] {
        self.descriptor().state.fields
    }

    /// What an instance is made from.
    pub fn arguments(&self) -> &'static Type {
        self.descriptor().arguments
    }

    /// Makes a state.
    ///
    /// # Errors
    ///
    /// What the author's `create` returns.
    ///
    /// # Safety
    ///
    /// `arguments` are of the type that [`arguments`](Self::arguments) describes, and given away;
    /// `state` is memory for a state.
    pub unsafe fn create(&self, arguments: *mut (), state: *mut ()) -> Result {
        // SAFETY: By the caller's promise.
        unsafe { (self.descriptor().create)(arguments, state) }
    }

    /// Drops a state.
    ///
    /// # Safety
    ///
    /// `state` is one of this implementation, given away.
    pub unsafe fn drop_state(&self, state: *mut ()) {
        // SAFETY: By the caller's promise.
        unsafe { (self.descriptor().drop)(state) }
    }

    /// Whether its author says how a state is made from one of `older`.
    pub fn follows(&self, older: &Self) -> bool {
        let mut tables = self.descriptor().transfers.iter();
        self.schema().covers(older.name(), older.version())
            || tables.any(|table| {
                is_end_of(&table.from, self, older) && is_end_of(&table.to, self, self)
            })
    }
}

/// How a state of one implementation becomes one of another, once.
pub struct Trip {
    route: Route,
    to: Pin,
    place: Place,
}

impl Trip {
    /// Finds the rules, as an update does.
    ///
    /// # Errors
    ///
    /// `EPROTO`: there are none, or they do not cover some field. `ENOMEM`.
    pub fn new(from: &Arc<Registered>, to: &Arc<Registered>) -> Result<Self, Refusal> {
        let way = match transfer::rules(from, to)? {
            Rules::Table(table) => Way::Transfer(table),
            Rules::Schemas { is_back } => {
                let moves = Moves::new(from, to, is_back)?;
                Way::Moves(KBox::new(Chain::direct(moves, to), GFP_KERNEL)?)
            }
        };
        let route = Route::new(Pin::new(from)?, way);
        Ok(Self {
            place: Place::new(route.prepared_layout())?,
            to: Pin::new(to)?,
            route,
        })
    }

    /// Whether it goes field by field, and then by whose rules: those of the implementation that
    /// is left, or not.
    pub fn is_back(&self) -> Option<bool> {
        match transfer::rules(&self.route.from, &self.to) {
            Ok(Rules::Schemas { is_back }) => Some(is_back),
            _ => None,
        }
    }

    /// Makes what can fail.
    ///
    /// # Errors
    ///
    /// What refused `old`, and the field, where that is known.
    ///
    /// # Safety
    ///
    /// `old` is a state of the old implementation.
    pub unsafe fn prepare(&mut self, old: *mut ()) -> Result<(), (Error, Text<PATH_LEN>)> {
        // SAFETY: By the caller's promise.
        let prepared = unsafe { self.place.prepare(&self.route, old) };
        prepared.map_err(|refused| (refused.error, Text::from(self.route.field(&refused))))
    }

    /// Drops what was prepared.
    pub fn undo(&mut self) {
        self.place.undo();
    }

    /// Makes the new state.
    ///
    /// # Safety
    ///
    /// `old` is the state that `prepare` has seen, given away; `new` is memory for one of the new
    /// implementation.
    pub unsafe fn commit(&mut self, old: *mut (), new: *mut ()) {
        let prepared = self.place.take();
        match &self.route.way {
            // SAFETY: By the caller's promise.
            Way::Transfer(table) => unsafe { (table.commit)(old, prepared, new) },
            // SAFETY: As above; there is nothing between.
            Way::Moves(chain) => unsafe {
                let mut prepared = place::prepared(prepared);
                chain.commit(old, prepared.as_mut(), new);
            },
            Way::Stay | Way::Repair(_) => {}
        }
    }

    /// Drops what is left of the old state.
    ///
    /// # Safety
    ///
    /// `commit` has taken `old`.
    pub unsafe fn finish(&self, old: *mut ()) {
        // SAFETY: By the caller's promise.
        unsafe { self.route.finish(old) }
    }
}
