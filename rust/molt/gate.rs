// SPDX-License-Identifier: GPL-2.0

//! The gate of a class: where a call is let in, recorded, or made to wait.
//!
//! A call compares the stamp of its slot with the stamp of the gate, inside the class's
//! domain. Equal stamps let it in at once; that is the whole fast path. While a
//! transition runs, the gate's stamp is [`CLOSED`], which no slot ever has, and calls come
//! here, to the slow path:
//!
//! ```text
//!   phase           a call with no record           a call of a recorded task (nested)
//!   -------------   -----------------------------   ----------------------------------
//!   Idle            fast path again                 fast path again
//!   Tracking        recorded, runs                  recorded, runs
//!   Blocking        waits                           recorded, runs
//!   Transferring    waits                           waits
//! ```
//!
//! # Invariants
//!
//! * Every running call is inside the domain, or has a record in the table that each
//!   later transition scans.
//! * Reading the phase and inserting the record are one critical section of the
//!   bucket's lock. An updater publishes a phase and then passes every such lock; so
//!   it either sees the record, or the caller has seen the phase.
//! * The object of a slot is loaded after admission, never before.
//! * Order of the updater's stores: to begin, phase and then stamp; to end, stamp and
//!   then phase, so that a caller which sees `Idle` finds the fast path open.

use crate::primitives::{
    arc, current, may_sleep, now_ns, relax, same_stamp, warn_misuse, Acquire, Arc, Atomic, Domain,
    Guard, Reader, Relaxed, Release, Result, WaitQueue,
};
use crate::record::{Head, Record, Records, Role};
use crate::transition::Trespass;

/// The stamp that no slot has.
pub(crate) const CLOSED: u64 = 0;

/// Phases of a gate, as the slow path sees them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Phase {
    /// No transition: every slot's stamp is the gate's.
    Idle = 0,
    /// New calls are recorded and go on.
    Tracking = 1,
    /// New calls wait, nested ones are recorded and go on.
    Blocking = 2,
    /// Nobody is let in: the state is being moved.
    Transferring = 3,
}

impl Phase {
    fn from_raw(raw: u32) -> Self {
        match raw {
            0 => Self::Idle,
            1 => Self::Tracking,
            2 => Self::Blocking,
            _ => Self::Transferring,
        }
    }

    /// Whether a call is let in; `nested`: its task is inside a recorded call.
    fn lets_in(self, nested: bool) -> bool {
        match self {
            Self::Idle | Self::Tracking => true,
            Self::Blocking => nested,
            Self::Transferring => false,
        }
    }

    /// The word for this phase in sysfs and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Tracking => "tracking",
            Self::Blocking => "blocking",
            Self::Transferring => "transferring",
        }
    }
}

/// What calls met at a gate since it was made.
#[derive(Clone, Copy, Default)]
pub struct Traffic {
    /// Calls that were recorded.
    pub recorded: u64,
    /// Recorded calls that were let in while the gate was blocking, because they were nested.
    pub nested: u64,
    /// Calls that waited.
    pub waited: u64,
}

/// The gate of one class. Shared by the class and, as a pointer, by each of its slots.
///
/// The first two fields are what a call touches.
#[repr(C)]
pub struct Gate {
    pub(crate) domain: Domain,
    pub(crate) stamp: Atomic<u64>,
    phase: Atomic<u32>,
    /// The stamp that valid slots have, whether or not the gate is closed at the moment.
    open_stamp: Atomic<u64>,
    wait: WaitQueue,
    records: Arc<Records>,
    recorded: Atomic<u64>,
    nested: Atomic<u64>,
    waited: Atomic<u64>,
    /// Calls that have come to wait and are not let in yet.
    waiting: Atomic<u64>,
    longest_wait_ns: Atomic<u64>,
}

impl Gate {
    /// Makes an open gate.
    ///
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    pub(crate) fn new(records: Arc<Records>) -> Result<Arc<Self>> {
        let gate = arc(Self {
            domain: Domain::new(),
            stamp: Atomic::new(CLOSED + 1),
            phase: Atomic::new(Phase::Idle as u32),
            open_stamp: Atomic::new(CLOSED + 1),
            wait: WaitQueue::new(),
            records,
            recorded: Atomic::new(0),
            nested: Atomic::new(0),
            waited: Atomic::new(0),
            waiting: Atomic::new(0),
            longest_wait_ns: Atomic::new(0),
        })?;
        gate.wait.settle();
        gate.domain.settle()?;
        Ok(gate)
    }

    /// The phase of the gate. May have changed by the time the caller looks at it.
    pub fn phase(&self) -> Phase {
        Phase::from_raw(self.phase.load(Acquire))
    }

    /// The stamp that a slot must have to be valid.
    pub(crate) fn open_stamp(&self) -> u64 {
        self.open_stamp.load(Relaxed)
    }

    /// What calls met at this gate so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            recorded: self.recorded.load(Relaxed),
            nested: self.nested.load(Relaxed),
            waited: self.waited.load(Relaxed),
        }
    }

    /// Calls that have come to wait at this gate and are not let in yet.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Acquire)
    }

    /// The longest wait at this gate since the last call of this function, in nanoseconds.
    pub(crate) fn take_longest_wait_ns(&self) -> u64 {
        self.longest_wait_ns.xchg(0, Relaxed)
    }

    // ---- the updater's side ------------------------------------------------------------

    /// Publishes `phase`; waiters are woken separately, when all gates are set.
    pub(crate) fn publish(&self, phase: Phase) {
        // Release: whoever reads `Idle` finds the stamp that was stored before it.
        self.phase.store(phase as u32, Release);
    }

    /// Sends every new call to the slow path.
    pub(crate) fn close(&self) {
        self.stamp.store(CLOSED, Release);
    }

    /// Lets calls take the fast path again, with the slots' stamp.
    pub(crate) fn open(&self) {
        self.stamp.store(self.open_stamp(), Release);
    }

    /// Makes `stamp` the valid one. The gate stays closed.
    pub(crate) fn advance(&self, stamp: u64) {
        self.open_stamp.store(stamp, Relaxed);
    }

    pub(crate) fn wake_waiters(&self) {
        self.wait.wake_all();
    }

    // ---- the caller's side -------------------------------------------------------------

    /// Runs `body`, which makes an instance, as a call of the class without a slot.
    pub(crate) fn call_creation(&self, body: &mut dyn FnMut()) {
        if !self.pass_open(None, body) {
            self.pass(None, body);
        }
    }

    /// Runs `body` as a call through a slot whose stamp is `stamp`.
    ///
    /// This is where every call of a method goes. `body` loads the slot's object itself. May
    /// sleep at the gate.
    #[inline(always)]
    pub fn call<R>(&self, stamp: &Atomic<u64>, body: impl FnOnce() -> R) -> R {
        let reader = self.domain.enter();
        if !same_stamp(stamp, &self.stamp) {
            return self.call_late(reader, stamp, body);
        }
        let result = body();
        self.domain.leave(reader);
        result
    }

    #[cold]
    #[inline(never)]
    fn call_late<R>(&self, reader: Reader, stamp: &Atomic<u64>, body: impl FnOnce() -> R) -> R {
        // Nobody sleeps at a gate inside the domain: the updater waits for its readers.
        self.domain.leave(reader);
        let mut body = Some(body);
        let mut result = None;
        self.pass(Some(stamp), &mut || {
            result = body.take().map(|body| body());
        });
        match result {
            Some(result) => result,
            // SAFETY: `pass` runs its closure exactly once, and `body` was there.
            None => unsafe { core::hint::unreachable_unchecked() },
        }
    }

    /// Runs `body` as a call of this class that came too late for the fast path.
    ///
    /// `stamp` is the stamp of the slot that is called, `None` for a creation. `body` runs
    /// exactly once, inside the domain or recorded; it loads the slot's object itself.
    /// Sleeps at the gate while the class is closed; must not be called inside the domain.
    #[cold]
    #[inline(never)]
    pub fn pass(&self, stamp: Option<&Atomic<u64>>, body: &mut dyn FnMut()) {
        let task = current();
        let attempt = self.records.bucket(task).attempt_of(task);
        if let Some(attempt) = attempt {
            // SAFETY: An updater's record lies deeper on this very stack, so the attempt
            // that it names is alive.
            if unsafe { (*attempt).trespass(self, stamp) } == Trespass::RunNow {
                return body();
            }
        }
        // Asked before a lock is held: under one nobody may sleep.
        let is_misused = !may_sleep();
        let mut since_ns = None;
        loop {
            let bucket = self.records.bucket(task);
            let phase = self.phase();
            let nested = bucket.has_call_of(task);
            if phase.lets_in(nested) || is_misused {
                // Under the lock: an updater that sees nobody waiting, and closes, then
                // finds the record.
                self.note_wait(&mut since_ns);
            }
            match phase {
                Phase::Idle => {
                    drop(bucket);
                    if self.pass_open(stamp, body) {
                        return;
                    }
                }
                Phase::Tracking => return self.pass_recorded(bucket, false, body),
                Phase::Blocking if nested => return self.pass_recorded(bucket, true, body),
                Phase::Blocking if is_misused => {
                    warn_misuse();
                    return self.pass_recorded(bucket, false, body);
                }
                _ => {
                    drop(bucket);
                    self.wait(nested, &mut since_ns);
                }
            }
        }
    }

    /// The fast path once more; `false` where the gate was closed meanwhile.
    fn pass_open(&self, stamp: Option<&Atomic<u64>>, body: &mut dyn FnMut()) -> bool {
        let reader = self.domain.enter();
        let open = self.stamp.load(Acquire);
        let valid = open != CLOSED && stamp.is_none_or(|stamp| stamp.load(Acquire) == open);
        if valid {
            body();
        }
        self.domain.leave(reader);
        if !valid {
            relax();
        }
        valid
    }

    fn pass_recorded(&self, mut bucket: Guard<'_, Head>, nested: bool, body: &mut dyn FnMut()) {
        let mut record = Record::new(Role::Call(self));
        let task = record.task;
        let place = &raw mut record;
        // SAFETY: `record` stays in this frame, and is removed below.
        unsafe { bucket.insert(place) };
        drop(bucket);
        self.recorded.fetch_add(1, Relaxed);
        if nested {
            self.nested.fetch_add(1, Relaxed);
        }

        body();

        // The order is what makes the updater see the effects of `body`: they come before
        // this section of the lock, and the updater finds the record gone in a later one.
        let mut bucket = self.records.bucket(task);
        bucket.remove(place);
        let awaited = matches!(self.phase(), Phase::Blocking | Phase::Transferring);
        drop(bucket);
        if awaited {
            self.records.wake_updaters();
        }
    }

    /// Sleeps until the phase may let this call in.
    fn wait(&self, nested: bool, since_ns: &mut Option<u64>) {
        if since_ns.is_none() {
            *since_ns = Some(now_ns());
            self.waited.fetch_add(1, Relaxed);
            self.waiting.fetch_add(1, Relaxed);
        }
        self.wait.wait(|| self.phase().lets_in(nested));
    }

    /// Notes how long a call has waited, now that it is let in.
    fn note_wait(&self, since_ns: &mut Option<u64>) {
        let Some(since_ns) = since_ns.take() else {
            return;
        };
        let waited_ns = now_ns().wrapping_sub(since_ns);
        let mut longest = self.longest_wait_ns.load(Relaxed);
        while waited_ns > longest {
            match self.longest_wait_ns.cmpxchg(longest, waited_ns, Relaxed) {
                Ok(_) => break,
                Err(seen) => longest = seen,
            }
        }
        self.waiting.fetch_sub(1, Release);
    }
}
