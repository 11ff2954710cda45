// SPDX-License-Identifier: GPL-2.0

//! The stand-in for `rust/molt/primitives.rs`: the same names, loom underneath.
//!
//! Every operation that the protocol orders something with is a step of the exploration.
//! What it only counts or prints is not; `README.md` lists the differences.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicU64 as Plain, Ordering};

use loom::sync::atomic::{fence, AtomicU64};
use loom::sync::{Condvar, Mutex, MutexGuard};

use crate::cpu::{interruptible, is_preemptible, undisturbed};
use crate::gate::Gate;
use crate::world;

pub(crate) use std::sync::Arc;

pub(crate) use crate::cpu::{
    describe_current, has_written, moving, quiet, set_moving, spin, wait_for_pinned, warn_nmi,
    Cells, Described, Pinned,
};
pub(crate) use crate::domain::{Domain, GracePeriod, Reader};

/// Number of buckets: one would hide what the second scan is for.
pub(crate) const BUCKETS: usize = 2;

/// An updater may close a gate whoever is inside; waiting for a good moment would hide that.
pub(crate) const LULLS: u32 = 0;

/// Loom's limit, the main thread included.
pub(crate) const TASKS: usize = loom::MAX_THREADS;

pub(crate) type Gates = Vec<Arc<Gate>>;
pub(crate) type Result<T = (), E = Error> = std::result::Result<T, E>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Error(&'static str);

pub(crate) const EAGAIN: Error = Error("EAGAIN");
pub(crate) const EALREADY: Error = Error("EALREADY");
pub(crate) const ECANCELED: Error = Error("ECANCELED");
pub(crate) const EDEADLK: Error = Error("EDEADLK");
pub(crate) const EPROTO: Error = Error("EPROTO");
pub(crate) const ETIMEDOUT: Error = Error("ETIMEDOUT");

pub(crate) fn arc<T>(value: T) -> Result<Arc<T>> {
    Ok(Arc::new(value))
}

/// One owner's memory. When it is freed it is kept, and whoever looks at an atomic word or a
/// lock in there is caught.
pub(crate) struct Owned<T: 'static>(Option<Box<T>>);

pub(crate) fn owned<T>(value: T) -> Result<Owned<T>> {
    Ok(Owned(Some(Box::new(value))))
}

impl<T> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if let Some(memory) = self.0.take() {
            world::with(|world| world.free(memory));
        }
    }
}

pub(crate) type Many<T> = Vec<T>;

pub(crate) fn collect<T>(values: impl Iterator<Item = Result<T>>) -> Result<Many<T>> {
    values.collect()
}

// ---- atomics ---------------------------------------------------------------------------

/// An ordering of the kernel's: what it means for each kind of access.
pub(crate) trait Order {
    const LOAD: Ordering = Ordering::Relaxed;
    const STORE: Ordering = Ordering::Relaxed;
    const BOTH: Ordering = Ordering::Relaxed;
}

pub(crate) struct Relaxed;
pub(crate) struct Acquire;
pub(crate) struct Release;
/// Less than the kernel's, which is a full barrier on both sides. Here only an addition is
/// one, behind it.
pub(crate) struct Full;

/// Whoever passes one sees all that was stored before one that somebody else has passed.
pub(crate) fn full_barrier() {
    fence(Ordering::SeqCst);
}

impl Order for Relaxed {}
impl Order for Acquire {
    const LOAD: Ordering = Ordering::Acquire;
    const BOTH: Ordering = Ordering::Acquire;
}
impl Order for Release {
    const STORE: Ordering = Ordering::Release;
    const BOTH: Ordering = Ordering::Release;
}
impl Order for Full {
    const BOTH: Ordering = Ordering::AcqRel;
}

pub(crate) trait Word: Copy {
    fn to_word(self) -> u64;
    fn from_word(word: u64) -> Self;
}

impl Word for u64 {
    fn to_word(self) -> u64 {
        self
    }
    fn from_word(word: u64) -> Self {
        word
    }
}

impl Word for u32 {
    fn to_word(self) -> u64 {
        self.into()
    }
    fn from_word(word: u64) -> Self {
        word as u32
    }
}

impl<T> Word for *const T {
    fn to_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Self {
        word as *const T
    }
}

/// An atomic word.
///
/// A relaxed addition orders nothing, and the protocol only counts with it: it goes to a
/// tally beside the word, which is no step of the exploration.
pub(crate) struct Atomic<T> {
    word: AtomicU64,
    tally: Plain,
    of: PhantomData<fn() -> T>,
}

impl<T: Word> Atomic<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            word: AtomicU64::new(value.to_word()),
            tally: Plain::new(0),
            of: PhantomData,
        }
    }

    /// Before each step of the exploration.
    fn step(&self) {
        interruptible();
        world::demand_alive(ptr::from_ref(self));
    }

    pub(crate) fn load<O: Order>(&self, _: O) -> T {
        self.step();
        let word = self.word.load(O::LOAD);
        T::from_word(word.wrapping_add(self.tally.load(Ordering::Relaxed)))
    }

    pub(crate) fn store<O: Order>(&self, value: T, _: O) {
        self.step();
        self.word.store(value.to_word(), O::STORE);
        has_written();
    }

    pub(crate) fn xchg<O: Order>(&self, value: T, _: O) -> T {
        self.step();
        let word = self.word.swap(value.to_word(), O::BOTH);
        has_written();
        T::from_word(word)
    }

    pub(crate) fn cmpxchg<O: Order>(&self, old: T, new: T, _: O) -> Result<T, T> {
        self.step();
        let result =
            self.word
                .compare_exchange(old.to_word(), new.to_word(), O::BOTH, Ordering::Relaxed);
        if result.is_ok() {
            has_written();
        }
        result.map(T::from_word).map_err(T::from_word)
    }

    pub(crate) fn fetch_add<O: Order>(&self, value: T, _: O) -> T {
        let value = value.to_word();
        T::from_word(if O::BOTH == Ordering::Relaxed {
            self.tally.fetch_add(value, Ordering::Relaxed)
        } else {
            self.step();
            let word = self.word.fetch_add(value, O::BOTH);
            has_written();
            full_barrier();
            word
        })
    }

    pub(crate) fn fetch_sub<O: Order>(&self, value: T, _: O) -> T {
        self.step();
        let word = self.word.fetch_sub(value.to_word(), O::BOTH);
        has_written();
        T::from_word(word)
    }
}

pub(crate) fn same_stamp(slot: &Atomic<u64>, gate: &Atomic<u64>) -> bool {
    slot.load(Acquire) == gate.load(Acquire)
}

pub(crate) fn stamp_of(stamp: &Atomic<u64>) -> u64 {
    stamp.load(Acquire)
}

// ---- tasks -----------------------------------------------------------------------------

loom::thread_local! {
    static TASK: Cell<usize> = Cell::new(0);
    /// Bucket locks that the task holds.
    static LOCKS: Cell<usize> = Cell::new(0);
}

/// A thread of the exploration, by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Task(pub(crate) usize);

impl Task {
    pub(crate) fn hash(self) -> usize {
        self.0
    }
}

pub(crate) fn current() -> Task {
    TASK.with(|task| Task(task.get()))
}

/// Tasks of the model are numbers, and no number is given twice.
pub(crate) fn hold_current() -> Task {
    current()
}

/// Starts the thread that is task `number`; the main thread is task 0.
pub(crate) fn spawn(number: usize, body: impl FnOnce() + 'static) -> loom::thread::JoinHandle<()> {
    loom::thread::spawn(move || {
        TASK.with(|task| task.set(number));
        body();
    })
}

/// Who holds the lock of a bucket may not, nor who has preemption off.
pub(crate) fn may_sleep() -> bool {
    LOCKS.with(Cell::get) == 0 && is_preemptible()
}

pub(crate) fn relax() {
    interruptible();
    if is_preemptible() {
        loom::thread::yield_now();
    } else {
        spin();
        // Whoever spins looks at the clock, which may have gone on.
        world::with(|world| world.clock.strike());
    }
}

/// No task dies in here.
pub(crate) fn has_oopsed() -> bool {
    false
}

pub(crate) fn warn_misuse() {
    panic!("warned of a call where sleeping is forbidden");
}

pub(crate) fn warn_trespass() {
    world::with(|world| world.trespasses.set(world.trespasses.get() + 1));
}

/// What a task that has stopped for good is unwound with.
pub(crate) struct Halted;

pub(crate) fn halt() -> ! {
    assert!(
        world::with(|world| world.may_halt.get()),
        "a task stopped for good"
    );
    std::panic::resume_unwind(Box::new(Halted));
}

// ---- time ------------------------------------------------------------------------------

/// Model time stands still but where a scenario lets it pass: see `world::Clock`.
pub(crate) fn now_ns() -> u64 {
    world::with(|world| world.clock.now())
}

/// The host may take the processor away while it has closed a window.
pub(crate) fn dawdle() {
    world::with(|world| world.clock.strike());
}

/// A refusal is an abort, of which scenarios have their own.
pub(crate) fn is_refused() -> bool {
    false
}

pub(crate) fn sleep_ns(ns: u64) {
    assert!(may_sleep(), "a task sleeps where it may not");
    world::with(|world| world.clock.pass(ns));
    relax();
}

// ---- locks and queues ------------------------------------------------------------------

pub(crate) struct Buckets<T>(Vec<Mutex<T>>);

/// A held bucket lock.
pub(crate) struct Guard<'a, T>(MutexGuard<'a, T>);

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        LOCKS.with(|locks| locks.set(locks.get() - 1));
    }
}

impl<T> Buckets<T> {
    pub(crate) fn new(value: impl Fn() -> T) -> Result<Self> {
        Ok(Self((0..BUCKETS).map(|_| Mutex::new(value())).collect()))
    }

    pub(crate) fn lock(&self, index: usize) -> Guard<'_, T> {
        assert!(
            LOCKS.with(Cell::get) == 0,
            "a task takes two bucket locks at once"
        );
        let guard = self.0[index].lock().unwrap();
        LOCKS.with(|locks| locks.set(locks.get() + 1));
        Guard(guard)
    }
}

/// A wait queue. As in the kernel, a waiter is queued before it looks at its condition, so
/// a wake-up that follows the change of the condition is not lost; one that is left out is.
pub(crate) struct WaitQueue {
    /// How many wait.
    waiters: Mutex<usize>,
    woken: Condvar,
}

impl WaitQueue {
    pub(crate) fn new() -> Self {
        Self {
            waiters: Mutex::new(0),
            woken: Condvar::new(),
        }
    }

    pub(crate) fn settle(&self) {}

    pub(crate) fn wake_all(&self) {
        let _undisturbed = undisturbed();
        let mut waiters = self.waiters.lock().unwrap();
        if std::mem::take(&mut *waiters) > 0 {
            self.woken.notify_all();
        }
    }

    pub(crate) fn wake_all_late(&self) {
        self.wake_all();
    }

    pub(crate) fn wait(&self, condition: impl Fn() -> bool) {
        assert!(may_sleep(), "a task sleeps where it may not");
        self.stay(condition);
    }

    /// The same for who spins in the kernel.
    pub(crate) fn stay(&self, condition: impl Fn() -> bool) {
        let _undisturbed = undisturbed();
        let mut waiters = self.waiters.lock().unwrap();
        if condition() {
            return;
        }
        world::with(|world| world.count_sleep());
        world::note(|| "sleeps".to_string());
        loop {
            *waiters += 1;
            waiters = self.woken.wait(waiters).unwrap();
            if condition() {
                return;
            }
        }
    }

    /// Times out where the scenario's clock strikes at the beginning of the wait, or always
    /// does, and otherwise never: who relies on a timeout to be woken is a deadlock.
    pub(crate) fn wait_timeout(&self, condition: impl Fn() -> bool, timeout_ns: u64) -> bool {
        if world::with(|world| world.clock.is_impatient()) {
            if !condition() {
                world::with(|world| world.clock.pass(timeout_ns.max(world::DEADLINE_NS)));
            }
            return condition();
        }
        let passed_ns = world::with(|world| world.clock.strike());
        if passed_ns > 0 && passed_ns >= timeout_ns {
            return condition();
        }
        self.wait(condition);
        true
    }
}
