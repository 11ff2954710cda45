// SPDX-License-Identifier: GPL-2.0

//! Work items and timers whose function can be replaced while they are pending.
//!
//! What the kernel calls is in `molt.ko`; it calls an instance, whose class can be updated like
//! any other. So a run begins in the version that is there by then, and one that is pending holds
//! off no update. Both are made around a handle: an instance must not keep the one that runs it,
//! or neither would ever end.

use kernel::error::code::EINVAL;
use kernel::impl_has_delayed_work;
use kernel::impl_has_hr_timer;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{Arc, ArcBorrow};
use kernel::time::hrtimer::{
    ArcHrTimerHandle, HrTimer, HrTimerCallback, HrTimerCallbackContext, HrTimerPointer,
    HrTimerRestart, RelativeHardMode,
};
use kernel::time::{msecs_to_jiffies, Delta, Monotonic};
use kernel::workqueue::{self, DelayedWork};

use crate::fingerprint::Fingerprint;
use crate::handle::Handle;
use crate::registry::framework;
use crate::schema::Type;
use crate::Movable;

/// When to run again.
#[derive(Movable)]
pub enum Next {
    /// Not before somebody asks for it.
    Never,
    /// This much later.
    After(Delta),
}

/// What a work item runs. `argument` is for those who make instances.
#[molt::interface(name = "work_item", context = sleepable, framework, create(argument: u64))]
pub trait WorkItem {
    /// Runs in a worker; may sleep for a bounded time.
    fn run(&self) -> Next;
}

/// What a timer runs. `argument` is for those who make instances.
#[molt::interface(name = "timer", context = atomic, framework, create(argument: u64))]
pub trait TimerCallback {
    /// Runs in a hard interrupt.
    fn run(&self) -> Next;
}

// ---- work items ------------------------------------------------------------------------

/// A work item that runs an instance.
#[pin_data]
pub struct Work {
    handle: Handle<dyn WorkItem>,
    is_stopped: Atomic<bool>,
    #[pin]
    work: DelayedWork<Self>,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Work { self.work }
}

impl Work {
    /// A work item that is not pending. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    #[inline(never)]
    pub fn new(handle: Handle<dyn WorkItem>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                handle,
                is_stopped: Atomic::new(false),
                work <- kernel::new_delayed_work!("molt_work"),
            }),
            GFP_KERNEL,
        )
    }

    /// Has it run as soon as there is a worker, or after `delay`. Where it is pending already,
    /// nothing changes. Any context but an NMI.
    #[inline(never)]
    pub fn enqueue(self: &Arc<Self>, delay: Delta) {
        let milliseconds = delay.as_millis_ceil().clamp(0, i64::from(i32::MAX));
        let delay = msecs_to_jiffies(milliseconds as u32);
        // One that is pending has a reference of its own.
        let _ = framework()
            .work
            .queue()
            .enqueue_delayed(self.clone(), delay);
    }

    /// Has it run no more. A run that is under way goes on; one that is pending comes to nothing
    /// by its time, and keeps the handle until then. Any context.
    pub fn stop(&self) {
        self.is_stopped.store(true, Relaxed);
    }
}

impl workqueue::WorkItem for Work {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        if this.is_stopped.load(Relaxed) {
            return;
        }
        if let Next::After(delay) = this.handle.run() {
            this.enqueue(delay);
        }
    }
}

// SAFETY: In memory and text of `molt.ko`.
unsafe impl Movable for Work {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("Work").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Work", Self::FINGERPRINT);
}

// ---- timers ----------------------------------------------------------------------------

#[pin_data]
struct Inner {
    handle: Handle<dyn TimerCallback>,
    #[pin]
    timer: HrTimer<Self>,
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Inner {
        mode: RelativeHardMode<Monotonic>, field: self.timer
    }
}

/// A timer that runs an instance. Dropping it ends it, and waits for a run that is under way.
pub struct Timer {
    _running: ArcHrTimerHandle<Inner>,
}

impl Timer {
    /// Starts a timer that runs after `first`. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL`: a time before now. `ENOMEM`.
    #[inline(never)]
    pub fn start(handle: Handle<dyn TimerCallback>, first: Delta) -> Result<Self> {
        if first.is_negative() {
            return Err(EINVAL);
        }
        let inner = Arc::pin_init(
            pin_init!(Inner {
                handle,
                timer <- HrTimer::new(),
            }),
            GFP_KERNEL,
        )?;
        Ok(Self {
            _running: inner.start(first),
        })
    }
}

impl HrTimerCallback for Inner {
    type Pointer<'a> = Arc<Self>;

    fn run(
        this: ArcBorrow<'_, Self>,
        mut context: HrTimerCallbackContext<'_, Self>,
    ) -> HrTimerRestart {
        match this.handle.run() {
            Next::Never => HrTimerRestart::NoRestart,
            Next::After(delay) => {
                context.forward_now(delay);
                HrTimerRestart::Restart
            }
        }
    }
}

// SAFETY: In memory and text of `molt.ko`.
unsafe impl Movable for Timer {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("Timer").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Timer", Self::FINGERPRINT);
}

// ---- the workers -----------------------------------------------------------------------

/// The framework's queue of work items.
pub(crate) struct Workers(core::ptr::NonNull<kernel::bindings::workqueue_struct>);

// SAFETY: Queues are made for sharing.
unsafe impl Send for Workers {}
// SAFETY: As above.
unsafe impl Sync for Workers {}

impl Workers {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: Always safe to call.
        let queue = unsafe { crate::helpers::molt_workqueue_new(c"molt_work".as_char_ptr()) };
        Ok(Self(core::ptr::NonNull::new(queue).ok_or(ENOMEM)?))
    }

    fn queue(&self) -> &workqueue::Queue {
        // SAFETY: The queue is there until the drop.
        unsafe { workqueue::Queue::from_raw(self.0.as_ptr()) }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // SAFETY: Nobody is left who could queue: each work item has a handle.
        unsafe { crate::helpers::molt_workqueue_destroy(self.0.as_ptr()) }
    }
}
