// SPDX-License-Identifier: GPL-2.0

//! Implementations: one version of the code behind a class, brought by a module.

use kernel::bindings;
use kernel::error::code::{ENODEV, ENOENT, ENOMEM};
use kernel::fmt;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed};
use kernel::sync::{Arc, SpinLock};

use kernel::ffi::c_char;

use crate::callback::Callbacks;
use crate::class::Class;
use crate::error::Refusal;
use crate::helpers::{
    molt_module_get, molt_module_is_live, molt_module_is_signed, molt_module_name, molt_module_put,
    molt_module_srcversion,
};
use crate::interface::{Description, Interface, Serves};
use crate::object::{object_size, state_offset};
#[cfg(not(testlib))]
use crate::registry::register;
use crate::repair::Mend;
#[cfg(testlib)]
use crate::round_trip::register;
use crate::schema::format::Schema;
use crate::schema::{RuleFunctions, State, TypeFunctions};
use crate::text::{Name, Text, NAME_LEN};
use crate::transfer;

/// What an author writes to serve a class: how an instance begins.
///
/// The methods themselves are in the interface's trait.
pub trait Implementation<I: ?Sized + Interface>: State + Send + Sync {
    /// Makes the state of a new instance. Runs as a call of the class; may sleep.
    fn create(arguments: I::Arguments) -> impl PinInit<Self, Error>;

    /// The instance has come to its end: its last handle is gone. Runs as a call of the class,
    /// before the state is dropped; may sleep, in a class of atomic context, too. Not called for a
    /// state that another version has taken over, so this is the place for what a `Drop` would do,
    /// which a state must not have.
    fn closed(&self) {}
}

/// An implementation as its module describes it. Lies in that module's rodata; `molt.ko`
/// follows the pointers only while the module is pinned or its registration exists.
pub struct Descriptor {
    pub(crate) class: &'static str,
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) interface: &'static Description,
    pub(crate) operations: *const (),
    pub(crate) state: transfer::End,
    pub(crate) create: unsafe fn(arguments: *mut (), state: *mut ()) -> Result,
    pub(crate) closed: unsafe fn(state: *const ()),
    pub(crate) drop: unsafe fn(state: *mut ()),
    pub(crate) described: Described,
    pub(crate) transfers: &'static [transfer::Table],
    pub(crate) repairs: &'static [Mend],
    pub(crate) callbacks: Option<Callbacks>,
    #[cfg(testlib)]
    pub(crate) arguments: &'static crate::schema::Type,
}

/// The schema that a module carries, and the functions that belong to it, in the same order.
#[derive(Clone, Copy)]
pub struct Described {
    /// The section `.molt.schema`.
    pub schema: &'static [u8],
    /// Of each type.
    pub types: &'static [TypeFunctions],
    /// Of each rule.
    pub rules: &'static [RuleFunctions],
}

// SAFETY: Constant data.
unsafe impl Sync for Descriptor {}

impl Descriptor {
    /// Adds what runs before and after an update to this implementation.
    pub const fn with_callbacks(self, callbacks: Callbacks) -> Self {
        Self {
            callbacks: Some(callbacks),
            ..self
        }
    }

    /// Adds how states that are known to be damaged are rebuilt for this implementation.
    pub const fn with_repairs(self, repairs: &'static [Mend]) -> Self {
        Self { repairs, ..self }
    }

    /// Describes `T` as an implementation of `I`. [`module!`](crate::module) calls this.
    pub const fn of<I, T>(
        class: &'static str,
        name: &'static str,
        version: u32,
        described: Described,
        transfers: &'static [transfer::Table],
    ) -> Self
    where
        I: ?Sized + Interface + Serves<T>,
        T: Implementation<I>,
    {
        Self {
            class,
            name,
            version,
            interface: I::DESCRIPTION,
            operations: core::ptr::from_ref(I::OPERATIONS).cast(),
            state: transfer::End::of::<T>(),
            create: create::<I, T>,
            closed: closed::<I, T>,
            drop: drop_state::<T>,
            described,
            transfers,
            repairs: &[],
            callbacks: None,
            #[cfg(testlib)]
            arguments: <I::Arguments as crate::movable::Movable>::TYPE,
        }
    }
}

/// # Safety
///
/// `arguments` are of the interface's type and given away; `state` is memory for a `T`.
unsafe fn create<I: ?Sized + Interface, T: Implementation<I>>(
    arguments: *mut (),
    state: *mut (),
) -> Result {
    // SAFETY: The caller hands over arguments of this type.
    let arguments = unsafe { arguments.cast::<I::Arguments>().read() };
    // SAFETY: `state` is memory for a `T`, and does not move while it holds one.
    unsafe { pin_init::raw_try_init(state.cast::<T>(), T::create(arguments)) }
}

/// # Safety
///
/// `state` is a `T` that nobody calls any more.
unsafe fn closed<I: ?Sized + Interface, T: Implementation<I>>(state: *const ()) {
    // SAFETY: By the caller's promise.
    unsafe { &*state.cast::<T>() }.closed();
}

/// # Safety
///
/// `state` is a `T`, given away.
unsafe fn drop_state<T>(state: *mut ()) {
    // SAFETY: The caller owns the state.
    unsafe { state.cast::<T>().drop_in_place() }
}

/// A registered implementation.
///
/// # Invariants
///
/// `descriptor` and `module` are valid while a [`Registration`] of it exists, and that is
/// at least as long as `pins` is not zero.
#[pin_data]
pub struct Registered {
    descriptor: &'static Descriptor,
    schema: Schema<'static>,
    module: *mut bindings::module,
    name: Name,
    module_name: Name,
    srcversion: Text<32>,
    is_signed: bool,
    version: u32,
    object_size: usize,
    state_offset: usize,
    /// Instances that it serves, but for those that the lists of the class count while it is
    /// the default: alone it may be negative.
    pub(crate) instances: Atomic<i64>,
    /// Why the module must stay: being the default, a transition, and its instances, but for
    /// those again. One reference on the module stands for all of them.
    pins: Atomic<u64>,
    /// Whoever takes `pins` from zero, or to it.
    #[pin]
    edge: SpinLock<()>,
    /// The module was seen to have finished its init, which it does once.
    was_live: Atomic<bool>,
}

// SAFETY: `module` is used for references and its name only.
unsafe impl Send for Registered {}
// SAFETY: As above.
unsafe impl Sync for Registered {}

impl Registered {
    fn new(
        descriptor: &'static Descriptor,
        module: *mut bindings::module,
    ) -> Result<Arc<Self>, Refusal> {
        let schema = check_schema(descriptor)?;
        let object_size = object_size(&descriptor.state).ok_or(ENOMEM)?;
        // SAFETY: `module` is the module whose init or exit calls; the texts are copied.
        let (module_name, srcversion, is_signed) = unsafe {
            (
                copy_text::<NAME_LEN>(molt_module_name(module)),
                copy_text::<32>(molt_module_srcversion(module)),
                molt_module_is_signed(module),
            )
        };
        Ok(Arc::pin_init(
            pin_init!(Self {
                descriptor,
                schema,
                module,
                name: Name::from(descriptor.name),
                module_name,
                srcversion,
                is_signed,
                version: descriptor.version,
                object_size,
                state_offset: state_offset(descriptor.state.align),
                instances: Atomic::new(0),
                pins: Atomic::new(0),
                edge <- kernel::new_spinlock!((), "molt_pins"),
                was_live: Atomic::new(false),
            }),
            GFP_KERNEL,
        )?)
    }

    /// What the module says of its state and its interface.
    pub fn schema(&self) -> Schema<'static> {
        self.schema
    }

    pub(crate) fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
    }

    /// Its name, without the version.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Its version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// `name@version`.
    pub fn label(&self) -> Label<'_> {
        Label(self)
    }

    /// The module that brought it.
    pub fn module_name(&self) -> &str {
        self.module_name.as_str()
    }

    /// That module's source version, empty where it has none.
    pub fn srcversion(&self) -> &str {
        self.srcversion.as_str()
    }

    /// Whether that module came with a signature that the kernel has found valid. What is built in
    /// counts as signed; without `CONFIG_MODULE_SIG` no module does.
    pub fn is_signed(&self) -> bool {
        self.is_signed
    }

    /// Bytes of an object.
    pub(crate) fn object_size(&self) -> usize {
        self.object_size
    }

    /// Where the state lies in an object, in bytes.
    pub(crate) fn state_offset(&self) -> usize {
        self.state_offset
    }

    /// Takes over what a list has counted while this was the default: `count` instances more,
    /// or fewer, each with its pin. This is the default yet, and has its pin. Any context.
    pub(crate) fn settle(&self, count: i64) {
        self.instances.fetch_add(count, Relaxed);
        match u64::try_from(count) {
            Ok(more) => self.pin_more(more),
            Err(_) => self.unpin(count.unsigned_abs()),
        }
    }

    pub(crate) fn module(&self) -> *mut bindings::module {
        self.module
    }

    /// Whether its module has finished its init. Until then a failing init frees the
    /// module's text whatever its reference count is.
    pub(crate) fn is_live(&self) -> bool {
        // SAFETY: The word is valid. Read like this it is not a function call for each creation.
        let was_live = unsafe { self.was_live.as_ptr().read_volatile() };
        was_live || self.look_whether_live()
    }

    #[cold]
    fn look_whether_live(&self) -> bool {
        // SAFETY: By the type invariant.
        let is_live = unsafe { molt_module_is_live(self.module) };
        self.was_live.store(is_live, Relaxed);
        is_live
    }

    /// Keeps the module loaded for one more reason. Does not sleep; not in an interrupt.
    ///
    /// # Errors
    ///
    /// `ENODEV`: the module is going.
    pub(crate) fn pin(&self) -> Result {
        if self.try_pin() {
            return Ok(());
        }
        let _edge = self.edge.lock();
        // SAFETY: By the type invariant.
        if self.pins.load(Relaxed) == 0 && !unsafe { molt_module_get(self.module) } {
            return Err(ENODEV);
        }
        self.pins.fetch_add(1, Relaxed);
        Ok(())
    }

    /// The same where there is a reason already; `false`: there was none.
    pub(crate) fn try_pin(&self) -> bool {
        let mut pins = self.pins.load(Relaxed);
        while pins != 0 {
            match self.pins.cmpxchg(pins, pins.wrapping_add(1), Relaxed) {
                Ok(_) => return true,
                Err(seen) => pins = seen,
            }
        }
        false
    }

    /// Adds `count` reasons to one that the caller holds. Any context.
    pub(crate) fn pin_more(&self, count: u64) {
        self.pins.fetch_add(count, Relaxed);
    }

    /// Gives up `count` reasons. The last one lets the module go, so no frame of it may be
    /// on the stack above this one: callers are workers of `molt.ko`, or the module's own
    /// init or exit. The caller holds an `Arc` of `self`, or the list of the class does.
    #[inline(never)]
    pub(crate) fn unpin(&self, count: u64) {
        if count == 0 {
            return;
        }
        let mut pins = self.pins.load(Relaxed);
        loop {
            if kernel::warn_on!(pins < count) {
                return;
            }
            if pins == count {
                return self.unpin_last(count);
            }
            // Full: what was done for the reason comes before its end.
            match self.pins.cmpxchg(pins, pins.wrapping_sub(count), Full) {
                Ok(_) => return,
                Err(seen) => pins = seen,
            }
        }
    }

    fn unpin_last(&self, count: u64) {
        let module = self.module;
        let edge = self.edge.lock();
        let is_last = self.pins.cmpxchg(count, 0, Full).is_ok();
        drop(edge);
        if is_last {
            // From here on `self` may be gone, with its module.
            // SAFETY: The reference was taken when `pins` left zero.
            unsafe { molt_module_put(module) };
        } else {
            self.unpin(count);
        }
    }
}

/// One reason for which an implementation's module has to stay, given up by the drop.
///
/// As with [`Registered::unpin`] no frame of that module may be below the drop.
pub(crate) struct Pin(Arc<Registered>);

impl Pin {
    /// # Errors
    ///
    /// `ENOENT`: the module is going.
    pub(crate) fn new(implementation: &Arc<Registered>) -> Result<Self, Refusal> {
        implementation.pin().map_err(|_| {
            Refusal::new(
                ENOENT,
                fmt!("module {} is going", implementation.module_name()),
            )
        })?;
        Ok(Self(implementation.clone()))
    }

    /// Leaves the reason to somebody else.
    pub(crate) fn keep(self) {
        // SAFETY: The reference is dropped, once, and the reason is not given up.
        drop(unsafe { core::ptr::read(&core::mem::ManuallyDrop::new(self).0) });
    }
}

impl core::ops::Deref for Pin {
    type Target = Arc<Registered>;

    fn deref(&self) -> &Arc<Registered> {
        &self.0
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.unpin(1);
    }
}

/// # Safety
///
/// `text` is a C string that is valid for the length of the call.
pub(crate) unsafe fn copy_text<const N: usize>(text: *const c_char) -> Text<N> {
    // SAFETY: The caller passes a C string that is valid for now.
    let text = unsafe { CStr::from_char_ptr(text) };
    Text::from(text.to_str().unwrap_or_default())
}

/// Displays as `name@version`.
pub struct Label<'a>(&'a Registered);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.0.name(), self.0.version())
    }
}

/// The registration of an implementation; its module holds it, and dropping it ends it. The
/// drop sleeps; the implementation is then neither a default with instances nor in a transition,
/// since either would have kept its module from going.
pub struct Registration {
    class: Arc<Class>,
    implementation: Arc<Registered>,
}

impl Registration {
    /// Registers the implementation that `descriptor` describes. The class is made where
    /// this is its first implementation, which then is the default. May sleep.
    ///
    /// # Errors
    ///
    /// * `EINVAL`: a name is empty, too long, or has a character outside `[A-Za-z0-9_-]`.
    /// * `EINVAL`, too: the context is atomic, and this kernel is one for real-time, where a
    ///   spinning caller could keep the call that it waits for from the processor.
    /// * `EINVAL`, too: the module's schema is damaged; the log says what is wrong.
    /// * `EEXIST`: the class has an implementation of this name and version.
    /// * `EBUSY`: the class is being removed.
    /// * `ENODEV`: the module is going.
    /// * `EPROTO`: the class has another interface; the log says what differs.
    /// * `EKEYREJECTED`: the class requires a signature that the module lacks.
    /// * `ENOMEM`.
    pub fn new(descriptor: &'static Descriptor, module: &'static ThisModule) -> Result<Self> {
        let registered = Registered::new(descriptor, module.as_ptr()).and_then(|implementation| {
            let class = register(descriptor, implementation.clone())?;
            Ok(Self {
                class,
                implementation,
            })
        });
        registered.map_err(|refusal| {
            crate::log::refused_registration(descriptor, &refusal);
            refusal.error
        })
    }
}

/// The schema of a module, if it is one and goes with what else the module says.
fn check_schema(descriptor: &'static Descriptor) -> Result<Schema<'static>, Refusal> {
    let described = &descriptor.described;
    let refuse = |what: &str, index: usize| {
        Refusal::new(EINVAL, fmt!("its schema: {what} (number {index})"))
    };
    let schema =
        Schema::new(described.schema).map_err(|fault| refuse(fault.what(), fault.index()))?;
    let state = schema.state();
    let is_its_own = schema.name() == descriptor.name
        && schema.version() == descriptor.version
        && schema.class() == descriptor.class
        && schema.fingerprint() == descriptor.interface.fingerprint
        && state.size() == descriptor.state.size
        && state.align() == descriptor.state.align
        && schema.types() == described.types.len()
        && schema.rules() == described.rules.len();
    match is_its_own {
        true => Ok(schema),
        false => Err(refuse("it describes something else", 0)),
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        crate::registry::unregister(&self.class, &self.implementation);
    }
}

/// Whether `name` may name a class or an implementation: it becomes a file name and part
/// of a module alias.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    let is_valid = (1..NAME_LEN).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_valid {
        return Ok(());
    }
    Err(Refusal::new(
        EINVAL,
        fmt!("`{name}` is not a name: 1 to 55 of letters, digits, `_` and `-`"),
    ))
}
