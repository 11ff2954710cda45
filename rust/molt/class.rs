// SPDX-License-Identifier: GPL-2.0

//! Classes: a named interface together with all live instances that serve it.

use core::ffi::c_int;
use core::ptr::{self, NonNull};

use kernel::bindings;
use kernel::error::code::{EBUSY, EDEADLK};
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{Arc, Mutex};

use crate::blocker::Blocker;
use crate::contract::Contract;
use crate::error::{errno_name, Refusal, REASON_LEN};
use crate::gate::{Gate, Phase};
use crate::helpers::molt_require_signature;
use crate::holder::Holder;
use crate::implementation::Registered;
use crate::interface::{Context, Description};
use crate::lists::{Insertion, Lists};
use crate::object::{state_pointer, Memory};
use crate::primitives::{sleep_ns, wait_for_pinned};
use crate::registry::framework;
use crate::route::Routes;
use crate::slot::{Slot, Unlisted};
use crate::text::{Name, Text};
use crate::transition::Transition;
use crate::trial::Trial;

/// Instances per second that a sweep in the background moves, unless somebody says otherwise.
const USUAL_RATE: u64 = 100_000;

/// How often it is looked whether the last instance of a class that is to go has ended, and how
/// long to wait between, in nanoseconds.
const MOST_LOOKS: u32 = 100;
const LOOK_NS: u64 = 10_000_000;

/// A class as the framework keeps it.
#[pin_data]
pub struct Class {
    name: Name,
    interface: Contract,
    gate: Arc<Gate>,
    lists: Lists,
    next_id: Atomic<u64>,
    /// How stale slots are brought up; null where there is none.
    routes: Atomic<*const Routes>,
    generation: Atomic<u64>,
    /// Instances per second that a sweep in the background moves; 0: no limit.
    rate: Atomic<u64>,
    is_held: Atomic<bool>,
    requires_signature: Atomic<bool>,
    #[pin]
    retirement: Mutex<()>,
    #[pin]
    inner: Mutex<Inner>,
}

/// What changes in a class, outside the path of a call.
pub(crate) struct Inner {
    pub(crate) implementations: KVec<Arc<Registered>>,
    /// The default: what makes new instances. Holds a pin.
    pub(crate) default: Option<Arc<Registered>>,
    holders: KVec<Arc<Holder>>,
    /// What the class goes back to unless the last update is confirmed.
    pub(crate) trial: Option<Arc<Trial>>,
    pub(crate) transition: Option<Arc<Transition>>,
    /// Grows with every transition and every change of the default.
    pub(crate) changes: u64,
    /// Of the last transition.
    pub(crate) progress: (u64, u64),
    /// The class is being removed, or was: nothing can begin or register any more.
    pub(crate) is_retired: bool,
    pub(crate) last: Last,
    pub(crate) blockers: KVec<Blocker>,
    pub(crate) transitions_ok: u64,
    pub(crate) transitions_failed: u64,
    pub(crate) longest_wait_ns: u64,
}

/// The result of the last request, for `last_result`.
#[derive(Clone, Copy)]
pub struct Last {
    /// One line; empty before the first request.
    pub reason: Text<REASON_LEN>,
    /// The transition's number; 0: none was begun.
    pub id: u64,
    /// `None`: it went well.
    pub error: Option<Error>,
}

impl Last {
    /// Nothing has been asked yet.
    pub const fn none() -> Self {
        Self {
            reason: Text::new(),
            id: 0,
            error: None,
        }
    }

    /// The result of a request that was refused.
    pub fn refused(refusal: &Refusal, id: u64) -> Self {
        Self {
            reason: refusal.reason(),
            id,
            error: Some(refusal.error),
        }
    }

    /// `ok`, or an errno's name. For the moment, and not kept with it: the text may be that of
    /// another module, into which this was compiled.
    pub fn result(&self) -> &'static str {
        self.error.map_or("ok", errno_name)
    }
}

impl Class {
    pub(crate) fn new(name: &str, interface: &Description) -> Result<Arc<Self>> {
        let is_atomic = interface.context == Context::Atomic;
        let interface = Contract::new(interface)?;
        let gate = Gate::new(framework().records.clone(), is_atomic)?;
        let lists = Lists::new()?;
        Arc::pin_init(
            pin_init!(Self {
                name: Name::from(name),
                interface,
                gate,
                lists,
                next_id: Atomic::new(1),
                routes: Atomic::new(ptr::null()),
                generation: Atomic::new(0),
                rate: Atomic::new(USUAL_RATE),
                is_held: Atomic::new(false),
                // SAFETY: A word that is set while the module is loaded.
                requires_signature: Atomic::new(unsafe { molt_require_signature }),
                retirement <- kernel::new_mutex!((), "molt_retirement"),
                inner <- kernel::new_mutex!(Inner {
                    implementations: KVec::new(),
                    default: None,
                    holders: KVec::new(),
                    trial: None,
                    transition: None,
                    changes: 0,
                    progress: (0, 0),
                    is_retired: false,
                    last: Last::none(),
                    blockers: KVec::new(),
                    transitions_ok: 0,
                    transitions_failed: 0,
                    longest_wait_ns: 0,
                }, "molt_class"),
            }),
            GFP_KERNEL,
        )
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Its interface.
    pub fn interface(&self) -> &Contract {
        &self.interface
    }

    /// Its gate.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// How many updates it has seen.
    pub fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    /// Live instances, with those that are being made or wait for their end.
    pub fn instances(&self) -> i64 {
        self.lists.slots()
    }

    /// Those of them that `implementation` serves.
    pub fn instances_of(&self, implementation: &Registered) -> i64 {
        // In this order none is missed.
        let counted = self.lists.instances_of(implementation);
        counted.wrapping_add(implementation.instances.load(Relaxed))
    }

    /// The implementation that makes its instances, and serves them unless some were switched.
    /// May sleep.
    pub fn default_implementation(&self) -> Option<Arc<Registered>> {
        self.inner.lock().default.clone()
    }

    /// The result of the last request. May sleep.
    pub fn last(&self) -> Last {
        self.inner.lock().last
    }

    /// Notes the result of a request that named this class. May sleep.
    pub fn set_last(&self, last: Last) {
        self.inner.lock().last = last;
    }

    /// The running transition. May sleep.
    pub fn transition(&self) -> Option<Arc<Transition>> {
        self.inner.lock().transition.clone()
    }

    /// May sleep.
    ///
    /// # Errors
    ///
    /// `EBUSY`: a transition is running.
    pub(crate) fn check_idle(&self) -> Result<(), Refusal> {
        match self.transition() {
            Some(_) => Err(Refusal::new(
                EBUSY,
                fmt!("{}: a transition is running", self.name()),
            )),
            None => Ok(()),
        }
    }

    /// The word for `state` in sysfs. May sleep.
    pub fn state(&self) -> &'static str {
        let inner = self.inner.lock();
        let has_committed = |one: &Arc<Transition>| one.attempt.has_committed();
        match self.gate.phase() {
            // The old objects are there yet, or their pins.
            Phase::Idle if inner.transition.as_ref().is_some_and(has_committed) => "reclaiming",
            phase => phase.name(),
        }
    }

    /// Transitions that committed, and those that did not. May sleep.
    pub fn transitions(&self) -> (u64, u64) {
        let inner = self.inner.lock();
        (inner.transitions_ok, inner.transitions_failed)
    }

    /// The longest wait of a call at the gate so far, in nanoseconds. May sleep.
    pub fn longest_wait_ns(&self) -> u64 {
        self.inner.lock().longest_wait_ns
    }

    /// Visits the implementations. `f` must not touch the class's lock. May sleep.
    pub fn for_each_implementation(&self, f: impl FnMut(&Arc<Registered>)) {
        self.inner.lock().implementations.iter().for_each(f);
    }

    /// Whether it was removed. May sleep.
    pub fn is_removed(&self) -> bool {
        self.inner.lock().default.is_none()
    }

    /// Visits the blockers that the last attempt named. `f` must not touch the class's lock.
    /// May sleep.
    pub fn for_each_blocker(&self, f: impl FnMut(&Blocker)) {
        self.inner.lock().blockers.iter().for_each(f);
    }

    /// Whether `module` has registered an implementation of this name. May sleep.
    pub(crate) fn is_served_by(&self, module: *const bindings::module, name: &str) -> bool {
        let inner = self.inner.lock();
        let mut all = inner.implementations.iter();
        all.any(|i| i.module().cast_const() == module && i.name() == name)
    }

    /// Whether instances can be made, now or once `module` is live, and the class is not being
    /// removed. May sleep.
    pub(crate) fn can_create(&self, module: *const bindings::module) -> bool {
        let inner = self.inner.lock();
        let default = inner.default.as_ref();
        // Under the lock, which a registration that ends has to take.
        !inner.is_retired
            && default.is_some_and(|one| one.module().cast_const() == module || one.is_live())
    }

    /// The implementation of this name, and of this version where one is given; without a
    /// version the highest. May sleep.
    pub fn find(&self, name: &str, version: Option<u32>) -> Option<Arc<Registered>> {
        self.with_found(name, version, |found| found.cloned())
    }

    /// Hands the same to `f`, under the class's lock.
    pub(crate) fn with_found<R>(
        &self,
        name: &str,
        version: Option<u32>,
        f: impl FnOnce(Option<&Arc<Registered>>) -> R,
    ) -> R {
        let inner = self.inner.lock();
        let all = inner.implementations.iter();
        f(all
            .filter(|i| i.name() == name && version.is_none_or(|v| i.version() == v))
            .max_by_key(|i| i.version()))
    }

    pub(crate) fn inner(&self) -> &Mutex<Inner> {
        // The class lies in an `Arc` and is never moved.
        &self.inner
    }

    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Instances per second that a sweep in the background moves; 0: no limit.
    pub fn rate(&self) -> u64 {
        self.rate.load(Relaxed)
    }

    /// Sets that rate, for a sweep that runs, too.
    pub fn set_rate(&self, rate: u64) {
        self.rate.store(rate, Relaxed);
    }

    /// Whether transitions of this class are refused.
    pub fn is_held(&self) -> bool {
        self.is_held.load(Relaxed)
    }

    /// Refuses transitions of this class from now on, or no more. May sleep.
    pub fn set_held(&self, is_held: bool) {
        // Whoever begins one looks under this lock.
        let _inner = self.inner.lock();
        self.is_held.store(is_held, Relaxed);
    }

    /// Whether the class takes only implementations whose modules are signed.
    pub fn requires_signature(&self) -> bool {
        self.requires_signature.load(Relaxed)
    }

    /// Takes only such ones from now on, for good. What serves instances already goes on. May
    /// sleep; where a sweep is under way until that is done, which it hastens.
    ///
    /// # Errors
    ///
    /// * `EBUSY`: a transition is running, or the last update waits for a confirmation: without one
    ///   it has to go back, to a module that has no signature perhaps.
    /// * `EIO`: the kernel has oopsed; a sweep may wait for who is dead.
    /// * `EINTR`: the caller is being killed while the sweep is completed.
    pub fn require_signature(&self) -> Result<(), Refusal> {
        crate::plan::check_oops()?;
        crate::transition::finish_sweep(self)?;
        let mut inner = self.inner.lock();
        if inner.transition.is_some() || inner.trial.is_some() {
            return Err(Refusal::new(
                EBUSY,
                fmt!("{}: a transition is running, or on trial", self.name()),
            ));
        }
        // Who has planned a transition with other rules plans again.
        inner.changes = inner.changes.wrapping_add(1);
        self.requires_signature.store(true, Relaxed);
        Ok(())
    }

    /// # Errors
    ///
    /// `EKEYREJECTED`: the class requires a signature, and the implementation's module has none
    /// that is valid.
    pub(crate) fn check_signature(&self, implementation: &Registered) -> Result<(), Refusal> {
        match self.requires_signature() && !implementation.is_signed() {
            true => Err(Refusal::new(
                Error::from_errno(-(bindings::EKEYREJECTED as c_int)),
                fmt!(
                    "module {} has no valid signature, which {} requires",
                    implementation.module_name(),
                    self.name()
                ),
            )),
            false => Ok(()),
        }
    }

    /// How many instances the running transition has moved, and how many it has to; of the
    /// last one where none runs. May sleep.
    pub fn progress(&self) -> (u64, u64) {
        let inner = self.inner.lock();
        // SAFETY: Under this lock the routes stay: `set_routes` to null takes it, too.
        match unsafe { self.routes().as_ref() } {
            Some(routes) => routes.progress(),
            None => inner.progress,
        }
    }

    /// Visits the modules that made instances which are still there. `f` must not touch the
    /// class's lock. May sleep.
    pub fn for_each_holder(&self, mut f: impl FnMut(&Holder)) {
        let inner = self.inner.lock();
        let with_instances = inner.holders.iter().filter(|one| one.instances() > 0);
        with_instances.for_each(|one| f(one));
    }

    /// The holder for a module of this name. May sleep.
    pub(crate) fn holder(&self, module_name: Name) -> Result<Arc<Holder>> {
        let mut inner = self.inner.lock();
        let is_it = |one: &&Arc<Holder>| one.module_name() == module_name.as_str();
        if let Some(known) = inner.holders.iter().find(is_it) {
            return Ok(known.clone());
        }
        let holder = Holder::new(module_name)?;
        inner.holders.push(holder.clone(), GFP_KERNEL)?;
        Ok(holder)
    }

    /// The routes by which stale slots are brought up; null where none is stale.
    pub(crate) fn routes(&self) -> *const Routes {
        self.routes.load(Relaxed)
    }

    /// Sets them; before the commit that makes slots stale. Does not sleep.
    pub(crate) fn set_routes(&self, routes: &Routes) {
        self.routes.store(routes, Relaxed);
    }

    /// No slot is stale any more. Afterwards nobody uses the routes. Sleeps.
    pub(crate) fn clear_routes(&self) {
        let mut inner = self.inner.lock();
        // SAFETY: They are there until this function returns.
        if let Some(routes) = unsafe { self.routes().as_ref() } {
            inner.progress = routes.progress();
        }
        self.routes.store(ptr::null(), Relaxed);
        drop(inner);
        // Whoever brought the last slot up may be on its way out, and uses the routes. And only
        // this puts its stores to the slot before those of the next transition.
        wait_for_pinned();
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Relaxed)
    }

    pub(crate) fn next_generation(&self) {
        self.generation.fetch_add(1, Relaxed);
    }

    /// Takes the default away from a class that has no instance, for good; but for those that
    /// the module named `own`, its front's, has made, of which `let_go` has to make it get rid.
    /// That is not called while anything else is in the way. Sleeps.
    ///
    /// # Errors
    ///
    /// `EBUSY`: a transition runs, there are instances, or the class is being removed. What
    /// `let_go` returns.
    pub(crate) fn retire(
        &self,
        own: &str,
        let_go: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        // Whoever comes second waits, and finds it done: a module whose init has failed must
        // not go while its implementation is being given up by somebody else.
        let _one = self.retirement.lock();
        self.check_retiring(&self.inner.lock(), own)?;
        // Who is inside a call may stay there: until that is over the class can be updated, and
        // repaired. What transitions give up waiting for meanwhile is over then, too.
        self.gate.domain.synchronize();
        self.gate.domain.barrier();
        self.gate.changes.barrier();
        self.begin_retiring(own)?;
        let retired = let_go().and_then(|()| self.finish_retiring());
        retired.inspect_err(|_| self.inner.lock().is_retired = false)
    }

    /// From here on no transition begins and no implementation registers.
    fn begin_retiring(&self, own: &str) -> Result<(), Refusal> {
        let mut inner = self.inner.lock();
        self.check_retiring(&inner, own)?;
        inner.is_retired = true;
        Ok(())
    }

    /// Whether nothing is in the way but instances of the module named `own`.
    fn check_retiring(&self, inner: &Inner, own: &str) -> Result<(), Refusal> {
        if inner.transition.is_some() || inner.is_retired {
            return Err(Refusal::new(
                EBUSY,
                fmt!("a transition or the removal of {} is running", self.name()),
            ));
        }
        // Before anything is taken away. An abandoned call may be inside for ever; one that is
        // not has a handle, and so an instance.
        let others = inner.holders.iter();
        let others = others.filter(|holder| holder.module_name() != own);
        let others: i64 = others.map(|holder| holder.instances()).sum();
        if others != 0 {
            return Err(Refusal::new(
                EBUSY,
                fmt!("{} has {others} instances", self.name()),
            ));
        }
        if self.gate.has_pending() {
            return Err(Refusal::new(
                EBUSY,
                fmt!("a call of {} that was given up may be inside", self.name()),
            ));
        }
        Ok(())
    }

    fn finish_retiring(&self) -> Result<(), Refusal> {
        for _ in 0..MOST_LOOKS {
            // Handles that were dropped just now count until the reaper has come by; and who only
            // looks at an instance, for a table, keeps it for as long.
            framework().reaper.flush();
            if self.instances() == 0 {
                break;
            }
            sleep_ns(LOOK_NS);
        }
        if self.instances() != 0 {
            return Err(self.is_in_use());
        }
        self.lists.set_factory(ptr::null());
        // Creations that have found the factory are inside a domain, or were recorded by a
        // transition that has ended. No lock is held that a call may want.
        self.gate.domain.synchronize();
        self.gate.changes.synchronize();
        let calls = framework().records.scan(core::slice::from_ref(&self.gate));
        let mut inner = self.inner.lock();
        if self.instances() != 0 || calls != 0 {
            let default = inner.default.as_deref();
            self.lists
                .set_factory(default.map_or(ptr::null(), ptr::from_ref));
            return Err(self.is_in_use());
        }
        let (default, trial) = (inner.default.take(), inner.trial.take());
        drop(inner);
        if let Some(trial) = trial {
            trial.supersede();
        }
        if let Some(default) = default {
            default.unpin(1);
        }
        Ok(())
    }

    fn is_in_use(&self) -> Refusal {
        let (name, instances) = (self.name(), self.instances());
        Refusal::new(EBUSY, fmt!("{name} has {instances} instances, or calls"))
    }

    /// Makes an instance with one handle. `arguments` are read by the implementation;
    /// `consumed` says whether they were. Sleeps.
    pub(crate) fn create(
        self: &Arc<Self>,
        holder: &Holder,
        key: Option<u64>,
        arguments: *mut (),
        consumed: &mut bool,
    ) -> Result<NonNull<Slot>> {
        let slot = Unlisted::new(self, holder, key)?;
        let place = slot.as_ptr();
        let made = match self.gate.enter_creation() {
            // SAFETY: `slot` is this function's until it is inserted.
            Some(inside) => unsafe {
                self.create_inside(place, inside.stamp(), arguments, consumed)
            },
            // SAFETY: As above.
            None => unsafe { self.create_late(place, arguments, consumed) },
        };
        made.map(|()| slot.into_raw())
    }

    /// The same once the class is open, or as a recorded call.
    ///
    /// # Safety
    ///
    /// `slot` and `arguments` are as for `create_inside`.
    #[cold]
    #[inline(never)]
    unsafe fn create_late(
        &self,
        slot: *mut Slot,
        arguments: *mut (),
        consumed: &mut bool,
    ) -> Result {
        let mut made = Err(EDEADLK);
        self.gate.call_creation(&mut || {
            // SAFETY: As the caller promises.
            made = unsafe { self.create_inside(slot, self.gate.open_stamp(), arguments, consumed) };
        });
        made
    }

    /// The part of a creation that is a call of the class. The instance is listed and pins its
    /// implementation before that one's code runs: whoever plans a transition knows of it.
    ///
    /// # Safety
    ///
    /// The caller owns `slot`, which `Unlisted::new` has made, and runs this as a call of the
    /// class, in which `stamp` is the valid one. `arguments` are of the interface's type.
    #[inline(always)]
    unsafe fn create_inside(
        &self,
        slot: *mut Slot,
        stamp: u64,
        arguments: *mut (),
        consumed: &mut bool,
    ) -> Result {
        let mut size = self.lists.object_size();
        let (memory, implementation) = loop {
            let memory = Memory::new(size)?;
            // SAFETY: Both are this function's, and the caller runs it as a creation.
            match unsafe { self.lists.insert(slot, stamp, &memory, size)? } {
                Insertion::Done(implementation) => break (memory.into_raw(), implementation),
                Insertion::OfSize(other) => size = other,
            }
        };
        *consumed = true;
        let state = state_pointer(memory, implementation);
        // SAFETY: The memory has the layout of the state; `consumed` gives the arguments away.
        let made = unsafe { (implementation.descriptor().create)(arguments, state) };
        if made.is_err() {
            // SAFETY: No state was made.
            unsafe { self.unlist(slot, implementation) };
            return made;
        }
        // SAFETY: Nobody ends an instance that has no handle yet.
        let slot = unsafe { &*slot };
        slot.holder().count(1);
        slot.publish();
        Ok(())
    }

    /// Takes an instance whose state is gone out of the class. What is left of it is its slot.
    ///
    /// # Safety
    ///
    /// The caller runs a call that makes or ends this instance, which nobody has a handle of.
    /// It was inserted, `implementation` serves it, and the state is not looked at any more.
    pub(crate) unsafe fn unlist(&self, slot: *mut Slot, implementation: &Registered) {
        // SAFETY: As the caller promises. A pin is given up here that is not the last one.
        let is_unpinned = unsafe { self.lists.remove(slot, implementation) };
        // SAFETY: The slot stays alive, and its object is this function's.
        let (slot, memory) = unsafe { (&*slot, NonNull::new((*slot).object())) };
        // Off the lists no transition gives it another one.
        drop(slot.own(|twin| twin.0.take()));
        // SAFETY: As above.
        drop(memory.map(|memory| unsafe { Memory::from_raw(memory) }));
        if !is_unpinned {
            implementation.instances.fetch_sub(1, Relaxed);
            implementation.unpin(1);
        }
    }
}
