// SPDX-License-Identifier: GPL-2.0

//! The crew: helps an updater with work that can be done in parts, on other processors.
//!
//! The updater never waits for a hand that has not begun: where no worker comes, it does all
//! by itself. So it may use the crew with the gate closed, whatever the workers are busy with.

use core::ffi::c_void;
use core::ptr;

use kernel::bindings;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::types::Opaque;

use crate::helpers::{
    molt_noio_begin, molt_noio_end, molt_online, molt_work_cancel, molt_work_init,
};
use crate::registry::framework;
use crate::testing::{fault, Site};

/// How many hands a crew has at the most.
const MOST: u32 = 16;

/// Work in `count` parts, each of which somebody takes once.
struct Job<'a> {
    body: &'a (dyn Fn(usize) + Sync),
    next: Atomic<usize>,
    count: usize,
}

impl Job<'_> {
    fn work(&self) {
        loop {
            let part = self.next.fetch_add(1, Relaxed);
            if part >= self.count {
                return;
            }
            (self.body)(part);
        }
    }
}

#[repr(C)]
struct Hand {
    work: Opaque<bindings::work_struct>,
    job: Atomic<*const c_void>,
}

/// Work items of an updater.
pub(crate) struct Crew(KVec<KBox<Hand>>);

// SAFETY: Work items may be queued from any thread.
unsafe impl Send for Crew {}
// SAFETY: As above.
unsafe impl Sync for Crew {}

impl Crew {
    /// One hand for each other processor.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut hands = KVec::new();
        // SAFETY: Always safe to call.
        let online = unsafe { molt_online() };
        for _ in 1..online.min(MOST) {
            fault(Site::Hand)?;
            let hand = KBox::new(
                Hand {
                    work: Opaque::zeroed(),
                    job: Atomic::new(ptr::null()),
                },
                GFP_KERNEL,
            )?;
            // SAFETY: The item lies on the heap and stays there.
            unsafe { molt_work_init(hand.work.get(), lend) };
            hands.push(hand, GFP_KERNEL)?;
        }
        Ok(Self(hands))
    }

    /// Runs `body` for each number below `count`, some of them at the same time. Allocates
    /// nothing, and sleeps only for what has begun.
    pub(crate) fn run(&self, count: usize, body: &(dyn Fn(usize) + Sync)) {
        let job = Job {
            body,
            next: Atomic::new(0),
            count,
        };
        for hand in &self.0 {
            hand.job.store((&raw const job).cast(), Relaxed);
            framework().reaper.queue(hand.work.get());
        }
        job.work();
        for hand in &self.0 {
            // SAFETY: Initialised in `new`. After this nobody looks at `job`.
            unsafe { molt_work_cancel(hand.work.get()) };
        }
    }
}

/// # Safety
///
/// `work` is that of a hand whose job waits for it.
unsafe extern "C" fn lend(work: *mut bindings::work_struct) {
    // SAFETY: `work` is the first field of a `Hand`, which lives until this has ended.
    let hand = unsafe { &*work.cast::<Hand>() };
    // SAFETY: `Crew::run` keeps the job until this has ended. Lifetimes are of no account here.
    if let Some(job) = unsafe { hand.job.load(Relaxed).cast::<Job<'static>>().as_ref() } {
        // An allocation that enters reclaim could wait for a call that waits for the updater.
        // SAFETY: Restored by this very task.
        let noio = unsafe { molt_noio_begin() };
        job.work();
        // SAFETY: As above.
        unsafe { molt_noio_end(noio) };
    }
}
