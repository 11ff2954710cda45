// SPDX-License-Identifier: GPL-2.0

//! What an attempt does with the instances, after `exchange.rs`, `job.rs` and `sweep.rs` of
//! the framework: an eager transfer reads every state in `prepare`, and moves it in `commit`.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use crate::attempt::{Attempt, Milestone, Work};
use crate::class::Class;
use crate::gate::{Lane, Phase, GATED};
use crate::primitives::{
    current, owned, wait_for_pinned, Arc, Error, Owned, Relaxed, Release, Result,
};
use crate::record::Records;
use crate::routes::Routes;
use crate::slot::{Counts, Slot};
use crate::stage::{Progress, Watch};
use crate::world::{self, note};

/// What is done, and when.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Eager,
    /// The generation first, each object with its next call.
    Lazy,
    /// The first instance only.
    Switch,
    /// The same, with its next call.
    LazySwitch,
    /// Calls that do not leave are abandoned, and the rules know.
    Repair,
}

impl Policy {
    pub(crate) fn is_lazy(self) -> bool {
        matches!(self, Self::Lazy | Self::LazySwitch)
    }

    pub(crate) fn lane(self) -> Lane {
        match self {
            Self::Eager | Self::Lazy | Self::Repair => Lane::Class,
            Self::Switch | Self::LazySwitch => Lane::Slots,
        }
    }
}

/// What goes wrong in the transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The transfer refuses an instance.
    Refuses(Error),
    /// The fallible part calls the instance.
    PrepareCalls,
    /// The part that cannot fail calls an instance that was moved before.
    CommitCalls,
}

/// One class of a transition.
struct Exchange {
    class: Rc<Class>,
    routes: Owned<Routes>,
    policy: Policy,
    closure: u64,
    twins: u64,
    prepared: Vec<(Rc<Slot>, Counts)>,
    has_flipped: bool,
}

pub(crate) struct Move {
    exchanges: Vec<Exchange>,
    fault: Cell<Fault>,
    has_undone: bool,
    watch: Option<Rc<Watch>>,
    records: Arc<Records>,
}

impl Exchange {
    fn new(class: &Rc<Class>, policy: Policy) -> Self {
        Self {
            class: class.clone(),
            routes: owned(Routes::new(class, policy)).unwrap(),
            policy,
            closure: class.gate.next_closure(),
            twins: 0,
            prepared: Vec::new(),
            has_flipped: false,
        }
    }

    fn can_fail(&self) -> bool {
        self.policy == Policy::Eager && !self.class.gate.is_atomic()
    }

    /// The instances that are moved, as far as there are twins for them.
    fn slots(&self) -> Vec<Rc<Slot>> {
        let most = match self.policy.lane() {
            Lane::Class => self.twins as usize,
            Lane::Slots => 1,
        };
        self.class
            .slots
            .borrow()
            .iter()
            .take(most)
            .cloned()
            .collect()
    }

    fn provide(&mut self) {
        self.twins = self.class.instances.load(Ordering::Relaxed);
        for slot in self.slots() {
            slot.has_twin.set(true);
        }
    }

    fn is_provided(&self) -> bool {
        self.policy.lane() == Lane::Slots
            || self.class.instances.load(Ordering::Relaxed) <= self.twins
    }

    /// Relies on it from now on that the class is quiescent, or no more; in a class of
    /// atomic context in the window only, but for creations.
    fn claim(&self, is_quiescent: bool, in_window: bool) {
        let is_all = self.policy.lane() == Lane::Class;
        self.class.is_still.set(is_quiescent && is_all);
        if !self.class.gate.is_atomic() || in_window {
            for slot in self.slots() {
                slot.is_quiescent.set(is_quiescent);
            }
        }
    }

    fn commit(&mut self, fault: &Cell<Fault>) {
        self.claim(true, false);
        self.class.is_changing.set(true);
        let mut prepared = std::mem::take(&mut self.prepared).into_iter();
        for (index, slot) in self.slots().into_iter().enumerate() {
            if index > 0 && fault.get() == Fault::CommitCalls {
                fault.set(Fault::None);
                self.routes.called.replace(Some(self.class.slot(0)));
            }
            let prepared = prepared.next().map(|(_, prepared)| prepared);
            let held = slot.own();
            slot.carry(&self.routes, prepared);
            drop(held);
            self.routes.count_done();
        }
        self.change_over();
        self.class.is_changing.set(false);
        self.claim(false, false);
    }

    fn flip(&mut self, in_window: bool) {
        self.claim(true, in_window);
        self.has_flipped = true;
        self.routes.set_total(self.slots().len() as u64);
        self.class.routes.store(&raw const *self.routes, Relaxed);
        if self.policy.lane() == Lane::Slots {
            self.class.gate.commit_closure(self.closure);
        }
        self.change_over();
        self.claim(false, in_window);
    }

    fn change_over(&self) {
        match self.policy.lane() {
            Lane::Class => {
                let generation = self.class.generation.get() + 1;
                self.class.gate.advance(self.routes.stamp);
                self.class.factory.store(generation, Relaxed);
                self.class.generation.set(generation);
                note(|| format!("commits {} to {generation}", self.class.name));
            }
            Lane::Slots => {
                let slot = self.class.slot(0);
                slot.switches.set(slot.switches.get() + 1);
                note(|| format!("has switched an instance of {}", self.class.name));
            }
        }
    }

    /// Brings up what a commit has left stale, and then needs the routes no more.
    fn sweep(&mut self) {
        while !self.routes.is_done() {
            for slot in self.slots() {
                slot.bring_up();
            }
        }
        self.class.gate.publish(self.policy.lane(), Phase::Idle);
        self.class.routes.store(std::ptr::null(), Relaxed);
        wait_for_pinned();
        self.has_flipped = false;
    }
}

impl Move {
    pub(crate) fn new(
        classes: &[Rc<Class>],
        records: &Arc<Records>,
        policy: Policy,
        fault: Fault,
        watch: Option<Rc<Watch>>,
    ) -> Self {
        let each = classes.iter().map(|class| Exchange::new(class, policy));
        Self {
            exchanges: each.collect(),
            fault: Cell::new(fault),
            has_undone: true,
            watch,
            records: records.clone(),
        }
    }

    /// Whether everything that was prepared was taken back or committed.
    pub(crate) fn is_clean(&self) -> bool {
        self.has_undone && self.exchanges.iter().all(|one| one.prepared.is_empty())
    }

    /// After a commit: the transition ends when nothing is stale any more.
    pub(crate) fn sweep(&mut self) {
        let stale = self.exchanges.iter_mut().filter(|one| one.has_flipped);
        stale.for_each(Exchange::sweep);
        note(|| "has swept".to_string());
    }

    fn claim(&self, is_quiescent: bool) {
        for exchange in &self.exchanges {
            exchange.claim(is_quiescent, false);
        }
    }

    fn prepare_each(&mut self, attempt: &Attempt) -> Result {
        for index in 0..self.exchanges.len() {
            if !self.exchanges[index].can_fail() {
                attempt.check()?;
                // Of a class in the same transition, say.
                if let Fault::Refuses(error) = self.fault.get() {
                    return Err(error);
                }
                continue;
            }
            for slot in self.exchanges[index].slots() {
                world::with(|world| world.clock.strike());
                attempt.check()?;
                let prepared = slot.published().read();
                self.exchanges[index]
                    .prepared
                    .push((slot.clone(), prepared));
                match self.fault.get() {
                    Fault::Refuses(error) => return Err(error),
                    Fault::PrepareCalls => {
                        self.fault.set(Fault::None);
                        // It runs at once; for everybody else the gates stay closed.
                        slot.rule.set(Some(current()));
                        Slot::call(&[slot.clone()]);
                        slot.rule.set(None);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

impl Work for Move {
    fn provide(&mut self) -> Result {
        self.exchanges.iter_mut().for_each(Exchange::provide);
        Ok(())
    }

    fn is_provided(&mut self) -> bool {
        self.exchanges.iter().all(Exchange::is_provided)
    }

    fn prepare(&mut self, attempt: &Attempt) -> Result {
        self.has_undone = false;
        self.claim(true);
        let result = self.prepare_each(attempt);
        // An abort may still win, and opens the gates.
        self.claim(false);
        result
    }

    fn commit(&mut self) {
        for exchange in &mut self.exchanges {
            match exchange.policy {
                _ if exchange.class.gate.is_atomic() => {}
                policy if policy.is_lazy() => exchange.flip(false),
                _ => exchange.commit(&self.fault),
            }
        }
        self.has_undone = true;
    }

    fn flip(&mut self) {
        for exchange in &mut self.exchanges {
            if exchange.class.gate.is_atomic() {
                exchange.flip(true);
            }
        }
    }

    fn undo(&mut self) {
        for exchange in &mut self.exchanges {
            exchange.prepared.clear();
        }
        self.has_undone = true;
    }

    fn close_slots(&mut self) {
        for exchange in &self.exchanges {
            for slot in exchange.slots() {
                slot.stamp.store(GATED | exchange.closure, Release);
            }
        }
    }

    fn open_slots(&mut self) {
        for exchange in &self.exchanges {
            if exchange.policy.lane() == Lane::Class {
                continue;
            }
            for slot in exchange.slots() {
                let _owned = slot.own();
                slot.stamp.store(exchange.class.gate.open_stamp(), Release);
            }
        }
    }

    fn reached(&mut self, milestone: Milestone, _: &Attempt) {
        note(|| {
            let name = match milestone {
                Milestone::Tracking => "tracking",
                Milestone::Blocking => "blocking",
                Milestone::Transferring => "transferring",
                Milestone::Prepared => "prepared",
            };
            format!("reaches {name}")
        });
        if let Some(watch) = &self.watch {
            match milestone {
                Milestone::Tracking => watch.reach(Progress::Tracking),
                Milestone::Blocking => watch.reach(Progress::Blocking),
                Milestone::Transferring | Milestone::Prepared => {}
            }
        }
        world::with(|world| world.clock.strike());
    }

    fn name_blockers(&mut self, _: u64) {
        note(|| "names the blockers".to_string());
    }

    fn abandon(&mut self) {
        for exchange in &self.exchanges {
            exchange.class.abandon(&self.records);
        }
    }
}
