// SPDX-License-Identifier: GPL-2.0

//! Records: who is inside which class while a transition runs.
//!
//! The record of a call lies on the stack of the task that it stands for and is linked into one
//! global, hashed table. It belongs to its call, not to a transition: a call that was
//! recorded by one transition and still runs is seen by every later one. The table is
//! never reset.
//!
//! # Invariants
//!
//! Each record in a bucket is alive, is linked in exactly the bucket of its task, and is
//! read and unlinked under the lock of that bucket only. A task that dies in a call breaks this,
//! since its stack goes: after an oops nobody follows a link between records of calls any more,
//! not even to take one out, and no transition begins or commits. So "no record" is no answer
//! then: who acts on it asks [`has_oopsed`] afterwards. (Who is on its way through a bucket while
//! a task dies may come to that task's record, whose stack is there for some moments yet.)
//!
//! The record of an updater lies in memory that outlives its task. It is found after an oops, too:
//! an updater that no longer knew itself would wait at its own gate.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr;

use crate::attempt::Attempt;
use crate::gate::Gate;
use crate::primitives::{
    current, has_oopsed, hold_current, now_ns, Arc, Atomic, Buckets, Full, Guard, Relaxed, Result,
    Task, WaitQueue, BUCKETS,
};

/// What a record stands for.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    /// A call that was admitted while a transition of this gate's class ran.
    Call(*const Gate),
    /// The same for one that makes or ends an instance.
    Change(*const Gate),
    /// The task that drives this attempt. It has no business at any gate.
    Updater(*const Attempt),
}

/// One entry of the table.
pub(crate) struct Record {
    pub(crate) task: Task,
    pub(crate) role: Role,
    /// When the record was made, in nanoseconds of the monotonic clock.
    pub(crate) since_ns: u64,
    next: *mut Record,
}

impl Record {
    pub(crate) fn new(role: Role) -> Self {
        Self {
            task: current(),
            role,
            since_ns: now_ns(),
            next: ptr::null_mut(),
        }
    }

    fn is_call_of(&self, gates: &[Arc<Gate>]) -> bool {
        match self.role {
            Role::Call(gate) | Role::Change(gate) => gates.iter().any(|g| ptr::eq(&**g, gate)),
            Role::Updater(_) => false,
        }
    }

    /// Whether the call makes or ends an instance.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self.role, Role::Change(_))
    }
}

/// Where the record of an updater is, in memory that is not freed where its task dies. For one task
/// at a time.
pub(crate) struct RecordPlace(UnsafeCell<MaybeUninit<Record>>);

// SAFETY: The record is touched by the task that uses the place before it is linked, and under
// its bucket's lock from then on.
unsafe impl Send for RecordPlace {}
// SAFETY: As above.
unsafe impl Sync for RecordPlace {}

impl RecordPlace {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }
}

/// The heads of one bucket's lists.
pub(crate) struct Head {
    calls: *mut Record,
    updaters: *mut Record,
}

// SAFETY: The records that can be reached from a head are touched under its bucket's lock
// only, whoever holds it.
unsafe impl Send for Head {}

impl Head {
    pub(crate) const fn new() -> Self {
        Self {
            calls: ptr::null_mut(),
            updaters: ptr::null_mut(),
        }
    }

    /// The records from `first` on.
    fn records(&self, first: *mut Record) -> impl Iterator<Item = &Record> {
        let mut next = first;
        core::iter::from_fn(move || {
            // SAFETY: By the module's invariants each linked record is alive while the
            // bucket's lock is held, which `&self` shows.
            let record = unsafe { next.as_ref() }?;
            next = record.next;
            Some(record)
        })
    }

    /// The records of calls; after an oops none.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Record> {
        let first = match has_oopsed() {
            false => self.calls,
            true => ptr::null_mut(),
        };
        self.records(first)
    }

    /// The attempt that `task` drives, if it drives one.
    pub(crate) fn attempt_of(&self, task: Task) -> Option<*const Attempt> {
        self.records(self.updaters)
            .filter(|record| record.task == task)
            .find_map(|record| match record.role {
                Role::Updater(attempt) => Some(attempt),
                Role::Call(_) | Role::Change(_) => None,
            })
    }

    /// Whether `task` is inside a recorded call, of any class.
    pub(crate) fn has_call_of(&self, task: Task) -> bool {
        self.calls().any(|record| record.task == task)
    }

    fn first(&mut self, role: Role) -> &mut *mut Record {
        match role {
            Role::Call(_) | Role::Change(_) => &mut self.calls,
            Role::Updater(_) => &mut self.updaters,
        }
    }

    /// # Safety
    ///
    /// `record` stays where it is, and alive, until [`Head::remove`].
    pub(crate) unsafe fn insert(&mut self, record: *mut Record) {
        // SAFETY: By the caller's promise.
        let first = self.first(unsafe { (*record).role });
        // SAFETY: As above.
        unsafe { (*record).next = *first };
        *first = record;
    }

    /// # Safety
    ///
    /// `record` was inserted here.
    pub(crate) unsafe fn remove(&mut self, record: *mut Record) {
        // SAFETY: By the caller's promise it is alive.
        let role = unsafe { (*record).role };
        if !matches!(role, Role::Updater(_)) && has_oopsed() {
            // The way to it may lead over a stack that is gone. It stays, and nobody comes by.
            return;
        }
        let mut link: *mut *mut Record = self.first(role);
        // SAFETY: `link` points to the head or to the `next` of a linked record; all of
        // them are alive under the bucket's lock.
        unsafe {
            while !(*link).is_null() {
                if *link == record {
                    *link = (*record).next;
                    return;
                }
                link = &mut (**link).next;
            }
        }
    }
}

/// The table of records, and the queue on which updaters wait for it to drain.
pub(crate) struct Records {
    buckets: Buckets<Head>,
    drain_sequence: Atomic<u64>,
    /// Everything that an updater waits for wakes this queue: a record that goes, the end
    /// of a grace period, a request to abort.
    pub(crate) drain: WaitQueue,
}

impl Records {
    /// Makes an empty table.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            buckets: Buckets::new(Head::new)?,
            drain_sequence: Atomic::new(0),
            drain: WaitQueue::new(),
        })
    }

    /// Brings the wait queue into use, once the table is where it stays.
    pub(crate) fn settle(&self) {
        self.drain.settle();
    }

    pub(crate) fn bucket(&self, task: Task) -> Guard<'_, Head> {
        self.buckets.lock(task.hash() % BUCKETS)
    }

    /// Runs `body` with a record of the updater in place.
    ///
    /// # Safety
    ///
    /// Nobody else uses `place` meanwhile, and it stays where the task dies in `body`.
    pub(crate) unsafe fn with_updater<R>(
        &self,
        attempt: &Attempt,
        place: &RecordPlace,
        body: impl FnOnce() -> R,
    ) -> R {
        // Where the task dies this stays, too: its record must not be found for another task, to
        // which its memory was given.
        let _held = hold_current();
        let record = Record::new(Role::Updater(attempt));
        let task = record.task;
        let place = place.0.get().cast::<Record>();
        // SAFETY: By the caller's promise it is ours until it is linked, and there until it is
        // removed below.
        unsafe {
            place.write(record);
            self.bucket(task).insert(place);
        }
        let result = body();
        // SAFETY: Inserted above.
        unsafe { self.bucket(task).remove(place) };
        result
    }

    /// Counts the recorded calls of the classes behind `gates`, passing every bucket's lock.
    ///
    /// Since the caller has published the phase before, a task that enters its record
    /// after the scan has passed its bucket has seen that phase. After an oops there is always
    /// one more, which does not leave.
    pub(crate) fn scan(&self, gates: &[Arc<Gate>]) -> usize {
        let mut calls = 0;
        self.for_each_call(gates, |_| calls += 1);
        // Last: until then each of them was there to be seen.
        match has_oopsed() {
            true => usize::MAX,
            false => calls,
        }
    }

    /// Hands each recorded call of `gates` to `f`, under its bucket's lock: `f` must not sleep.
    /// After an oops none is: "none" is an answer only to who finds [`has_oopsed`] false
    /// afterwards.
    pub(crate) fn for_each_call(&self, gates: &[Arc<Gate>], mut f: impl FnMut(&Record)) {
        for index in 0..BUCKETS {
            let bucket = self.buckets.lock(index);
            bucket
                .calls()
                .filter(|record| record.is_call_of(gates))
                .for_each(&mut f);
        }
    }

    pub(crate) fn drain_sequence(&self) -> u64 {
        self.drain_sequence.load(Relaxed)
    }

    /// Tells every updater that something it may wait for has happened.
    pub(crate) fn wake_updaters(&self) {
        self.drain_sequence.fetch_add(1, Full);
        self.drain.wake_all();
    }

    /// The same under a raw lock or in an interrupt.
    pub(crate) fn wake_updaters_late(&self) {
        self.drain_sequence.fetch_add(1, Full);
        self.drain.wake_all_late();
    }
}
