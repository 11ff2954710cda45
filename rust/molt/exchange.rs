// SPDX-License-Identifier: GPL-2.0

//! The exchange: moves the instances of one class to their twins, or leaves all as they were.
//!
//! ```text
//!               eager                                lazy, and atomic classes
//!   gate open   provide: a twin for each slot        the same
//!   closed      prepare: what may fail, for each     -
//!   committed   commit: each is moved                flip: all slots are stale, in O(1)
//!   gate open   -                                    the next call of a slot, or the sweep,
//!                                                    moves it (`Slot::bring_up`)
//!   after       reclaim: old objects are dropped     the same, in parts
//! ```
//!
//! Instances are taken list by list, so the crew can share the lists out. Which instances:
//! all of the class, or those that a switch has chosen and keeps a handle of.

use kernel::error::code::ENOMEM;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed, Release};
use kernel::sync::Arc;

use crate::attempt::Attempt;
use crate::class::Class;
use crate::crew::Crew;
use crate::error::REASON_LEN;
use crate::gate::{Lane, Phase, GATED};
use crate::kept::Kept;
use crate::moves::PATH_LEN;
use crate::object::{state_pointer, Memory};
use crate::place::Place;
use crate::record::RecordPlace;
use crate::registry::framework;
use crate::route::Routes;
use crate::slot::Slot;
use crate::testing::{fault, Site};
use crate::text::Text;

/// How many slots are looked at under the lock of their list at once.
const BATCH: usize = 32;

/// From how many instances on the crew is called.
const MANY: i64 = 256;

/// The work on one list of the class.
struct Part {
    /// One for each slot, in the list's order, where something is prepared.
    places: KVVec<Place>,
    /// What the fallible part came to; the errno, 0 for none.
    error: i32,
    /// The field that was refused, where that is known.
    field: Text<PATH_LEN>,
    /// For the record of who does it.
    record: RecordPlace,
}

/// What a transition does with the instances of one class.
pub(crate) struct Exchange {
    class: Arc<Class>,
    routes: KBox<Routes>,
    lane: Lane,
    /// The instances, where they are not all.
    kept: Kept,
    closure: u64,
    /// Something is done for each instance before the commit.
    prepares: bool,
    parts: KVec<Part>,
    /// For instances that are made between the last walk and the closing of the gate.
    spares: KVVec<Memory>,
    crew: Crew,
    /// Instances whose transfer was prepared without an error, in this try.
    asked: Atomic<u64>,
    has_flipped: bool,
}

impl Exchange {
    /// `kept`: the instances that are switched; `None`: the whole class is updated. `is_lazy`:
    /// the states are moved after the commit.
    ///
    /// # Errors
    ///
    /// `ENOMEM`. Sleeps.
    pub(crate) fn new(
        class: Arc<Class>,
        routes: KBox<Routes>,
        kept: Option<Kept>,
        is_lazy: bool,
    ) -> Result<Self> {
        let lane = match kept {
            Some(_) => Lane::Slots,
            None => Lane::Class,
        };
        let mut parts = KVec::new();
        let lists = match lane {
            Lane::Class => class.lists().count(),
            Lane::Slots => 1,
        };
        for _ in 0..lists {
            let part = Part {
                places: KVVec::new(),
                error: 0,
                field: Text::new(),
                record: RecordPlace::new(),
            };
            fault(Site::Part)?;
            parts.push(part, GFP_KERNEL)?;
        }
        let closure = class.gate().next_closure();
        Ok(Self {
            prepares: !is_lazy && routes.prepares(),
            class,
            routes,
            lane,
            kept: kept.unwrap_or(Kept::none()),
            closure,
            parts,
            spares: KVVec::new(),
            crew: Crew::new()?,
            asked: Atomic::new(0),
            has_flipped: false,
        })
    }

    pub(crate) fn class(&self) -> &Arc<Class> {
        &self.class
    }

    pub(crate) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Runs `body` for each part, on several processors where there is much to do.
    fn for_each_part(&self, body: &(dyn Fn(usize) + Sync)) {
        if self.lane == Lane::Class && self.class.instances() >= MANY {
            self.crew.run(self.parts.len(), body);
        } else {
            (0..self.parts.len()).for_each(body);
        }
    }

    // ---- the gate is open --------------------------------------------------------------

    /// Allocates twins until each instance has one that needs one, places for prepared values,
    /// and some spares. May sleep.
    pub(crate) fn provide(&mut self) -> Result {
        let mut stock = KVVec::new();
        let layout = self.routes.prepared_layout();
        for index in 0..self.parts.len() {
            let seen = match self.lane {
                Lane::Class => self.provide_list(index, &mut stock)?,
                Lane::Slots => self.provide_kept()?,
            };
            let wanted = match self.prepares {
                true => seen.saturating_add(seen / 8).saturating_add(BATCH),
                false => 0,
            };
            let Some(part) = self.parts.get_mut(index) else {
                continue;
            };
            while part.places.len() < wanted {
                part.places.push(Place::new(layout)?, GFP_KERNEL)?;
            }
        }
        let instances = usize::try_from(self.class.instances()).unwrap_or_default();
        let spares = match self.lane {
            Lane::Class => BATCH.saturating_add(instances / 64).min(4096),
            Lane::Slots => 0,
        };
        self.stock(&mut stock, spares.saturating_sub(self.spares.len()))?;
        while let Some(memory) = stock.pop() {
            self.spares.push(memory, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// Fills `stock` up to `count` twins.
    fn stock(&self, stock: &mut KVVec<Memory>, count: usize) -> Result {
        while stock.len() < count {
            stock.push(self.routes.twin()?, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// Gives a twin to each slot of a list; returns how many slots there are.
    fn provide_list(&self, index: usize, stock: &mut KVVec<Memory>) -> Result<usize> {
        let lists = self.class.lists();
        let mut seen = 0usize;
        lists.rewind(index);
        loop {
            let has_more = lists.walk(index, BATCH, |slot| {
                let is_served = self.give_twin(slot, stock);
                seen = seen.wrapping_add(is_served.into());
                is_served
            });
            if !has_more {
                return Ok(seen);
            }
            self.stock(stock, BATCH)?;
            crate::primitives::relax();
        }
    }

    fn provide_kept(&self) -> Result<usize> {
        // Their pins have to be where reclaim gives them up.
        self.class.lists().settle();
        let mut stock = KVVec::new();
        for slot in self.kept.iter() {
            self.stock(&mut stock, 1)?;
            self.give_twin(slot, &mut stock);
        }
        Ok(self.kept.len())
    }

    /// Whether `slot` has a twin, or needs none, when this returns.
    fn give_twin(&self, slot: &Slot, stock: &mut KVVec<Memory>) -> bool {
        slot.own(|twin| {
            // SAFETY: The slot is listed, or kept: its object's header is there.
            let needs_one = unsafe { self.routes.of(slot.object()) }.is_some();
            if twin.0.is_none() && needs_one {
                twin.0 = stock.pop();
            }
            twin.0.is_some() || !needs_one
        })
    }

    /// Closes the chosen slots, each by its own stamp.
    pub(crate) fn close_slots(&self) {
        for slot in self.kept.iter() {
            slot.stamp.store(GATED | self.closure, Release);
        }
    }

    /// Opens them again, with the objects that they had.
    pub(crate) fn open_slots(&self) {
        for slot in self.kept.iter() {
            slot.own(|_| {
                slot.stamp.store(self.class.gate().open_stamp(), Release);
            });
        }
    }

    // ---- the gate is closed ------------------------------------------------------------

    /// Whether each instance has what it needs; hands out spares for it.
    pub(crate) fn is_provided(&mut self) -> bool {
        if self.lane == Lane::Slots {
            return true;
        }
        let mut spares = core::mem::replace(&mut self.spares, KVVec::new());
        let prepares = self.prepares;
        let lists = self.class.lists();
        let is_provided = self.parts.iter().enumerate().all(|(index, part)| {
            // SAFETY: The attempt has claimed the class, and this thread drives it.
            let (mut late, all) = unsafe { (lists.late(index), lists.quiescent(index)) };
            late.all(|slot| self.give_twin(slot, &mut spares))
                && (!prepares || all.count() <= part.places.len())
        });
        self.spares = spares;
        is_provided
    }

    /// Visits the slots of a part in an order that stays the same while the class is quiescent.
    ///
    /// # Safety
    ///
    /// The class, or the chosen slots are quiescent.
    unsafe fn for_each_slot(&self, index: usize, mut visit: impl FnMut(&Slot) -> Result) -> Result {
        match self.lane {
            // SAFETY: As the caller promises.
            Lane::Class => unsafe { self.class.lists().quiescent(index) }.try_for_each(visit),
            Lane::Slots => self.kept.iter().try_for_each(&mut visit),
        }
    }

    /// Runs the fallible part for every instance.
    pub(crate) fn prepare(&mut self, attempt: &Attempt) -> Result {
        if !self.prepares {
            return attempt.check();
        }
        self.asked.store(0, Relaxed);
        let failed = Atomic::new(0u32);
        let parts = Shared(self.parts.as_mut_ptr());
        let this = &*self;
        this.for_each_part(&|index| {
            // SAFETY: Each part is taken once, and there are as many as `for_each_part` says.
            let part = unsafe { &mut *parts.get().add(index) };
            let Part {
                record,
                places,
                field,
                error,
            } = part;
            let run = || this.prepare_part(index, (places, field), attempt, &failed);
            // SAFETY: The part is this task's; where that dies, who waits for it waits for ever,
            // and the part stays.
            let result = unsafe { framework().records.with_updater(attempt, record, run) };
            *error = result.map_or_else(|error| error.to_errno(), |()| 0);
        });
        match self.parts.iter().find(|part| part.error != 0) {
            Some(part) => Err(Error::from_errno(part.error)),
            None => Ok(()),
        }
    }

    fn prepare_part(
        &self,
        index: usize,
        (places, field): (&mut [Place], &mut Text<PATH_LEN>),
        attempt: &Attempt,
        failed: &Atomic<u32>,
    ) -> Result {
        let mut places = places.iter_mut();
        // SAFETY: The attempt has claimed the class.
        unsafe {
            self.for_each_slot(index, |slot| {
                attempt.check()?;
                // Another part has failed: its reason is the one that counts.
                if failed.load(Relaxed) != 0 {
                    return Ok(());
                }
                let (Some(place), object) = (places.next(), slot.object()) else {
                    return Err(ENOMEM);
                };
                if let Some(route) = self.routes.of(object) {
                    let old = state_pointer(object, &route.from);
                    place.prepare(route, old).map_err(|refused| {
                        failed.store(1, Relaxed);
                        *field = Text::from(route.field(&refused));
                        refused.error
                    })?;
                }
                self.asked.fetch_add(1, Relaxed);
                Ok(())
            })
        }
    }

    /// Which instance was refused, after `prepare` has failed.
    pub(crate) fn describe_failure(&self) -> Text<REASON_LEN> {
        let all = match self.lane {
            Lane::Class => self.class.instances(),
            Lane::Slots => self.kept.len() as i64,
        };
        let (to, asked) = (
            self.routes.to.label(),
            self.asked.load(Relaxed).wrapping_add(1),
        );
        let mut fields = self.parts.iter().map(|part| part.field.as_str());
        match fields.find(|field| !field.is_empty()) {
            Some(field) => Text::format(fmt!(
                "the transfer to {to} refused instance {asked} of {all}, at field `{field}`"
            )),
            None => Text::format(fmt!(
                "the transfer to {to} refused instance {asked} of {all}"
            )),
        }
    }

    /// Takes back what `prepare` made. The gate is open.
    pub(crate) fn undo(&mut self) {
        for part in self.parts.iter_mut() {
            part.places.iter_mut().for_each(Place::undo);
            part.error = 0;
            part.field = Text::new();
        }
    }

    /// Moves every instance, and makes the new implementation the one that creations use.
    pub(crate) fn commit(&mut self) {
        let parts = Shared(self.parts.as_mut_ptr());
        let this = &*self;
        this.count();
        this.for_each_part(&|index| {
            // SAFETY: As in `prepare`.
            let part = unsafe { &mut *parts.get().add(index) };
            let mut places = part.places.iter_mut();
            let mut nothing = Place::none();
            // SAFETY: The class is claimed; each slot is moved under its lock, with what was
            // prepared for it, which is in the same order.
            let _ = unsafe {
                this.for_each_slot(index, |slot| {
                    let place = places.next().unwrap_or(&mut nothing);
                    slot.own(|twin| slot.carry(&this.routes, twin, place.take()));
                    this.routes.count_done();
                    Ok(())
                })
            };
        });
        self.change_over();
    }

    /// Makes every instance stale, to be moved later. Does not sleep, and takes the same time
    /// whatever their number.
    pub(crate) fn flip(&mut self) {
        self.count();
        self.has_flipped = true;
        self.class.set_routes(&self.routes);
        match self.lane {
            Lane::Class => {}
            Lane::Slots => self.class.gate().commit_closure(self.closure),
        }
        self.change_over();
    }

    /// Counts, while nobody is made or ended, what has to be done, and pins the new
    /// implementation for each instance that will be its own.
    fn count(&self) {
        let (total, moved) = match self.lane {
            Lane::Class => {
                // Of what is moved, the pins have to be where reclaim gives them up.
                // SAFETY: The class is claimed, and this is its updater.
                unsafe { self.class.lists().settle_quiescent() };
                let others = self.routes.iter().filter(|route| route.is_move());
                let moved = others
                    .map(|route| self.class.instances_of(&route.from))
                    .sum();
                (self.class.instances(), moved)
            }
            Lane::Slots => (self.kept.len() as i64, self.kept.len() as i64),
        };
        self.routes.set_total(total as u64);
        // Before the gate opens: from then on instances end, and each gives up its pin.
        self.routes.to.pin_more(moved as u64);
    }

    /// The new generation, where the whole class has one.
    fn change_over(&self) {
        if self.lane == Lane::Class {
            self.class.gate().advance(self.routes.stamp());
            // SAFETY: The class is claimed, and this is its updater.
            unsafe { self.class.lists().set_factory_quiescent(&self.routes.to) };
            self.class.next_generation();
        }
    }

    // ---- the gate is open again --------------------------------------------------------

    /// Whether instances are moved one by one, after the commit.
    pub(crate) fn has_flipped(&self) -> bool {
        self.has_flipped
    }

    /// Moves every instance that is stale yet, at full speed. Sleeps.
    pub(crate) fn sweep(&self) {
        self.for_each_part(&|index| {
            self.begin_sweep(index);
            while self.sweep_some(index, BATCH) {}
        });
    }

    /// Begins a sweep of one part.
    pub(crate) fn begin_sweep(&self, index: usize) {
        self.class.lists().rewind(index);
    }

    /// Goes on with it, for `most` slots; whether there are more. Sleeps.
    pub(crate) fn sweep_some(&self, index: usize, most: usize) -> bool {
        let has_more = match self.lane {
            Lane::Class => self.class.lists().walk(index, most.min(BATCH), |slot| {
                slot.bring_up();
                true
            }),
            Lane::Slots => {
                self.kept.iter().for_each(Slot::bring_up);
                false
            }
        };
        crate::primitives::relax();
        has_more
    }

    /// How many parts a sweep has.
    pub(crate) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The last stale instance was moved: calls need these routes no more.
    pub(crate) fn end_sweep(&mut self) {
        self.class.gate().publish(self.lane, Phase::Idle);
        self.class.clear_routes();
        self.has_flipped = false;
    }

    /// Gives back the twins that were not needed. The gate is open. Sleeps.
    pub(crate) fn release(&mut self) {
        self.spares.clear();
        match self.lane {
            Lane::Slots => self
                .kept
                .iter()
                .for_each(|slot| drop(slot.own(|twin| twin.0.take()))),
            Lane::Class => (0..self.parts.len()).for_each(|index| self.release_list(index)),
        }
        // The slots' handles, too.
        self.kept = Kept::none();
    }

    fn release_list(&self, index: usize) {
        let lists = self.class.lists();
        lists.rewind(index);
        let mut batch = [const { None }; BATCH];
        loop {
            let mut free = batch.iter_mut();
            let has_more = lists.walk(index, BATCH, |slot| match free.next() {
                Some(place) => {
                    *place = slot.own(|twin| twin.0.take());
                    true
                }
                None => false,
            });
            // Freed with no lock held: large ones are unmapped.
            batch.iter_mut().for_each(|place| drop(place.take()));
            if !has_more {
                return;
            }
        }
    }
}

/// The parts, while several processors take one each.
struct Shared(*mut Part);

impl Shared {
    fn get(&self) -> *mut Part {
        self.0
    }
}

// SAFETY: Each part is used by whoever has taken its number.
unsafe impl Send for Shared {}
// SAFETY: As above.
unsafe impl Sync for Shared {}
