// SPDX-License-Identifier: GPL-2.0

//! What is explored: who calls what, and who updates it meanwhile.
//!
//! The main thread is task 0 and drives the first updater. A path is read from the outside:
//! `CD` is a call of C that calls D.

use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::primitives::{Halted, ECANCELED, EDEADLK, EPROTO, ETIMEDOUT};
use crate::stage::{Progress, Stage};
use crate::window::BOUND_NS;
use crate::work::{Fault, Policy};
use crate::world::{self, DEADLINE_NS, PAUSE_NS};

/// What happens by itself in a scenario, which is explored once for each moment at which it
/// can.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    None,
    /// The clock goes on.
    Strike {
        by_ns: u64,
    },
    /// The clock goes on whenever somebody waits for a time: it explores no more moments.
    Impatience,
    /// This task is interrupted.
    Interrupt {
        task: usize,
    },
}

/// How many executions there are, and so how many preemptions are explored where time is short.
#[derive(Clone, Copy)]
pub(crate) enum Size {
    /// One preemption more than usual.
    Small,
    Middling,
    /// One less.
    Large,
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Tasks, the main one included.
    pub(crate) tasks: usize,
    pub(crate) size: Size,
    pub(crate) event: Event,
    pub(crate) run: fn(),
}

const fn scenario(name: &'static str, tasks: usize, run: fn()) -> Scenario {
    Scenario {
        name,
        tasks,
        size: Size::Middling,
        event: Event::None,
        run,
    }
}

impl Scenario {
    const fn large(mut self) -> Self {
        self.size = Size::Large;
        self
    }

    const fn small(mut self) -> Self {
        self.size = Size::Small;
        self
    }

    const fn strikes(mut self, by_ns: u64) -> Self {
        self.event = Event::Strike { by_ns };
        self
    }

    const fn impatient(mut self) -> Self {
        self.event = Event::Impatience;
        self
    }

    const fn interrupts(mut self, task: usize) -> Self {
        self.event = Event::Interrupt { task };
        self
    }
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("twice", 3, twice),
    scenario("abort", 4, abort),
    scenario("abort-twice", 3, abort_twice),
    scenario("stuck", 3, stuck),
    scenario("drain", 3, drain),
    scenario("transaction", 3, transaction),
    scenario("transaction-abort", 4, transaction_abort).large(),
    scenario("crossing", 4, crossing).large(),
    scenario("crossing-alone", 3, crossing_alone),
    scenario("creation", 3, creation),
    scenario("pause", 3, pause).strikes(PAUSE_NS).large(),
    scenario("pause-alone", 2, pause_alone)
        .small()
        .strikes(PAUSE_NS),
    scenario("deadline", 3, deadline)
        .strikes(DEADLINE_NS)
        .large(),
    scenario("deadline-alone", 2, deadline_alone).strikes(DEADLINE_NS),
    scenario("refusal", 3, refusal).small(),
    scenario("trespass-prepare", 3, trespass_prepare).small(),
    scenario("trespass-commit", 1, trespass_commit).small(),
    scenario("lazy", 3, lazy).large(),
    scenario("lazy-eager", 3, lazy_eager).large(),
    scenario("lazy-abort", 3, lazy_abort),
    scenario("lazy-switch", 3, lazy_switch),
    scenario("switch", 3, switch).small(),
    scenario("switch-lazy", 3, switch_lazy).large(),
    scenario("switch-abort", 3, switch_abort),
    scenario("repair", 3, repair).large().impatient(),
    scenario("repair-creation", 2, repair_creation)
        .small()
        .impatient(),
    scenario("repair-nested", 2, repair_nested)
        .small()
        .impatient(),
    scenario("window", 2, window).small(),
    scenario("window-refused", 2, window_refused).small(),
    scenario("window-pair", 3, window_pair).large(),
    scenario("window-switch", 2, window_switch).small(),
    scenario("window-revoked", 2, window_revoked)
        .small()
        .strikes(BOUND_NS + 1),
    scenario("window-interrupt", 2, window_interrupt).interrupts(1),
    scenario("window-interrupted", 1, window_interrupted)
        .small()
        .interrupts(0),
    scenario("window-abort", 2, window_abort)
        .small()
        .interrupts(0),
];

/// One class, a nested caller and a plain one, two transitions.
fn twice() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC", "C"]);
    stage.update("C", &[]);
    stage.update("C", &[]);
    stage.end(callers);
}

/// The same callers, and a third party that ends the transition wherever it is.
fn abort() {
    let stage = Stage::new(&["C"]);
    let mut tasks = stage.callers(&["CC", "C"]);
    let attempt = stage.attempt("C", Policy::Eager);
    tasks.push(stage.aborter(3, &attempt));
    let _ = stage.drive("C", &attempt, Fault::None, &[ECANCELED]);
    stage.end(tasks);
}

/// Another transition follows the one that a third party ends.
fn abort_twice() {
    let stage = Stage::new(&["C"]);
    let mut tasks = stage.callers(&["CC"]);
    let first = stage.attempt("C", Policy::Eager);
    tasks.push(stage.aborter(2, &first));
    let _ = stage.drive("C", &first, Fault::None, &[ECANCELED]);
    stage.update("C", &[]);
    stage.end(tasks);
}

/// A call that does not end before the attempt: only an abort helps.
fn stuck() {
    let stage = Stage::new(&["C"]);
    let mut tasks = vec![stage.sleeper(1, "C", Progress::None, Progress::Ended)];
    let attempt = stage.attempt("C", Policy::Eager);
    tasks.push(stage.aborter(2, &attempt));
    let _ = stage.drive("C", &attempt, Fault::None, &[ECANCELED]);
    stage.progress.reach(Progress::Ended);
    stage.update("C", &[]);
    stage.end(tasks);
}

/// A recorded call that ends while the updater waits for it.
fn drain() {
    let stage = Stage::new(&["C"]);
    let mut tasks = vec![stage.sleeper(1, "C", Progress::Tracking, Progress::Blocking)];
    tasks.extend(stage.callers_from(2, &["C"]));
    stage.update("C", &[]);
    stage.end(tasks);
}

/// Two classes that are moved together, and callers that cross.
fn transaction() {
    let stage = Stage::new(&["CD"]);
    let callers = stage.callers(&["CD", "DC"]);
    stage.update("CD", &[]);
    stage.end(callers);
}

/// A transaction that a third party ends.
fn transaction_abort() {
    let stage = Stage::new(&["CD"]);
    let mut tasks = stage.callers(&["CD", "DC"]);
    let attempt = stage.attempt("CD", Policy::Eager);
    tasks.push(stage.aborter(3, &attempt));
    let _ = stage.drive("CD", &attempt, Fault::None, &[ECANCELED]);
    stage.end(tasks);
}

/// Two updaters that know nothing of each other, and callers that cross.
fn crossing() {
    let stage = Stage::new(&["C", "D"]);
    let mut tasks = stage.callers(&["CD", "DC"]);
    tasks.push(stage.updater(3, "D"));
    stage.update("C", &[]);
    stage.end(tasks);
}

/// The same with one caller.
fn crossing_alone() {
    let stage = Stage::new(&["C", "D"]);
    let mut tasks = stage.callers(&["CD"]);
    tasks.push(stage.updater(2, "D"));
    stage.update("C", &[]);
    stage.end(tasks);
}

/// An instance is made, and called, while the class is updated.
fn creation() {
    let stage = Stage::new(&["C"]);
    let mut tasks = stage.callers(&["C"]);
    tasks.push(stage.creator(2, "C"));
    stage.update("C", &[]);
    stage.end(tasks);
}

/// The pause of a try ends anywhere: the gate reopens, and the next try commits. A call
/// waits in one of them at most.
fn pause() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC", "C"]);
    stage.update("C", &[]);
    stage.end(callers);
    let sleeps = world::with(|world| world.sleeps(2));
    assert!(sleeps <= 1, "a call waited through two closures");
}

/// The same with one caller.
fn pause_alone() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC"]);
    stage.update("C", &[]);
    stage.end(callers);
}

/// The deadline ends the attempt anywhere.
fn deadline() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC", "C"]);
    stage.update("C", &[ETIMEDOUT]);
    stage.end(callers);
}

/// The same with one caller; another attempt follows.
fn deadline_alone() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC"]);
    stage.update("C", &[ETIMEDOUT]);
    stage.update("C", &[ETIMEDOUT]);
    stage.end(callers);
}

/// The transfer refuses the state.
fn refusal() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC", "C"]);
    let attempt = stage.attempt("C", Policy::Eager);
    let result = stage.drive("C", &attempt, Fault::Refuses(EPROTO), &[EPROTO]);
    assert_eq!(result, Err(EPROTO));
    stage.end(callers);
}

/// The fallible part of the transfer calls the instance.
fn trespass_prepare() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC", "C"]);
    let attempt = stage.attempt("C", Policy::Eager);
    let result = stage.drive("C", &attempt, Fault::PrepareCalls, &[EDEADLK]);
    assert_eq!(result, Err(EDEADLK));
    assert_eq!(world::with(|world| world.trespasses.get()), 1);
    stage.end(callers);
}

/// The part that cannot fail calls an instance, which is never let in: its updater stops for
/// good, before it has touched anything. Nobody else is there, who could not end either.
fn trespass_commit() {
    let stage = Stage::new(&["C"]);
    stage.add("C");
    let attempt = stage.attempt("C", Policy::Eager);
    world::with(|world| world.may_halt.set(true));
    let drive = || stage.drive("C", &attempt, Fault::CommitCalls, &[]);
    let stopped = catch_unwind(AssertUnwindSafe(drive)).unwrap_err();
    assert!(stopped.is::<Halted>(), "the updater went on");
    assert_eq!(world::with(|world| world.trespasses.get()), 1);
}

/// Two transitions in a row that leave the moving to the callers.
fn lazy() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["C", "C"]);
    stage.commit("C", Policy::Lazy);
    stage.commit("C", Policy::Lazy);
    stage.end(callers);
}

/// The same; the second moves all by itself.
fn lazy_eager() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["C", "C"]);
    stage.commit("C", Policy::Lazy);
    stage.commit("C", Policy::Eager);
    stage.end(callers);
}

/// A lazy transition that a third party ends, and one that follows.
fn lazy_abort() {
    let stage = Stage::new(&["C"]);
    let mut tasks = stage.callers(&["C"]);
    let first = stage.attempt("C", Policy::Lazy);
    tasks.push(stage.aborter(2, &first));
    let _ = stage.drive("C", &first, Fault::None, &[ECANCELED]);
    stage.commit("C", Policy::Lazy);
    stage.end(tasks);
}

/// One instance is switched while another is called, from inside it, too.
fn switch() {
    let stage = Stage::new(&["C"]);
    stage.add("C");
    let callers = stage.callers(&["CC2", "C2C"]);
    stage.commit("C", Policy::Switch);
    stage.end(callers);
}

/// A switch follows a lazy transition.
fn lazy_switch() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["C", "C"]);
    stage.commit("C", Policy::Lazy);
    stage.commit("C", Policy::Switch);
    stage.end(callers);
}

/// Two switches of one instance, which its callers move.
fn switch_lazy() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["C", "C"]);
    stage.commit("C", Policy::LazySwitch);
    stage.commit("C", Policy::LazySwitch);
    stage.end(callers);
}

/// A switch that a third party ends, and one that follows.
fn switch_abort() {
    let stage = Stage::new(&["C"]);
    let mut tasks = stage.callers(&["CC"]);
    let first = stage.attempt("C", Policy::Switch);
    tasks.push(stage.aborter(2, &first));
    let _ = stage.drive("C", &first, Fault::None, &[ECANCELED]);
    stage.commit("C", Policy::Switch);
    stage.end(tasks);
}

/// A call that ends only after two repairs that abandon it, and one that gets on.
fn repair() {
    let stage = Stage::new(&["C"]);
    let mut tasks = vec![stage.sleeper(1, "C", Progress::None, Progress::Ended)];
    tasks.extend(stage.callers_from(2, &["C"]));
    stage.commit("C", Policy::Repair);
    stage.commit("C", Policy::Repair);
    stage.progress.reach(Progress::Ended);
    stage.end(tasks);
}

/// An instance is made, which is never abandoned.
fn repair_creation() {
    let stage = Stage::new(&["C"]);
    let tasks = vec![stage.creator(1, "C")];
    let attempt = stage.attempt("C", Policy::Repair);
    let _ = stage.drive("C", &attempt, Fault::None, &[ETIMEDOUT]);
    stage.end(tasks);
}

/// The same from inside a call, which can be.
fn repair_nested() {
    let stage = Stage::new(&["C"]);
    let tasks = vec![stage.nested_creator(1, "C")];
    let attempt = stage.attempt("C", Policy::Repair);
    let _ = stage.drive("C", &attempt, Fault::None, &[ETIMEDOUT]);
    stage.end(tasks);
}

/// A class of atomic context, one caller with a call above it, two transitions.
fn window() {
    let stage = Stage::new(&["c"]);
    let callers = stage.callers(&["cc"]);
    stage.commit("c", Policy::Eager);
    stage.commit("c", Policy::Eager);
    stage.end(callers);
}

/// A transition that ends with a call inside its window, and one that follows.
fn window_refused() {
    let stage = Stage::new(&["c"]);
    let callers = stage.callers(&["cc"]);
    let first = stage.attempt("c", Policy::Eager);
    let result = stage.drive("c", &first, Fault::Refuses(EPROTO), &[EPROTO]);
    assert_eq!(result, Err(EPROTO));
    drop(first);
    stage.commit("c", Policy::Eager);
    stage.end(callers);
}

/// Callers on two processors.
fn window_pair() {
    let stage = Stage::new(&["c"]);
    let callers = stage.callers(&["c", "c"]);
    stage.commit("c", Policy::Eager);
    stage.end(callers);
}

/// One instance of a class of atomic context is switched, twice, while it is called from
/// inside another.
fn window_switch() {
    let stage = Stage::new(&["c"]);
    stage.add("c");
    let callers = stage.callers(&["c2c"]);
    stage.commit("c", Policy::Switch);
    stage.commit("c", Policy::Switch);
    stage.end(callers);
}

/// A caller takes back a window that stays closed for too long.
fn window_revoked() {
    let stage = Stage::new(&["c"]);
    let callers = stage.callers(&["c"]);
    stage.commit("c", Policy::Eager);
    stage.end(callers);
}

/// An interrupt on a caller's processor.
fn window_interrupt() {
    let stage = Stage::new(&["c"]);
    stage.interrupt("c");
    let callers = stage.callers(&["c"]);
    stage.commit("c", Policy::Eager);
    stage.end(callers);
}

/// One on the updater's.
fn window_interrupted() {
    let stage = Stage::new(&["c"]);
    stage.interrupt("c");
    stage.commit("c", Policy::Eager);
    stage.end(vec![]);
}

/// A third party ends a transition whose processor is interrupted.
fn window_abort() {
    let stage = Stage::new(&["c"]);
    stage.interrupt("c");
    let attempt = stage.attempt("c", Policy::Eager);
    let tasks = vec![stage.aborter(1, &attempt)];
    let _ = stage.drive("c", &attempt, Fault::None, &[ECANCELED]);
    stage.end(tasks);
}
