// SPDX-License-Identifier: GPL-2.0

//! Updates: a request is checked, becomes a transition with a thread of its own, and ends
//! with a result.
//!
//! ```text
//!   begin()                       thread of the transition            waiters
//!   checks, pins, links    --->   drives the attempt (transition.rs)
//!   the transition                commit: swaps the default
//!                                 reclaims: old objects, pins, barriers
//!                                 unlinks, writes history, tells      --->  wait()
//! ```
//!
//! Every pointer into a client's module that a transition follows is covered by a pin that
//! the plan takes of both implementations; the thread gives them up, whose text is in
//! `molt.ko`.

use core::ffi::c_void;

use kernel::error::code::{EAGAIN, EBUSY, EDEADLK, EINTR, ETIMEDOUT};
use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};

use crate::blocker::{self, Who};
use crate::class::{Class, Last};
use crate::error::{errno_name, Refusal};
use crate::exchange::Exchange;
use crate::gate::Traffic;
use crate::helpers::{molt_rcu_barrier, molt_thread_run, molt_wait_killable};
use crate::history::Entry;
use crate::implementation::Registered;
use crate::plan::{plan, Plan, Request};
use crate::primitives::{current, now_ns, sleep_ns, Acquire, Atomic, Gates, Release, WaitQueue};
use crate::registry::framework;
use crate::text::Text;
use crate::transfer;
use crate::transition::{Attempt, Limits, Milestone, Timing, Work};

/// How long the history waits for callers to note their waits, in milliseconds.
const MOST_NOTE_MS: u32 = 200;

/// A transition of one class from one implementation to another.
#[pin_data]
pub struct Transition {
    id: u64,
    class: Arc<Class>,
    from: Arc<Registered>,
    to: Arc<Registered>,
    table: &'static transfer::Table,
    attempt: Attempt,
    who: Who,
    begun_at: Traffic,
    #[pin]
    outcome: Mutex<Option<Last>>,
    has_ended: Atomic<u32>,
    ended: WaitQueue,
}

/// Begins an update. Returns when its thread runs; [`Transition::wait`] for the end. May sleep.
///
/// # Errors
///
/// * `EPERM`: the caller lacks `CAP_SYS_MODULE`.
/// * `EIO`: the kernel has oopsed; the stack of a dead task may hold a record.
/// * `EINVAL`: a limit is out of range.
/// * `EBUSY`: a transition of the class is running.
/// * `ESTALE`: the class is not at the expected generation.
/// * `ENOENT`: the implementation is not registered, or its module is going.
/// * `EALREADY`: it serves the class already.
/// * `EAGAIN`: its module has not finished its init.
/// * `EPROTO`: no transfer fits.
/// * `EDEADLK`: called from inside a recorded call of a class.
/// * `ENOMEM`.
pub fn begin(request: &Request<'_>) -> Result<Arc<Transition>, Refusal> {
    let task = current();
    if framework().records.bucket(task).has_call_of(task) {
        return Err(Refusal::new(
            EDEADLK,
            fmt!("begun from inside a call of a class"),
        ));
    }
    let plan = plan(request)?;
    Transition::new(request, &plan)
        .and_then(start)
        .inspect_err(|_| plan.release())
}

fn start(transition: Arc<Transition>) -> Result<Arc<Transition>, Refusal> {
    link(&transition)?;
    crate::log::begun(
        transition.id,
        transition.class.name(),
        Text::<72>::format(fmt!("{}", transition.from.label())).as_str(),
        Text::<72>::format(fmt!("{}", transition.to.label())).as_str(),
    );
    let mut name = [0u8; crate::text::NAME_LEN + 1];
    for (place, byte) in name.iter_mut().zip(transition.class.name().bytes()) {
        *place = byte;
    }
    let argument = Arc::into_raw(transition.clone());
    // SAFETY: `run` takes the reference back; the name ends with a NUL.
    let result = unsafe { molt_thread_run(run, argument.cast_mut().cast(), name.as_ptr().cast()) };
    if let Err(error) = kernel::error::to_result(result) {
        // SAFETY: No thread has it.
        drop(unsafe { Arc::from_raw(argument) });
        transition.class.inner().lock().transition = None;
        return Err(Refusal::new(error, fmt!("no thread for the transition")));
    }
    Ok(transition)
}

/// Makes `transition` the one of its class. Undone by `unlink`.
fn link(transition: &Arc<Transition>) -> Result<(), Refusal> {
    let class = &transition.class;
    let mut inner = class.inner().lock();
    let is_default = inner
        .default
        .as_ref()
        .is_some_and(|default| Arc::ptr_eq(default, &transition.from));
    if inner.transition.is_some() || inner.is_retired || !is_default {
        return Err(Refusal::new(
            EBUSY,
            fmt!("a transition of {} is running", class.name()),
        ));
    }
    inner.transition = Some(transition.clone());
    Ok(())
}

/// # Safety
///
/// `argument` is a reference to a transition, given away.
unsafe extern "C" fn run(argument: *mut c_void) {
    // SAFETY: `start` gave this reference away.
    let transition = unsafe { Arc::from_raw(argument.cast_const().cast::<Transition>()) };
    transition.drive();
}

impl Transition {
    fn new(request: &Request<'_>, plan: &Plan) -> Result<Arc<Self>, Refusal> {
        let mut gates = Gates::new();
        gates.push(request.class.gate().clone(), GFP_KERNEL)?;
        let framework = framework();
        let limits = Limits {
            deadline_ns: request.deadline_ms.saturating_mul(1_000_000),
            pause_ns: request.pause_ms.saturating_mul(1_000_000),
        };
        let transition = Arc::pin_init(
            pin_init!(Self {
                id: framework.next_transition(),
                class: request.class.clone(),
                from: plan.from.clone(),
                to: plan.to.clone(),
                table: plan.table,
                attempt: Attempt::new(gates, framework.records.clone(), limits),
                who: Who::current(),
                begun_at: request.class.gate().traffic(),
                outcome <- kernel::new_mutex!(None, "molt_outcome"),
                has_ended: Atomic::new(0),
                ended: WaitQueue::new(),
            }),
            GFP_KERNEL,
        )?;
        transition.ended.settle();
        Ok(transition)
    }

    /// Its number: unique while `molt.ko` is loaded.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The class that it moves.
    pub fn class(&self) -> &Arc<Class> {
        &self.class
    }

    /// Its result, once it has ended; an observer is told after that. May sleep.
    pub fn outcome(&self) -> Option<Last> {
        *self.outcome.lock()
    }

    /// Asks it to end without a commit. Does not sleep.
    ///
    /// # Errors
    ///
    /// `EALREADY`: it has committed.
    pub fn abort(&self) -> Result {
        self.attempt.abort()
    }

    /// Waits for the end, reclaim included. Only a fatal signal interrupts the wait.
    ///
    /// # Errors
    ///
    /// `EINTR`: a fatal signal; the transition goes on.
    pub fn wait(&self) -> Result<Last> {
        /// # Safety
        ///
        /// `transition` is one, and alive for the length of the call.
        unsafe extern "C" fn has_ended(transition: *mut c_void) -> bool {
            // SAFETY: `wait` passes itself.
            let transition = unsafe { &*transition.cast::<Transition>() };
            transition.has_ended.load(Acquire) != 0
        }
        // SAFETY: The queue is initialised, and `self` outlives the wait.
        let is_done = unsafe {
            molt_wait_killable(
                self.ended.as_ptr(),
                has_ended,
                core::ptr::from_ref(self).cast_mut().cast(),
            )
        };
        if !is_done {
            return Err(EINTR);
        }
        Ok(self.outcome.lock().unwrap_or(Last::none()))
    }

    /// The thread's part.
    fn drive(&self) {
        let mut timing = Timing::default();
        let mut job = Job {
            transition: self,
            exchange: Exchange::new(
                self.class.clone(),
                self.from.clone(),
                self.to.clone(),
                self.table,
            ),
            failure: Text::new(),
        };
        self.class.gate().take_longest_wait_ns();
        let result = self.attempt.run(&mut job, &mut timing);
        self.let_waiters_note();
        let mut entry = self.entry(&job.exchange, timing, result);
        match result {
            Ok(()) => {
                crate::log::committed(&entry);
                let begin_ns = now_ns();
                self.reclaim(&mut job.exchange);
                entry.reclaiming_ns = now_ns().wrapping_sub(begin_ns);
                crate::log::reclaimed(self.id, self.class.name(), entry.from.as_str());
                self.end(
                    &entry,
                    Last {
                        result: "ok",
                        reason: self.summary(&entry),
                        id: self.id,
                        error: None,
                    },
                );
            }
            Err(error) => {
                let reason = self.reason(error, &job.failure);
                crate::log::aborted(&entry, reason.as_str());
                // Twins and prepared values are gone before the module that drops them.
                drop(job);
                self.to.unpin(1);
                self.from.unpin(1);
                self.end(
                    &entry,
                    Last {
                        result: errno_name(error),
                        reason,
                        id: self.id,
                        error: Some(error),
                    },
                );
            }
        }
    }

    /// Callers note their wait when they have woken up, which is after the gate has opened.
    fn let_waiters_note(&self) {
        for _ in 0..MOST_NOTE_MS {
            if self.class.gate().waiting() == 0 {
                return;
            }
            sleep_ns(1_000_000);
        }
    }

    /// Old objects, then the reasons for which the old module had to stay.
    fn reclaim(&self, exchange: &mut Exchange) {
        let moved = exchange.moved() as u64;
        {
            let mut inner = self.class.inner().lock();
            // The transition's pin of the new implementation becomes the default's.
            inner.default = Some(self.to.clone());
            inner.is_reclaiming = true;
        }
        exchange.reclaim();
        // The old code may have posted callbacks with functions in its module.
        // SAFETY: May sleep here: the gate is open.
        unsafe { molt_rcu_barrier() };
        self.class.gate().domain.barrier();
        self.from
            .instances
            .fetch_sub(moved as i64, kernel::sync::atomic::Relaxed);
        // Its instances, being the default, and this transition.
        self.from.unpin(moved.saturating_add(2));
    }

    /// Unlinks, tells, and lets the waiters go.
    fn end(&self, entry: &Entry, last: Last) {
        let framework = framework();
        framework.history.lock().push(*entry);
        *self.outcome.lock() = Some(last);
        {
            let mut inner = self.class.inner().lock();
            inner.last = last;
            inner.is_reclaiming = false;
            inner.longest_wait_ns = inner.longest_wait_ns.max(entry.longest_wait_ns);
            if entry.result == "ok" {
                inner.transitions_ok += 1;
            } else {
                inner.transitions_failed += 1;
            }
            inner.transition = None;
        }
        framework.tell(|observer| observer.transition_ended(self));
        self.has_ended.store(1, Release);
        self.ended.wake_all();
    }

    fn entry(&self, exchange: &Exchange, timing: Timing, result: Result) -> Entry {
        let gate = self.class.gate();
        let now = gate.traffic();
        Entry {
            id: self.id,
            who: self.who,
            class: self.class.name().into(),
            from: Text::format(fmt!("{}", self.from.label())),
            to: Text::format(fmt!("{}", self.to.label())),
            result: result.map_or_else(errno_name, |()| "ok"),
            generation: self.class.generation(),
            instances: exchange.moved() as u64,
            timing,
            reclaiming_ns: 0,
            traffic: Traffic {
                recorded: now.recorded.wrapping_sub(self.begun_at.recorded),
                nested: now.nested.wrapping_sub(self.begun_at.nested),
                waited: now.waited.wrapping_sub(self.begun_at.waited),
            },
            longest_wait_ns: gate.take_longest_wait_ns(),
        }
    }

    fn summary(&self, entry: &Entry) -> Text<{ crate::error::REASON_LEN }> {
        Text::format(fmt!(
            "transition {}: {} to {}, generation {}, {} instances",
            self.id,
            entry.from.as_str(),
            entry.to.as_str(),
            entry.generation,
            entry.instances
        ))
    }

    fn reason(
        &self,
        error: Error,
        failure: &Text<{ crate::error::REASON_LEN }>,
    ) -> Text<{ crate::error::REASON_LEN }> {
        let id = self.id;
        if !failure.as_str().is_empty() {
            Text::format(fmt!("transition {id}: {}", failure.as_str()))
        } else if error == ETIMEDOUT {
            Text::format(fmt!("transition {id}: no quiescence by the deadline"))
        } else if error == EDEADLK {
            Text::format(fmt!("transition {id}: a rule called a handle"))
        } else {
            Text::format(fmt!("transition {id}: aborted"))
        }
    }
}

/// The work of one transition, as its attempt asks for it.
struct Job<'a> {
    transition: &'a Transition,
    exchange: Exchange,
    /// What failed, where it is known more exactly than by the errno.
    failure: Text<{ crate::error::REASON_LEN }>,
}

impl Work for Job<'_> {
    fn provide(&mut self) -> Result {
        self.exchange.provide()
    }

    fn is_provided(&self) -> bool {
        self.exchange.is_provided()
    }

    fn prepare(&mut self, attempt: &Attempt) -> Result {
        let result = self.exchange.prepare(attempt);
        if let (Err(error), true) = (result, attempt.is_running()) {
            if error != EAGAIN && error != ETIMEDOUT {
                self.failure = self.exchange.describe_failure();
            }
        }
        result
    }

    fn commit(&mut self, attempt: &Attempt) {
        self.exchange.commit(attempt);
        // Before the gate opens: from then on instances end, and each gives up its pin.
        let (to, moved) = (&self.transition.to, self.exchange.moved() as u64);
        to.pin_more(moved);
        to.instances
            .fetch_add(moved as i64, kernel::sync::atomic::Relaxed);
    }

    fn undo(&mut self) {
        self.exchange.undo();
    }

    fn reached(&mut self, milestone: Milestone, attempt: &Attempt) {
        crate::testing::hold(milestone, attempt);
    }

    fn name_blockers(&mut self, closed_ns: u64) {
        let transition = self.transition;
        let class = &transition.class;
        let blockers = blocker::collect(
            &framework().records,
            transition.attempt.gates(),
            &transition.from,
            closed_ns,
        );
        if let Some(first) = blockers.first() {
            let described = first.describe(class.name());
            self.failure = Text::format(fmt!(
                "no quiescence by the deadline: {}, {} in all",
                described.as_str(),
                blockers.len()
            ));
        }
        class.inner().lock().blockers = blockers;
    }
}
