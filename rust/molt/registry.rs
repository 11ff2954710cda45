// SPDX-License-Identifier: GPL-2.0

//! The registry: the framework's one root, the classes, and who watches them.

use core::ptr;

use kernel::bindings;
use kernel::error::code::{EBUSY, EEXIST, EINVAL};
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{Arc, Mutex};

use crate::class::Class;
use crate::error::Refusal;
use crate::front::work::Workers;
use crate::front::{module_is_live, Fronts};
use crate::helpers::{
    molt_deaths_unwatch, molt_deaths_watch, molt_modules_unwatch, molt_modules_watch,
    molt_rcu_barrier, molt_wait_late_sync,
};
use crate::history::History;
use crate::implementation::{check_name, Descriptor, Registered};
use crate::interface::Context;
use crate::reaper::Reaper;
use crate::record::Records;
use crate::slot::Cache;
use crate::testing::{fault, Site};
use crate::transition::Transition;

/// Told what happens to classes. A control module registers one; its text is that
/// module's, which takes it back with [`unwatch`] before it goes.
///
/// Whoever makes two changes at once may be told of them in either order, or twice.
pub trait Observer: Send + Sync {
    /// A class was made. May sleep; must not register or remove classes.
    fn class_added(&self, class: &Arc<Class>);
    /// A class was taken out of the registry. As above.
    fn class_removed(&self, class: &Arc<Class>);
    /// A class that there was has one implementation more. As above.
    fn implementation_added(&self, class: &Arc<Class>, implementation: &Arc<Registered>);
    /// A class has one implementation less. As above.
    fn implementation_removed(&self, class: &Arc<Class>, implementation: &Arc<Registered>);
    /// A transition has come to an edge. Runs in its thread, with the gate open. May sleep.
    fn transition_reached(&self, transition: &Transition, edge: Edge);
}

/// Where a transition is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// It is about to begin.
    Begin,
    /// It has committed; objects may be moved and reclaimed yet.
    Commit,
    /// It has ended without a commit.
    Abort,
    /// After a commit: everything is moved and reclaimed.
    End,
}

impl Edge {
    /// The word for it in uevents and traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Commit => "commit",
            Self::Abort => "abort",
            Self::End => "end",
        }
    }
}

/// Everything that `molt.ko` keeps.
#[pin_data]
pub(crate) struct Framework {
    #[pin]
    classes: Mutex<KVec<Arc<Class>>>,
    #[pin]
    observers: Mutex<KVec<Arc<dyn Observer>>>,
    #[pin]
    pub(crate) history: Mutex<History>,
    pub(crate) records: Arc<Records>,
    pub(crate) reaper: Reaper,
    pub(crate) work: Workers,
    #[pin]
    pub(crate) fronts: Fronts,
    _slots: Cache,
    next_transition: Atomic<u64>,
    /// No transition begins.
    is_held: Atomic<bool>,
}

static ROOT: Atomic<*const Framework> = Atomic::new(ptr::null());

/// The framework. Only from `molt.ko`'s init to its exit: from a client's point of view
/// always, since each client needs `molt.ko`'s symbols.
pub(crate) fn framework() -> &'static Framework {
    // SAFETY: Set by `Root::new` before any client can be linked.
    unsafe { &*ROOT.load(Relaxed) }
}

/// Owns the framework; `molt.ko`'s module data.
pub(crate) struct Root(Pin<KBox<Framework>>);

impl Root {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let records = Arc::new(Records::new()?, GFP_KERNEL)?;
        records.settle();
        let slots = Cache::new()?;
        let reaper = Reaper::new()?;
        let work = Workers::new()?;
        let framework = KBox::pin_init(
            pin_init!(Framework {
                classes <- kernel::new_mutex!(KVec::new(), "molt_classes"),
                observers <- kernel::new_mutex!(KVec::new(), "molt_observers"),
                history <- kernel::new_mutex!(History::new(), "molt_history"),
                records,
                reaper,
                work,
                fronts <- Fronts::new(),
                _slots: slots,
                next_transition: Atomic::new(1),
                is_held: Atomic::new(false),
            }),
            GFP_KERNEL,
        )?;
        ROOT.store(&raw const *framework, Relaxed);
        // SAFETY: The drop takes it back, and waits for who is about to wake the queue.
        to_result(unsafe { molt_deaths_watch(framework.records.drain.as_ptr()) })?;
        // SAFETY: The function is there until the drop takes it back.
        to_result(unsafe { molt_modules_watch(module_is_live) }).inspect_err(|_| {
            // SAFETY: Watched just above; the queue is there yet.
            unsafe {
                molt_deaths_unwatch();
                molt_wait_late_sync();
            }
        })?;
        Ok(Self(framework))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // Classes that nobody removed have neither instances nor implementations: their
        // modules are gone, or this one would not be going.
        // SAFETY: Watched since `new`. Waits for a call that runs.
        unsafe { molt_modules_unwatch() };
        // SAFETY: Watched since `new`. Waits for whoever is inside.
        unsafe { molt_deaths_unwatch() };
        self.0.reaper.flush();
        // SAFETY: Always safe to call. No call is left that could wake somebody.
        unsafe { molt_wait_late_sync() };
        self.0.classes.lock().clear();
    }
}

impl Framework {
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Class>> {
        let classes = self.classes.lock();
        classes.iter().find(|class| class.name() == name).cloned()
    }

    pub(crate) fn next_transition(&self) -> u64 {
        self.next_transition.fetch_add(1, Relaxed)
    }

    /// Whether no transition may begin.
    pub(crate) fn is_held(&self) -> bool {
        self.is_held.load(Relaxed)
    }

    /// Runs `body` while nobody else does so, nor adds or removes a class. Sleeps.
    pub(crate) fn exclusively<R>(&self, body: impl FnOnce() -> R) -> R {
        let _classes = self.classes.lock();
        body()
    }

    pub(crate) fn tell(&self, tell: impl FnMut(&Arc<dyn Observer>)) {
        self.observers.lock().iter().for_each(tell);
    }
}

/// Registers an implementation, and its class where there is none of that name. May sleep.
pub(crate) fn register(
    descriptor: &'static Descriptor,
    implementation: Arc<Registered>,
) -> Result<Arc<Class>, Refusal> {
    check_name(descriptor.class)?;
    check_name(descriptor.name)?;
    if cfg!(CONFIG_PREEMPT_RT) && descriptor.interface.context == Context::Atomic {
        return Err(Refusal::new(
            EINVAL,
            fmt!(
                "{}: no classes of atomic context on a PREEMPT_RT kernel",
                descriptor.class
            ),
        ));
    }
    let framework = framework();
    let mut classes = framework.classes.lock();
    let known = classes
        .iter()
        .find(|c| c.name() == descriptor.class)
        .cloned();
    let is_new = known.is_none();
    let class = match known {
        Some(class) => class,
        None => Class::new(descriptor.class, descriptor.interface)?,
    };
    class
        .interface()
        .check(descriptor.class, descriptor.interface)?;
    if is_new {
        // Reserved first, so that nothing after `adopt` can fail.
        fault(Site::Class)?;
        classes.reserve(1, GFP_KERNEL)?;
    }
    adopt(&class, implementation.clone())?;
    if is_new {
        let _ = classes.push(class.clone(), GFP_KERNEL);
    }
    drop(classes);
    framework.tell(|observer| match is_new {
        true => observer.class_added(&class),
        false => observer.implementation_added(&class, &implementation),
    });
    Ok(class)
}

fn adopt(class: &Arc<Class>, implementation: Arc<Registered>) -> Result<(), Refusal> {
    let mut inner = class.inner().lock();
    if inner.is_retired {
        return Err(Refusal::new(
            EBUSY,
            fmt!("{} is being removed", class.name()),
        ));
    }
    class.check_signature(&implementation)?;
    let is_known = inner
        .implementations
        .iter()
        .any(|i| i.name() == implementation.name() && i.version() == implementation.version());
    if is_known {
        return Err(Refusal::new(
            EEXIST,
            fmt!("{} has {} already", class.name(), implementation.label()),
        ));
    }
    fault(Site::Implementation)?;
    inner.implementations.reserve(1, GFP_KERNEL)?;
    if inner.default.is_none() {
        implementation
            .pin()
            .map_err(|error| Refusal::new(error, fmt!("the module is going")))?;
        class.lists().set_factory(&*implementation);
        inner.default = Some(implementation.clone());
    }
    inner.implementations.push(implementation, GFP_KERNEL)?;
    Ok(())
}

/// Ends a registration: the module's exit, or the undoing of an init that failed.
///
/// An exit finds the implementation unused, since each use pins the module. A failing init
/// finds it unused too, but for being the default of a class that it has just made: until
/// its module is live nobody can create through it or update to it.
pub(crate) fn unregister(class: &Arc<Class>, implementation: &Arc<Registered>) {
    // The reaper may have given up the last pin an instant ago and still be looking at the
    // implementation. (Transitions hold it by a count.)
    framework().reaper.flush();
    // What its code has posted may have functions in the module that is going.
    // SAFETY: A module's init or exit may sleep.
    unsafe { molt_rcu_barrier() };
    let mut inner = class.inner().lock();
    inner
        .implementations
        .retain(|other| !Arc::ptr_eq(other, implementation));
    let was_default = inner
        .default
        .as_ref()
        .is_some_and(|default| Arc::ptr_eq(default, implementation));
    drop(inner);
    framework().tell(|observer| observer.implementation_removed(class, implementation));
    if was_default {
        if let Err(refusal) = class.retire("", || Ok(())) {
            pr_err!("{}: {}\n", class.name(), refusal.reason().as_str());
            // What goes makes no instance, whatever else there is.
            class.lists().set_factory(core::ptr::null());
        }
        forget(class);
    }
}

/// Takes a class without instances out of the registry; its implementations stay registered
/// with nothing to serve, and their modules can go. Sleeps.
///
/// # Errors
///
/// * `EBUSY`: it has instances, its front is in use, a transition is running, or it is being
///   removed already. At once for a transition of this class; where one of another class has
///   closed its gate, the reaper may stand there, and this waits until it has opened.
/// * `EIO`: a task has died in the kernel. It may be inside a call, which nobody can wait for.
pub fn remove(class: &Arc<Class>) -> Result<(), Refusal> {
    crate::plan::check_oops()?;
    // First of all: the reaper may itself wait at the gate of such a transition.
    class.check_idle()?;
    // Handles that were dropped just now still count until it has come by.
    framework().reaper.flush();
    let fronts = &framework().fronts;
    let mut detached = None;
    let retired = class.retire(fronts.module_of(class).as_str(), || {
        detached = fronts.detach(class)?;
        Ok(())
    });
    if let Err(refusal) = retired {
        // Somebody has made an instance since, or keeps one of the front's.
        if let Some(detached) = detached {
            detached.undo();
        }
        return Err(refusal);
    }
    forget(class);
    if let Some(detached) = detached {
        detached.finish();
    }
    Ok(())
}

/// The class that `module` has registered an implementation of this name for. May sleep.
pub(crate) fn find_by_module(
    module: *const bindings::module,
    implementation: &str,
) -> Option<Arc<Class>> {
    let classes = framework().classes.lock();
    let mut classes = classes.iter();
    let found = classes.find(|class| class.is_served_by(module, implementation));
    found.cloned()
}

fn forget(class: &Arc<Class>) {
    let mut classes = framework().classes.lock();
    let before = classes.len();
    classes.retain(|other| !Arc::ptr_eq(other, class));
    let is_gone = classes.len() != before;
    drop(classes);
    if is_gone {
        framework().tell(|observer| observer.class_removed(class));
    }
}

/// Whether all transitions are refused.
pub fn is_held() -> bool {
    framework().is_held()
}

/// Refuses all transitions from now on, or no more. Those that run go on. Sleeps.
pub fn set_held(is_held: bool) {
    let framework = framework();
    framework.exclusively(|| framework.is_held.store(is_held, Relaxed));
}

/// Looks a class up by name. May sleep.
pub fn find(name: &str) -> Option<Arc<Class>> {
    framework().find(name)
}

/// Visits every class. `f` must not register or remove classes. May sleep.
pub fn for_each_class(mut f: impl FnMut(&Arc<Class>)) {
    framework().classes.lock().iter().for_each(&mut f);
}

/// Adds an observer, and tells it of each class that there is. May sleep.
///
/// # Errors
///
/// `EBUSY`: it is one already. `ENOMEM`.
pub fn watch(observer: Arc<dyn Observer>) -> Result {
    let framework = framework();
    // Both locks in the order of `register`, which lets go of the first: a class that is
    // made meanwhile is told of after, by whoever made it, and an observer takes it twice.
    let classes = framework.classes.lock();
    let mut observers = framework.observers.lock();
    if observers.iter().any(|other| Arc::ptr_eq(other, &observer)) {
        return Err(EBUSY);
    }
    observers.push(observer.clone(), GFP_KERNEL)?;
    for class in classes.iter() {
        observer.class_added(class);
    }
    Ok(())
}

/// Takes an observer back; when this returns none of its functions runs. Sleeps.
pub fn unwatch(observer: &Arc<dyn Observer>) {
    framework()
        .observers
        .lock()
        .retain(|other| !Arc::ptr_eq(other, observer));
}
