// SPDX-License-Identifier: GPL-2.0

//! Jobs: the transitions that running writes have begun and wait for.

use kernel::error::code::ENODEV;
use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};
use molt::class::Last;
use molt::error::Refusal;
use molt::plan::Request;
use molt::transition::{self, Transition};

/// The jobs of this module.
#[pin_data]
pub(crate) struct Jobs {
    #[pin]
    inner: Mutex<Inner>,
}

struct Inner {
    running: KVec<Arc<Transition>>,
    /// The module is going: nothing begins any more.
    is_going: bool,
}

impl Jobs {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            inner <- kernel::new_mutex!(
                Inner { running: KVec::new(), is_going: false },
                "molt_jobs"
            ),
        })
    }

    /// Begins a transition. One that it begins before [`Jobs::stop`] is aborted by that, and
    /// one that comes too late by this. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the module is going. Else as [`transition::begin`].
    pub(crate) fn begin(&self, request: &Request<'_>) -> Result<Job<'_>, Refusal> {
        self.check()?;
        // No lock is held: this may wait for the sweep of another transition.
        let transition = transition::begin(request)?;
        let job = Job {
            jobs: self,
            transition: transition.clone(),
        };
        let mut inner = self.inner.lock();
        let pushed = inner.running.push(transition, GFP_KERNEL);
        if inner.is_going || pushed.is_err() {
            // One that has committed ends by itself.
            let _ = job.transition.abort();
        }
        drop(inner);
        Ok(job)
    }

    fn check(&self) -> Result<(), Refusal> {
        match self.inner.lock().is_going {
            true => Err(Refusal::new(ENODEV, fmt!("molt_control is being removed"))),
            false => Ok(()),
        }
    }

    /// Asks every job to abort; none begins after. Does not wait for them. May sleep.
    pub(crate) fn stop(&self) {
        let mut inner = self.inner.lock();
        inner.is_going = true;
        for transition in &inner.running {
            // One that has committed ends by itself.
            let _ = transition.abort();
        }
    }
}

/// A transition, for as long as the write that began it lasts.
pub(crate) struct Job<'a> {
    jobs: &'a Jobs,
    transition: Arc<Transition>,
}

impl Job<'_> {
    /// Waits for what the policy promises: the end, reclaim included, or the commit.
    ///
    /// # Errors
    ///
    /// `EINTR`: the writer is being killed; the transition was asked to abort.
    pub(crate) fn wait(&self) -> Result<Last> {
        self.transition.wait().inspect_err(|_| {
            // It may have committed; then it ends by itself.
            let _ = self.transition.abort();
        })
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        let mut inner = self.jobs.inner.lock();
        inner
            .running
            .retain(|other| !Arc::ptr_eq(other, &self.transition));
    }
}
