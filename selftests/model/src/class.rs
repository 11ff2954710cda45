// SPDX-License-Identifier: GPL-2.0

//! Classes, as small as they can be, after `class.rs` of the framework.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicU64;

use crate::gate::{Gate, Phase};
use crate::primitives::{current, Arc, Atomic, Relaxed, TASKS};
use crate::record::Records;
use crate::routes::Routes;
use crate::slot::Slot;
use crate::world::note;

pub(crate) struct Class {
    pub(crate) name: char,
    /// Classes that are moved together.
    pub(crate) family: usize,
    pub(crate) gate: Arc<Gate>,
    pub(crate) slots: RefCell<Vec<Rc<Slot>>>,
    pub(crate) instances: AtomicU64,
    /// How stale slots are brought up; null where there is none.
    pub(crate) routes: Atomic<*const Routes>,
    /// The generation of what a creation makes.
    pub(crate) factory: Atomic<u64>,
    /// The one that was committed last.
    pub(crate) generation: Cell<u64>,
    /// A commit moves object after object.
    pub(crate) is_changing: Cell<bool>,
    /// The updater relies on it that no instance is being made.
    pub(crate) is_still: Cell<bool>,
    /// Tasks whose present call was abandoned.
    pub(crate) abandoned: Cell<[bool; TASKS]>,
}

impl Class {
    /// A class with one instance.
    pub(crate) fn new(name: char, family: usize, records: &Arc<Records>) -> Rc<Self> {
        let gate = Gate::new(records.clone(), name.is_lowercase()).unwrap();
        let class = Rc::new(Self {
            name,
            family,
            gate,
            slots: RefCell::new(Vec::new()),
            instances: AtomicU64::new(0),
            routes: Atomic::new(std::ptr::null()),
            factory: Atomic::new(0),
            generation: Cell::new(0),
            is_changing: Cell::new(false),
            is_still: Cell::new(false),
            abandoned: Cell::new([false; TASKS]),
        });
        class.add(0);
        class
    }

    /// One more instance, of this generation.
    pub(crate) fn add(self: &Rc<Self>, generation: u64) -> Rc<Slot> {
        let slot = Slot::new(self, generation);
        self.slots.borrow_mut().push(slot.clone());
        self.instances.fetch_add(1, Ordering::Relaxed);
        slot
    }

    pub(crate) fn slot(&self, index: usize) -> Rc<Slot> {
        self.slots.borrow()[index].clone()
    }

    /// Makes one more instance, by a call of the class.
    pub(crate) fn create(self: &Rc<Self>) -> Rc<Slot> {
        let mut made = None;
        self.gate.call_creation(&mut || {
            self.check_creation();
            let generation = self.factory.load(Relaxed);
            note(|| {
                format!(
                    "makes an instance of {}, generation {generation}",
                    self.name
                )
            });
            made = Some(self.add(generation));
            self.check_creation();
        });
        made.unwrap()
    }

    fn check_creation(&self) {
        assert!(
            !self.is_still.get(),
            "an instance of {} is made while its state is being moved",
            self.name
        );
    }

    /// Abandons the calls that are inside at this moment.
    pub(crate) fn abandon(&self, records: &Records) {
        let mut abandoned = self.abandoned.get();
        for (task, is_abandoned) in abandoned.iter_mut().enumerate() {
            *is_abandoned |= self.gate.domain.has_inside(task);
        }
        let gates = [self.gate.clone()];
        records.for_each_call(&gates, |record| abandoned[record.task.0] = true);
        note(|| format!("abandons {abandoned:?}"));
        self.abandoned.set(abandoned);
        // Also of a call that has just left: nothing orders its end.
        for slot in &*self.slots.borrow() {
            slot.is_damaged.set(true);
        }
    }

    pub(crate) fn has_abandoned(&self) -> bool {
        self.abandoned.get()[current().0]
    }

    /// The calling task has ended its call, abandoned or not.
    pub(crate) fn has_left(&self) {
        let mut abandoned = self.abandoned.get();
        abandoned[current().0] = false;
        self.abandoned.set(abandoned);
    }

    /// After all have ended: open, and nothing lost.
    pub(crate) fn check_end(&self) {
        assert!(self.gate.phase() == Phase::Idle, "the gate is not idle");
        assert!(self.gate.window().is_null(), "a window is left");
        let stamp = self.gate.stamp.load(Relaxed);
        assert_eq!(stamp, self.gate.open_stamp(), "the gate stays closed");
        for slot in self.slots.take() {
            slot.check_end(stamp);
        }
        assert!(!self.gate.has_pending(), "a grace period never ended");
    }
}
