// SPDX-License-Identifier: GPL-2.0

//! The job of a transition's thread: its instances, step by step, from `before` to the end.

use kernel::error::code::{EAGAIN, EDEADLK, ETIMEDOUT};
use kernel::prelude::*;
use kernel::sync::Arc;

use crate::attempt::{Attempt, Milestone, Timing, Work};
use crate::blocker;
use crate::callback::Callbacks;
use crate::class::Last;
use crate::error::REASON_LEN;
use crate::exchange::Exchange;
use crate::gate::Traffic;
use crate::helpers::molt_rcu_barrier;
use crate::history::Entry;
use crate::implementation::Pin;
use crate::plan::{Plan, Policy, Verb};
use crate::primitives::{has_oopsed, now_ns, sleep_ns};
use crate::registry::{framework, Edge};
use crate::route::Mended;
use crate::sweep;
use crate::testing::{fault, Site};
use crate::text::Text;
use crate::transition::{name_of, numbered, unlink, Member, Stage, Transition};

/// How long the history waits for callers to note their waits, in milliseconds.
const MOST_NOTE_MS: u32 = 200;

/// How often it is looked whether abandoned calls have ended, in nanoseconds.
const OUTLAST_NS: u64 = 200_000_000;

/// What the thread works on.
pub(crate) struct Job {
    pub(crate) transition: Arc<Transition>,
    pub(crate) exchanges: KVec<Exchange>,
    /// The defaults before, in the order of the exchanges.
    from: KVec<Pin>,
    /// Why it did not commit, where there is more to say than the errno.
    failure: Text<REASON_LEN>,
}

impl Job {
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    pub(crate) fn new(transition: Arc<Transition>, plan: Plan) -> Result<KBox<Self>> {
        let (mut exchanges, mut from) = (KVec::new(), KVec::new());
        let flips = is_lazy(&transition);
        for planned in plan.0 {
            let is_lazy = flips || planned.class.gate().is_atomic();
            let exchange = Exchange::new(planned.class, planned.routes, planned.kept, is_lazy)?;
            exchanges.push(exchange, GFP_KERNEL)?;
            from.push(planned.from, GFP_KERNEL)?;
        }
        let job = Self {
            transition,
            exchanges,
            from,
            failure: Text::new(),
        };
        fault(Site::Job)?;
        Ok(KBox::new(job, GFP_KERNEL)?)
    }

    /// The thread's part, from beginning to end.
    pub(crate) fn drive(mut job: KBox<Self>) {
        let transition = job.transition.clone();
        for member in transition.members() {
            crate::log::begun(transition.id(), member);
        }
        transition.tell(Edge::Begin);
        let mut timing = Timing::default();
        match job.attempt(&mut timing) {
            Ok(()) => {
                Self::end_committed(job, timing);
                // The waiters are gone; nobody waits for this.
                transition.trial().inspect(|trial| trial.judge());
            }
            Err(error) => Self::end_aborted(job, timing, error),
        }
    }

    fn attempt(&mut self, timing: &mut Timing) -> Result {
        self.before()?;
        let transition = self.transition.clone();
        for exchange in &self.exchanges {
            exchange.class().gate().take_longest_wait_ns();
        }
        let result = transition.attempt.run(self, timing);
        if result.is_err() {
            self.undo_before(self.exchanges.len());
        }
        result
    }

    // ---- callbacks ---------------------------------------------------------------------

    fn callbacks(&self) -> impl Iterator<Item = Option<Callbacks>> + '_ {
        let each = self.exchanges.iter();
        each.map(|exchange| exchange.routes().to.descriptor().callbacks)
    }

    fn before(&mut self) -> Result {
        let mut result = Ok(());
        let mut done = 0;
        for callbacks in self.callbacks() {
            result = callbacks.map_or(Ok(()), |callbacks| (callbacks.before)());
            if result.is_err() {
                break;
            }
            done += 1;
        }
        result.inspect_err(|_| {
            self.undo_before(done);
            self.failure = Text::from("the callback before the update refused");
        })
    }

    /// Undoes the first `count` of them, the last one first.
    fn undo_before(&self, count: usize) {
        for index in (0..count).rev() {
            if let Some(callbacks) = self.callbacks().nth(index).flatten() {
                (callbacks.undo)();
            }
        }
    }

    fn after(&self) {
        for callbacks in self.callbacks().flatten() {
            (callbacks.after)();
        }
    }

    // ---- the end -----------------------------------------------------------------------

    fn end_committed(mut job: KBox<Self>, timing: Timing) {
        let transition = job.transition.clone();
        transition.begin_sweep();
        transition.trial().inspect(|trial| trial.begin());
        job.set_defaults();
        job.after();
        job.let_waiters_note();
        for index in 0..job.exchanges.len() {
            let entry = job.entry(index, timing, "ok");
            crate::log::committed(&entry);
            framework().history.lock().push(entry);
        }
        let last = job.success();
        if transition.verb() == Verb::Repair {
            crate::log::repaired(&transition, last.reason.as_str());
        }
        transition.set_outcome(last);
        for (member, exchange) in transition.members().iter().zip(&job.exchanges) {
            let mut inner = member.class.inner().lock();
            inner.last = last;
            inner.progress = exchange.routes().progress();
            inner.transitions_ok = inner.transitions_ok.wrapping_add(1);
        }
        transition.tell(Edge::Commit);
        transition.set_stage(Stage::Committed);

        sweep::run(&transition, &mut job.exchanges);
        let begin_ns = now_ns();
        let longest_wait_ns = job.reclaim();
        for (member, exchange) in transition.members().iter().zip(&job.exchanges) {
            match exchange.routes().is_kept() {
                true => crate::log::kept(transition.id(), member),
                false => crate::log::reclaimed(transition.id(), member),
            }
        }
        framework().history.lock().amend(transition.id(), |entry| {
            entry.reclaiming_ns = now_ns().wrapping_sub(begin_ns);
            entry.longest_wait_ns = entry.longest_wait_ns.max(longest_wait_ns);
        });
        // Its pins are given up before anybody is told that it has ended, but for those that
        // abandoned calls need.
        let kept = match job.exchanges.iter().any(|one| one.routes().is_kept()) {
            true => Some(job),
            false => {
                drop(job);
                None
            }
        };
        unlink(transition.members(), |inner| {
            inner.longest_wait_ns = inner.longest_wait_ns.max(longest_wait_ns);
        });
        transition.tell(Edge::End);
        transition.set_stage(Stage::Ended);
        if let Some(job) = kept {
            job.outlast(begin_ns);
        }
    }

    /// Waits until the last abandoned call has ended, perhaps for ever, and gives up what was
    /// kept for it. The class goes its way meanwhile. After an oops all of it is kept.
    fn outlast(&self, abandoned_ns: u64) {
        let is_left = |exchange: &Exchange| {
            let gate = exchange.class().gate();
            let mut calls = 0u32;
            framework()
                .records
                .for_each_call(core::slice::from_ref(gate), |record| {
                    calls = calls.wrapping_add((record.since_ns < abandoned_ns).into());
                });
            // Last: after an oops nobody is seen, and who was inside may be there for ever.
            calls == 0 && !gate.domain.has_pending() && !has_oopsed()
        };
        let queue = &framework().records.drain;
        while !self.exchanges.iter().all(is_left) {
            queue.wait_idle(|| false, OUTLAST_NS);
        }
        for exchange in &self.exchanges {
            exchange.class().gate().domain.barrier();
            exchange.routes().keep_old(false);
            exchange.routes().reclaim();
            exchange.routes().unpin();
        }
        crate::log::outlasted(&self.transition);
    }

    fn end_aborted(mut job: KBox<Self>, timing: Timing, error: Error) {
        let transition = job.transition.clone();
        job.let_waiters_note();
        let last = Last {
            reason: job.reason(error),
            id: transition.id(),
            error: Some(error),
        };
        let mut longest_wait_ns = 0;
        for index in 0..job.exchanges.len() {
            let entry = job.entry(index, timing, last.result());
            longest_wait_ns = entry.longest_wait_ns.max(longest_wait_ns);
            crate::log::aborted(&entry, last.reason.as_str());
            framework().history.lock().push(entry);
        }
        // Twins and prepared values are gone before the modules that drop them.
        job.exchanges.iter_mut().for_each(Exchange::release);
        transition.trial().inspect(|trial| trial.supersede());
        drop(job);
        transition.set_outcome(last);
        unlink(transition.members(), |inner| {
            inner.last = last;
            inner.transitions_failed = inner.transitions_failed.wrapping_add(1);
            inner.longest_wait_ns = inner.longest_wait_ns.max(longest_wait_ns);
        });
        transition.tell(Edge::Abort);
        transition.set_stage(Stage::Ended);
    }

    /// Callers note their wait when they have woken up, which is after the gate has opened.
    fn let_waiters_note(&self) {
        for _ in 0..MOST_NOTE_MS {
            let mut gates = self.exchanges.iter().map(|one| one.class().gate());
            if gates.all(|gate| gate.waiting() == 0) {
                return;
            }
            sleep_ns(1_000_000);
        }
    }

    /// The new defaults, with a pin each; the ones before lose theirs.
    fn set_defaults(&self) {
        if matches!(self.transition.verb(), Verb::Switch(_)) {
            return;
        }
        for (exchange, from) in self.exchanges.iter().zip(&self.from) {
            exchange.routes().to.pin_more(1);
            let mut inner = exchange.class().inner().lock();
            inner.default = Some((*exchange.routes().to).clone());
            // Its own may have been confirmed by who has seen the generation. One that was running
            // has had its answer by this commit.
            let trial = self.transition.trial().filter(|trial| trial.is_pending());
            let before = core::mem::replace(&mut inner.trial, trial.cloned());
            drop(inner);
            before.inspect(|trial| trial.supersede());
            from.unpin(1);
        }
    }

    /// Old objects, then the reasons for which old modules had to stay, but for those that
    /// this job holds. Returns the longest wait of a call since the commit.
    fn reclaim(&mut self) -> u64 {
        let mut longest_wait_ns = 0;
        for exchange in &mut self.exchanges {
            exchange.routes().reclaim();
            exchange.release();
        }
        // The old code may have posted callbacks with functions in its module.
        // SAFETY: May sleep here: the gates are open.
        unsafe { molt_rcu_barrier() };
        for exchange in &self.exchanges {
            if !exchange.routes().is_kept() {
                exchange.class().gate().domain.barrier();
            }
            exchange.routes().unpin();
            longest_wait_ns = exchange
                .class()
                .gate()
                .take_longest_wait_ns()
                .max(longest_wait_ns);
        }
        longest_wait_ns
    }

    // ---- what is said of it ------------------------------------------------------------

    fn entry(&self, index: usize, timing: Timing, result: &'static str) -> Entry {
        let transition = &self.transition;
        let mut entry = Entry::new(transition.id(), transition.who());
        entry.verb = transition.verb().name();
        entry.policy = transition.policy().name();
        entry.result = result;
        entry.timing = timing;
        let (Some(member), Some(exchange)) =
            (transition.members().get(index), self.exchanges.get(index))
        else {
            return entry;
        };
        let gate = member.class.gate();
        entry.class = name_of(member);
        entry.from = member.from;
        entry.to = member.to;
        entry.generation = member.class.generation();
        entry.instances = match result {
            "ok" => exchange.routes().progress().1,
            _ => 0,
        };
        let (now, then) = (gate.traffic(), member.begun_at);
        entry.traffic = Traffic {
            recorded: now.recorded.wrapping_sub(then.recorded),
            nested: now.nested.wrapping_sub(then.nested),
            waited: now.waited.wrapping_sub(then.waited),
        };
        entry.longest_wait_ns = gate.take_longest_wait_ns();
        entry
    }

    fn success(&self) -> Last {
        let (id, members) = (self.transition.id(), self.transition.members());
        let reason = match (members, self.exchanges.as_slice()) {
            ([member], [exchange]) if self.transition.verb() == Verb::Repair => {
                self.say_repaired(member, exchange)
            }
            ([member], [exchange]) => Text::format(fmt!(
                "transition {id}: {} to {}, generation {}, {} instances",
                member.from(),
                member.to(),
                member.class.generation(),
                exchange.routes().progress().1
            )),
            _ => Text::format(fmt!(
                "transition {id}: {}, together",
                self.transition.subject().as_str()
            )),
        };
        Last {
            reason,
            id,
            ..Last::none()
        }
    }

    /// Exactly what was lost.
    fn say_repaired(&self, member: &Member, exchange: &Exchange) -> Text<REASON_LEN> {
        let (id, routes) = (self.transition.id(), exchange.routes());
        let Mended { saved, lost } = routes.mended();
        let abandoned = match routes.is_kept() {
            true => member.class.inner().lock().blockers.len(),
            false => 0,
        };
        Text::format(fmt!(
            "transition {id}: repair: {} to {}, generation {}: {saved} states saved, {lost} lost, \
             {abandoned} calls abandoned",
            member.from(),
            member.to(),
            member.class.generation()
        ))
    }

    fn reason(&self, error: Error) -> Text<REASON_LEN> {
        let id = self.transition.id();
        match self.failure.as_str() {
            "" if error == ETIMEDOUT => numbered(id, "no quiescence by the deadline"),
            "" if error == EDEADLK => numbered(id, "a rule called a handle"),
            "" => numbered(id, "aborted"),
            failure => numbered(id, failure),
        }
    }

    /// Runs `step` for each exchange, up to the first error.
    fn try_each(&mut self, mut step: impl FnMut(&mut Exchange) -> Result) -> Result {
        self.exchanges.iter_mut().try_for_each(&mut step)
    }
}

/// Whether states of sleepable classes are moved after the commit.
fn is_lazy(transition: &Transition) -> bool {
    transition.policy() != Policy::Eager && transition.verb() == Verb::Update
}

impl Work for Job {
    fn provide(&mut self) -> Result {
        self.try_each(Exchange::provide)
    }

    fn is_provided(&mut self) -> bool {
        self.exchanges.iter_mut().all(Exchange::is_provided)
    }

    fn prepare(&mut self, attempt: &Attempt) -> Result {
        let mut failure = Text::new();
        let result = self.try_each(|exchange| {
            exchange.prepare(attempt).inspect_err(|error| {
                if attempt.is_running() && *error != EAGAIN && *error != ETIMEDOUT {
                    failure = exchange.describe_failure();
                }
            })
        });
        self.failure = failure;
        result
    }

    fn commit(&mut self) {
        for index in 0..self.exchanges.len() {
            let is_lazy = is_lazy(&self.transition);
            match self.exchanges.get_mut(index) {
                Some(exchange) if exchange.class().gate().is_atomic() => {}
                Some(exchange) if is_lazy => exchange.flip(),
                Some(exchange) => exchange.commit(),
                None => {}
            }
        }
    }

    fn flip(&mut self) {
        for exchange in &mut self.exchanges {
            if exchange.class().gate().is_atomic() {
                exchange.flip();
            }
        }
    }

    fn undo(&mut self) {
        self.exchanges.iter_mut().for_each(Exchange::undo);
    }

    fn close_slots(&mut self) {
        self.exchanges.iter().for_each(Exchange::close_slots);
    }

    fn open_slots(&mut self) {
        self.exchanges.iter().for_each(Exchange::open_slots);
    }

    fn reached(&mut self, milestone: Milestone, attempt: &Attempt) {
        crate::testing::hold(milestone, attempt);
    }

    fn abandon(&mut self) {
        for exchange in &self.exchanges {
            exchange.routes().keep_old(true);
        }
    }

    fn name_blockers(&mut self, closed_ns: u64) {
        self.failure = blocker::name(&self.transition, &self.exchanges, closed_ns);
    }
}
