// SPDX-License-Identifier: GPL-2.0

//! Routes: how an object of each implementation that serves a class becomes one of the
//! implementation that a transition leads to.
//!
//! Most classes are served by one implementation, and some by a few: instances were switched,
//! or made after a change of the default. The routes of a transition are found before it
//! begins and stay where they are until the last object has been moved and reclaimed.

use core::ptr::{self, NonNull};

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed};

use crate::implementation::Pin;
use crate::object::{state_pointer, Header, Memory};
use crate::registry::framework;
use crate::repair::Mend;
use crate::slot::Slot;
use crate::transfer::Table;

/// How an object of one implementation is made from one of another.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// It is that implementation already.
    Stay,
    /// By its author's rules for the transfer.
    Transfer(&'static Table),
    /// By rules for a state that is known to be damaged.
    Repair(&'static Mend),
}

/// From one implementation.
pub(crate) struct Route {
    pub(crate) from: Pin,
    pub(crate) way: Way,
    /// Objects that were moved and reclaimed, for their pins.
    reclaimed: Atomic<u64>,
}

impl Route {
    pub(crate) fn new(from: Pin, way: Way) -> Self {
        Self {
            from,
            way,
            reclaimed: Atomic::new(0),
        }
    }

    /// Whether its objects are moved at all.
    pub(crate) fn is_move(&self) -> bool {
        !matches!(self.way, Way::Stay)
    }

    /// The rules, where they are those of a transfer.
    pub(crate) fn table(&self) -> Option<&'static Table> {
        match self.way {
            Way::Transfer(table) => Some(table),
            _ => None,
        }
    }
}

/// What a repair came to, in instances.
#[derive(Clone, Copy)]
pub(crate) struct Mended {
    /// Something of the state was saved.
    pub(crate) saved: u64,
    /// Nothing was: the instance begins anew.
    pub(crate) lost: u64,
}

/// All routes of one class in one transition.
///
/// # Invariants
///
/// * Both ends of each route are pinned while this lives.
/// * `dead` is a list of objects that were moved, linked by their headers' `operations`.
pub(crate) struct Routes {
    pub(crate) to: Pin,
    routes: KVec<Route>,
    /// The stamp that a moved instance gets.
    stamp: u64,
    dead: Atomic<*mut Header>,
    done: Atomic<u64>,
    total: Atomic<u64>,
    saved: Atomic<u64>,
    lost: Atomic<u64>,
    /// Calls were abandoned that may be in old objects: these are kept, with their code.
    is_kept: Atomic<bool>,
}

impl Routes {
    pub(crate) fn new(to: Pin, routes: KVec<Route>, stamp: u64) -> Self {
        Self {
            to,
            routes,
            stamp,
            dead: Atomic::new(ptr::null_mut()),
            done: Atomic::new(0),
            total: Atomic::new(0),
            saved: Atomic::new(0),
            lost: Atomic::new(0),
            is_kept: Atomic::new(false),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    pub(crate) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// The route of `object`, if it has to be moved.
    ///
    /// # Safety
    ///
    /// `object` is one, and its header stays valid for the length of the call.
    pub(crate) unsafe fn of(&self, object: *mut Header) -> Option<&Route> {
        // SAFETY: By the caller's promise.
        let implementation = unsafe { (*object).implementation };
        let is_own = |route: &&Route| ptr::eq(&**route.from, implementation);
        self.routes
            .iter()
            .find(is_own)
            .filter(|route| route.is_move())
    }

    /// Memory for an object of the new implementation, with its header.
    ///
    /// # Errors
    ///
    /// `ENOMEM`. May sleep.
    pub(crate) fn twin(&self) -> Result<Memory> {
        let state = &self.to.descriptor().state;
        let memory = Memory::new(state.size, state.align)?;
        // SAFETY: The memory is a header long, and nobody else has it.
        unsafe {
            memory.header().write(Header {
                operations: self.to.descriptor().operations,
                implementation: &raw const **self.to,
                stamp: crate::primitives::Atomic::new(self.stamp()),
            });
        }
        Ok(memory)
    }

    /// Makes the state of `new` from that of `old`, which is dead from then on. Does not sleep.
    ///
    /// # Safety
    ///
    /// Both are the caller's alone; `old` has a route, `new` is a twin of these routes, and
    /// `prepared` is what the route's `prepare` made of `old`, given away.
    pub(crate) unsafe fn commit(
        &self,
        slot: &Slot,
        old: *mut Header,
        prepared: *mut (),
        new: *mut Header,
    ) {
        // SAFETY: By the caller's promise.
        let Some(route) = (unsafe { self.of(old) }) else {
            return;
        };
        let (old_state, new_state) = (
            state_pointer(old, &route.from),
            state_pointer(new, &self.to),
        );
        match route.way {
            Way::Stay => {}
            // SAFETY: The table fits both states (`transfer::find`), which nobody else uses.
            Way::Transfer(table) => unsafe { (table.commit)(old_state, prepared, new_state) },
            // SAFETY: As above, but for abandoned calls, which these rules know of.
            Way::Repair(mend) => match unsafe { (mend.salvage)(old_state, new_state) } {
                true => _ = self.saved.fetch_add(1, Relaxed),
                false => {
                    // SAFETY: `new_state` is memory for a state, and none was made there.
                    unsafe { (mend.rebuild)(slot.id(), slot.key(), new_state) };
                    self.lost.fetch_add(1, Relaxed);
                }
            },
        }
        route.from.instances.fetch_sub(1, Relaxed);
        self.to.instances.fetch_add(1, Relaxed);
        self.bury(old);
    }

    /// Puts an object that no call can reach any more on the list of the dead.
    fn bury(&self, object: *mut Header) {
        let mut first = self.dead.load(Relaxed);
        loop {
            // SAFETY: The object is the caller's; nobody calls through it any more.
            unsafe { (*object).operations = first.cast_const().cast() };
            match self.dead.cmpxchg(first, object, Full) {
                Ok(_) => return,
                Err(seen) => first = seen,
            }
        }
    }

    /// Drops the objects that were moved so far by their own implementations' code, frees them,
    /// and gives up a pin for each. May sleep.
    pub(crate) fn reclaim(&self) {
        if self.is_kept() {
            // An abandoned call may be in any of them.
            return;
        }
        let mut next = NonNull::new(self.dead.xchg(ptr::null_mut(), Full));
        while let Some(object) = next {
            // SAFETY: Dead objects are this function's alone; the header is still written.
            let route = unsafe {
                next = NonNull::new((*object.as_ptr()).operations.cast_mut().cast());
                self.of(object.as_ptr())
            };
            // SAFETY: As above.
            let memory = unsafe { Memory::from_raw(object) };
            if let Some(route) = route {
                // A damaged state is not dropped: its pointers may lead anywhere.
                if let Some(table) = route.table() {
                    let from = &route.from;
                    let drop = table.drop_rest.unwrap_or(from.descriptor().drop);
                    // SAFETY: What `commit` left is dropped once, by code that its pin keeps.
                    unsafe { drop(memory.state(from)) };
                }
                route.reclaimed.fetch_add(1, Relaxed);
            }
            drop(memory);
        }
    }

    /// Whether old objects are kept: calls were abandoned that may be in them.
    pub(crate) fn keep_old(&self, is_kept: bool) {
        self.is_kept.store(is_kept, Relaxed);
    }

    /// Whether old objects are kept for abandoned calls.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept.load(Relaxed)
    }

    /// What a repair came to so far.
    pub(crate) fn mended(&self) -> Mended {
        Mended {
            saved: self.saved.load(Relaxed),
            lost: self.lost.load(Relaxed),
        }
    }

    /// Gives up the pins of the objects that were reclaimed: their code has run to its end.
    pub(crate) fn unpin(&self) {
        for route in &self.routes {
            route.from.unpin(route.reclaimed.xchg(0, Relaxed));
        }
    }

    /// Counts an instance that is valid in the new generation. Any context.
    pub(crate) fn count_done(&self) {
        let done = self.done.fetch_add(1, Relaxed).wrapping_add(1);
        if done == self.total.load(Relaxed) {
            framework().records.wake_updaters();
        }
    }

    /// How many instances there are to bring up.
    pub(crate) fn set_total(&self, total: u64) {
        self.total.store(total, Relaxed);
    }

    /// How many instances are valid in the new generation, and how many have to be.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.done.load(Relaxed), self.total.load(Relaxed))
    }

    pub(crate) fn is_done(&self) -> bool {
        let (done, total) = self.progress();
        done >= total
    }

    /// Memory that is needed for one prepared value of whichever route: size and alignment.
    pub(crate) fn prepared_layout(&self) -> (usize, usize) {
        let tables = self.routes.iter().filter_map(Route::table);
        tables.fold((0, 1), |(size, align), table| {
            (
                size.max(table.prepared_size),
                align.max(table.prepared_align),
            )
        })
    }

    /// Whether some route's transfer can fail.
    pub(crate) fn can_fail(&self) -> bool {
        let mut tables = self.routes.iter().filter_map(Route::table);
        tables.any(|table| table.can_fail)
    }
}
