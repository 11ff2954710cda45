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
use crate::transfer::Table;

/// From one implementation.
pub(crate) struct Route {
    pub(crate) from: Pin,
    /// `None`: it is the one that the transition leads to.
    pub(crate) table: Option<&'static Table>,
    /// Objects that were moved and reclaimed, for their pins.
    reclaimed: Atomic<u64>,
}

impl Route {
    pub(crate) fn new(from: Pin, table: Option<&'static Table>) -> Self {
        Self {
            from,
            table,
            reclaimed: Atomic::new(0),
        }
    }
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
        self.routes.iter().find(is_own).filter(|route| route.table.is_some())
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
    pub(crate) unsafe fn commit(&self, old: *mut Header, prepared: *mut (), new: *mut Header) {
        // SAFETY: By the caller's promise.
        let Some(route) = (unsafe { self.of(old) }) else {
            return;
        };
        if let Some(table) = route.table {
            let (old_state, new_state) =
                (state_pointer(old, &route.from), state_pointer(new, &self.to));
            // SAFETY: The table fits both states (`transfer::find`), which nobody else uses.
            unsafe { (table.commit)(old_state, prepared, new_state) };
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
        let mut next = NonNull::new(self.dead.xchg(ptr::null_mut(), Full));
        while let Some(object) = next {
            // SAFETY: Dead objects are this function's alone; the header is still written.
            let route = unsafe {
                next = NonNull::new((*object.as_ptr()).operations.cast_mut().cast());
                self.of(object.as_ptr())
            };
            // SAFETY: As above.
            let memory = unsafe { Memory::from_raw(object) };
            if let Some(Route { from, table, reclaimed }) = route {
                let drop_rest = table.and_then(|table| table.drop_rest);
                // SAFETY: What `commit` left is dropped once, by the code that its pin keeps.
                unsafe { drop_rest.unwrap_or(from.descriptor().drop)(memory.state(from)) };
                reclaimed.fetch_add(1, Relaxed);
            }
            drop(memory);
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
        let tables = self.routes.iter().filter_map(|route| route.table);
        tables.fold((0, 1), |(size, align), table| {
            (size.max(table.prepared_size), align.max(table.prepared_align))
        })
    }

    /// Whether some route's transfer can fail.
    pub(crate) fn can_fail(&self) -> bool {
        let tables = self.routes.iter().filter_map(|route| route.table);
        tables.into_iter().any(|table| table.can_fail)
    }
}
