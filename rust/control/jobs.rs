// SPDX-License-Identifier: GPL-2.0

//! Jobs: the transitions that running writes have begun and wait for.

use kernel::error::code::ENODEV;
use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};
use molt::class::Last;
use molt::error::Refusal;
use molt::plan::Request;
use molt::update::{self, Transition};

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

    /// Begins a transition. The lock is held meanwhile, so that [`Jobs::stop`] sees either
    /// no transition or one that it can abort. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the module is going. Else as [`update::begin`].
    pub(crate) fn begin(&self, request: &Request<'_>) -> Result<Job<'_>, Refusal> {
        let mut inner = self.inner.lock();
        if inner.is_going {
            return Err(Refusal::new(ENODEV, fmt!("molt_control is being removed")));
        }
        inner.running.reserve(1, GFP_KERNEL)?;
        let transition = update::begin(request)?;
        inner.running.push(transition.clone(), GFP_KERNEL)?;
        Ok(Job {
            jobs: self,
            transition,
        })
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
    /// Waits for the end, reclaim included.
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
