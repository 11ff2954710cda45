// SPDX-License-Identifier: GPL-2.0

//! Wakers: how a call that cannot be answered yet is waited for outside the class.
//!
//! A method never waits for an event that may not come. It says that it would block (`EAGAIN`);
//! the front sleeps where no update waits for it, and calls again once the waker was woken.
//! Whoever has a clone of the waker can wake it, as of another instance, version or class.

use kernel::bindings;
use kernel::error::code::ERESTARTSYS;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full};
use kernel::sync::Arc;

use crate::fingerprint::Fingerprint;
use crate::movable::Movable;
use crate::primitives::WaitQueue;
use crate::schema::Type;

struct Inner {
    events: Atomic<u64>,
    queue: WaitQueue,
}

/// Wakes those that wait in a front. Clones wake the same. Of a front; lies in `molt.ko`'s memory.
#[derive(Clone)]
pub struct Waker(Arc<Inner>);

// SAFETY: Memory of the kernel's, whose code is in `molt.ko`.
unsafe impl Movable for Waker {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("Waker").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Waker", Self::FINGERPRINT);
}

impl Waker {
    /// One that nobody waits for yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> Result<Self> {
        let inner = Arc::new(
            Inner {
                events: Atomic::new(0),
                queue: WaitQueue::new(),
            },
            GFP_KERNEL,
        )?;
        inner.queue.settle();
        Ok(Self(inner))
    }

    /// Has all that wait call again, and `poll` ask again. Any context but an NMI.
    pub fn wake(&self) {
        // Full: what the event is about is seen by whoever sees the event.
        self.0.events.fetch_add(1, Full);
        self.0.queue.wake_all();
    }

    /// How many times it was woken; to be read before the call that may be in vain.
    pub fn events(&self) -> u64 {
        // Full: what the call looks at comes after.
        self.0.events.fetch_add(0, Full)
    }

    /// Sleeps until it has been woken since `seen` was read.
    ///
    /// # Errors
    ///
    /// `ERESTARTSYS`: a signal came.
    pub fn wait(&self, seen: u64) -> Result {
        let is_new = || self.0.events.load(kernel::sync::atomic::Relaxed) != seen;
        match self.0.queue.wait_interruptible(is_new) {
            true => Ok(()),
            false => Err(ERESTARTSYS),
        }
    }

    /// The queue, for `poll_wait`. It stays until the last clone is gone.
    pub fn queue(&self) -> *mut bindings::wait_queue_head {
        self.0.queue.as_ptr()
    }
}
