// SPDX-License-Identifier: GPL-2.0

//! The callers of the protocol, as small as they can be: classes, slots, objects, calls.
//!
//! They follow `class.rs`, `slot.rs` and `handle.rs` of the framework in the order of their
//! accesses: a slot's object is loaded inside the call, a new slot has the open stamp.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicU64;

use crate::gate::Gate;
use crate::primitives::{current, Arc, Atomic, Relaxed, TASKS};
use crate::record::Records;
use crate::world::note;

/// The mark on a count whose object was moved.
pub(crate) const MOVED: u64 = 1 << 32;

/// The state of an instance: how often each task has touched it.
///
/// One count for each task: calls of different tasks do not order each other.
pub(crate) struct Object {
    pub(crate) generation: u64,
    pub(crate) counts: [AtomicU64; TASKS],
}

impl Object {
    pub(crate) fn new(generation: u64, counts: [u64; TASKS]) -> Rc<Self> {
        Rc::new(Self {
            generation,
            counts: counts.map(AtomicU64::new),
        })
    }

    fn touch(&self) {
        let before = self.counts[current().0].fetch_add(1, Ordering::Relaxed);
        assert!(
            before & MOVED == 0,
            "a call touched an object that was moved"
        );
    }
}

pub(crate) struct Slot {
    pub(crate) class: Rc<Class>,
    pub(crate) stamp: Atomic<u64>,
    object: Atomic<*const Object>,
    /// The object that a call has to find, and its predecessors, kept to be caught.
    objects: RefCell<Vec<Rc<Object>>>,
    touched: Cell<u64>,
}

impl Slot {
    pub(crate) fn new(class: &Rc<Class>, stamp: u64, object: Rc<Object>) -> Rc<Self> {
        Rc::new(Self {
            class: class.clone(),
            stamp: Atomic::new(stamp),
            object: Atomic::new(Rc::as_ptr(&object)),
            objects: RefCell::new(vec![object]),
            touched: Cell::new(0),
        })
    }

    fn object(&self) -> *const Object {
        self.object.load(Relaxed)
    }

    /// The one that was published last.
    pub(crate) fn published(&self) -> Rc<Object> {
        self.objects.borrow().last().unwrap().clone()
    }

    pub(crate) fn set_object(&self, object: Rc<Object>) {
        let place = Rc::as_ptr(&object);
        self.objects.borrow_mut().push(object);
        self.object.store(place, Relaxed);
    }

    /// Demands what must hold at each moment of a call on `object`.
    fn check(&self, object: *const Object) -> Rc<Object> {
        let class = &self.class;
        assert!(
            !class.is_quiescent.get(),
            "a call executes in {} while its state is being moved",
            class.name
        );
        let published = self.published();
        assert!(
            Rc::as_ptr(&published) == object,
            "a call of {} executes an object other than the published one",
            class.name
        );
        published
    }

    /// Calls along `path`, each slot from inside the call of the one before it.
    pub(crate) fn call(path: &[Rc<Slot>]) {
        Self::call_with(path, &|| ());
    }

    /// The same; the innermost call does `inside`.
    pub(crate) fn call_with(path: &[Rc<Slot>], inside: &dyn Fn()) {
        Self::call_from(path, inside, &mut Vec::new());
    }

    fn call_from(path: &[Rc<Slot>], inside: &dyn Fn(), chain: &mut Vec<(usize, u64)>) {
        let Some((slot, rest)) = path.split_first() else {
            return inside();
        };
        slot.class.gate.call(&slot.stamp, || {
            let object = slot.object();
            let found = slot.check(object);
            note(|| {
                format!(
                    "runs in {}, generation {}",
                    slot.class.name, found.generation
                )
            });
            for &(family, generation) in &*chain {
                assert!(
                    family != slot.class.family || generation == found.generation,
                    "mixed generations in one chain of calls"
                );
            }
            found.touch();
            chain.push((slot.class.family, found.generation));
            Self::call_from(rest, inside, chain);
            chain.pop();
            slot.check(object);
            found.touch();
            slot.touched.set(slot.touched.get() + 2);
            note(|| format!("leaves {}", slot.class.name));
        });
    }

    /// After all have ended: nothing that a call did is lost.
    fn check_effects(&self) {
        let object = self.published();
        let counts = object.counts.iter();
        let sum: u64 = counts.map(|count| count.load(Ordering::Relaxed)).sum();
        assert_eq!(sum, self.touched.get(), "an effect was lost");
        assert_eq!(object.generation, self.class.generation.get());
    }
}

pub(crate) struct Class {
    pub(crate) name: char,
    /// Classes that are moved together.
    family: usize,
    pub(crate) gate: Arc<Gate>,
    pub(crate) slots: RefCell<Vec<Rc<Slot>>>,
    pub(crate) instances: AtomicU64,
    /// The generation of what a creation makes.
    pub(crate) factory: Atomic<u64>,
    pub(crate) generation: Cell<u64>,
    /// The updater relies on it that nobody is inside.
    pub(crate) is_quiescent: Cell<bool>,
}

impl Class {
    /// A class with one instance.
    pub(crate) fn new(name: char, family: usize, records: &Arc<Records>) -> Rc<Self> {
        let gate = Gate::new(records.clone()).unwrap();
        let class = Rc::new(Self {
            name,
            family,
            gate,
            slots: RefCell::new(Vec::new()),
            instances: AtomicU64::new(1),
            factory: Atomic::new(0),
            generation: Cell::new(0),
            is_quiescent: Cell::new(false),
        });
        let slot = Slot::new(&class, class.gate.open_stamp(), Object::new(0, [0; TASKS]));
        class.slots.borrow_mut().push(slot);
        class
    }

    pub(crate) fn slot(&self, index: usize) -> Rc<Slot> {
        self.slots.borrow()[index].clone()
    }

    /// Makes one more instance.
    pub(crate) fn create(self: &Rc<Self>) -> Rc<Slot> {
        let mut made = None;
        self.gate.call_creation(&mut || {
            assert!(
                !self.is_quiescent.get(),
                "an instance of {} is made while its state is being moved",
                self.name
            );
            let generation = self.factory.load(Relaxed);
            note(|| {
                format!(
                    "makes an instance of {}, generation {generation}",
                    self.name
                )
            });
            let object = Object::new(generation, [0; TASKS]);
            let slot = Slot::new(self, self.gate.open_stamp(), object);
            self.slots.borrow_mut().push(slot.clone());
            self.instances.fetch_add(1, Ordering::Relaxed);
            made = Some(slot);
        });
        made.unwrap()
    }

    /// After all have ended: open, and nothing lost.
    pub(crate) fn check_end(&self) {
        assert!(
            self.gate.phase() == crate::gate::Phase::Idle,
            "the gate is not idle"
        );
        let stamp = self.gate.stamp.load(Relaxed);
        assert_eq!(stamp, self.gate.open_stamp(), "the gate stays closed");
        for slot in &*self.slots.borrow() {
            assert_eq!(
                slot.stamp.load(Relaxed),
                stamp,
                "an instance was left behind"
            );
            slot.check_effects();
        }
        assert!(
            !self.gate.domain.has_pending(),
            "a grace period never ended"
        );
    }
}
