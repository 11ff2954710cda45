// SPDX-License-Identifier: GPL-2.0

//! What is explored: who calls what, and who updates it meanwhile.
//!
//! The main thread is task 0 and drives the first updater. A path is read from the outside:
//! `CD` is a call of C that calls D.

use crate::primitives::{ECANCELED, EDEADLK, EPROTO, ETIMEDOUT};
use crate::stage::{Progress, Stage};
use crate::work::Fault;
use crate::world::{self, DEADLINE_NS, PAUSE_NS};

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Tasks, the main one included.
    pub(crate) tasks: usize,
    /// How far the clock goes when it strikes; 0: it never does.
    pub(crate) strike_ns: u64,
    pub(crate) run: fn(),
}

const fn scenario(name: &'static str, tasks: usize, strike_ns: u64, run: fn()) -> Scenario {
    Scenario {
        name,
        tasks,
        strike_ns,
        run,
    }
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("twice", 3, 0, twice),
    scenario("abort", 4, 0, abort),
    scenario("abort-twice", 3, 0, abort_twice),
    scenario("stuck", 3, 0, stuck),
    scenario("drain", 3, 0, drain),
    scenario("transaction", 3, 0, transaction),
    scenario("transaction-abort", 3, 0, transaction_abort),
    scenario("crossing", 4, 0, crossing),
    scenario("crossed", 3, 0, crossed),
    scenario("creation", 3, 0, creation),
    scenario("pause", 3, PAUSE_NS, pause),
    scenario("deadline", 3, DEADLINE_NS, deadline),
    scenario("refusal", 3, 0, refusal),
    scenario("trespass-prepare", 3, 0, trespass_prepare),
    scenario("trespass-commit", 3, 0, trespass_commit),
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
    let attempt = stage.attempt("C");
    tasks.push(stage.aborter(3, &attempt));
    let _ = stage.drive("C", &attempt, Fault::None, &[ECANCELED]);
    stage.end(tasks);
}

/// Another transition follows the one that a third party ends.
fn abort_twice() {
    let stage = Stage::new(&["C"]);
    let mut tasks = stage.callers(&["CC"]);
    let first = stage.attempt("C");
    tasks.push(stage.aborter(2, &first));
    let _ = stage.drive("C", &first, Fault::None, &[ECANCELED]);
    stage.update("C", &[]);
    stage.end(tasks);
}

/// A call that does not end before the attempt: only an abort helps.
fn stuck() {
    let stage = Stage::new(&["C"]);
    let mut tasks = vec![stage.sleeper(1, "C", Progress::None, Progress::Ended)];
    let attempt = stage.attempt("C");
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
    let mut tasks = stage.callers(&["DC"]);
    let attempt = stage.attempt("CD");
    tasks.push(stage.aborter(2, &attempt));
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
fn crossed() {
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

/// The pause of a try ends anywhere: the gate reopens, and the next try commits.
fn pause() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC", "C"]);
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

/// The transfer refuses the state.
fn refusal() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC", "C"]);
    let attempt = stage.attempt("C");
    let result = stage.drive("C", &attempt, Fault::Refuses(EPROTO), &[EPROTO]);
    assert_eq!(result, Err(EPROTO));
    stage.end(callers);
}

/// The fallible part of the transfer calls the instance.
fn trespass_prepare() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC", "C"]);
    let attempt = stage.attempt("C");
    let result = stage.drive("C", &attempt, Fault::PrepareCalls, &[EDEADLK]);
    assert_eq!(result, Err(EDEADLK));
    assert_eq!(world::with(|world| world.trespasses.get()), 1);
    stage.end(callers);
}

/// The part that cannot fail calls an instance that it has moved.
fn trespass_commit() {
    let stage = Stage::new(&["C"]);
    let callers = stage.callers(&["CC", "C"]);
    let attempt = stage.attempt("C");
    let result = stage.drive("C", &attempt, Fault::CommitCalls, &[]);
    assert_eq!(result, Ok(()));
    assert_eq!(world::with(|world| world.trespasses.get()), 1);
    stage.end(callers);
}
