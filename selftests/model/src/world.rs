// SPDX-License-Identifier: GPL-2.0

//! What one execution knows about itself: model time, and a trail for the report.
//!
//! Plain data: loom runs all its threads in one thread of the host, and switches between
//! them only at the operations of `primitives.rs`.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use loom::sync::atomic::AtomicU64;

use crate::cpu::{Cpu, Interrupt, Writes};
use crate::primitives::{current, TASKS};

/// The time that a try and an attempt may take.
pub(crate) const PAUSE_NS: u64 = 1_000;
pub(crate) const DEADLINE_NS: u64 = 1_000_000_000;

/// The pause where the window's own bounds are what matters.
pub(crate) const LONG_PAUSE_NS: u64 = 10_000_000;

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
/// Time passes at opportunities: the milestones of an attempt, each step of its prepare, the
/// beginning of each timed wait, the closing of a window, and each round of who spins with
/// preemption off. A scenario is explored once for each of them.
pub(crate) struct Clock {
    now_ns: Cell<u64>,
    strike: Option<Strike>,
    /// Each timed wait times out at once.
    is_impatient: bool,
    opportunities: Cell<usize>,
}

impl Clock {
    pub(crate) fn now(&self) -> u64 {
        self.now_ns.get()
    }

    pub(crate) fn pass(&self, ns: u64) {
        self.now_ns.set(self.now_ns.get() + ns);
    }

    pub(crate) fn is_impatient(&self) -> bool {
        self.is_impatient
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
    pub(crate) interrupt: Option<Rc<Interrupt>>,
    pub(crate) cpus: [Cpu; TASKS],
    pub(crate) writes: Rc<Writes>,
    /// A word for each processor, by which its pinned sections are ordered against those who
    /// wait for them.
    pub(crate) pins: RefCell<Vec<AtomicU64>>,
    /// What was freed: kept to the end, so that who looks at it is caught.
    freed: RefCell<Vec<(Range<usize>, Box<dyn Any>)>>,
    pub(crate) trespasses: Cell<usize>,
    /// A task stops for good, by design.
    pub(crate) may_halt: Cell<bool>,
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

    pub(crate) fn free<T: 'static>(&self, memory: Box<T>) {
        let begin = std::ptr::from_ref(&*memory) as usize;
        let range = begin..begin + size_of::<T>();
        self.freed.borrow_mut().push((range, memory));
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
pub(crate) fn begin(
    tasks: usize,
    strike: Option<Strike>,
    is_impatient: bool,
    interrupt: Option<Interrupt>,
    keeps_trail: bool,
) {
    let world = World {
        clock: Clock {
            now_ns: Cell::new(1),
            strike,
            is_impatient,
            opportunities: Cell::new(0),
        },
        interrupt: interrupt.map(Rc::new),
        cpus: std::array::from_fn(|_| Cpu::new()),
        writes: Rc::new(Writes::new()),
        pins: RefCell::new((0..tasks).map(|_| AtomicU64::new(0)).collect()),
        freed: RefCell::new(Vec::new()),
        trespasses: Cell::new(0),
        may_halt: Cell::new(false),
        tasks,
        sleeps: Default::default(),
        trail: RefCell::new(Vec::new()),
        keeps_trail,
    };
    WORLD.set(Some(Rc::new(world)));
}

/// Ends it: what it kept goes, while loom still knows it.
pub(crate) fn end() {
    let kept = with(|world| (world.freed.take(), world.pins.take()));
    drop(kept);
}

/// `place` must not have been freed.
pub(crate) fn demand_alive<T>(place: *const T) {
    with(|world| {
        let freed = world.freed.borrow();
        assert!(
            !freed
                .iter()
                .any(|(range, _)| range.contains(&(place as usize))),
            "memory is used that was freed"
        );
    });
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
