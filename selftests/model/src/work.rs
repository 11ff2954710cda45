// SPDX-License-Identifier: GPL-2.0

//! What an attempt does with the instances, after `exchange.rs` of the framework: every
//! state is read in `prepare`, and moved in `commit`.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use crate::class::{Class, Object, Slot, MOVED};
use crate::primitives::{Error, Relaxed, Release, Result, TASKS};
use crate::stage::{Progress, Watch};
use crate::transition::{Attempt, Milestone, Work};
use crate::world::{self, note};

/// What goes wrong in the transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The transfer refuses an instance.
    Refuses(Error),
    /// The fallible part calls the instance.
    PrepareCalls,
    /// The part that cannot fail calls the instance that it has moved.
    CommitCalls,
}

pub(crate) struct Move {
    classes: Vec<Rc<Class>>,
    fault: Cell<Fault>,
    twins: Vec<u64>,
    prepared: Vec<(Rc<Slot>, [u64; TASKS])>,
    has_undone: bool,
    watch: Option<Rc<Watch>>,
}

impl Move {
    pub(crate) fn new(classes: &[Rc<Class>], fault: Fault, watch: Option<Rc<Watch>>) -> Self {
        Self {
            classes: classes.to_vec(),
            fault: Cell::new(fault),
            twins: vec![0; classes.len()],
            prepared: Vec::new(),
            has_undone: true,
            watch,
        }
    }

    /// Whether everything that was prepared was taken back or committed.
    pub(crate) fn is_clean(&self) -> bool {
        self.has_undone && self.prepared.is_empty()
    }

    /// The instances that there are twins for.
    fn slots(&self) -> Vec<Rc<Slot>> {
        let each = self.classes.iter().zip(&self.twins);
        each.flat_map(|(class, &twins)| {
            let slots = class.slots.borrow();
            slots
                .iter()
                .take(twins as usize)
                .cloned()
                .collect::<Vec<_>>()
        })
        .collect()
    }

    fn claim(&self, is_quiescent: bool) {
        for class in &self.classes {
            class.is_quiescent.set(is_quiescent);
        }
    }

    fn prepare_each(&mut self, attempt: &Attempt) -> Result {
        for slot in self.slots() {
            world::with(|world| world.clock.strike());
            attempt.check()?;
            // Fails the exploration where a call's write is not ordered before it.
            let object = slot.published();
            let counts = std::array::from_fn(|task| {
                // SAFETY: Loom checks that no write is concurrent.
                unsafe { object.counts[task].unsync_load() }
            });
            self.prepared.push((slot.clone(), counts));
            match self.fault.get() {
                Fault::Refuses(error) => return Err(error),
                Fault::PrepareCalls => {
                    self.fault.set(Fault::None);
                    // The gates open in the midst of it, by design.
                    self.claim(false);
                    Slot::call(&[slot]);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Work for Move {
    fn provide(&mut self) -> Result {
        for (twins, class) in self.twins.iter_mut().zip(&self.classes) {
            *twins = class.instances.load(Ordering::Relaxed);
        }
        Ok(())
    }

    fn is_provided(&self) -> bool {
        let mut both = self.twins.iter().zip(&self.classes);
        both.all(|(&twins, class)| class.instances.load(Ordering::Relaxed) <= twins)
    }

    fn prepare(&mut self, attempt: &Attempt) -> Result {
        self.has_undone = false;
        self.claim(true);
        let result = self.prepare_each(attempt);
        // An abort may still win, and opens the gates.
        self.claim(false);
        result
    }

    fn commit(&mut self, attempt: &Attempt) {
        self.claim(true);
        for class in &self.classes {
            let stamp = class.gate.open_stamp() + 1;
            let generation = class.generation.get() + 1;
            for (slot, prepared) in &self.prepared {
                if !Rc::ptr_eq(&slot.class, class) {
                    continue;
                }
                attempt.moving(Some(&slot.stamp));
                let old = slot.published();
                for (count, prepared) in old.counts.iter().zip(prepared).take(world::tasks()) {
                    let found = count.swap(MOVED, Ordering::Relaxed);
                    assert_eq!(found, *prepared, "a prepared state has changed");
                }
                slot.set_object(Object::new(generation, *prepared));
                slot.stamp.store(stamp, Release);
                if self.fault.get() == Fault::CommitCalls {
                    self.call_moved(attempt, slot);
                }
            }
            attempt.moving(None);
            class.gate.advance(stamp);
            class.factory.store(generation, Relaxed);
            class.generation.set(generation);
            note(|| format!("has moved {} to generation {generation}", class.name));
        }
        self.prepared.clear();
        self.has_undone = true;
        self.claim(false);
    }

    fn undo(&mut self) {
        self.prepared.clear();
        self.has_undone = true;
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
}

impl Move {
    fn call_moved(&self, attempt: &Attempt, slot: &Rc<Slot>) {
        self.fault.set(Fault::None);
        // The slot is whole again, and its class is the updater's own.
        attempt.moving(None);
        slot.class.is_quiescent.set(false);
        Slot::call(&[slot.clone()]);
        slot.class.is_quiescent.set(true);
    }
}
