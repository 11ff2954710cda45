// SPDX-License-Identifier: GPL-2.0

//! What one execution knows about itself: model time, and a trail for the report.
//!
//! Plain data: loom runs all its threads in one thread of the host, and switches between
//! them only at the operations of `primitives.rs`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::primitives::{current, TASKS};

/// The time that a try and an attempt may take.
pub(crate) const PAUSE_NS: u64 = 1_000;
pub(crate) const DEADLINE_NS: u64 = 1_000_000_000;

/// Something that time does, and when.
#[derive(Clone, Copy)]
pub(crate) struct Strike {
    /// At which opportunity, counted from 0.
    pub(crate) at: usize,
    /// How far the clock goes.
    pub(crate) by_ns: u64,
}

/// Model time: stands still until its strike.
///
/// Time passes at opportunities: the milestones of an attempt, each step of its prepare, and
/// the beginning of each timed wait. A scenario is explored once for each of them.
pub(crate) struct Clock {
    now_ns: Cell<u64>,
    strike: Option<Strike>,
    opportunities: Cell<usize>,
}

impl Clock {
    pub(crate) fn now(&self) -> u64 {
        self.now_ns.get()
    }

    pub(crate) fn pass(&self, ns: u64) {
        self.now_ns.set(self.now_ns.get() + ns);
    }

    /// An opportunity for time to pass; by how much it did.
    pub(crate) fn strike(&self) -> u64 {
        let now = self.opportunities.replace(self.opportunities.get() + 1);
        match self.strike {
            Some(strike) if strike.at == now => {
                note(|| format!("{} ns pass", strike.by_ns));
                self.pass(strike.by_ns);
                strike.by_ns
            }
            _ => 0,
        }
    }

    pub(crate) fn opportunities(&self) -> usize {
        self.opportunities.get()
    }
}

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) trespasses: Cell<usize>,
    tasks: usize,
    sleeps: [Cell<usize>; TASKS],
    trail: RefCell<Vec<String>>,
    keeps_trail: bool,
}

impl World {
    pub(crate) fn count_sleep(&self) {
        let sleeps = &self.sleeps[current().0];
        sleeps.set(sleeps.get() + 1);
    }

    /// How often a task has slept.
    pub(crate) fn sleeps(&self, task: usize) -> usize {
        self.sleeps[task].get()
    }
}

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// Begins an execution with `tasks` tasks.
pub(crate) fn begin(tasks: usize, strike: Option<Strike>, keeps_trail: bool) {
    let world = World {
        clock: Clock {
            now_ns: Cell::new(1),
            strike,
            opportunities: Cell::new(0),
        },
        trespasses: Cell::new(0),
        tasks,
        sleeps: Default::default(),
        trail: RefCell::new(Vec::new()),
        keeps_trail,
    };
    WORLD.set(Some(Rc::new(world)));
}

pub(crate) fn with<R>(f: impl FnOnce(&World) -> R) -> R {
    let world = WORLD.with_borrow(|world| world.clone()).unwrap();
    f(&world)
}

/// How many tasks there are, the main one included.
pub(crate) fn tasks() -> usize {
    with(|world| world.tasks)
}

/// Adds a line to the trail, which a violation prints.
pub(crate) fn note(line: impl FnOnce() -> String) {
    with(|world| {
        if world.keeps_trail {
            let line = format!("task {}: {}", current().0, line());
            world.trail.borrow_mut().push(line);
        }
    });
}

/// The trail so far.
pub(crate) fn trail() -> Vec<String> {
    WORLD.with_borrow(|world| match world {
        Some(world) => world.trail.borrow().clone(),
        None => Vec::new(),
    })
}
