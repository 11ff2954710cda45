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
//!   Lazy            its slot brought up, as Idle    its slot brought up, as Idle
//!   Tracking        recorded, runs                  recorded, runs
//!   Blocking        waits                           recorded, runs
//!   Transferring    waits                           waits
//! ```
//!
//! A transition of some instances closes their slots and not the gate: their stamps have
//! the bit [`GATED`], which no open gate has. Such slots have a phase of their own, so a gate
//! has two lanes. A class has one transition at a time, so one of them is idle.
//!
//! In a class of atomic context this path is for creations and ends of instances, which may
//! sleep there, too. Calls of methods go through [`window`](crate::window).
//!
//! # Invariants
//!
//! * A slot is stale where its stamp says that its object belongs to a generation that a
//!   commit has ended. Only what committed makes a slot stale: not a closed gate, and not a
//!   phase. Whoever finds one stale, under the slot's own lock, brings it up.
//! * Every running call is inside a domain, or has a record in the table that each
//!   later transition scans. Calls that make or end an instance have a domain of their own:
//!   they are never abandoned, since they change the lists that a transition walks.
//! * Reading the phase and inserting the record are one critical section of the
//!   bucket's lock. An updater publishes a phase and then passes every such lock; so
//!   it either sees the record, or the caller has seen the phase.
//! * The object of a slot is loaded after admission, never before.
//! * Order of the updater's stores: to begin, phase and then stamp; to end, stamp and
//!   then phase, so that a caller which sees `Idle` finds the fast path open.

use crate::attempt::Trespass;
use crate::primitives::{
    arc, current, halt, may_sleep, moving, now_ns, relax, same_stamp, stamp_of, warn_misuse,
    warn_trespass, Acquire, Arc, Atomic, Domain, Full, Guard, Reader, Relaxed, Release, Result,
    WaitQueue,
};
use crate::record::{Head, Record, Records, Role};
use crate::slot::Slot;
use crate::window::Window;

/// The stamp that no slot has.
pub(crate) const CLOSED: u64 = 0;

/// Set in the stamp of a slot that a transition has closed by itself. The other bits are
/// the number of that closure, which grows with each in the class.
pub(crate) const GATED: u64 = 1 << 63;

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
    /// Committed; each object is moved before the next call of its instance.
    Lazy = 4,
}

/// Which slots a transition closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lane {
    /// All, by the stamp of the gate.
    Class,
    /// Some, each by its own stamp.
    Slots,
}

impl Lane {
    /// The lane of a call whose slot has this stamp.
    fn of(stamp: u64) -> Self {
        match stamp & GATED {
            0 => Self::Class,
            _ => Self::Slots,
        }
    }
}

impl Phase {
    fn from_raw(raw: u32) -> Self {
        match raw {
            0 => Self::Idle,
            1 => Self::Tracking,
            2 => Self::Blocking,
            4 => Self::Lazy,
            _ => Self::Transferring,
        }
    }

    /// Whether a call is let in; `nested`: its task is inside a recorded call.
    fn lets_in(self, nested: bool) -> bool {
        match self {
            Self::Idle | Self::Tracking | Self::Lazy => true,
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
            Self::Lazy => "lazy",
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
    /// The phase of the slots that are closed by themselves.
    slots_phase: Atomic<u32>,
    /// The stamp that valid slots have, whether or not the gate is closed at the moment.
    open_stamp: Atomic<u64>,
    /// The last closure of single slots that was committed.
    committed_closure: Atomic<u64>,
    closures: Atomic<u64>,
    is_atomic: bool,
    /// Where calls of an atomic class go while a transition runs.
    window: Atomic<*const Window>,
    /// What calls are inside that make or end an instance, and have no record.
    pub(crate) changes: Domain,
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
    pub(crate) fn new(records: Arc<Records>, is_atomic: bool) -> Result<Arc<Self>> {
        let gate = arc(Self {
            domain: Domain::new(),
            stamp: Atomic::new(CLOSED + 1),
            phase: Atomic::new(Phase::Idle as u32),
            slots_phase: Atomic::new(Phase::Idle as u32),
            open_stamp: Atomic::new(CLOSED + 1),
            committed_closure: Atomic::new(0),
            closures: Atomic::new(0),
            is_atomic,
            window: Atomic::new(core::ptr::null()),
            changes: Domain::new(),
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
        gate.changes.settle()?;
        Ok(gate)
    }

    /// The phase of the gate, or of the slots that are closed by themselves, if any. May have
    /// changed by the time the caller looks at it.
    pub fn phase(&self) -> Phase {
        match self.phase_in(Lane::Class) {
            Phase::Idle => self.phase_in(Lane::Slots),
            phase => phase,
        }
    }

    /// The phase of one lane.
    pub(crate) fn phase_in(&self, lane: Lane) -> Phase {
        let phase = match lane {
            Lane::Class => &self.phase,
            Lane::Slots => &self.slots_phase,
        };
        Phase::from_raw(phase.load(Acquire))
    }

    /// Whether methods of the class are called from where nobody may sleep.
    pub(crate) fn is_atomic(&self) -> bool {
        self.is_atomic
    }

    /// Whether a slot with this stamp holds an object that a commit has made outdated.
    ///
    /// Not "is this stamp other than the gate's": a caller can have been delayed on its way
    /// here until the next transition has closed the gate and its calls are still running.
    pub(crate) fn is_stale(&self, stamp: u64) -> bool {
        match Lane::of(stamp) {
            // Acquire: with the commit, what it was made of is there.
            Lane::Class => stamp < self.open_stamp.load(Acquire),
            Lane::Slots => stamp & !GATED <= self.committed_closure.load(Acquire),
        }
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

    /// Whether a grace period that somebody gave up waiting for still runs.
    pub(crate) fn has_pending(&self) -> bool {
        self.domain.has_pending() || self.changes.has_pending()
    }

    // ---- the updater's side ------------------------------------------------------------

    /// Publishes `phase`; waiters are woken separately, when all gates are set.
    pub(crate) fn publish(&self, lane: Lane, phase: Phase) {
        // Release: whoever reads `Idle` finds the stamp that was stored before it.
        match lane {
            Lane::Class => self.phase.store(phase as u32, Release),
            Lane::Slots => self.slots_phase.store(phase as u32, Release),
        }
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
        self.open_stamp.store(stamp, Release);
    }

    /// Makes the slots that closure number `closure` has closed stale: their transition has
    /// committed.
    pub(crate) fn commit_closure(&self, closure: u64) {
        self.committed_closure.store(closure, Release);
    }

    /// A number for the next closure of single slots: larger than any before.
    pub(crate) fn next_closure(&self) -> u64 {
        self.closures.fetch_add(1, Full).wrapping_add(1)
    }

    /// Sends calls of an atomic class through `window`, or, with null, on the fast path.
    pub(crate) fn set_window(&self, window: *const Window) {
        // Release: whoever finds none finds the stamp that was stored before. A pointer
        // published by rcu_assign_pointer() would not do: null carries no dependency.
        self.window.store(window, Release);
    }

    /// The window, which is alive while the caller cannot be preempted.
    pub(crate) fn window(&self) -> *const Window {
        self.window.load(Acquire)
    }

    pub(crate) fn wake_waiters(&self) {
        self.wait.wake_all();
    }

    // ---- the caller's side -------------------------------------------------------------

    /// Runs `body`, which makes an instance, as a call of the class without a slot. May sleep,
    /// in a class of atomic context, too.
    pub(crate) fn call_creation(&self, body: &mut dyn FnMut()) {
        self.call_change(None, body);
    }

    /// Enters the class to make an instance, unless it is closed: then `call_creation` waits.
    #[inline(always)]
    pub(crate) fn enter_creation(&self) -> Option<Inside<'_>> {
        self.enter_change(None)
    }

    /// Runs `body`, which ends the instance of `slot`, as a call of the class. May sleep,
    /// in a class of atomic context, too.
    pub(crate) fn call_end(&self, slot: &Slot, body: &mut dyn FnMut()) {
        self.call_change(Some(slot), body);
    }

    /// Runs `body`, which changes the lists of instances. Such a call is never abandoned, so
    /// it is known as what it is also where it leaves no record.
    fn call_change(&self, slot: Option<&Slot>, body: &mut dyn FnMut()) {
        match self.enter_change(slot) {
            Some(_inside) => body(),
            None => self.pass_as(slot, Role::Change(self), body),
        }
    }

    /// Enters the class to make or end an instance.
    #[inline(always)]
    fn enter_change(&self, slot: Option<&Slot>) -> Option<Inside<'_>> {
        self.enter(&self.changes, slot)
    }

    /// Runs `body` as a call through `slot`.
    ///
    /// This is where every call of a method goes. `body` loads the slot's object itself. May
    /// sleep at the gate, or spin there in a class of atomic context.
    #[inline(always)]
    pub(crate) fn call<R>(&self, slot: &Slot, body: impl FnOnce() -> R) -> R {
        // So that such a kernel complains of each call from where it must not be made, and of
        // each method that sleeps where it must not, with no update in sight.
        #[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
        let _checked = crate::primitives::check_context(self.is_atomic);
        let reader = self.domain.enter();
        if !same_stamp(&slot.stamp, &self.stamp) {
            return self.call_late(reader, slot, body);
        }
        let result = body();
        self.domain.leave(reader);
        result
    }

    #[cold]
    #[inline(never)]
    fn call_late<R>(&self, reader: Reader, slot: &Slot, body: impl FnOnce() -> R) -> R {
        let mut body = Some(body);
        let mut result = None;
        let mut run = || result = body.take().map(|body| body());
        if self.is_atomic {
            // Inside the domain to the end: no later transition looks at records of this one.
            crate::window::pass(self, slot, &mut run);
            self.domain.leave(reader);
        } else {
            // Nobody sleeps at a gate inside the domain: the updater waits for its readers.
            self.domain.leave(reader);
            self.pass(Some(slot), &mut run);
        }
        match result {
            Some(result) => result,
            // SAFETY: Either way the closure runs exactly once, and `body` was there.
            None => unsafe { core::hint::unreachable_unchecked() },
        }
    }

    /// Runs `body` as a call of this class that came too late for the fast path.
    ///
    /// `slot` is the one that is called, `None` for a creation. `body` runs
    /// exactly once, inside the domain or recorded; it loads the slot's object itself. Only a
    /// creation by a rule of the very transition is refused: it does not run.
    /// Sleeps at the gate while the class is closed; must not be called inside the domain.
    #[cold]
    #[inline(never)]
    pub(crate) fn pass(&self, slot: Option<&Slot>, body: &mut dyn FnMut()) {
        self.pass_as(slot, Role::Call(self), body);
    }

    #[cold]
    #[inline(never)]
    fn pass_as(&self, slot: Option<&Slot>, role: Role, body: &mut dyn FnMut()) {
        refuse_rules();
        let task = current();
        let attempt = self.records.bucket(task).attempt_of(task);
        if let Some(attempt) = attempt {
            // SAFETY: Who drives the attempt that an updater's record names is below on this
            // very stack, so it is alive: the record of one that has died is no other task's.
            match unsafe { (*attempt).trespass(self, slot) } {
                Trespass::GoOn => {}
                Trespass::RunNow => return body(),
                Trespass::Refuse => return,
            }
        }
        // Asked before a lock is held: under one nobody may sleep.
        let is_misused = !may_sleep();
        let mut since_ns = None;
        loop {
            let bucket = self.records.bucket(task);
            let lane = slot.map_or(Lane::Class, |slot| Lane::of(slot.stamp.load(Acquire)));
            let phase = self.phase_in(lane);
            let nested = bucket.has_call_of(task);
            if phase.lets_in(nested) || is_misused {
                // Under the lock: an updater that sees nobody waiting, and closes, then
                // finds the record.
                self.note_wait(&mut since_ns);
            }
            match phase {
                Phase::Idle | Phase::Lazy => {
                    drop(bucket);
                    if let (Phase::Lazy, Some(slot)) = (phase, slot) {
                        slot.bring_up();
                    }
                    let domain = match role {
                        Role::Change(_) => &self.changes,
                        _ => &self.domain,
                    };
                    if let Some(_inside) = self.enter(domain, slot) {
                        return body();
                    }
                    relax();
                }
                Phase::Tracking => return self.pass_recorded(bucket, role, false, body),
                Phase::Blocking if nested => return self.pass_recorded(bucket, role, true, body),
                Phase::Blocking if is_misused => {
                    warn_misuse();
                    return self.pass_recorded(bucket, role, false, body);
                }
                _ => {
                    drop(bucket);
                    self.wait(lane, nested, &mut since_ns);
                }
            }
        }
    }

    /// The fast path without its call; `None` where the gate is closed.
    #[inline(always)]
    fn enter<'a>(&self, domain: &'a Domain, slot: Option<&Slot>) -> Option<Inside<'a>> {
        let inside = Inside::new(domain, &self.stamp);
        let open = inside.stamp;
        let valid = open != CLOSED && slot.is_none_or(|slot| stamp_of(&slot.stamp) == open);
        valid.then_some(inside)
    }

    fn pass_recorded(
        &self,
        mut bucket: Guard<'_, Head>,
        role: Role,
        nested: bool,
        body: &mut dyn FnMut(),
    ) {
        let mut record = Record::new(role);
        let task = record.task;
        let place = &raw mut record;
        // SAFETY: `record` stays in this frame, and is removed below.
        unsafe { bucket.insert(place) };
        drop(bucket);
        self.count_recorded(nested);

        body();

        // The order is what makes the updater see the effects of `body`: they come before
        // this section of the lock, and the updater finds the record gone in a later one.
        let mut bucket = self.records.bucket(task);
        // SAFETY: Inserted above.
        unsafe { bucket.remove(place) };
        let awaited = [Lane::Class, Lane::Slots]
            .into_iter()
            .any(|lane| matches!(self.phase_in(lane), Phase::Blocking | Phase::Transferring));
        drop(bucket);
        if awaited {
            self.records.wake_updaters();
        }
    }

    /// Whether a call through `slot`, whose caller is inside the domain, may run.
    pub(crate) fn is_open_for(&self, slot: &Slot) -> bool {
        same_stamp(&slot.stamp, &self.stamp)
    }

    /// Whether objects are moved by the next call of `slot` at present.
    pub(crate) fn is_lazy_for(&self, slot: &Slot) -> bool {
        self.phase_in(Lane::of(slot.stamp.load(Acquire))) == Phase::Lazy
    }

    /// Counts a recorded call.
    pub(crate) fn count_recorded(&self, nested: bool) {
        self.recorded.fetch_add(1, Relaxed);
        if nested {
            self.nested.fetch_add(1, Relaxed);
        }
    }

    /// Counts a call of an atomic class that has spun since `since_ns`.
    pub(crate) fn count_spun(&self, since_ns: u64) {
        self.waited.fetch_add(1, Relaxed);
        self.keep_longest(now_ns().wrapping_sub(since_ns));
    }

    /// Sleeps until the phase may let this call in.
    fn wait(&self, lane: Lane, nested: bool, since_ns: &mut Option<u64>) {
        if since_ns.is_none() {
            *since_ns = Some(now_ns());
            self.waited.fetch_add(1, Relaxed);
            self.waiting.fetch_add(1, Relaxed);
        }
        self.wait.wait(|| self.phase_in(lane).lets_in(nested));
    }

    /// Notes how long a call has waited, now that it is let in.
    fn note_wait(&self, since_ns: &mut Option<u64>) {
        let Some(since_ns) = since_ns.take() else {
            return;
        };
        self.keep_longest(now_ns().wrapping_sub(since_ns));
        self.waiting.fetch_sub(1, Release);
    }

    fn keep_longest(&self, waited_ns: u64) {
        let mut longest = self.longest_wait_ns.load(Relaxed);
        while waited_ns > longest {
            match self.longest_wait_ns.cmpxchg(longest, waited_ns, Relaxed) {
                Ok(_) => break,
                Err(seen) => longest = seen,
            }
        }
    }
}

/// A call of a class, without a record, for as long as it lives.
pub(crate) struct Inside<'a> {
    domain: &'a Domain,
    reader: Reader,
    stamp: u64,
}

impl<'a> Inside<'a> {
    #[inline(always)]
    fn new(domain: &'a Domain, stamp: &Atomic<u64>) -> Self {
        let reader = domain.enter();
        Self {
            domain,
            reader,
            stamp: stamp_of(stamp),
        }
    }

    /// The stamp that valid slots have for as long as this lives.
    #[inline(always)]
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp
    }
}

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.domain.leave(self.reader);
    }
}

/// Deals with a call by a rule that moves an instance, on this very processor, and that may
/// neither fail nor sleep.
///
/// The generation is committed then, and nothing can be taken back. On the fast path such a
/// call goes unseen. One that comes here would have to wait, perhaps for that very instance,
/// whose state is neither old nor new. It stops for good, which is loud but corrupts nothing.
pub(crate) fn refuse_rules() {
    if !moving().is_null() {
        warn_trespass();
        halt();
    }
}
