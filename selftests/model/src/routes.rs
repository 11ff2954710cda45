// SPDX-License-Identifier: GPL-2.0

//! How the instances of one class are moved, after `route.rs` of the framework.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::class::Class;
use crate::gate::Lane;
use crate::primitives::{Atomic, Relaxed};
use crate::slot::{Edition, Slot};
use crate::work::Policy;

pub(crate) struct Routes {
    lane: Lane,
    /// Calls that were abandoned may still be in an old object.
    pub(crate) is_repair: bool,
    /// The stamp that a moved instance gets.
    pub(crate) stamp: u64,
    /// An instance that the rule calls, against what is demanded of it, once.
    pub(crate) called: RefCell<Option<Rc<Slot>>>,
    done: Atomic<u64>,
    total: Cell<u64>,
}

impl Routes {
    pub(crate) fn new(class: &Class, policy: Policy) -> Self {
        let lane = policy.lane();
        let open = class.gate.open_stamp();
        Self {
            lane,
            is_repair: policy == Policy::Repair,
            stamp: match lane {
                Lane::Class => open + 1,
                // Those who are switched get the stamp that all others have.
                Lane::Slots => open,
            },
            called: RefCell::new(None),
            done: Atomic::new(0),
            total: Cell::new(0),
        }
    }

    /// What a moved object is made of.
    pub(crate) fn edition_after(&self, before: Edition) -> Edition {
        match self.lane {
            Lane::Class => Edition {
                generation: before.generation + 1,
                ..before
            },
            Lane::Slots => Edition {
                switch: before.switch + 1,
                ..before
            },
        }
    }

    pub(crate) fn count_done(&self) {
        self.done.fetch_add(1, Relaxed);
        // Compares with the total: after the last one the routes may go.
        self.done.load(Relaxed);
    }

    pub(crate) fn set_total(&self, total: u64) {
        self.total.set(total);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Relaxed) >= self.total.get()
    }
}
