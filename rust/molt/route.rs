// SPDX-License-Identifier: GPL-2.0

//! Routes: how an object of each implementation that serves a class becomes one of the
//! implementation that a transition leads to.
//!
//! Most classes are served by one implementation, and some by a few: instances were switched,
//! or made after a change of the default. The routes of a transition are found before it
//! begins and stay where they are until the last object has been moved and reclaimed.

use core::ptr::{self, NonNull};

use kernel::error::code::ENOMEM;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed};

use crate::chain::Chain;
use crate::error::REASON_LEN;
use crate::implementation::Pin;
use crate::moves::{Prepared, Refused};
use crate::object::{aligned_size, state_pointer, Header, Memory};
use crate::place;
use crate::registry::framework;
use crate::repair::Mend;
use crate::slot::Slot;
use crate::testing::{fault, Site};
use crate::text::Text;
use crate::transfer::Table;

/// How an object of one implementation is made from one of another.
pub(crate) enum Way {
    /// It is that implementation already.
    Stay,
    /// By functions of its author's, from state to state.
    Transfer(&'static Table),
    /// Field by field, as the schemas say.
    Moves(KBox<Chain>),
    /// By rules for a state that is known to be damaged.
    Repair(&'static Mend),
}

impl Way {
    /// Whether the rules can refuse an instance.
    pub(crate) fn can_fail(&self) -> bool {
        match self {
            Self::Transfer(table) => table.can_fail,
            Self::Moves(chain) => chain.first().can_fail(),
            Self::Stay | Self::Repair(_) => false,
        }
    }
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

    /// Whether the rules can refuse an instance.
    pub(crate) fn can_fail(&self) -> bool {
        self.way.can_fail()
    }

    /// What an author can do about a transfer that can fail, for messages.
    pub(crate) fn way_out(&self) -> Text<REASON_LEN> {
        match &self.way {
            Way::Moves(chain) => Text::format(fmt!("field `{}`", chain.first().fallible())),
            _ => Text::from("make it a `Convert`"),
        }
    }

    /// Whether there is something to do for each instance before the commit.
    fn prepares(&self) -> bool {
        match &self.way {
            Way::Moves(chain) => chain.first().prepares() || chain.first().checks(),
            _ => self.can_fail(),
        }
    }

    /// The versions between, for messages.
    pub(crate) fn between(&self) -> Text<REASON_LEN> {
        match &self.way {
            Way::Moves(chain) => chain.describe(),
            _ => Text::new(),
        }
    }

    /// The field of a refusal; empty: none in particular.
    pub(crate) fn field(&self, refused: &Refused) -> &str {
        match &self.way {
            Way::Moves(chain) => chain.first().path(refused),
            _ => "",
        }
    }

    /// Size and alignment of what is prepared.
    pub(crate) fn prepared_layout(&self) -> (usize, usize) {
        match &self.way {
            Way::Transfer(table) => (table.prepared_size, table.prepared_align),
            Way::Moves(chain) if chain.first().prepares() => {
                (size_of::<Prepared>(), align_of::<Prepared>())
            }
            _ => (0, 1),
        }
    }

    /// Drops what was left of a state that was moved. May sleep.
    ///
    /// # Safety
    ///
    /// `commit` has taken `old`, and nobody uses it any more.
    pub(crate) unsafe fn finish(&self, old: *mut ()) {
        match &self.way {
            Way::Transfer(table) => {
                let drop = table.drop_rest.unwrap_or(self.from.descriptor().drop);
                // SAFETY: By the caller's promise; the code is kept by this route's pin.
                unsafe { drop(old) }
            }
            // SAFETY: As above.
            Way::Moves(chain) => unsafe { chain.first().finish(old) },
            // A damaged state is not dropped: its pointers may lead anywhere.
            Way::Stay | Way::Repair(_) => {}
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
    /// Bytes behind a new state, for states between.
    room: usize,
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
        let rooms = routes.iter().map(|route| match &route.way {
            Way::Moves(chain) => chain.room(),
            _ => 0,
        });
        Self {
            to,
            room: rooms.max().unwrap_or_default(),
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
        fault(Site::Twin)?;
        let state = &self.to.descriptor().state;
        let size = match self.room {
            0 => self.to.object_size(),
            room => {
                let size = self.to.state_offset().saturating_add(state.size);
                aligned_size(size.saturating_add(room), state.align).ok_or(ENOMEM)?
            }
        };
        let memory = Memory::new(size)?;
        memory.set_header(&self.to);
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
        match &route.way {
            Way::Stay => {}
            // SAFETY: The table fits both states (`transfer::find`), which nobody else uses.
            Way::Transfer(table) => unsafe { (table.commit)(old_state, prepared, new_state) },
            // SAFETY: The moves were made for both, and the twin has room for what is between.
            Way::Moves(chain) => unsafe {
                let mut prepared = place::prepared(prepared);
                chain.commit(old_state, prepared.as_mut(), new_state);
            },
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
                // SAFETY: What `commit` left is dropped once.
                unsafe { route.finish(memory.state(&route.from)) };
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
            framework().records.wake_updaters_late();
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
        self.routes.iter().fold((0, 1), |(size, align), route| {
            let layout = route.prepared_layout();
            (size.max(layout.0), align.max(layout.1))
        })
    }

    /// The versions between, for messages.
    pub(crate) fn between(&self) -> Text<REASON_LEN> {
        let mut all = self.routes.iter().map(Route::between);
        let is_said = |text: &Text<REASON_LEN>| !text.as_str().is_empty();
        all.find(is_said).unwrap_or_default()
    }

    /// Whether there is something to do for each instance before the commit.
    pub(crate) fn prepares(&self) -> bool {
        self.routes.iter().any(Route::prepares)
    }
}
