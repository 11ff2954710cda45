// SPDX-License-Identifier: GPL-2.0

//! The transition: how quiescence is reached, and how the attempt ends.
//!
//! ```text
//!            track             grace period of            no record, twice
//!   idle ------------> tracking -----------------> blocking -----------> transferring
//!    ^                  |   ^                        |                      |    |
//!    |                  |   +---------- reopen ------+                      |    |
//!    |                  |     pause used up, or                             |    |
//!    +------------------+     too few twins                 prepare failed  |    |
//!    |      abort       +<--------------------------------------------------+    |
//!    +<--------------------------------------------------------------------------+
//!                                       commit
//! ```
//!
//! Each forward step and what undoes it:
//!
//! | step | effect | undone by |
//! |---|---|---|
//! | `track` | phases `Tracking`, then stamps closed | `open_gates` |
//! | `grace` | waits; changes nothing | - (a grace period that is given up ends by itself) |
//! | `Work::provide` | twins allocated | `Work::undo` |
//! | `block` | phases `Blocking` | `reopen` |
//! | `claim` | phases `Transferring` | `reopen` |
//! | `Work::prepare` | prepared values; old objects only borrowed | `Work::undo`, gates open |
//! | state word to `COMMITTING` | no way back | - |
//!
//! Between `block` and `open_gates` or `reopen` the updater prints nothing, waits for no
//! grace period, and takes no lock that a caller can hold.
//!
//! # Invariants
//!
//! * The state word leaves `RUNNING` once. Whoever moves it decides between commit and
//!   abort.
//! * A grace period of every domain lies between the closing of the stamps and the first
//!   claim. A reopened gate keeps its stamp closed, so the next try needs no new one.
//! * Quiescence is claimed by the scan that finds no record while the phase is
//!   `Transferring`, in which nobody is admitted.

use crate::gate::{Gate, Phase};
use crate::primitives::{
    halt, now_ns, sleep_ns, warn_trespass, Arc, Atomic, Error, Full, Gates, GracePeriod, Relaxed,
    Result, EAGAIN, EALREADY, ECANCELED, EDEADLK, ETIMEDOUT,
};
use crate::record::Records;

const RUNNING: u32 = 0;
const COMMITTING: u32 = 1;
const ABORTING: u32 = 2;

/// How long an attempt, and one closure of the gate within it, may last.
#[derive(Clone, Copy)]
pub struct Limits {
    /// The life of the attempt, in nanoseconds.
    pub deadline_ns: u64,
    /// How long the gate may stay closed in one try, in nanoseconds. Looked at between two
    /// instances; the commit comes on top.
    pub pause_ns: u64,
}

/// Where an attempt spent its time, in nanoseconds, and how often it tried.
#[derive(Clone, Copy, Default)]
pub struct Timing {
    /// From the closing of the stamps to the end of the grace period.
    pub tracking_ns: u64,
    /// Blocking, in the last try.
    pub blocking_ns: u64,
    /// From the claim to the last object moved.
    pub transferring_ns: u64,
    claimed_ns: u64,
    /// The whole attempt, up to the open gate.
    pub total_ns: u64,
    /// How often the gate was reopened without a commit.
    pub reopened: u32,
}

/// A point at which [`Work::reached`] is told how far the attempt has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// Calls are recorded; the grace period has not begun.
    Tracking,
    /// The gate is closed for callers without a record.
    Blocking,
    /// Quiescent; nothing is prepared yet.
    Transferring,
    /// Everything is prepared; the attempt can still be aborted.
    Prepared,
}

/// What the attempt does with the instances. All of it runs in the updater's task.
pub(crate) trait Work {
    /// Provides a twin for each instance there is now. The gate is open; may sleep.
    fn provide(&mut self) -> Result;
    /// Whether the twins still suffice. The gate is closed.
    fn is_provided(&self) -> bool;
    /// The fallible part of the transfer, for every instance. The class is quiescent.
    /// Asks [`Attempt::check`] between instances.
    fn prepare(&mut self, attempt: &Attempt) -> Result;
    /// The rest of the transfer, and the new generation. Cannot fail.
    /// Announces each slot to [`Attempt::moving`] before its state is touched.
    fn commit(&mut self, attempt: &Attempt);
    /// Takes back `prepare`, as far as it came. The gates are open again.
    fn undo(&mut self);
    /// Told at each milestone. Tests hold an attempt here.
    fn reached(&mut self, _milestone: Milestone, _attempt: &Attempt) {}
    /// The deadline has passed with calls inside: the moment to name them. Recorded calls
    /// block only where they came before `closed_ns`, when the gate was closed last. The gate
    /// is tracking; may sleep.
    fn name_blockers(&mut self, _closed_ns: u64) {}
}

/// What becomes of a call that the updater's own task makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trespass {
    /// It goes on like anybody's call.
    GoOn,
    /// It runs at once, on what its slot holds.
    RunNow,
}

/// One attempt to move the classes behind some gates to another generation.
pub(crate) struct Attempt {
    gates: Gates,
    records: Arc<Records>,
    state: Atomic<u32>,
    trespassed: Atomic<u32>,
    deadline_ns: u64,
    pause_ns: u64,
    /// When the present closure of the gate has to end.
    pause_end_ns: Atomic<u64>,
    /// Address of the stamp of the slot that is being moved; 0 where none is.
    moving: Atomic<u64>,
}

fn address(stamp: &Atomic<u64>) -> u64 {
    core::ptr::from_ref(stamp).addr() as u64
}

impl Attempt {
    pub(crate) fn new(gates: Gates, records: Arc<Records>, limits: Limits) -> Self {
        Self {
            gates,
            records,
            state: Atomic::new(RUNNING),
            trespassed: Atomic::new(0),
            deadline_ns: now_ns().saturating_add(limits.deadline_ns),
            pause_ns: limits.pause_ns,
            pause_end_ns: Atomic::new(u64::MAX),
            moving: Atomic::new(0),
        }
    }

    /// Asks the attempt to end without a commit. Returns at once; does not sleep.
    ///
    /// # Errors
    ///
    /// `EALREADY`: it has committed.
    pub(crate) fn abort(&self) -> Result {
        match self.state.cmpxchg(RUNNING, ABORTING, Full) {
            Err(COMMITTING) => Err(EALREADY),
            _ => {
                self.records.wake_updaters();
                Ok(())
            }
        }
    }

    /// The slot with this stamp is about to be moved; `None`: no slot is.
    pub(crate) fn moving(&self, stamp: Option<&Atomic<u64>>) {
        self.moving.store(stamp.map_or(0, address), Relaxed);
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state.load(Relaxed) == RUNNING
    }

    pub(crate) fn is_past_deadline(&self) -> bool {
        now_ns() >= self.deadline_ns
    }

    pub(crate) fn gates(&self) -> &[Arc<Gate>] {
        &self.gates
    }

    /// The updater's own task has come to the slow path of `gate`: a rule, a factory or a
    /// notification of this attempt has called a handle.
    ///
    /// Before the commit point the attempt ends here and now: old objects were only
    /// borrowed, so the gates open and the call goes on like anybody's. After it nothing
    /// can be taken back: at a gate of this attempt the call runs on what its slot holds.
    /// The one slot whose state is neither old nor new at that moment cannot be called at
    /// all: the updater stops there for good, which is loud but corrupts nothing.
    pub(crate) fn trespass(&self, gate: &Gate, stamp: Option<&Atomic<u64>>) -> Trespass {
        warn_trespass();
        self.trespassed.store(1, Relaxed);
        if self.abort().is_ok() {
            self.open_gates();
            return Trespass::GoOn;
        }
        if self.gates.iter().any(|own| core::ptr::eq(&**own, gate)) {
            // Nor can an instance be made, while the lists are being walked.
            if stamp.is_none_or(|stamp| address(stamp) == self.moving.load(Relaxed)) {
                halt();
            }
            return Trespass::RunNow;
        }
        Trespass::GoOn
    }

    /// Drives the attempt to its end. Sleeps.
    ///
    /// # Errors
    ///
    /// * `ETIMEDOUT`: no quiescence by the deadline.
    /// * `ECANCELED`: [`Attempt::abort`] came first.
    /// * `EDEADLK`: a rule called a handle.
    /// * what [`Work::provide`] and [`Work::prepare`] return.
    pub(crate) fn run(&self, work: &mut dyn Work, timing: &mut Timing) -> Result {
        let begin_ns = now_ns();
        let result = self
            .records
            .with_updater(self, || self.run_phases(work, timing));
        timing.total_ns = now_ns().wrapping_sub(begin_ns);
        if result.is_err() {
            work.undo();
        }
        result
    }

    fn run_phases(&self, work: &mut dyn Work, timing: &mut Timing) -> Result {
        let ready = self.wait_for_pending();
        let prepared = ready.and_then(|()| {
            self.track();
            self.reach_commit_point(work, timing)
        });
        if let Err(error) = prepared {
            if error == ETIMEDOUT {
                // Before the gates open: so far each call that came later has a record, or
                // waits, and the two kinds can be told apart.
                self.publish(Phase::Tracking);
                work.name_blockers(self.closed_ns());
            }
            self.open_gates();
            return Err(error);
        }
        work.commit(self);
        timing.transferring_ns = now_ns().wrapping_sub(timing.claimed_ns);
        self.open_gates();
        Ok(())
    }

    /// Waits until the grace periods that earlier attempts gave up have ended: so there is
    /// at most one for each class, however often somebody tries.
    fn wait_for_pending(&self) -> Result {
        for gate in self.gates.iter() {
            self.wait_until(|| !gate.domain.has_pending())?;
        }
        Ok(())
    }

    /// Waits for what wakes the updaters, until the attempt ends.
    fn wait_until(&self, condition: impl Fn() -> bool) -> Result {
        loop {
            let sequence = self.records.drain_sequence();
            if condition() {
                return Ok(());
            }
            if !self.is_running() || self.is_past_deadline() {
                return Err(self.reason_to_end());
            }
            self.wait_for_change(sequence, self.deadline_ns);
        }
    }

    fn track(&self) {
        for gate in self.gates.iter() {
            gate.publish(Phase::Tracking);
        }
        for gate in self.gates.iter() {
            gate.close();
        }
    }

    /// Opens every gate, with whatever stamp is valid now: the end of commit and of abort.
    fn open_gates(&self) {
        for gate in self.gates.iter() {
            gate.open();
        }
        self.publish(Phase::Idle);
    }

    /// Publishes `phase` at every gate and lets the waiters look at it.
    fn publish(&self, phase: Phase) {
        for gate in self.gates.iter() {
            gate.publish(phase);
        }
        if phase != Phase::Transferring {
            for gate in self.gates.iter() {
                gate.wake_waiters();
            }
        }
    }

    /// Everything that can still be taken back.
    fn reach_commit_point(&self, work: &mut dyn Work, timing: &mut Timing) -> Result {
        let begin_ns = now_ns();
        work.reached(Milestone::Tracking, self);
        self.grace()?;
        timing.tracking_ns = now_ns().wrapping_sub(begin_ns);
        loop {
            // Also after each reopening: the callers may have created instances.
            work.provide()?;
            let closed_ns = now_ns();
            self.pause_end_ns
                .store(closed_ns.saturating_add(self.pause_ns), Relaxed);
            self.publish(Phase::Blocking);
            work.reached(Milestone::Blocking, self);
            match self.try_to_prepare(work, timing, closed_ns) {
                Err(error) if error == EAGAIN => {}
                result => return result,
            }
            self.publish(Phase::Tracking);
            work.undo();
            timing.reopened = timing.reopened.wrapping_add(1);
            self.back_off(now_ns().wrapping_sub(closed_ns));
        }
    }

    /// One closure of the gate. `EAGAIN`: reopen and try again.
    fn try_to_prepare(&self, work: &mut dyn Work, timing: &mut Timing, closed_ns: u64) -> Result {
        self.drain()?;
        timing.claimed_ns = now_ns();
        timing.blocking_ns = timing.claimed_ns.wrapping_sub(closed_ns);
        if !work.is_provided() {
            return Err(EAGAIN);
        }
        work.reached(Milestone::Transferring, self);
        work.prepare(self)?;
        work.reached(Milestone::Prepared, self);
        match self.state.cmpxchg(RUNNING, COMMITTING, Full) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.reason_to_end()),
        }
    }

    /// Waits for one grace period of every domain.
    fn grace(&self) -> Result {
        for gate in self.gates.iter() {
            let grace = GracePeriod::begin(gate, &self.records)?;
            self.wait_until(|| grace.has_ended())?;
        }
        Ok(())
    }

    /// Waits until no recorded call is left and claims the class.
    fn drain(&self) -> Result {
        loop {
            // Sampled before the scan: a record that the scan still sees changes it when
            // it goes, since its task then finds the gate blocking or transferring.
            let sequence = self.records.drain_sequence();
            if self.records.scan(&self.gates) == 0 && self.claim() {
                return Ok(());
            }
            self.check()?;
            let pause_end_ns = self.pause_end_ns.load(Relaxed);
            self.wait_for_change(sequence, pause_end_ns.min(self.deadline_ns));
        }
    }

    /// Whether the attempt may stay in its closed gate. Rules are checked between instances.
    ///
    /// # Errors
    ///
    /// `EAGAIN`: the pause is used up. `ETIMEDOUT`, `ECANCELED`, `EDEADLK`: the attempt ends.
    pub(crate) fn check(&self) -> Result {
        if !self.is_running() || self.is_past_deadline() {
            Err(self.reason_to_end())
        } else if now_ns() >= self.pause_end_ns.load(Relaxed) {
            Err(EAGAIN)
        } else {
            Ok(())
        }
    }

    /// Closes the gates for nested calls too, and scans once more.
    ///
    /// One scan is not enough: a task recorded in another class may have entered a bucket
    /// that the first scan had already passed.
    fn claim(&self) -> bool {
        self.publish(Phase::Transferring);
        if self.records.scan(&self.gates) == 0 {
            return true;
        }
        self.publish(Phase::Blocking);
        false
    }

    fn wait_for_change(&self, sequence: u64, until_ns: u64) {
        self.records.drain.wait_timeout(
            || self.records.drain_sequence() != sequence || !self.is_running(),
            until_ns.saturating_sub(now_ns()),
        );
    }

    fn reason_to_end(&self) -> Error {
        if self.trespassed.load(Relaxed) != 0 {
            EDEADLK
        } else if !self.is_running() {
            ECANCELED
        } else {
            ETIMEDOUT
        }
    }

    /// When the present closure of the gate began, or the last one.
    fn closed_ns(&self) -> u64 {
        self.pause_end_ns
            .load(Relaxed)
            .saturating_sub(self.pause_ns)
    }

    /// Stays open at least as long as the gate was closed, and until everybody who waited
    /// is let in: so no call waits through two closures. The jitter keeps two updaters that
    /// got in each other's way from doing it again.
    fn back_off(&self, closed_ns: u64) {
        let jitter_ns = now_ns() % closed_ns.max(1);
        let until_ns = now_ns().saturating_add(closed_ns).saturating_add(jitter_ns);
        let has_waiters = || self.gates.iter().any(|gate| gate.waiting() != 0);
        while self.is_running() && !self.is_past_deadline() {
            let now_ns = now_ns();
            if now_ns >= until_ns && !has_waiters() {
                break;
            }
            sleep_ns(until_ns.saturating_sub(now_ns).clamp(100_000, 5_000_000));
        }
    }
}
