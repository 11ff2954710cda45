// SPDX-License-Identifier: GPL-2.0

//! The window: how calls of atomic classes are let in while a transition runs.
//!
//! Nobody may sleep there, so a closed gate is one that callers spin at: it is closed for
//! tens of microseconds, by an updater that has interrupts off, and any waiter may take it
//! back. The window belongs to one transition and serves all its atomic classes.
//!
//! ```text
//!             close              every CPU passed, none inside
//!   Tracking --------> Blocking -------------------------------> Claimed -----> Done
//!      ^                  |                                        commit
//!      +------------------+
//!        bound used up, by the updater or by a waiter
//!
//!   phase      a call at top level      a call above an admitted one on this CPU
//!   --------   ----------------------   ----------------------------------------
//!   Tracking   recorded, runs           recorded, runs
//!   Blocking   spins; may reopen        recorded, runs
//!   Claimed    spins                    (there is none)
//!   Done       fast path again          fast path again
//! ```
//!
//! # Invariants
//!
//! * The word is phase and number of the closure; the number grows with each that is given up,
//!   so that a word never comes back.
//! * A CPU's cell is changed under its lock, with interrupts off, by that CPU only. Reading
//!   the word and counting the call are one such section. The updater stores `Blocking` and
//!   then passes each cell's lock: it sees the call, or the call has seen `Blocking`.
//! * A cell that was found empty stays so while the word is that of this closure: only
//!   calls above an admitted one are let in then.
//! * A recorded call runs with preemption off, so it ends on the CPU it began on, and inside
//!   the class's domain: later transitions do not look at this window.
//! * The updater has interrupts off from `Blocking` on: a call from its own interrupts could
//!   neither wait nor be let in.
//! * The window is freed after a grace period of everybody who had preemption off.

use crate::gate::{refuse_rules, Gate};
use crate::primitives::{
    describe_current, now_ns, quiet, relax, warn_nmi, Atomic, Cells, Described, Full, Pinned,
    Relaxed, Result,
};
use crate::slot::Slot;

/// How long one closure may last, in nanoseconds, before the updater or a waiter ends it.
pub(crate) const BOUND_NS: u64 = 50_000;

const TRACKING: u64 = 1;
const BLOCKING: u64 = 2;
const CLAIMED: u64 = 3;
const DONE: u64 = 0;
const PHASES: u64 = 3;
const CLOSURE: u64 = 4;

/// The admitted calls of one CPU.
#[derive(Clone, Copy, Default)]
pub(crate) struct Inside {
    depth: u32,
    /// When the outermost one came.
    pub(crate) since_ns: u64,
    /// Who it interrupted, or who made it.
    pub(crate) who: Described,
}

/// The window of one transition.
pub(crate) struct Window {
    word: Atomic<u64>,
    cells: Cells<Inside>,
}

impl Window {
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            word: Atomic::new(TRACKING),
            cells: Cells::new(Inside::default)?,
        })
    }

    /// Lets a call in, or not. `Some(nested)`: in, and [`Window::leave`] is owed.
    fn admit(&self) -> Option<bool> {
        let mut cell = self.cells.own();
        let nested = cell.depth > 0;
        match self.word.load(Relaxed) & PHASES {
            TRACKING => {}
            BLOCKING if nested => {}
            _ => return None,
        }
        cell.depth = cell.depth.wrapping_add(1);
        if !nested {
            cell.since_ns = now_ns();
            cell.who = describe_current();
        }
        Some(nested)
    }

    fn leave(&self) {
        let mut cell = self.cells.own();
        cell.depth = cell.depth.wrapping_sub(1);
    }

    /// Gives up a closure that has lasted too long, on behalf of a caller that spins since
    /// `since_ns`. The updater may be on a processor that its host has taken away.
    fn revoke(&self, since_ns: u64) {
        let word = self.word.load(Relaxed);
        if word & PHASES == BLOCKING && now_ns().wrapping_sub(since_ns) > BOUND_NS {
            self.give_up(word);
        }
    }

    fn give_up(&self, word: u64) {
        let reopened = (word & !PHASES).wrapping_add(CLOSURE) | TRACKING;
        // Failing is fine: somebody else was first, or it was claimed.
        let _ = self.word.cmpxchg(word, reopened, Full);
    }

    /// Closes the window once. When no call is inside, runs `commit` with interrupts off;
    /// it opens the gates, or has changed nothing and fails. `None`: the closure was given up.
    /// Either way calls go on before interrupts do: one that came here by an interrupt of this
    /// processor could wait for nobody. `dawdle` is for tests. And how long it was closed, in
    /// nanoseconds, without the interrupts that come in afterwards.
    ///
    /// Called with the window open and the grace period behind it, from a task.
    pub(crate) fn close(
        &self,
        dawdle: impl FnOnce(),
        commit: impl FnOnce() -> Result,
    ) -> (Option<Result>, u64) {
        let _quiet = quiet();
        let begin_ns = now_ns();
        let result = self.close_until(begin_ns.saturating_add(BOUND_NS), dawdle, commit);
        (result, now_ns().wrapping_sub(begin_ns))
    }

    /// Interrupts are off.
    fn close_until(
        &self,
        end_ns: u64,
        dawdle: impl FnOnce(),
        commit: impl FnOnce() -> Result,
    ) -> Option<Result> {
        let number = self.word.load(Relaxed) & !PHASES;
        let blocking = number | BLOCKING;
        self.word.store(blocking, Relaxed);
        dawdle();
        let is_empty = (0..self.cells.len()).all(|cpu| self.is_left(cpu, blocking, end_ns));
        let claimed = number | CLAIMED;
        if !is_empty || now_ns() > end_ns || self.word.cmpxchg(blocking, claimed, Full).is_err() {
            self.give_up(blocking);
            return None;
        }
        let result = commit();
        match result {
            Ok(()) => self.finish(),
            Err(_) => self.give_up(claimed),
        }
        Some(result)
    }

    /// Waits until nobody is inside on `cpu`; `false`: in vain.
    fn is_left(&self, cpu: usize, blocking: u64, end_ns: u64) -> bool {
        while self.cells.lock(cpu).depth != 0 {
            if now_ns() > end_ns || self.word.load(Relaxed) != blocking {
                return false;
            }
            relax();
        }
        true
    }

    /// The gates are open: whoever still looks at this window goes back to them.
    pub(crate) fn finish(&self) {
        self.word.store(DONE, Relaxed);
    }

    /// Hands each CPU's admitted calls to `f`, which must not sleep.
    pub(crate) fn for_each_inside(&self, mut f: impl FnMut(&Inside)) {
        for cpu in 0..self.cells.len() {
            let inside = *self.cells.lock(cpu);
            if inside.depth != 0 {
                f(&inside);
            }
        }
    }
}

/// Runs `body` as a call of an atomic class that came too late for the fast path. The caller
/// is inside the domain, and stays there. `body` runs exactly once. Does not sleep.
#[cold]
#[inline(never)]
pub(crate) fn pass(gate: &Gate, slot: &Slot, body: &mut dyn FnMut()) {
    // For the window's life, and for its per-CPU cells.
    let _pinned = Pinned::new();
    warn_nmi();
    refuse_rules();
    let mut since_ns = None;
    loop {
        // SAFETY: Preemption is off, and the window is freed by a grace period of that.
        match unsafe { gate.window().as_ref() } {
            None => {
                if gate.is_lazy_for(slot) {
                    slot.bring_up();
                }
                if gate.is_open_for(slot) {
                    note_wait(gate, since_ns);
                    return body();
                }
            }
            Some(window) => {
                if let Some(nested) = window.admit() {
                    gate.count_recorded(nested);
                    note_wait(gate, since_ns);
                    body();
                    return window.leave();
                }
                window.revoke(*since_ns.get_or_insert_with(now_ns));
            }
        }
        relax();
    }
}

fn note_wait(gate: &Gate, since_ns: Option<u64>) {
    if let Some(since_ns) = since_ns {
        gate.count_spun(since_ns);
    }
}
