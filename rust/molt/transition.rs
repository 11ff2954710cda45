// SPDX-License-Identifier: GPL-2.0

//! Transitions: a request is planned, becomes a transition with a thread of its own, and
//! ends with a result.
//!
//! ```text
//!   begin()                     thread of the transition                 waiters
//!   plans, pins, allocates
//!   links it to its classes --> callbacks: before
//!                               drives the attempt (attempt.rs)
//!                               commit: swaps the defaults
//!                               callbacks: after; tells       ---------> lazy, background
//!                               sweep: what is stale is moved, by its
//!                               callers, at a rate, or at once
//!                               reclaim: old objects, pins, barriers
//!                               unlinks, tells                ---------> eager
//!                               trial: waits for a confirmation (trial.rs)
//! ```
//!
//! Every pointer into a client's module that a transition follows is covered by a pin that
//! its routes hold; they are given up in this thread, whose text is in `molt.ko`.

use core::ffi::c_void;

use kernel::error::code::{EDEADLK, EINTR};
use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};

use crate::attempt::{Attempt, Limits, Scope};
use crate::blocker::Who;
use crate::class::{Class, Last};
use crate::error::{Refusal, REASON_LEN};
use crate::gate::{Lane, Traffic};
use crate::helpers::{molt_thread_run, molt_wait_killable};
use crate::job::Job;
use crate::plan::{check_limits, check_rights, check_unchanged, plan, Plan, Policy, Request, Verb};
use crate::primitives::{current, now_ns, Acquire, Atomic, Gates, Relaxed, Release, WaitQueue};
use crate::registry::{framework, Edge};
use crate::testing::{fault, Site};
use crate::text::{Name, Text, NAME_LEN};
use crate::trial::Trial;

/// How far a transition has come, for those who wait for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Stage {
    /// It can still be aborted.
    Running = 0,
    /// It has committed; objects are being moved or reclaimed.
    Committed = 1,
    /// It has ended, with or without a commit.
    Ended = 2,
}

/// One class of a transition.
pub struct Member {
    pub(crate) class: Arc<Class>,
    /// `implementation@version` before.
    pub(crate) from: Text<72>,
    /// `implementation@version` asked for.
    pub(crate) to: Text<72>,
    pub(crate) begun_at: Traffic,
    changes: u64,
}

impl Member {
    /// The class.
    pub fn class(&self) -> &Arc<Class> {
        &self.class
    }

    /// `implementation@version` of its default, before.
    pub fn from(&self) -> &str {
        self.from.as_str()
    }

    /// `implementation@version` that is asked for.
    pub fn to(&self) -> &str {
        self.to.as_str()
    }
}

/// A transition of one class, or of several together.
#[pin_data]
pub struct Transition {
    id: u64,
    verb: Verb,
    policy: Policy,
    pub(crate) members: KVec<Member>,
    pub(crate) attempt: Attempt,
    who: Who,
    /// How long after the commit a sweep has to make haste, in nanoseconds.
    complete_ns: Option<u64>,
    /// When it has to; 0: that is not known yet.
    haste_ns: Atomic<u64>,
    is_hurried: Atomic<u32>,
    /// Ended by whoever ends the transition otherwise than by a commit.
    trial: Option<Arc<Trial>>,
    #[pin]
    outcome: Mutex<Option<Last>>,
    stage: Atomic<u32>,
    reached: WaitQueue,
}

/// Begins a transition. Returns when its thread runs; [`Transition::wait`] for the end. May
/// sleep; where the sweep of a lazy one is under way, until that is done, which it hastens.
///
/// # Errors
///
/// * `EPERM`: the caller lacks `CAP_SYS_MODULE`; for a repair also `CAP_SYS_ADMIN`.
/// * `EIO`: the kernel has oopsed; the stack of a dead task may hold a record.
/// * `EINVAL`: a limit is out of range, a class is named twice, or a switch or a repair is not
///   eager or on trial.
/// * `EBUSY`: a transition of a class is running, or transitions are held.
/// * `ESTALE`: a class is not at the expected generation.
/// * `ENOENT`: the implementation is not registered, or its module is going; or a switch
///   means no instance.
/// * `EALREADY`: all is served as asked for.
/// * `EAGAIN`: the implementation's module has not finished its init.
/// * `EPROTO`: no transfer fits, or one can fail that must not; or there is no way back for a
///   trial.
/// * `EKEYREJECTED`: a class requires a signature that a module lacks.
/// * `EDEADLK`: called from inside a recorded call of a class.
/// * `EINTR`: the caller is being killed.
/// * `ENOMEM`.
pub fn begin(request: &Request<'_>) -> Result<Arc<Transition>, Refusal> {
    let task = current();
    if framework().records.bucket(task).has_call_of(task) {
        return Err(Refusal::new(
            EDEADLK,
            fmt!("begun from inside a call of a class"),
        ));
    }
    check_rights()?;
    check_limits(request)?;
    for target in request.targets {
        finish_sweep(target.class)?;
    }
    let plan = plan(request)?;
    let transition = Transition::new(request, &plan)?;
    let job = Job::new(transition.clone(), plan)?;
    start(transition.clone(), job).inspect_err(|_| {
        // Somebody may have found the transition meanwhile, and keeps it.
        transition.trial().inspect(|trial| trial.supersede());
    })
}

/// A lazy transition of the class is completed before the next one begins. So there is one
/// old object for an instance at the most, and one route to find.
pub(crate) fn finish_sweep(class: &Class) -> Result<(), Refusal> {
    let Some(transition) = class.transition() else {
        return Ok(());
    };
    if transition.policy == Policy::Eager || transition.stage() < Stage::Committed {
        return Ok(());
    }
    transition.hurry();
    transition
        .wait_for(Stage::Ended)
        .map(|_| ())
        .map_err(|error| Refusal::new(error, fmt!("killed while a sweep was being completed")))
}

fn start(transition: Arc<Transition>, job: KBox<Job>) -> Result<Arc<Transition>, Refusal> {
    framework().exclusively(|| link(&transition))?;
    let mut name = [0u8; NAME_LEN + 1];
    if let Some(first) = transition.members.first() {
        for (place, byte) in name.iter_mut().zip(first.class.name().bytes()) {
            *place = byte;
        }
    }
    let job = KBox::into_raw(job);
    let started = fault(Site::Thread).and_then(|()| {
        // SAFETY: `run` takes the job back; the name ends with a NUL.
        let result = unsafe { molt_thread_run(run, job.cast(), name.as_ptr().cast()) };
        kernel::error::to_result(result)
    });
    if let Err(error) = started {
        // SAFETY: No thread has it.
        drop(unsafe { KBox::from_raw(job) });
        unlink(&transition.members, |_| ());
        // Somebody may have found it, to abort it, and waits for its end.
        let refusal = Refusal::new(error, fmt!("no thread for the transition"));
        transition.set_outcome(Last::refused(&refusal, transition.id));
        transition.set_stage(Stage::Ended);
        return Err(refusal);
    }
    Ok(transition)
}

/// Makes `transition` the one of its classes: of all or of none. Undone by `unlink`.
fn link(transition: &Arc<Transition>) -> Result<(), Refusal> {
    for (index, member) in transition.members.iter().enumerate() {
        let mut inner = member.class.inner().lock();
        if let Err(refusal) = check_unchanged(&member.class, &inner, member.changes) {
            drop(inner);
            unlink(transition.members.iter().take(index), |_| ());
            return Err(refusal);
        }
        inner.transition = Some(transition.clone());
    }
    Ok(())
}

/// Undoes `link`; `f` is told what each class is left with, under its lock.
pub(crate) fn unlink<'a>(
    members: impl IntoIterator<Item = &'a Member>,
    mut f: impl FnMut(&mut crate::class::Inner),
) {
    for member in members {
        let mut inner = member.class.inner().lock();
        inner.changes = inner.changes.wrapping_add(1);
        f(&mut inner);
        let transition = inner.transition.take();
        drop(inner);
        // Perhaps the last reference.
        drop(transition);
    }
}

/// # Safety
///
/// `argument` is a job, given away.
unsafe extern "C" fn run(argument: *mut c_void) {
    // SAFETY: `start` gave this job away.
    let job = unsafe { KBox::from_raw(argument.cast::<Job>()) };
    Job::drive(job);
}

impl Transition {
    fn new(request: &Request<'_>, plan: &Plan) -> Result<Arc<Self>, Refusal> {
        let mut gates = Gates::new();
        let mut members = KVec::new();
        for planned in &plan.0 {
            fault(Site::Member)?;
            gates.push(planned.class.gate().clone(), GFP_KERNEL)?;
            let member = Member {
                class: planned.class.clone(),
                from: Text::format(fmt!("{}", planned.from.label())),
                to: Text::format(fmt!("{}", planned.routes.to.label())),
                begun_at: planned.class.gate().traffic(),
                changes: planned.changes,
            };
            members.push(member, GFP_KERNEL)?;
        }
        let framework = framework();
        let limits = Limits {
            deadline_ns: request.deadline_ms.saturating_mul(1_000_000),
            pause_ns: request.pause_ms.saturating_mul(1_000_000),
        };
        let scope = match request.verb {
            Verb::Update | Verb::Repair => Scope {
                lane: Lane::Class,
                is_lazy: request.policy != Policy::Eager,
                abandons: request.verb == Verb::Repair,
            },
            Verb::Switch(_) => Scope {
                lane: Lane::Slots,
                is_lazy: false,
                abandons: false,
            },
        };
        // Going back without a confirmation needs the sweep to be done.
        let limits_ms = [request.complete_ms, request.confirm_ms];
        let complete_ms = limits_ms.into_iter().flatten().min();
        let complete_ns = complete_ms.map(|ms| ms.saturating_mul(1_000_000));
        fault(Site::Transition)?;
        let attempt = Attempt::new(gates, framework.records.clone(), limits, scope)?;
        let trial = Trial::of(request, plan)?;
        let transition = Arc::pin_init(
            pin_init!(Self {
                id: framework.next_transition(),
                verb: request.verb,
                policy: request.policy,
                members,
                attempt,
                who: Who::current(),
                complete_ns,
                haste_ns: Atomic::new(0),
                is_hurried: Atomic::new(0),
                trial,
                outcome <- kernel::new_mutex!(None, "molt_outcome"),
                stage: Atomic::new(Stage::Running as u32),
                reached: WaitQueue::new(),
            }),
            GFP_KERNEL,
        )?;
        transition.reached.settle();
        Ok(transition)
    }

    /// Its number: unique while `molt.ko` is loaded.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What it does.
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// When it moves the objects.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Who asked for it.
    pub fn who(&self) -> Who {
        self.who
    }

    pub(crate) fn trial(&self) -> Option<&Arc<Trial>> {
        self.trial.as_ref()
    }

    /// The classes that it moves.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        match self.stage.load(Acquire) {
            0 => Stage::Running,
            1 => Stage::Committed,
            _ => Stage::Ended,
        }
    }

    /// Its result, once it is decided; an observer is told after that. May sleep.
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

    /// Makes a sweep go at full speed from now on. Does not sleep.
    pub fn hurry(&self) {
        self.is_hurried.store(1, Relaxed);
        framework().records.wake_updaters();
    }

    /// Whether the sweep has to make haste.
    pub(crate) fn is_hurried(&self) -> bool {
        let haste_ns = self.haste_ns.load(Relaxed);
        self.is_hurried.load(Relaxed) != 0 || (haste_ns != 0 && now_ns() >= haste_ns)
    }

    /// It has committed at this moment: from here its sweep's time counts.
    pub(crate) fn begin_sweep(&self) {
        if let Some(complete_ns) = self.complete_ns {
            self.haste_ns
                .store(now_ns().saturating_add(complete_ns), Relaxed);
        }
    }

    /// Waits for what its policy promises: the end, reclaim included, or with a lazy policy the
    /// commit. Only a fatal signal interrupts the wait.
    ///
    /// # Errors
    ///
    /// `EINTR`: a fatal signal; the transition goes on.
    pub fn wait(&self) -> Result<Last> {
        self.wait_for(match self.policy {
            Policy::Eager => Stage::Ended,
            _ => Stage::Committed,
        })
    }

    /// Waits until it has come so far. Only a fatal signal interrupts the wait.
    ///
    /// # Errors
    ///
    /// `EINTR`: a fatal signal; the transition goes on.
    pub fn wait_for(&self, stage: Stage) -> Result<Last> {
        /// # Safety
        ///
        /// `argument` is a transition and a stage, for the length of the call.
        unsafe extern "C" fn has_reached(argument: *mut c_void) -> bool {
            // SAFETY: `wait_for` passes them.
            let (transition, stage) = unsafe { *argument.cast::<(&Transition, Stage)>() };
            transition.stage() >= stage
        }
        let mut argument = (self, stage);
        // SAFETY: The queue is initialised, and `argument` outlives the wait.
        let is_done = unsafe {
            molt_wait_killable(
                self.reached.as_ptr(),
                has_reached,
                (&raw mut argument).cast(),
            )
        };
        if !is_done {
            return Err(EINTR);
        }
        Ok(self.outcome().unwrap_or(Last::none()))
    }

    /// Notes the result. May sleep.
    pub(crate) fn set_outcome(&self, last: Last) {
        *self.outcome.lock() = Some(last);
    }

    /// It has come so far: lets the waiters go.
    pub(crate) fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u32, Release);
        self.reached.wake_all();
    }

    /// Tells tracepoints and observers that it has come to an edge. May sleep.
    pub(crate) fn tell(&self, edge: Edge) {
        crate::trace::reached(self, edge);
        framework().tell(|observer| observer.transition_reached(self, edge));
    }

    /// What it is called in the log: the class, or the first of several.
    pub(crate) fn subject(&self) -> Text<{ NAME_LEN + 16 }> {
        let first = self
            .members
            .first()
            .map_or("", |member| member.class.name());
        match self.members.len() {
            1 => Text::from(first),
            several => Text::format(fmt!("{first} and {} more", several.wrapping_sub(1))),
        }
    }
}

/// The name of a class of a transition.
pub(crate) fn name_of(member: &Member) -> Name {
    member.class.name().into()
}

/// A reason that begins with the number of the transition.
pub(crate) fn numbered(id: u64, reason: &str) -> Text<REASON_LEN> {
    Text::format(fmt!("transition {id}: {reason}"))
}
