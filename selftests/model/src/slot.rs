// SPDX-License-Identifier: GPL-2.0

//! Slots and objects, with the accesses of the framework's `slot.rs` in their order.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::{fence, AtomicU64};

use crate::class::Class;
use crate::cpu::{Holding, Locked};
use crate::primitives::{current, set_moving, Atomic, Relaxed, Release, Task, TASKS};
use crate::routes::Routes;
use crate::world::{self, note};

/// The mark on a count whose object was moved, and so is dead.
const MOVED: u64 = 1 << 32;

/// How often each task has touched an instance.
pub(crate) type Counts = [u64; TASKS];

/// What an object was made of last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Edition {
    /// By an update of the class.
    pub(crate) generation: u64,
    /// By a switch of the instance.
    pub(crate) switch: u64,
}

/// The state of an instance.
///
/// One count for each task: calls of different tasks do not order each other.
pub(crate) struct Object {
    pub(crate) edition: Edition,
    counts: [AtomicU64; TASKS],
}

impl Object {
    pub(crate) fn new(edition: Edition, counts: Counts) -> Rc<Self> {
        Rc::new(Self {
            edition,
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

    /// Reads the state. Fails the exploration where a call's write is not ordered before it.
    pub(crate) fn read(&self) -> Counts {
        std::array::from_fn(|task| {
            // SAFETY: Loom checks that no write is concurrent.
            unsafe { self.counts[task].unsync_load() }
        })
    }

    /// Reads what there is of it: an abandoned call may go on.
    fn salvage(&self) -> Counts {
        std::array::from_fn(|task| self.counts[task].load(Ordering::Relaxed))
    }

    /// Takes the state out.
    fn take(&self, prepared: Counts) {
        for (count, prepared) in self.counts.iter().zip(prepared).take(world::tasks()) {
            let found = count.swap(MOVED, Ordering::Relaxed);
            assert_eq!(found, prepared, "a prepared state has changed");
        }
    }
}

/// One call in a chain of calls.
struct Link {
    family: usize,
    slot: *const Slot,
    edition: Edition,
}

pub(crate) struct Slot {
    pub(crate) class: Rc<Class>,
    pub(crate) stamp: Atomic<u64>,
    object: Atomic<*const Object>,
    /// Whether there is a twin. Who has the lock owns the instance.
    twin: Locked<()>,
    pub(crate) has_twin: Cell<bool>,
    /// The object that a call has to find, and its predecessors, kept to be caught.
    objects: RefCell<Vec<Rc<Object>>>,
    /// How often it was switched.
    pub(crate) switches: Cell<u64>,
    /// The updater relies on it that no call is inside.
    pub(crate) is_quiescent: Cell<bool>,
    /// Whose rule calls it nevertheless.
    pub(crate) rule: Cell<Option<Task>>,
    touched: Cell<u64>,
    /// Calls were abandoned, and what they did may be lost.
    pub(crate) is_damaged: Cell<bool>,
}

impl Slot {
    pub(crate) fn new(class: &Rc<Class>, generation: u64) -> Rc<Self> {
        let edition = Edition {
            generation,
            switch: 0,
        };
        let object = Object::new(edition, [0; TASKS]);
        Rc::new(Self {
            class: class.clone(),
            stamp: Atomic::new(class.gate.open_stamp()),
            object: Atomic::new(Rc::as_ptr(&object)),
            twin: Locked::new(()),
            has_twin: Cell::new(false),
            objects: RefCell::new(vec![object]),
            switches: Cell::new(0),
            is_quiescent: Cell::new(false),
            rule: Cell::new(None),
            touched: Cell::new(0),
            is_damaged: Cell::new(false),
        })
    }

    fn object(&self) -> *const Object {
        self.object.load(Relaxed)
    }

    /// The one that was published last.
    pub(crate) fn published(&self) -> Rc<Object> {
        self.objects.borrow().last().unwrap().clone()
    }

    fn set_object(&self, object: Rc<Object>) {
        let place = Rc::as_ptr(&object);
        self.objects.borrow_mut().push(object);
        self.object.store(place, Release);
    }

    /// Makes the caller the one owner of the instance.
    pub(crate) fn own(&self) -> Holding<'_, ()> {
        self.twin.lock()
    }

    /// Moves the instance, if a commit has made its object outdated.
    pub(crate) fn bring_up(&self) {
        let _owned = self.own();
        if !self.class.gate.is_stale(self.stamp.load(Relaxed)) {
            return;
        }
        // SAFETY: What was freed is kept, and using it is caught.
        if let Some(routes) = unsafe { self.class.routes.load(Relaxed).as_ref() } {
            note(|| format!("brings {} up", self.class.name));
            self.carry(routes, None);
            routes.count_done();
        }
    }

    /// Moves the instance, and makes its slot valid. The slot's lock is held.
    pub(crate) fn carry(&self, routes: &Routes, prepared: Option<Counts>) {
        world::demand_alive(std::ptr::from_ref(routes));
        if self.has_twin.take() {
            let before = set_moving(self);
            let old = self.published();
            let prepared = if routes.is_repair {
                old.salvage()
            } else {
                let prepared = prepared.unwrap_or_else(|| old.read());
                old.take(prepared);
                prepared
            };
            if let Some(slot) = routes.called.take() {
                slot.rule.set(Some(current()));
                Self::call(&[slot.clone()]);
                slot.rule.set(None);
            }
            self.set_object(Object::new(routes.edition_after(old.edition), prepared));
            set_moving(before);
        }
        self.stamp.store(routes.stamp, Release);
    }

    /// Demands what must hold at each moment of a call on `object`.
    fn check(&self, object: *const Object) -> Rc<Object> {
        let class = &self.class;
        if class.has_abandoned() {
            let objects = self.objects.borrow();
            let of_call = objects.iter().find(|one| Rc::as_ptr(one) == object);
            return of_call.unwrap().clone();
        }
        assert!(
            !self.is_quiescent.get() || self.rule.get() == Some(current()),
            "a call executes in {} while its state is being moved",
            class.name
        );
        let published = self.published();
        assert!(
            Rc::as_ptr(&published) == object,
            "a call of {} executes an object other than the published one",
            class.name
        );
        assert!(
            self.is_current(published.edition) || class.is_changing.get(),
            "a call of {} executes an object that a commit has outdated",
            class.name
        );
        published
    }

    fn is_current(&self, edition: Edition) -> bool {
        let generation = self.class.generation.get();
        let switch = self.switches.get();
        edition == Edition { generation, switch }
    }

    /// Calls along `path`, each slot from inside the call of the one before it.
    pub(crate) fn call(path: &[Rc<Slot>]) {
        Self::call_with(path, &|| ());
    }

    /// The same; the innermost call does `inside`.
    pub(crate) fn call_with(path: &[Rc<Slot>], inside: &dyn Fn()) {
        Self::call_from(path, inside, &mut Vec::new());
    }

    fn call_from(path: &[Rc<Slot>], inside: &dyn Fn(), chain: &mut Vec<Link>) {
        let Some((slot, rest)) = path.split_first() else {
            return inside();
        };
        slot.class.gate.call(slot, || {
            let object = slot.object();
            if slot.class.has_abandoned() {
                // It has no other order than that of the address and what is there.
                fence(Ordering::Acquire);
            }
            let found = slot.check(object);
            let edition = found.edition;
            note(|| format!("runs in {}, {edition:?}", slot.class.name));
            for link in &*chain {
                assert!(
                    link.family != slot.class.family
                        || link.edition.generation == edition.generation,
                    "mixed generations in one chain of calls"
                );
                assert!(
                    !std::ptr::eq(link.slot, &**slot) || link.edition == edition,
                    "a switch in the midst of a chain of calls"
                );
            }
            found.touch();
            chain.push(Link {
                family: slot.class.family,
                slot: &**slot,
                edition,
            });
            Self::call_from(rest, inside, chain);
            chain.pop();
            slot.check(object);
            found.touch();
            slot.touched.set(slot.touched.get() + 2);
            note(|| format!("leaves {}", slot.class.name));
            if chain.is_empty() {
                slot.class.has_left();
            }
        });
    }

    /// After all have ended: valid, and nothing that a call did is lost.
    pub(crate) fn check_end(&self, stamp: u64) {
        assert_eq!(
            self.stamp.load(Relaxed),
            stamp,
            "an instance was left behind"
        );
        let object = self.published();
        let sum: u64 = object.read().iter().sum();
        assert!(
            sum == self.touched.get() || self.is_damaged.get(),
            "an effect was lost"
        );
        assert!(self.is_current(object.edition), "an instance is outdated");
    }
}
