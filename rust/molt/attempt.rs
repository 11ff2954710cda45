// SPDX-License-Identifier: GPL-2.0

//! The attempt: how a transition reaches quiescence, and how it ends.
//!
//! ```text
//!            track             grace period of            no record, twice
//!   idle ------------> tracking -----------------> blocking -----------> transferring
//!    ^                  |   ^                        |                      |    |
//!    |                  |   +---------- reopen ------+                      |    |
//!    |                  |     pause used up, or                             |    |
//!    +------------------+     too few twins                 prepare failed  |    |
//!    |      abort       +<--------------------------------------------------+    |
//!    +<------------ or lazy <----------------------------------------------------+
//!                                       commit
//! ```
//!
//! An attempt has the gates of one class or of several, and closes them all, or only some
//! slots of one (its lane). Gates of atomic classes have a window besides: creations and ends
//! of their instances go through the phases above, calls of their methods through the window,
//! which closes last, commits and opens first ([`window`](crate::window)).
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
//! | `Window::close` | interrupts off, atomic callers spin | `Window::give_up` |
//! | state word to `COMMITTING` | no way back | - |
//!
//! A repair has a deadline of another kind: calls that are inside when it has passed are
//! abandoned. They go on in the old objects and the old code, which are kept for them; the
//! attempt goes on without quiescence, which its rules know ([`Work::abandon`]).
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

use crate::gate::{Gate, Lane, Phase};
use crate::primitives::{
    collect, dawdle, has_oopsed, is_refused, now_ns, owned, sleep_ns, wait_for_pinned,
    warn_trespass, Arc, Atomic, Error, Full, Gates, GracePeriod, Many, Owned, Relaxed, Result,
    EAGAIN, EALREADY, ECANCELED, EDEADLK, ETIMEDOUT, LULLS,
};
use crate::record::{RecordPlace, Records};
use crate::slot::Slot;
use crate::window::{Window, BOUND_NS};

/// How long an updater waits for a moment in which nobody is inside, in nanoseconds, each time.
const LULL_NS: u64 = 50_000;

const RUNNING: u32 = 0;
const COMMITTING: u32 = 1;
const ABORTING: u32 = 2;

/// Calls with a record were abandoned, with the gate closed: they are named when it is open.
const CLOSED_IN: u32 = 2;

/// How long an attempt, and one closure of the gate within it, may last.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// The life of the attempt, in nanoseconds.
    pub(crate) deadline_ns: u64,
    /// How long the gate may stay closed in one try, in nanoseconds. Looked at between two
    /// instances; the commit comes on top.
    pub(crate) pause_ns: u64,
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
    /// From the last closing of the gate to its opening.
    pub closed_ns: u64,
    /// From the last closing of the window of atomic classes to its opening.
    pub window_ns: u64,
    /// How often that window was closed in vain.
    pub missed: u32,
}

/// What an attempt closes, and what it leaves behind.
#[derive(Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) lane: Lane,
    /// The generation changes first, and each object is moved later.
    pub(crate) is_lazy: bool,
    /// Calls that do not end by the deadline are abandoned.
    pub(crate) abandons: bool,
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
    fn is_provided(&mut self) -> bool;
    /// The fallible part of the transfer, for every instance. The class is quiescent.
    /// Asks [`Attempt::check`] between instances.
    fn prepare(&mut self, attempt: &Attempt) -> Result;
    /// The rest of the transfer, and the new generation, of the classes of sleepable context.
    /// Cannot fail.
    fn commit(&mut self);
    /// The same for those of atomic context: in a few instructions for each class, with
    /// interrupts off. Their objects are moved later.
    fn flip(&mut self);
    /// Takes back `prepare`, as far as it came. The gates are open again.
    fn undo(&mut self);
    /// Closes the slots, where only some are: [`Lane::Slots`].
    fn close_slots(&mut self) {}
    /// Opens what `close_slots` has closed and no commit has opened.
    fn open_slots(&mut self) {}
    /// Told at each milestone. Tests hold an attempt here.
    fn reached(&mut self, _milestone: Milestone, _attempt: &Attempt) {}
    /// The deadline has passed with calls inside: the moment to name them. Recorded calls
    /// block only where they came before `closed_ns`, when the gate was closed last. The gate
    /// is tracking; may sleep.
    fn name_blockers(&mut self, _closed_ns: u64) {}
    /// Calls are abandoned: they may still be in the old objects when these are read, and for
    /// ever.
    fn abandon(&mut self) {}
}

/// What becomes of a call that the updater's own task makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trespass {
    /// It goes on like anybody's call.
    GoOn,
    /// It runs at once, on what its slot holds.
    RunNow,
    /// It does not run: it would make an instance.
    Refuse,
}

/// One attempt to move the classes behind some gates to another generation.
pub(crate) struct Attempt {
    gates: Gates,
    records: Arc<Records>,
    state: Atomic<u32>,
    trespassed: Atomic<u32>,
    abandoned: Atomic<u32>,
    deadline_ns: u64,
    pause_ns: u64,
    /// When the present closure of the gate has to end.
    pause_end_ns: Atomic<u64>,
    scope: Scope,
    /// For the gates of atomic context among them.
    window: Option<Owned<Window>>,
    /// For the record of who drives it.
    record: RecordPlace,
}

/// One grace period of every domain.
struct Graces {
    calls: Many<GracePeriod>,
    /// Of the domains of those that make or end instances.
    changes: Many<GracePeriod>,
}

impl Graces {
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    fn begin(gates: &Gates, records: &Arc<Records>) -> Result<Self> {
        let calls = gates.iter().map(|gate| &gate.domain);
        let changes = gates.iter().map(|gate| &gate.changes);
        Ok(Self {
            calls: collect(calls.map(|domain| GracePeriod::begin(domain, records)))?,
            changes: collect(changes.map(|domain| GracePeriod::begin(domain, records)))?,
        })
    }

    fn have_ended(&self) -> bool {
        self.calls.iter().all(GracePeriod::has_ended) && self.have_changes_ended()
    }

    fn have_changes_ended(&self) -> bool {
        self.changes.iter().all(GracePeriod::has_ended)
    }
}

impl Attempt {
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    pub(crate) fn new(
        gates: Gates,
        records: Arc<Records>,
        limits: Limits,
        scope: Scope,
    ) -> Result<Self> {
        let window = match gates.iter().any(|gate| gate.is_atomic()) {
            true => Some(owned(Window::new()?)?),
            false => None,
        };
        Ok(Self {
            gates,
            records,
            state: Atomic::new(RUNNING),
            trespassed: Atomic::new(0),
            abandoned: Atomic::new(0),
            deadline_ns: now_ns().saturating_add(limits.deadline_ns),
            pause_ns: limits.pause_ns,
            pause_end_ns: Atomic::new(u64::MAX),
            scope,
            window,
            record: RecordPlace::new(),
        })
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

    pub(crate) fn is_running(&self) -> bool {
        self.state.load(Relaxed) == RUNNING
    }

    /// After an oops it is, whenever that was: who died inside will not leave.
    pub(crate) fn is_past_deadline(&self) -> bool {
        now_ns() >= self.deadline_ns || has_oopsed()
    }

    pub(crate) fn window(&self) -> Option<&Window> {
        self.window.as_deref()
    }

    /// The updater's own task, or one of its crew, has come to the slow path of `gate`: the
    /// fallible part of a transfer has called a handle.
    ///
    /// The attempt ends, with nothing changed. But not here: lists are being walked, and old
    /// objects are lent to rules. So a call of one of the attempt's own slots runs at once, on
    /// the object that is borrowed as well; an instance cannot be made. (Rules of the part
    /// that cannot fail: [`gate::refuse_rules`].)
    ///
    /// [`gate::refuse_rules`]: crate::gate::refuse_rules
    pub(crate) fn trespass(&self, gate: &Gate, slot: Option<&Slot>) -> Trespass {
        self.note_trespass();
        if !self.gates.iter().any(|own| core::ptr::eq(&**own, gate)) {
            Trespass::GoOn
        } else if slot.is_some() {
            Trespass::RunNow
        } else {
            Trespass::Refuse
        }
    }

    /// The attempt ends because a rule did what it must not.
    pub(crate) fn note_trespass(&self) {
        warn_trespass();
        self.trespassed.store(1, Relaxed);
        let _ = self.abort();
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
        let run = || self.run_phases(work, timing);
        // SAFETY: An attempt is driven once, by one task; where that dies, `work` and what has
        // the attempt stay.
        let result = unsafe { self.records.with_updater(self, &self.record, run) };
        timing.total_ns = now_ns().wrapping_sub(begin_ns);
        if self.window.is_some() {
            // Callers that spun, or are about to leave, may still be looking at it.
            wait_for_pinned();
        }
        if result.is_err() {
            work.undo();
        }
        result
    }

    fn run_phases(&self, work: &mut dyn Work, timing: &mut Timing) -> Result {
        let ready = match self.scope.abandons {
            // Such grace periods may never end.
            true => Ok(()),
            false => self.wait_for_pending(),
        };
        let prepared = ready.and_then(|()| {
            self.track(work);
            self.reach_commit_point(work, timing)
        });
        if let Err(error) = prepared {
            if error == ETIMEDOUT {
                // Before the gates open: so far each call that came later has a record, or
                // waits, and the two kinds can be told apart.
                self.publish(Phase::Tracking);
                work.name_blockers(self.closed_ns());
            }
            work.open_slots();
            self.open_gates(Phase::Idle);
            return Err(error);
        }
        work.commit();
        let end_ns = now_ns();
        timing.transferring_ns = end_ns.wrapping_sub(timing.claimed_ns);
        timing.closed_ns = end_ns.wrapping_sub(self.closed_ns());
        self.open_gates(if self.scope.is_lazy {
            Phase::Lazy
        } else {
            Phase::Idle
        });
        if self.abandoned.load(Relaxed) == CLOSED_IN {
            work.name_blockers(self.closed_ns());
        }
        Ok(())
    }

    /// Waits until the grace periods that earlier attempts gave up have ended: so there is
    /// at most one for each class, however often somebody tries.
    fn wait_for_pending(&self) -> Result {
        for gate in self.gates.iter() {
            self.wait_until(|| !gate.has_pending())?;
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

    fn track(&self, work: &mut dyn Work) {
        for gate in self.gates.iter() {
            if let (true, Some(window)) = (gate.is_atomic(), &self.window) {
                gate.set_window(&raw const **window);
            }
            gate.publish(self.scope.lane, Phase::Tracking);
        }
        match self.scope.lane {
            Lane::Class => self.gates.iter().for_each(|gate| gate.close()),
            Lane::Slots => work.close_slots(),
        }
    }

    /// Opens every gate, with whatever stamp is valid now: the end of commit and of abort.
    /// Where that is not done yet: those of atomic context open first, at their commit.
    fn open_gates(&self, phase: Phase) {
        for gate in self.gates.iter() {
            gate.open();
        }
        for gate in self.gates.iter() {
            // What was published at the commit of an atomic class may have ended already.
            if !gate.is_atomic() || phase == Phase::Idle && !self.has_committed() {
                gate.publish(self.scope.lane, phase);
            }
        }
        for gate in self.gates.iter() {
            gate.wake_waiters();
        }
        if let Some(window) = &self.window {
            self.close_windows();
            window.finish();
        }
    }

    /// Takes the window away from the gates.
    fn close_windows(&self) {
        for gate in self.gates.iter().filter(|gate| gate.is_atomic()) {
            gate.set_window(core::ptr::null());
        }
    }

    pub(crate) fn has_committed(&self) -> bool {
        self.state.load(Relaxed) == COMMITTING
    }

    /// Publishes `phase` at every gate and lets the waiters look at it.
    fn publish(&self, phase: Phase) {
        for gate in self.gates.iter() {
            gate.publish(self.scope.lane, phase);
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
        let graces = Graces::begin(&self.gates, &self.records)?;
        self.wait_until(|| graces.have_ended())
            .or_else(|error| self.abandon_unrecorded(error, work, &graces))?;
        timing.tracking_ns = now_ns().wrapping_sub(begin_ns);
        loop {
            // Also after each reopening: the callers may have created instances.
            work.provide()?;
            self.await_lull();
            let closed_ns = now_ns();
            self.pause_end_ns
                .store(closed_ns.saturating_add(self.pause_ns), Relaxed);
            self.publish(Phase::Blocking);
            work.reached(Milestone::Blocking, self);
            match self.try_to_prepare(work, timing, closed_ns, &graces) {
                Err(error) if error == EAGAIN => {}
                result => return result,
            }
            self.publish(Phase::Tracking);
            work.undo();
            if !self.is_running() {
                return Err(self.reason_to_end());
            }
            timing.reopened = timing.reopened.wrapping_add(1);
            self.back_off(now_ns().wrapping_sub(closed_ns));
        }
    }

    /// Lets those leave who are just passing, before anybody has to wait for them. Where somebody
    /// is always inside this is in vain, and over soon.
    fn await_lull(&self) {
        for _ in 0..LULLS {
            if self.records.scan(&self.gates) == 0 || !self.is_running() {
                return;
            }
            sleep_ns(LULL_NS.saturating_add(now_ns() % LULL_NS));
        }
    }

    /// One closure of the gate. `EAGAIN`: reopen and try again.
    fn try_to_prepare(
        &self,
        work: &mut dyn Work,
        timing: &mut Timing,
        closed_ns: u64,
        graces: &Graces,
    ) -> Result {
        self.drain()
            .or_else(|error| self.claim_without(error, work, graces))?;
        timing.claimed_ns = now_ns();
        timing.blocking_ns = timing.claimed_ns.wrapping_sub(closed_ns);
        if !work.is_provided() {
            return Err(EAGAIN);
        }
        work.reached(Milestone::Transferring, self);
        work.prepare(self)?;
        work.reached(Milestone::Prepared, self);
        match &self.window {
            None => self.decide(),
            Some(window) => self.pass_window(window, work, timing),
        }
    }

    /// Gives up the calls that the attempt waits for, where it may.
    fn abandon(&self, error: Error, work: &mut dyn Work) -> Result {
        if error != ETIMEDOUT || !self.scope.abandons || !self.is_running() {
            return Err(error);
        }
        self.abandoned.store(1, Relaxed);
        work.abandon();
        Ok(())
    }

    /// Those that the grace periods wait for; the gate is open.
    fn abandon_unrecorded(&self, error: Error, work: &mut dyn Work, graces: &Graces) -> Result {
        if !graces.have_changes_ended() {
            return Err(error);
        }
        self.abandon(error, work)?;
        work.name_blockers(self.closed_ns());
        Ok(())
    }

    /// Whether an instance is being made or ended: such a call cannot be abandoned, since it
    /// changes the lists that the transition walks.
    fn is_changing(&self, graces: &Graces) -> bool {
        let mut changes = 0u32;
        self.records.for_each_call(&self.gates, |record| {
            changes = changes.wrapping_add(record.is_change().into());
        });
        changes != 0 || has_oopsed() || !graces.have_changes_ended()
    }

    /// The same with the gate closed: a claim without quiescence. Calls that only happen to be
    /// inside get the time of one more pause.
    fn claim_without(&self, error: Error, work: &mut dyn Work, graces: &Graces) -> Result {
        if error == ETIMEDOUT && self.scope.abandons {
            self.records.drain.wait_timeout(
                || self.records.scan(&self.gates) == 0 || !self.is_running(),
                self.pause_ns,
            );
            if self.claim() {
                return Ok(());
            }
        }
        self.abandon(error, work)?;
        self.publish(Phase::Transferring);
        self.abandoned.store(CLOSED_IN, Relaxed);
        // Nobody is let in any more. Who is just making or ending an instance gets some time.
        let end_ns = now_ns().saturating_add(self.pause_ns);
        while self.is_changing(graces) {
            if now_ns() >= end_ns {
                return Err(error);
            }
            sleep_ns(100_000);
        }
        Ok(())
    }

    /// The commit point, unless an abort came first.
    fn decide(&self) -> Result {
        if is_refused() {
            return Err(ECANCELED);
        }
        match self.state.cmpxchg(RUNNING, COMMITTING, Full) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.reason_to_end()),
        }
    }

    /// Closes the window until a closure finds it empty; the commit point lies in there. The
    /// classes of atomic context change over and open before it ends.
    fn pass_window(&self, window: &Window, work: &mut dyn Work, timing: &mut Timing) -> Result {
        let mut rest_ns = BOUND_NS.saturating_mul(10);
        let last_ns = self.deadline_ns.max(now_ns().saturating_add(self.pause_ns));
        loop {
            self.check()?;
            // A repair has no deadline any more once it has abandoned a call; this has.
            if now_ns() >= last_ns {
                return Err(ETIMEDOUT);
            }
            let (closed, window_ns) =
                window.close(dawdle, || self.decide().inspect(|()| self.flip(work)));
            timing.window_ns = window_ns;
            if let Some(result) = closed {
                return result;
            }
            timing.missed = timing.missed.wrapping_add(1);
            // Closed for a tenth of the time at most, and not in step with anybody.
            sleep_ns(rest_ns.saturating_add(now_ns() % rest_ns));
            rest_ns = rest_ns.saturating_mul(2).min(20 * BOUND_NS);
        }
    }

    /// Interrupts are off, and no call is in a class of atomic context.
    fn flip(&self, work: &mut dyn Work) {
        work.flip();
        for gate in self.gates.iter().filter(|gate| gate.is_atomic()) {
            gate.publish(self.scope.lane, Phase::Lazy);
        }
        for gate in self.gates.iter().filter(|gate| gate.is_atomic()) {
            gate.open();
        }
        self.close_windows();
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
            if self.is_past_deadline() {
                return Err(self.reason_to_end());
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
        if !self.is_running() {
            Err(self.reason_to_end())
        } else if self.abandoned.load(Relaxed) != 0 {
            Ok(())
        } else if self.is_past_deadline() {
            // What could abandon calls goes on where it need not; but nobody sees who has died.
            match self.scope.abandons && !has_oopsed() {
                true => Ok(()),
                false => Err(self.reason_to_end()),
            }
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
            || self.records.drain_sequence() != sequence || !self.is_running() || has_oopsed(),
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
            let next_ns = until_ns.min(self.deadline_ns);
            sleep_ns(next_ns.saturating_sub(now_ns).clamp(100_000, 5_000_000));
        }
    }
}
