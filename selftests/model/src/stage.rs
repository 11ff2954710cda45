// SPDX-License-Identifier: GPL-2.0

//! The stage of a scenario: its classes and tasks, and what has to hold at their end.

use std::cell::Cell;
use std::rc::Rc;

use loom::thread::JoinHandle;

use crate::attempt::{Attempt, Limits, Scope, Timing};
use crate::class::Class;
use crate::primitives::{
    arc, spawn, Acquire, Arc, Atomic, Error, Release, Result, Task, WaitQueue, BUCKETS,
};
use crate::record::Records;
use crate::slot::Slot;
use crate::work::{Fault, Move, Policy};
use crate::world::{self, note, DEADLINE_NS, LONG_PAUSE_NS, PAUSE_NS};

/// An attempt, and what an abort of it was answered.
pub(crate) struct Try {
    attempt: Attempt,
    policy: Policy,
    is_aborted: Cell<bool>,
    has_committed: Cell<bool>,
}

/// How far an update has come, for the tasks that wait for it.
#[derive(Clone, Copy)]
pub(crate) enum Progress {
    None = 0,
    Tracking,
    Blocking,
    Ended,
}

pub(crate) struct Watch {
    highest: Cell<u32>,
    progress: Atomic<u32>,
    changed: WaitQueue,
}

impl Watch {
    fn new() -> Self {
        Self {
            highest: Cell::new(Progress::None as u32),
            progress: Atomic::new(Progress::None as u32),
            changed: WaitQueue::new(),
        }
    }

    /// Tells of progress; what comes after the end is not told.
    pub(crate) fn reach(&self, progress: Progress) {
        if progress as u32 > self.highest.get() {
            self.highest.set(progress as u32);
            self.progress.store(progress as u32, Release);
            self.changed.wake_all();
        }
    }

    fn wait(&self, progress: Progress) {
        self.changed
            .wait(|| self.progress.load(Acquire) >= progress as u32);
    }
}

#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) progress: Rc<Watch>,
    /// Whether somebody waits for progress, so that it has to be told.
    is_watched: Rc<Cell<bool>>,
    records: Arc<Records>,
    classes: Vec<Rc<Class>>,
}

impl Stage {
    /// Makes classes with one instance each; those of a family are always moved together. A
    /// class with a small letter is of atomic context.
    pub(crate) fn new(families: &[&str]) -> Self {
        let records = arc(Records::new().unwrap()).unwrap();
        records.settle();
        let mut classes = Vec::new();
        for (family, names) in families.iter().enumerate() {
            let class = |name| Class::new(name, family, &records);
            classes.extend(names.chars().map(class));
        }
        Self {
            progress: Rc::new(Watch::new()),
            is_watched: Rc::new(Cell::new(false)),
            records,
            classes,
        }
    }

    fn classes(&self, names: &str) -> Vec<Rc<Class>> {
        let class = |name| self.classes.iter().find(|class| class.name == name);
        let classes = names.chars().filter_map(class);
        classes.cloned().collect()
    }

    /// Adds an instance.
    pub(crate) fn add(&self, class: &str) {
        self.classes(class)[0].add(0);
    }

    /// Makes the interrupt of this scenario a call along `path`.
    pub(crate) fn interrupt(&self, path: &str) {
        let path = self.path(path);
        let interrupt = world::with(|world| world.interrupt.clone());
        let handler = Rc::new(move || Slot::call(&path));
        interrupt.unwrap().handler.replace(Some(handler));
    }

    /// The instances that are called: the first of each class, or the second where a `2`
    /// follows.
    fn path(&self, path: &str) -> Vec<Rc<Slot>> {
        let mut slots = Vec::new();
        for name in path.chars() {
            match name {
                '2' => {
                    let first: Rc<Slot> = slots.pop().unwrap();
                    slots.push(first.class.slot(1));
                }
                name => slots.push(self.classes(&name.to_string())[0].slot(0)),
            }
        }
        slots
    }

    /// Starts a task for each path, from task 1 on, which calls along it once.
    pub(crate) fn callers(&self, paths: &[&str]) -> Vec<JoinHandle<()>> {
        self.callers_from(1, paths)
    }

    /// The same, from task `first` on.
    pub(crate) fn callers_from(&self, first: usize, paths: &[&str]) -> Vec<JoinHandle<()>> {
        let start = |(index, path): (usize, &&str)| {
            let path = self.path(path);
            spawn(first + index, move || Slot::call(&path))
        };
        paths.iter().enumerate().map(start).collect()
    }

    /// Starts a task that begins its call after `from` and ends it after `until`.
    pub(crate) fn sleeper(
        &self,
        task: usize,
        class: &str,
        from: Progress,
        until: Progress,
    ) -> JoinHandle<()> {
        let slot = self.classes(class)[0].slot(0);
        let progress = self.progress.clone();
        self.is_watched.set(true);
        spawn(task, move || {
            progress.wait(from);
            Slot::call_with(&[slot], &|| progress.wait(until));
        })
    }

    /// Starts a task that makes an instance and calls it.
    pub(crate) fn creator(&self, task: usize, class: &str) -> JoinHandle<()> {
        let class = self.classes(class).remove(0);
        spawn(task, move || {
            let slot = class.create();
            Slot::call(&[slot]);
        })
    }

    /// Starts a task that makes an instance from inside a call of another.
    pub(crate) fn nested_creator(&self, task: usize, class: &str) -> JoinHandle<()> {
        let class = self.classes(class).remove(0);
        spawn(task, move || {
            Slot::call_with(&[class.slot(0)], &|| drop(class.create()));
        })
    }

    /// Starts a task that aborts `attempt`.
    pub(crate) fn aborter(&self, task: usize, attempt: &Rc<Try>) -> JoinHandle<()> {
        let target = attempt.clone();
        spawn(task, move || {
            let answer = target.attempt.abort();
            note(|| format!("aborts: {answer:?}"));
            target.is_aborted.set(answer.is_ok());
            assert!(
                answer.is_err() || !target.has_committed.get(),
                "an abort was granted after the commit"
            );
        })
    }

    /// Starts a task that updates `classes`.
    pub(crate) fn updater(&self, task: usize, classes: &'static str) -> JoinHandle<()> {
        let stage = self.clone();
        spawn(task, move || stage.update(classes, &[]))
    }

    /// An attempt on `classes` that has not begun.
    pub(crate) fn attempt(&self, classes: &str, policy: Policy) -> Rc<Try> {
        let gates: Vec<_> = self
            .classes(classes)
            .iter()
            .map(|c| c.gate.clone())
            .collect();
        let has_window = gates.iter().any(|gate| gate.is_atomic());
        let limits = Limits {
            deadline_ns: DEADLINE_NS,
            pause_ns: if has_window { LONG_PAUSE_NS } else { PAUSE_NS },
        };
        let scope = Scope {
            lane: policy.lane(),
            is_lazy: policy.is_lazy(),
            abandons: policy == Policy::Repair,
        };
        let attempt = Attempt::new(gates, self.records.clone(), limits, scope);
        Rc::new(Try {
            attempt: attempt.unwrap(),
            policy,
            is_aborted: Cell::new(false),
            has_committed: Cell::new(false),
        })
    }

    /// Makes an attempt on `classes` that commits, or ends with one of `errors`.
    pub(crate) fn update(&self, classes: &str, errors: &[Error]) {
        let attempt = self.attempt(classes, Policy::Eager);
        let _ = self.drive(classes, &attempt, Fault::None, errors);
    }

    /// Makes an attempt that commits, and sweeps.
    pub(crate) fn commit(&self, classes: &str, policy: Policy) {
        let _ = self.drive(classes, &self.attempt(classes, policy), Fault::None, &[]);
    }

    /// Drives an attempt on `classes`.
    pub(crate) fn drive(
        &self,
        classes: &str,
        attempt: &Try,
        fault: Fault,
        errors: &[Error],
    ) -> Result {
        let classes = self.classes(classes);
        let count = |class: &Rc<Class>| class.generation.get() + class.slot(0).switches.get();
        let before: Vec<_> = classes.iter().map(count).collect();
        let watch = self.is_watched.get().then(|| self.progress.clone());
        let mut work = Move::new(&classes, &self.records, attempt.policy, fault, watch);
        note(|| "begins".to_string());
        let result = attempt.attempt.run(&mut work, &mut Timing::default());
        note(|| format!("ends: {result:?}"));
        attempt.has_committed.set(result.is_ok());
        match result {
            Ok(()) => assert!(!attempt.is_aborted.get(), "a commit after an abort"),
            Err(error) => assert!(errors.contains(&error), "ended with {error:?}"),
        }
        assert!(work.is_clean(), "prepared values are left");
        for (class, before) in classes.iter().zip(before) {
            let moved = u64::from(result.is_ok());
            assert_eq!(count(class), before + moved, "moved or not, but not both");
        }
        if result.is_ok() {
            work.sweep();
        }
        result
    }

    /// Waits for all tasks, and demands what must hold when all is quiet.
    pub(crate) fn end(self, tasks: Vec<JoinHandle<()>>) {
        for task in tasks {
            task.join().unwrap();
        }
        for index in 0..BUCKETS {
            let bucket = self.records.bucket(Task(index));
            assert!(
                bucket.calls().next().is_none(),
                "a record is left in the table"
            );
        }
        for class in &self.classes {
            class.check_end();
        }
    }
}
