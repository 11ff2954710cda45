// SPDX-License-Identifier: GPL-2.0

//! The kernel's primitives, as the protocol uses them.
//!
//! `gate.rs`, `record.rs`, `window.rs` and `attempt.rs` reach the kernel through this file only, so
//! the same source compiles on the host against a stand-in with these names, where a model
//! checker explores it (`selftests/model/`).

use core::ffi::c_void;

use kernel::bindings;
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use kernel::sync::SpinLock;
use kernel::types::Opaque;

pub(crate) use kernel::alloc::KVec;
pub(crate) use kernel::error::Result;
pub(crate) use kernel::error::{
    code::{EAGAIN, EALREADY, ECANCELED, EDEADLK, ETIMEDOUT},
    Error,
};
pub(crate) use kernel::sync::atomic::{Acquire, Atomic, Full, Relaxed, Release};
pub(crate) use kernel::sync::Arc;

use crate::gate::Gate;
use crate::helpers::{
    molt_dead_describe, molt_has_oopsed, molt_is_nmi, molt_may_sleep, molt_moving, molt_pin,
    molt_processor, molt_relax, molt_sleep_ns, molt_task_describe, molt_task_hash, molt_unpin,
    molt_wait, molt_wait_idle, molt_wait_init, molt_wait_interruptible, molt_wait_wake,
    molt_wait_wake_late, molt_warn_misuse, molt_warn_nmi, molt_warn_trespass,
};
use crate::raw_lock::{new_raw_lock, RawGuard, RawLock};
use crate::slot::Slot;

pub(crate) use crate::domain::{same_stamp, stamp_of, Domain, GracePeriod, Reader};
pub(crate) use crate::testing::{dawdle, is_refused};
pub(crate) use kernel::interrupt::local_interrupt_disable as quiet;

/// Number of buckets of the record table; each lock lies in a cache line of its own.
pub(crate) const BUCKETS: usize = 256;

/// How often an updater waits for a moment in which nobody is inside before it closes a gate.
pub(crate) const LULLS: u32 = 8;

/// The gates of one transition.
pub(crate) type Gates = KVec<Arc<Gate>>;

/// A held bucket lock.
pub(crate) type Guard<'a, T> =
    kernel::sync::lock::Guard<'a, T, kernel::sync::lock::spinlock::SpinLockBackend>;

/// One owner's memory, which does not move.
pub(crate) type Owned<T> = KBox<T>;

pub(crate) fn owned<T>(value: T) -> Result<Owned<T>> {
    Ok(KBox::new(value, GFP_KERNEL)?)
}

pub(crate) fn arc<T>(value: T) -> Result<Arc<T>> {
    Ok(Arc::new(value, GFP_KERNEL)?)
}

/// Time of the monotonic clock, in nanoseconds. Any context.
pub(crate) fn now_ns() -> u64 {
    // SAFETY: Always safe to call.
    unsafe { bindings::ktime_get() as u64 }
}

/// Whether the calling context may sleep: preemption and interrupts on, not in an RCU reader.
pub(crate) fn may_sleep() -> bool {
    // SAFETY: Always safe to call.
    unsafe { molt_may_sleep() }
}

/// Lets others run, where somebody else has to take the next step.
pub(crate) fn relax() {
    // SAFETY: Always safe to call; does not sleep where the context may not.
    unsafe { molt_relax() }
}

/// Sleeps about `ns` nanoseconds.
pub(crate) fn sleep_ns(ns: u64) {
    // SAFETY: The updater may sleep.
    unsafe { molt_sleep_ns(ns) }
}

/// Whether a task has died in the kernel since `molt.ko` is there: a record may be on its stack,
/// which is gone. Any context.
pub(crate) fn has_oopsed() -> bool {
    // SAFETY: Always safe to call.
    unsafe { molt_has_oopsed() }
}

/// Warns once that a sleepable class was called where sleeping is forbidden.
pub(crate) fn warn_misuse() {
    // SAFETY: Always safe to call.
    unsafe { molt_warn_misuse() }
}

/// Warns once that a rule, a factory or a notification called a handle.
pub(crate) fn warn_trespass() {
    // SAFETY: Always safe to call.
    unsafe { molt_warn_trespass() }
}

/// Stops for good, asleep where that is possible.
pub(crate) fn halt() -> ! {
    pr_emerg!(
        "a rule that moves an instance called a handle that cannot serve it: it stops here\n"
    );
    loop {
        if may_sleep() {
            sleep_ns(1_000_000_000);
        }
        relax();
    }
}

/// The slot whose instance a rule is moving on this processor, below the caller; null: none.
pub(crate) fn moving() -> *const Slot {
    // SAFETY: Reads this processor's word. Who moves has interrupts off, so whoever finds a
    // slot is that rule; anybody else finds null, on whichever processor.
    unsafe { molt_moving(core::ptr::null(), false).cast() }
}

/// Notes the slot that this processor moves from now on; returns the one before. Interrupts
/// are off.
pub(crate) fn set_moving(slot: *const Slot) -> *const Slot {
    // SAFETY: By the above nobody else uses this processor's word.
    unsafe { molt_moving(slot.cast(), true).cast() }
}

/// Warns once that an atomic class was called from an NMI, which no lock here can stand.
pub(crate) fn warn_nmi() {
    // SAFETY: Always safe to call.
    if unsafe { molt_is_nmi() } {
        // SAFETY: As above.
        unsafe { molt_warn_nmi() }
    }
}

/// Preemption is off for as long as this lives.
pub(crate) struct Pinned(kernel::types::NotThreadSafe);

impl Pinned {
    pub(crate) fn new() -> Self {
        // SAFETY: Undone by the drop.
        unsafe { molt_pin() };
        Self(kernel::types::NotThreadSafe)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: Done in `new`, in the same task.
        unsafe { molt_unpin() }
    }
}

/// Where calls are checked: preemption off for an atomic class, and `might_sleep()` for a
/// sleepable one.
#[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
pub(crate) fn check_context(is_atomic: bool) -> Option<Pinned> {
    if !is_atomic {
        kernel::task::might_sleep();
    }
    is_atomic.then(Pinned::new)
}

/// Waits until everybody who has preemption off now had it on. Sleeps.
pub(crate) fn wait_for_pinned() {
    // SAFETY: The updater may sleep.
    unsafe { bindings::synchronize_rcu_expedited() }
}

/// A task, copied, so that it need not live on.
#[derive(Clone, Copy, Default)]
pub(crate) struct Described {
    pub(crate) pid: i32,
    pub(crate) comm: [u8; 16],
}

/// The calling task. Any context.
pub(crate) fn describe_current() -> Described {
    // SAFETY: The calling task is alive.
    unsafe { describe(current().as_ptr()) }
}

/// # Safety
///
/// `task` is alive for the length of the call.
pub(crate) unsafe fn describe(task: *mut bindings::task_struct) -> Described {
    let mut described = Described::default();
    // SAFETY: By the caller's promise; `comm` is as long as a task's name.
    unsafe { molt_task_describe(task, &mut described.pid, described.comm.as_mut_ptr().cast()) };
    described
}

/// The first task that has died in the kernel, if one has. Any context.
pub(crate) fn describe_dead() -> Option<Described> {
    has_oopsed().then(|| {
        let mut described = Described::default();
        // SAFETY: `comm` is as long as a task's name.
        unsafe { molt_dead_describe(&mut described.pid, described.comm.as_mut_ptr().cast()) };
        described
    })
}

/// Several values, as many as gates in most cases.
pub(crate) type Many<T> = KVec<T>;

/// Collects what `values` make.
///
/// # Errors
///
/// `ENOMEM`, and the first error among them.
pub(crate) fn collect<T>(values: impl Iterator<Item = Result<T>>) -> Result<Many<T>> {
    let mut all = KVec::new();
    for value in values {
        all.push(value?, GFP_KERNEL)?;
    }
    Ok(all)
}

#[pin_data]
#[repr(align(64))]
struct Cell<T> {
    #[pin]
    value: RawLock<T>,
}

/// A locked value for each possible CPU. Whoever holds one has interrupts off.
pub(crate) struct Cells<T>(KVec<Pin<KBox<Cell<T>>>>);

impl<T> Cells<T> {
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    pub(crate) fn new(value: impl Fn() -> T) -> Result<Self> {
        Ok(Self(collect((0..kernel::cpu::nr_cpu_ids()).map(|_| {
            let value = value();
            KBox::pin_init(
                pin_init!(Cell { value <- new_raw_lock!(value, c"molt_cell") }),
                GFP_KERNEL,
            )
        }))?))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The cell of this CPU. Preemption is off.
    pub(crate) fn own(&self) -> RawGuard<'_, T> {
        // SAFETY: Always safe to call.
        self.lock(unsafe { molt_processor() as usize })
    }

    /// The cell of CPU `cpu`, which is below [`Cells::len`].
    pub(crate) fn lock(&self, cpu: usize) -> RawGuard<'_, T> {
        // A CPU's number is below `nr_cpu_ids`, and there is a CPU 0.
        let cell = self.0.get(cpu).or(self.0.first());
        // SAFETY: As just said there is one.
        unsafe { cell.unwrap_unchecked() }.value.lock()
    }
}

/// The identity of a task. The task itself is alive as long as a record names it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Task(*mut bindings::task_struct);

impl Task {
    /// A number that spreads tasks over buckets.
    pub(crate) fn hash(self) -> usize {
        // SAFETY: Only the address is used.
        unsafe { molt_task_hash(self.0.cast()) as usize }
    }

    pub(crate) fn as_ptr(self) -> *mut bindings::task_struct {
        self.0
    }
}

/// The calling task.
pub(crate) fn current() -> Task {
    Task(kernel::task::Task::current_raw())
}

/// A reference to the calling task: no other task is at its address while that is there.
pub(crate) fn hold_current() -> ARef<kernel::task::Task> {
    ARef::from(&**kernel::current!())
}

#[pin_data]
#[repr(align(64))]
struct Bucket<T> {
    #[pin]
    lock: SpinLock<T>,
}

/// A table of locked values.
pub(crate) struct Buckets<T>(Pin<KBox<[Bucket<T>; BUCKETS]>>);

impl<T> Buckets<T> {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(value: impl Fn() -> T) -> Result<Self> {
        let bucket = |_| {
            let value = value();
            pin_init!(Bucket {
                lock <- kernel::new_spinlock!(value, "molt_records"),
            })
        };
        Ok(Self(KBox::pin_init(
            pin_init::pin_init_array_from_fn(bucket),
            GFP_KERNEL,
        )?))
    }

    /// Takes the lock of bucket `index`, which is below [`BUCKETS`].
    pub(crate) fn lock(&self, index: usize) -> Guard<'_, T> {
        self.0[index % BUCKETS].lock.lock()
    }
}

/// A wait queue of the kernel.
///
/// # Invariants
///
/// Does not move after [`WaitQueue::settle`]: it lies in an `Arc`.
pub(crate) struct WaitQueue(Opaque<bindings::wait_queue_head>);

// SAFETY: A wait queue head has a lock of its own.
unsafe impl Send for WaitQueue {}
// SAFETY: As above.
unsafe impl Sync for WaitQueue {}

impl WaitQueue {
    pub(crate) fn new() -> Self {
        Self(Opaque::zeroed())
    }

    /// Initialises the queue where it stays. Before that it must not be used.
    pub(crate) fn settle(&self) {
        // SAFETY: By the type invariant nobody moves or uses it at this time.
        unsafe { molt_wait_init(self.0.get()) }
    }

    pub(crate) fn as_ptr(&self) -> *mut bindings::wait_queue_head {
        self.0.get()
    }

    pub(crate) fn wake_all(&self) {
        // SAFETY: By the type invariant the queue is initialised.
        unsafe { molt_wait_wake(self.0.get()) }
    }

    /// The same a moment later, for whoever holds a raw lock or is in an interrupt. For one queue
    /// of the module, which is there until its end.
    pub(crate) fn wake_all_late(&self) {
        // SAFETY: As above; the module waits for it at its end.
        unsafe { molt_wait_wake_late(self.0.get()) }
    }

    /// Sleeps, not interruptibly, until `condition` holds.
    pub(crate) fn wait(&self, condition: impl Fn() -> bool) {
        self.wait_timeout(condition, u64::MAX);
    }

    /// Sleeps until `condition` holds or `timeout_ns` nanoseconds have passed.
    /// `u64::MAX` means for ever.
    pub(crate) fn wait_timeout<F: Fn() -> bool>(&self, condition: F, timeout_ns: u64) -> bool {
        // SAFETY: The closure outlives the call; the queue is initialised.
        unsafe {
            molt_wait(
                self.0.get(),
                holds::<F>,
                (&raw const condition).cast_mut().cast(),
                timeout_ns,
            )
        }
    }

    /// Sleeps until `condition` holds; `false`: a signal came before.
    pub(crate) fn wait_interruptible<F: Fn() -> bool>(&self, condition: F) -> bool {
        // SAFETY: As above.
        unsafe {
            molt_wait_interruptible(
                self.0.get(),
                holds::<F>,
                (&raw const condition).cast_mut().cast(),
            )
        }
    }

    /// The same for a thread that has nothing to do meanwhile: it counts neither as load nor
    /// as hung, however long it sleeps.
    pub(crate) fn wait_idle<F: Fn() -> bool>(&self, condition: F, timeout_ns: u64) {
        // SAFETY: As above.
        unsafe {
            molt_wait_idle(
                self.0.get(),
                holds::<F>,
                (&raw const condition).cast_mut().cast(),
                timeout_ns,
            )
        }
    }
}

/// # Safety
///
/// `argument` is an `F`, for the length of the call.
unsafe extern "C" fn holds<F: Fn() -> bool>(argument: *mut c_void) -> bool {
    // SAFETY: By the caller's promise.
    unsafe { (*argument.cast::<F>())() }
}
