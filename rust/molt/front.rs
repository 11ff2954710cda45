// SPDX-License-Identifier: GPL-2.0

//! Fronts: who owns what a class has registered with the rest of the kernel.
//!
//! Whatever the kernel calls back must not be text of an implementation, which is replaced. So
//! devices, disks and the like belong to a front: a module that stays, whose callbacks reach the
//! instances through handles. An implementation only asks for one, from its init. The front makes
//! the registration once for the class, and ends it with the class:
//!
//! ```text
//!        init asks           the module is live              removal
//!  none ----------> asked ----------------------> attached ----------> none
//!                     |   init fails, or the front  |   ^
//!                     v   cannot attach             +---+ in use: EBUSY
//!                    none
//! ```
//!
//! Until the module is live its text may yet go, so nobody can be let in before. While a class
//! is attached, its front's module is pinned.
//!
//! Anybody can write a front: a module that implements [`Front`] and keeps a [`Registration`].
//! Its alias `molt-front-<name>` is what is loaded where an implementation asks for it.

pub mod block;
pub mod misc;
mod report;
mod waker;
pub mod work;

pub use report::Report;
pub use waker::Waker;

use core::ops::Deref;
use core::ptr;

use kernel::bindings;
use kernel::error::code::{EAGAIN, EBUSY, EEXIST, EINVAL, ENAMETOOLONG, ENODEV, ENOENT};
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{Arc, Mutex, MutexGuard};

use crate::class::Class;
use crate::container::Room;
use crate::error::Refusal;
use crate::helpers::{molt_front_request, molt_module_get, molt_module_is_live, molt_module_put};
use crate::holder::Holder;
use crate::log;
use crate::movable::Movable;
use crate::registry::{find_by_module, framework};
use crate::schema::State;
use crate::testing::{fault, Site};
use crate::text::Name;
use crate::typed::this_module;

/// A name as options hold it: with zeroes up to the end, one at least.
///
/// # Errors
///
/// `ENAMETOOLONG`: it has no room.
fn padded<const N: usize>(name: &CStr) -> Result<[u8; N]> {
    let (name, mut bytes) = (name.to_bytes_with_nul(), [0; N]);
    let room = bytes.get_mut(..name.len()).ok_or(ENAMETOOLONG)?;
    room.copy_from_slice(name);
    Ok(bytes)
}

/// What a module does that owns registrations on behalf of classes.
pub trait Front: Send + Sync {
    /// Makes the registration for a class, whose default implementation is live: instances can be
    /// made. Runs while that module is inserted. May sleep.
    ///
    /// # Errors
    ///
    /// Whatever the subsystem says; the class then stays without. `EINVAL`: the options are of
    /// another type.
    fn attach(&self, class: &CStr, options: &Options) -> Result;

    /// Another implementation of a class that is attached asks for the same. An error makes its
    /// init fail. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the options do not fit the registration that there is.
    fn join(&self, class: &CStr, options: &Options) -> Result {
        let _ = (class, options);
        Ok(())
    }

    /// Makes one more registration for a class that is attached, on behalf of somebody else.
    /// Returns a number for it, which the front never gives again. May sleep.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP`: this front has one for each class. `EINVAL`: the options are of another type.
    /// And what the subsystem says.
    fn add(&self, class: &CStr, options: &Options) -> Result<u64> {
        let _ = (class, options);
        Err(EOPNOTSUPP)
    }

    /// Ends one that `add` has made, also where it is in use. May sleep.
    fn remove(&self, number: u64) {
        let _ = number;
    }

    /// Ends the registration and gives up all handles: the class is to be removed. May sleep.
    ///
    /// # Errors
    ///
    /// `EBUSY`: somebody uses it. Nothing has changed then.
    fn detach(&self, class: &CStr) -> Result;
}

/// What an implementation tells its front: a value of a type that both know.
pub struct Options {
    kind: u64,
    value: Room,
}

impl Options {
    /// May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new<T: Movable + Copy>(value: T) -> Result<Self> {
        let room = Room::new(1, size_of::<T>(), align_of::<T>())?;
        // SAFETY: The room is for a `T`.
        unsafe { room.first().cast::<T>().write(value) };
        Ok(Self {
            kind: T::FINGERPRINT,
            value: room,
        })
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it is of another type.
    pub fn get<T: Movable + Copy>(&self) -> Result<T> {
        if self.kind != T::FINGERPRINT {
            return Err(EINVAL);
        }
        // SAFETY: A type with this fingerprint was put there, and copies are whole values.
        Ok(unsafe { self.value.first().cast::<T>().read() })
    }
}

/// A front that is there.
struct Known {
    name: Name,
    module: *mut bindings::module,
    front: Arc<dyn Front>,
}

// SAFETY: `module` is used for references only.
unsafe impl Send for Known {}
// SAFETY: As above.
unsafe impl Sync for Known {}

impl Known {
    /// Whether its module's init has succeeded, and it is not going. Until then a module is freed
    /// whoever refers to it. Under the lock of all fronts, or with a reference.
    fn is_live(&self) -> bool {
        // SAFETY: It is registered or in use, so its module is there.
        unsafe { molt_module_is_live(self.module) }
    }
}

/// A reference to a front's module.
struct Module(*mut bindings::module);

// SAFETY: It is a reference count.
unsafe impl Send for Module {}
// SAFETY: As above.
unsafe impl Sync for Module {}

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: Taken when it was made; no frame of that module is below this one.
        unsafe { molt_module_put(self.0) };
    }
}

/// A front in use: its module stays for as long. Fields are dropped in this order.
struct Used {
    known: Arc<Known>,
    _module: Module,
}

impl Used {
    /// # Errors
    ///
    /// `ENODEV`: the front's module is going.
    fn new(known: &Arc<Known>) -> Result<Self> {
        // SAFETY: It is registered or in use, so its module is there; if it is going this fails.
        match unsafe { molt_module_get(known.module) } {
            true => Ok(Self {
                known: known.clone(),
                _module: Module(known.module),
            }),
            false => Err(ENODEV),
        }
    }
}

impl Deref for Used {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.known
    }
}

/// How far a class is with its front.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// This module has asked, and is not live yet.
    Asked(*mut bindings::module),
    /// The front attaches it or detaches it at this moment.
    Changing,
    Attached,
}

/// A class and its front.
struct Attached {
    class: Arc<Class>,
    front: Used,
    options: Arc<Options>,
    stage: Stage,
    /// How many calls of the front are under way that need it to stay attached.
    lent: usize,
}

// SAFETY: Pointers to modules are compared only.
unsafe impl Send for Attached {}

/// All fronts, and the classes that have one.
#[pin_data]
pub(crate) struct Fronts {
    #[pin]
    inner: Mutex<Inner>,
}

struct Inner {
    known: KVec<Arc<Known>>,
    classes: KVec<Attached>,
}

impl Inner {
    fn front(&self, name: &str) -> Option<&Arc<Known>> {
        self.known.iter().find(|known| known.name.as_str() == name)
    }

    /// Whether there is a front of this name that can be used.
    fn is_live(&self, name: &str) -> bool {
        self.front(name).is_some_and(|known| known.is_live())
    }

    fn class(&mut self, class: &Class) -> Option<&mut Attached> {
        let mut classes = self.classes.iter_mut();
        classes.find(|one| ptr::eq(&*one.class, class))
    }

    /// Forgets a class, and lets its front's module go.
    fn forget(&mut self, class: &Class) {
        self.classes.retain(|one| !ptr::eq(&*one.class, class));
    }
}

impl Fronts {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            inner <- kernel::new_mutex!(
                Inner {
                    known: KVec::new(),
                    classes: KVec::new(),
                },
                "molt_fronts"
            ),
        })
    }

    /// A module has become live: whoever it asked for can begin. Sleeps.
    pub(crate) fn module_is_live(&self, module: *mut bindings::module) {
        while let Some((class, front, options)) = self.next_of(module) {
            self.begin(&class, &front, &options);
        }
    }

    fn next_of(&self, module: *mut bindings::module) -> Option<(Arc<Class>, Used, Arc<Options>)> {
        let mut inner = self.inner.lock();
        let mut classes = inner.classes.iter_mut();
        let one = classes.find(|one| one.stage == Stage::Asked(module))?;
        let front = Used::new(&one.front.known).ok()?;
        one.stage = Stage::Changing;
        Some((one.class.clone(), front, one.options.clone()))
    }

    fn begin(&self, class: &Class, front: &Known, options: &Options) {
        let made = with_name(class, |name| front.front.attach(name, options));
        let (name, front) = (class.name(), front.name.as_str());
        let mut inner = self.inner.lock();
        match made {
            Ok(()) => {
                if let Some(one) = inner.class(class) {
                    one.stage = Stage::Attached;
                }
                log::attached(name, front);
            }
            Err(error) => {
                inner.forget(class);
                log::not_attached(name, front, error);
            }
        }
    }

    /// The name of the module of a class's front; empty where it has none. Sleeps.
    pub(crate) fn module_of(&self, class: &Class) -> Name {
        let mut inner = self.inner.lock();
        match inner.class(class) {
            // SAFETY: The front is in use, so its module is there.
            Some(one) => unsafe { Holder::name_of(one.front.module) },
            None => Name::new(),
        }
    }

    /// Asks the front of a class that is to be removed to let go of it. Sleeps.
    ///
    /// # Errors
    ///
    /// `EBUSY`: it is in use, or is being attached.
    pub(crate) fn detach(&self, class: &Arc<Class>) -> Result<Option<Detached<'_>>, Refusal> {
        let busy = |what| Refusal::new(EBUSY, fmt!("{}: {what}", class.name()));
        let mut inner = self.inner.lock();
        let Some(one) = inner.class(class) else {
            return Ok(None);
        };
        if one.stage != Stage::Attached {
            return Err(busy("its front is being attached or detached"));
        }
        if one.lent != 0 {
            return Err(busy("its front is at work for it"));
        }
        let (front, options) = (Used::new(&one.front.known)?, one.options.clone());
        one.stage = Stage::Changing;
        drop(inner);
        if let Err(error) = with_name(class, |name| front.front.detach(name)) {
            if let Some(one) = self.inner.lock().class(class) {
                one.stage = Stage::Attached;
            }
            let name = front.name.as_str();
            return Err(Refusal::new(
                error,
                fmt!("{}: the front {name} is in use", class.name()),
            ));
        }
        Ok(Some(Detached {
            fronts: self,
            class: class.clone(),
            front,
            options,
        }))
    }

    /// Notes that an implementation of `class` wants a front. Sleeps.
    fn ask(
        &self,
        class: &Arc<Class>,
        front: &str,
        options: Options,
        module: *mut bindings::module,
    ) -> Result {
        let mut inner = self.inner.lock();
        if !inner.is_live(front) {
            drop(inner);
            let name = CString::try_from_fmt(fmt!("molt-front-{front}"))?;
            // SAFETY: A C string, which is only read.
            unsafe { molt_front_request(name.as_char_ptr()) };
            inner = self.inner.lock();
        }
        let front = Used::new(inner.front(front).ok_or(ENOENT)?)?;
        if let Some(one) = inner.class(class) {
            return match one.stage {
                _ if !Arc::ptr_eq(&one.front.known, &front.known) => Err(EINVAL),
                Stage::Attached => self.lend(inner, class, |name| front.front.join(name, &options)),
                _ => Err(EAGAIN),
            };
        }
        // Who made the class takes it along if its init fails, and would not know of the front.
        if !front.is_live() || !class.can_create(module) {
            return Err(EAGAIN);
        }
        fault(Site::Attachment)?;
        let one = Attached {
            class: class.clone(),
            front,
            options: Arc::new(options, GFP_KERNEL)?,
            stage: Stage::Asked(module),
            lent: 0,
        };
        inner.classes.push(one, GFP_KERNEL)?;
        drop(inner);
        if module.is_null() {
            // What is built in is live.
            self.module_is_live(module);
        }
        Ok(())
    }

    /// Calls the front of a class that is attached, and stays so meanwhile. Without the lock: a
    /// driver may wait for a module to become live, which takes it. Sleeps.
    fn lend<R>(
        &self,
        mut inner: MutexGuard<'_, Inner>,
        class: &Class,
        call: impl FnOnce(&CStr) -> Result<R>,
    ) -> Result<R> {
        if let Some(one) = inner.class(class) {
            one.lent = one.lent.wrapping_add(1);
        }
        drop(inner);
        let result = with_name(class, call);
        if let Some(one) = self.inner.lock().class(class) {
            one.lent = one.lent.wrapping_sub(1);
        }
        result
    }

    /// Takes back what `module` has asked for, if nothing has come of it.
    fn give_up(&self, class: &Class, module: *mut bindings::module) {
        let mut inner = self.inner.lock();
        if let Some(one) = inner.class(class) {
            if one.stage == Stage::Asked(module) {
                inner.forget(class);
            }
        }
    }
}

/// Calls `f` with the class's name as C has it.
fn with_name<R>(class: &Class, f: impl FnOnce(&CStr) -> Result<R>) -> Result<R> {
    let name = CString::try_from_fmt(fmt!("{}", class.name()))?;
    f(&name)
}

/// A class whose front has let go of it.
pub(crate) struct Detached<'a> {
    fronts: &'a Fronts,
    class: Arc<Class>,
    front: Used,
    options: Arc<Options>,
}

impl Detached<'_> {
    /// The class is gone.
    pub(crate) fn finish(self) {
        self.fronts.inner.lock().forget(&self.class);
    }

    /// The class stays, and so does its registration. Sleeps.
    pub(crate) fn undo(self) {
        self.fronts.begin(&self.class, &self.front, &self.options);
    }
}

/// A front's registration; its module keeps it. Dropping it sleeps.
pub struct Registration(Arc<Known>);

impl Registration {
    /// Registers a front under a name by which implementations ask for it. May sleep.
    ///
    /// # Errors
    ///
    /// `EEXIST`: there is one of this name. `ENOMEM`.
    pub fn new(name: &str, front: Arc<dyn Front>, module: &'static ThisModule) -> Result<Self> {
        let known = Arc::new(
            Known {
                name: Name::from(name),
                module: module.as_ptr(),
                front,
            },
            GFP_KERNEL,
        )?;
        let mut inner = framework().fronts.inner.lock();
        if inner.front(name).is_some() {
            return Err(EEXIST);
        }
        inner.known.push(known.clone(), GFP_KERNEL)?;
        Ok(Self(known))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // No class is attached: each would have pinned the module.
        let mut inner = framework().fronts.inner.lock();
        inner.known.retain(|known| !Arc::ptr_eq(known, &self.0));
    }
}

/// That an implementation has asked for a front; its module keeps it, as what its init returns.
/// What came of it belongs to the class, and stays when this is dropped, which may sleep.
pub struct Attachment {
    class: Arc<Class>,
    module: *mut bindings::module,
}

// SAFETY: `module` is compared only.
unsafe impl Send for Attachment {}
// SAFETY: As above.
unsafe impl Sync for Attachment {}

impl Attachment {
    /// Asks for a front on behalf of the implementation `T` of the module that this is compiled
    /// for. To be called in its init. Loads the front's module where it is not there. Sleeps.
    ///
    /// # Errors
    ///
    /// * `ENOENT`: there is no such front, or this module has not registered `T`.
    /// * `EINVAL`: the class has another front, or one that the options do not fit.
    /// * `EAGAIN`: another implementation of the class is asking, or is its default, and its
    ///   module is in its init; or the front's module is, and whatever loads modules does not wait
    ///   for it.
    /// * `ENODEV`: the front's module is going. `ENOMEM`.
    #[inline(always)]
    pub fn new<T: State>(front: &str, options: Options) -> Result<Self> {
        Self::of(T::NAME, front, options, this_module().cast_mut())
    }

    #[doc(hidden)]
    pub fn of(
        implementation: &str,
        front: &str,
        options: Options,
        module: *mut bindings::module,
    ) -> Result<Self> {
        let class = find_by_module(module, implementation).ok_or(ENOENT)?;
        let asked = framework().fronts.ask(&class, front, options, module);
        asked.inspect_err(|error| log::not_attached(class.name(), front, *error))?;
        Ok(Self { class, module })
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        framework().fronts.give_up(&self.class, self.module);
    }
}

/// A registration that a front has made on somebody's behalf, who keeps this. Dropping it ends the
/// registration, and sleeps. While it is there the class cannot be removed.
pub struct Addition {
    front: Used,
    number: u64,
}

impl Addition {
    /// Has the front of `class` make one more registration. Sleeps.
    ///
    /// # Errors
    ///
    /// * `ENOENT`: there is no such class, or it is not attached to this front.
    /// * What [`Front::add`] returns. `ENOMEM`.
    pub fn new(class: &CStr, front: &str, options: &Options) -> Result<Self> {
        let class = framework().find(class.to_str().map_err(|_| ENOENT)?);
        let class = class.ok_or(ENOENT)?;
        let fronts = &framework().fronts;
        let mut inner = fronts.inner.lock();
        let one = inner.class(&class).ok_or(ENOENT)?;
        if one.stage != Stage::Attached || one.front.name.as_str() != front {
            return Err(ENOENT);
        }
        let front = Used::new(&one.front.known)?;
        let number = fronts.lend(inner, &class, |name| front.front.add(name, options))?;
        Ok(Self { front, number })
    }
}

impl Drop for Addition {
    fn drop(&mut self) {
        self.front.front.remove(self.number);
    }
}

/// # Safety
///
/// Called by the kernel's notifier of modules, with one that has become live.
pub(crate) unsafe extern "C" fn module_is_live(module: *mut bindings::module) {
    framework().fronts.module_is_live(module);
}
