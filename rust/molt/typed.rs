// SPDX-License-Identifier: GPL-2.0

//! Typed classes: a class as a caller sees it, who opens it by name and makes instances.

use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};

use kernel::bindings;
use kernel::error::code::{ENOENT, EPROTO};
use kernel::prelude::*;
use kernel::str::CStr;
use kernel::sync::Arc;

use crate::class::Class;
use crate::handle::Handle;
#[cfg(not(MODULE))]
use crate::helpers::molt_calling_module;
use crate::holder::Holder;
use crate::interface::Interface;
use crate::registry::framework;

/// The module that this function is compiled for; null in code that is built in.
#[inline(always)]
pub(crate) fn this_module() -> *const bindings::module {
    #[cfg(MODULE)]
    {
        extern "C" {
            static __this_module: u8;
        }
        (&raw const __this_module).cast()
    }
    // How the framework is built does not say how its client is.
    #[cfg(not(MODULE))]
    // SAFETY: Whoever this becomes a part of is running.
    unsafe {
        molt_calling_module()
    }
}

/// A class as a caller sees it, typed by its interface. Dropping it may sleep: it may be the last
/// one of a class that was removed.
///
/// # Invariants
///
/// The class serves `I`: the fingerprints are equal.
pub struct Typed<I: ?Sized + Interface> {
    class: Arc<Class>,
    /// The module that opened it.
    holder: Arc<Holder>,
    interface: PhantomData<fn(&I)>,
}

impl<I: ?Sized + Interface> Typed<I> {
    /// Looks a class up. May sleep.
    ///
    /// # Errors
    ///
    /// * `ENOENT`: there is no class of this name.
    /// * `EPROTO`: it serves another interface; the log says what differs.
    /// * `ENOMEM`.
    pub fn open(name: &CStr) -> Result<Self> {
        // In the module that this is compiled for: the one that calls.
        Self::open_for(name, this_module())
    }

    fn open_for(name: &CStr, module: *const bindings::module) -> Result<Self> {
        let name = name.to_str().map_err(|_| ENOENT)?;
        let class = framework().find(name).ok_or(ENOENT)?;
        if let Err(refusal) = class.interface().check(name, I::DESCRIPTION) {
            crate::log::refused_caller(&refusal);
            return Err(EPROTO);
        }
        // SAFETY: The code of that module calls.
        let holder = class.holder(unsafe { Holder::name_of(module) })?;
        Ok(Self {
            class,
            holder,
            interface: PhantomData,
        })
    }

    /// Makes an instance. Sleeps while the class is being updated; must not be called
    /// where sleeping is forbidden.
    ///
    /// # Errors
    ///
    /// * `ENODEV`: the class was removed, or its default's module is going.
    /// * `EAGAIN`: the default's module has not finished its init.
    /// * `EDEADLK`: a rule of a transition of this class makes it.
    /// * `ENOMEM`, and what the implementation's `create` returns.
    pub fn create(&self, arguments: I::Arguments) -> Result<Handle<I>> {
        self.create_as(None, arguments)
    }

    /// The same, with a key of the caller's choice, by which the instance can be chosen for a
    /// switch. Several instances may have the same.
    ///
    /// # Errors
    ///
    /// As [`Typed::create`].
    pub fn create_with_key(&self, key: u64, arguments: I::Arguments) -> Result<Handle<I>> {
        self.create_as(Some(key), arguments)
    }

    fn create_as(&self, key: Option<u64>, arguments: I::Arguments) -> Result<Handle<I>> {
        let mut arguments = MaybeUninit::new(ManuallyDrop::new(arguments));
        let mut consumed = false;
        let result = self.class.create(
            &self.holder,
            key,
            arguments.as_mut_ptr().cast(),
            &mut consumed,
        );
        if !consumed {
            // SAFETY: Initialised above, and nobody has read them.
            drop(ManuallyDrop::into_inner(unsafe { arguments.assume_init() }));
        }
        // SAFETY: The slot comes with one count; by the type invariant the class serves `I`.
        result.map(|slot| unsafe { Handle::from_slot(slot) })
    }

    /// The erased class: its state, its implementations, its instances.
    pub fn class(&self) -> &Arc<Class> {
        &self.class
    }
}

impl<I: ?Sized + Interface> Clone for Typed<I> {
    fn clone(&self) -> Self {
        Self {
            class: self.class.clone(),
            holder: self.holder.clone(),
            interface: PhantomData,
        }
    }
}
