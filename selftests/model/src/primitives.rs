// SPDX-License-Identifier: GPL-2.0

//! The stand-in for `rust/molt/primitives.rs`: the same names, loom underneath.
//!
//! Every operation that the protocol orders something with is a step of the exploration.
//! What it only counts or prints is not; `README.md` lists the differences.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64 as Plain, Ordering};

use loom::sync::atomic::AtomicU64;
use loom::sync::{Condvar, Mutex, MutexGuard};

use crate::gate::Gate;
use crate::record::Records;
use crate::world;

pub(crate) use std::sync::Arc;

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
/// Less than the kernel's, which is a full barrier on both sides.
pub(crate) struct Full;

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

    pub(crate) fn load<O: Order>(&self, _: O) -> T {
        let word = self.word.load(O::LOAD);
        T::from_word(word.wrapping_add(self.tally.load(Ordering::Relaxed)))
    }

    pub(crate) fn store<O: Order>(&self, value: T, _: O) {
        self.word.store(value.to_word(), O::STORE);
    }

    pub(crate) fn xchg<O: Order>(&self, value: T, _: O) -> T {
        T::from_word(self.word.swap(value.to_word(), O::BOTH))
    }

    pub(crate) fn cmpxchg<O: Order>(&self, old: T, new: T, _: O) -> Result<T, T> {
        self.word
            .compare_exchange(old.to_word(), new.to_word(), O::BOTH, Ordering::Relaxed)
            .map(T::from_word)
            .map_err(T::from_word)
    }

    pub(crate) fn fetch_add<O: Order>(&self, value: T, _: O) -> T {
        let value = value.to_word();
        T::from_word(if O::BOTH == Ordering::Relaxed {
            self.tally.fetch_add(value, Ordering::Relaxed)
        } else {
            self.word.fetch_add(value, O::BOTH)
        })
    }

    pub(crate) fn fetch_sub<O: Order>(&self, value: T, _: O) -> T {
        T::from_word(self.word.fetch_sub(value.to_word(), O::BOTH))
    }
}

pub(crate) fn same_stamp(slot: &Atomic<u64>, gate: &Atomic<u64>) -> bool {
    slot.load(Acquire) == gate.load(Acquire)
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

/// Starts the thread that is task `number`; the main thread is task 0.
pub(crate) fn spawn(number: usize, body: impl FnOnce() + 'static) -> loom::thread::JoinHandle<()> {
    loom::thread::spawn(move || {
        TASK.with(|task| task.set(number));
        body();
    })
}

/// Who holds the lock of a bucket may not.
pub(crate) fn may_sleep() -> bool {
    LOCKS.with(Cell::get) == 0
}

pub(crate) fn relax() {
    loom::thread::yield_now();
}

pub(crate) fn warn_misuse() {
    panic!("warned of a call where sleeping is forbidden");
}

pub(crate) fn warn_trespass() {
    world::with(|world| world.trespasses.set(world.trespasses.get() + 1));
}

pub(crate) fn halt() -> ! {
    panic!("the updater stopped for good");
}

// ---- time ------------------------------------------------------------------------------

/// Model time stands still but where a scenario lets it pass: see `world::Clock`.
pub(crate) fn now_ns() -> u64 {
    world::with(|world| world.clock.now())
}

pub(crate) fn sleep_ns(ns: u64) {
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
        assert!(may_sleep(), "a task takes two bucket locks at once");
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
        let mut waiters = self.waiters.lock().unwrap();
        if std::mem::take(&mut *waiters) > 0 {
            self.woken.notify_all();
        }
    }

    pub(crate) fn wait(&self, condition: impl Fn() -> bool) {
        assert!(may_sleep(), "a task sleeps under a bucket lock");
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

    /// Times out where the scenario's clock strikes at the beginning of the wait, and
    /// otherwise never: who relies on a timeout to be woken is a deadlock.
    pub(crate) fn wait_timeout(&self, condition: impl Fn() -> bool, timeout_ns: u64) -> bool {
        let passed_ns = world::with(|world| world.clock.strike());
        if passed_ns > 0 && passed_ns >= timeout_ns {
            return condition();
        }
        self.wait(condition);
        true
    }
}

// ---- the domain ------------------------------------------------------------------------

/// A domain: one word for each task, which only that task and grace periods touch.
///
/// So entering and leaving orders a reader against a grace period, and not against other
/// readers, nor against an updater's stores. Within a task only the outermost section
/// counts: it ends last.
pub(crate) struct Domain {
    /// Even: outside. Odd: inside. Each entry has a number of its own.
    inside: [AtomicU64; TASKS],
    depth: [Cell<usize>; TASKS],
    running: RefCell<Vec<Rc<Running>>>,
    pending: Cell<usize>,
}

// SAFETY: Loom runs all its threads in one thread of the host.
unsafe impl Send for Domain {}
// SAFETY: As above.
unsafe impl Sync for Domain {}

#[derive(Clone, Copy)]
pub(crate) struct Reader(usize);

/// A grace period that waits for some readers.
struct Running {
    /// The tasks that were inside when it began.
    readers: Cell<[bool; TASKS]>,
    awaited: Cell<[bool; TASKS]>,
    has_begun: Cell<bool>,
    has_ended: Cell<bool>,
    records: Arc<Records>,
}

impl Domain {
    pub(crate) fn new() -> Self {
        Self {
            inside: std::array::from_fn(|_| AtomicU64::new(0)),
            depth: std::array::from_fn(|_| Cell::new(0)),
            running: RefCell::new(Vec::new()),
            pending: Cell::new(0),
        }
    }

    pub(crate) fn settle(&self) -> Result {
        Ok(())
    }

    pub(crate) fn enter(&self) -> Reader {
        let task = current().0;
        let depth = self.depth[task].get();
        if depth == 0 {
            self.inside[task].fetch_add(1, Ordering::AcqRel);
        }
        self.depth[task].set(depth + 1);
        Reader(task)
    }

    pub(crate) fn leave(&self, reader: Reader) {
        let task = reader.0;
        let depth = self.depth[task].get() - 1;
        self.depth[task].set(depth);
        if depth > 0 {
            return;
        }
        self.inside[task].fetch_add(1, Ordering::AcqRel);
        // What follows up to the wake-up is one step together with the addition.
        let running = self.running.borrow().clone();
        let ended: VecDeque<_> = running
            .into_iter()
            .filter(|grace| {
                let mut awaited = grace.awaited.get();
                let was_awaited = std::mem::replace(&mut awaited[task], false);
                grace.awaited.set(awaited);
                was_awaited && grace.has_begun.get() && awaited == [false; TASKS]
            })
            .collect();
        for grace in &ended {
            self.end(grace);
        }
        for grace in &ended {
            grace.records.wake_updaters();
        }
    }

    fn end(&self, grace: &Rc<Running>) {
        grace.has_ended.set(true);
        self.pending.set(self.pending.get() - 1);
        self.running.borrow_mut().retain(|g| !Rc::ptr_eq(g, grace));
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.pending.get() != 0
    }
}

/// One grace period of a gate's domain.
///
/// The reader that leaves last runs the callback. In the kernel somebody else does, later:
/// to the updater, which can be late at any point itself, that looks the same.
pub(crate) struct GracePeriod<'a> {
    domain: &'a Domain,
    running: Rc<Running>,
}

impl<'a> GracePeriod<'a> {
    pub(crate) fn begin(gate: &'a Gate, records: &Arc<Records>) -> Result<Self> {
        let domain = &gate.domain;
        let running = Rc::new(Running {
            readers: Cell::new([false; TASKS]),
            awaited: Cell::new([false; TASKS]),
            has_begun: Cell::new(false),
            has_ended: Cell::new(false),
            records: records.clone(),
        });
        domain.pending.set(domain.pending.get() + 1);
        domain.running.borrow_mut().push(running.clone());
        let myself = current().0;
        for task in (0..world::tasks()).filter(|&task| task != myself) {
            // Whoever enters later sees what was stored before; whoever is inside is
            // waited for.
            let is_inside = domain.inside[task].fetch_add(0, Ordering::AcqRel) % 2 == 1;
            for tasks in [&running.readers, &running.awaited] {
                let mut readers = tasks.get();
                readers[task] = is_inside;
                tasks.set(readers);
            }
        }
        running.has_begun.set(true);
        if running.awaited.get() == [false; TASKS] {
            domain.end(&running);
        }
        Ok(Self { domain, running })
    }

    pub(crate) fn has_ended(&self) -> bool {
        let has_ended = self.running.has_ended.get();
        if has_ended {
            for (task, &was_inside) in self.running.readers.get().iter().enumerate() {
                if was_inside {
                    self.domain.inside[task].fetch_add(0, Ordering::AcqRel);
                }
            }
        }
        has_ended
    }
}
