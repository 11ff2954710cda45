// SPDX-License-Identifier: GPL-2.0

//! Containers: how elements get out of one and into one, for elements that change on the way.
//!
//! What has not changed is moved with its container, and never comes here. All functions here
//! are instantiated by the module whose type it is.

use core::ptr::{self, NonNull};

use kernel::alloc::{allocator::Kmalloc, flags::__GFP_NOWARN, Allocator, NumaNode};
use kernel::prelude::*;
use kernel::sync::lock::{Backend, Lock};

use crate::fingerprint::Fingerprint;
use crate::lock::Group;
use crate::movable::Movable;
use crate::schema::{Elements, Kind, Shell, State, Type};
use crate::testing::{fault, Site};

/// What may be in a state: what is movable, and locks around it.
///
/// # Safety
///
/// As for [`Movable`], but that a value may have to be made again around what is in it, which
/// its kind says.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be in a state: it may point into a module's text, or the kernel \
        calls it back",
    label = "cannot be moved to another version",
    note = "movable are integers, `bool`, arrays, tuples, atomics, `CString`, `Option<T>`, \
        `KBox<T>`, `KVec<T>`, `Arc<T>`, `RBTree<K, V>`, `List<T>` of movable types, \
        `Pin<KBox<XArray<P>>>`, and `Mutex<T>` and `SpinLock<T>` around one of them",
    note = "for a struct or an enum of your own, write `#[derive(Movable)]` above it",
    note = "a `&'static str` becomes a `CString`, a function pointer or a `dyn` becomes an enum, \
        a timer or a work item stays outside; what can be made again gets \
        `#[state(rebuild = function)]`"
)]
pub unsafe trait Stateful {
    /// The type's description.
    const TYPE: &'static Type;
}

// SAFETY: By its own promise.
unsafe impl<T: Movable> Stateful for T {
    const TYPE: &'static Type = T::TYPE;
}

// SAFETY: A lock is made again, by `RELOCK`, and what is in it is movable.
unsafe impl<T: Movable, B: Backend> Stateful for Lock<T, B> {
    const TYPE: &'static Type = &Type::new::<Self>("Lock", fingerprint::<T, Self>(), Kind::Lock)
        .holding(T::TYPE, lock_offset::<T, B>(), Some(relock::<T, B>()));
}

// SAFETY: As above, one by one.
unsafe impl<T: Movable, B: Backend, const N: usize> Stateful for [Lock<T, B>; N] {
    const TYPE: &'static Type = &Type::new::<Self>("array", fingerprint::<T, Self>(), Kind::Array)
        .holding(<Lock<T, B> as Stateful>::TYPE, N, None);
}

/// A lock as a rule makes one.
pub trait Relock {
    /// What is in it.
    type Value;

    /// Makes a lock around `value`. Lockdep tells such locks apart by `text`, their type's.
    ///
    /// # Safety
    ///
    /// `place` is memory for it.
    unsafe fn put(place: *mut (), value: Self::Value, text: &str);

    /// Takes out what is in a lock.
    ///
    /// # Safety
    ///
    /// `lock` is one that nobody uses any more.
    unsafe fn take(lock: *mut ()) -> Self::Value;
}

impl<T, B: Backend> Relock for Lock<T, B> {
    type Value = T;

    unsafe fn put(place: *mut (), value: T, text: &str) {
        // SAFETY: By the caller's promise; a lock is made around the value that lies there.
        unsafe {
            open_lock::<T, B>(place).first.cast::<T>().write(value);
            make_lock::<B>(place, Elements::NONE, crate::lock::made(text));
        }
    }

    unsafe fn take(lock: *mut ()) -> T {
        // SAFETY: By the caller's promise the value is there, and nobody else's.
        unsafe { open_lock::<T, B>(lock).first.cast::<T>().read() }
    }
}

const fn fingerprint<T: Movable, L>() -> u64 {
    Fingerprint::of::<L>("Lock").number(T::FINGERPRINT).finish()
}

// ---- options ---------------------------------------------------------------------------

/// How an `Option<T>` is taken apart.
pub(crate) const fn option<T>() -> Shell {
    Shell {
        open: open_option::<T>,
        make: make_option::<T>,
        free: keep,
        check: is_free,
    }
}

/// # Safety
///
/// `shell` is an `Option<T>`.
unsafe fn open_option<T>(shell: *mut ()) -> Elements {
    // SAFETY: By the caller's promise.
    let option = unsafe { &mut *shell.cast::<Option<T>>() };
    match option {
        Some(value) => Elements {
            first: ptr::from_mut(value).cast(),
            count: 1,
        },
        None => Elements::NONE,
    }
}

/// # Safety
///
/// `place` is memory for an `Option<T>`, and `elements` has at most one, given away.
unsafe fn make_option<T>(place: *mut (), elements: Elements, _class: usize) {
    let value = match elements.count {
        0 => None,
        // SAFETY: By the caller's promise; its memory stays the caller's.
        _ => Some(unsafe { elements.first.cast::<T>().read() }),
    };
    // SAFETY: As above.
    unsafe { place.cast::<Option<T>>().write(value) };
}

// ---- boxes -----------------------------------------------------------------------------

/// How a `KBox<T>` is taken apart; a pinned one is the same.
pub(crate) const fn boxed<T: ?Sized>() -> Shell {
    Shell {
        open: open_box::<T>,
        make: make_box,
        free: free_box::<T>,
        check: is_free,
    }
}

/// # Safety
///
/// `shell` is a `KBox<T>`.
unsafe fn open_box<T: ?Sized>(shell: *mut ()) -> Elements {
    // SAFETY: By the caller's promise.
    let value = unsafe { ptr::from_mut::<T>(&mut *shell.cast::<KBox<T>>()) };
    Elements {
        first: value.cast(),
        count: 1,
    }
}

/// # Safety
///
/// `place` is memory for a `KBox<T>` of a `T` with a size, and `elements` is one value in
/// memory for a box.
unsafe fn make_box(place: *mut (), elements: Elements, _class: usize) {
    // SAFETY: By the caller's promise; such a box is nothing but the pointer.
    unsafe { place.cast::<*mut ()>().write(elements.first) };
}

/// # Safety
///
/// `shell` is a `KBox<T>` whose value was taken out; it is not used any more.
unsafe fn free_box<T: ?Sized>(shell: *mut ()) {
    // SAFETY: By the caller's promise; the layout is that of the value, taken out or not.
    unsafe {
        let value = KBox::into_raw(shell.cast::<KBox<T>>().read());
        let layout = core::alloc::Layout::for_value(&*value);
        if let (true, Some(memory)) = (layout.size() > 0, NonNull::new(value.cast::<u8>())) {
            Kmalloc::free(memory, layout);
        }
    }
}

// ---- vectors ---------------------------------------------------------------------------

/// How a `KVec<T>` is taken apart.
pub(crate) const fn vector<T>() -> Shell {
    Shell {
        open: open_vector::<T>,
        make: make_vector::<T>,
        free: free_vector::<T>,
        check: is_free,
    }
}

/// # Safety
///
/// `shell` is a `KVec<T>`.
unsafe fn open_vector<T>(shell: *mut ()) -> Elements {
    // SAFETY: By the caller's promise.
    let vector = unsafe { &mut *shell.cast::<KVec<T>>() };
    Elements {
        first: vector.as_mut_ptr().cast(),
        count: vector.len(),
    }
}

/// # Safety
///
/// `place` is memory for a `KVec<T>`; `elements` lie in memory for just so many.
unsafe fn make_vector<T>(place: *mut (), elements: Elements, _class: usize) {
    let count = elements.count;
    let vector = match count {
        0 => KVec::new(),
        // SAFETY: By the caller's promise.
        _ => unsafe { KVec::from_raw_parts(elements.first.cast::<T>(), count, count) },
    };
    // SAFETY: As above.
    unsafe { place.cast::<KVec<T>>().write(vector) };
}

/// # Safety
///
/// `shell` is a `KVec<T>` whose elements were taken out; it is not used any more.
unsafe fn free_vector<T>(shell: *mut ()) {
    // SAFETY: By the caller's promise. Without elements only its memory is left.
    unsafe {
        let (first, _, capacity) = shell.cast::<KVec<T>>().read().into_raw_parts();
        drop(KVec::from_raw_parts(first, 0, capacity));
    }
}

// ---- locks -----------------------------------------------------------------------------

/// Where the value lies in a lock. `Lock` is `repr(C)`: the kernel's lock, then the value.
const fn lock_offset<T, B: Backend>() -> usize {
    let align = align_of::<T>();
    let offset = (size_of::<B::State>() + align - 1) & !(align - 1);
    // What is behind it is padding only, so this is where it is.
    assert!(offset + size_of::<T>() <= size_of::<Lock<T, B>>());
    assert!(offset + size_of::<T>() + align_of::<Lock<T, B>>() > size_of::<Lock<T, B>>());
    offset
}

const fn relock<T, B: Backend>() -> Shell {
    Shell {
        open: open_lock::<T, B>,
        make: make_lock::<B>,
        free: keep,
        check: is_unlocked::<B>,
    }
}

/// # Safety
///
/// `shell` is a lock that nobody holds, or memory in which one is being made.
unsafe fn open_lock<T, B: Backend>(shell: *mut ()) -> Elements {
    Elements {
        first: shell.wrapping_byte_add(const { lock_offset::<T, B>() }),
        count: 1,
    }
}

/// # Safety
///
/// `place` is memory for a lock.
unsafe fn make_lock<B: Backend>(place: *mut (), _elements: Elements, class: usize) {
    let (name, key) = crate::lock::class(class);
    // SAFETY: The kernel's lock comes first; name and key are the framework's own.
    unsafe { B::init(place.cast(), name.as_char_ptr(), key.as_ptr()) };
}

/// # Safety
///
/// `shell` is a lock.
unsafe fn is_unlocked<B: Backend>(shell: *mut ()) -> bool {
    let state: *mut B::State = shell.cast();
    // SAFETY: The kernel's lock comes first, and it is initialised.
    match unsafe { B::try_lock(state) } {
        Some(guard) => {
            // SAFETY: Locked just above.
            unsafe { B::unlock(state, &guard) };
            true
        }
        None => false,
    }
}

/// Moves a state to `to` by its bytes, and makes its locks again there.
///
/// # Safety
///
/// `from` is a state that nobody uses, given away, and `to` memory for one.
pub(crate) unsafe fn relocate<T: State>(from: *mut T, to: *mut T) {
    let locks = const { Group::by(T::TYPE.fingerprint) };
    // SAFETY: By the caller's promise. All but locks can be moved by its bytes, and locks are
    // fields of the state itself.
    unsafe { ptr::copy_nonoverlapping(from, to, 1) };
    for (number, part) in T::TYPE.parts.iter().enumerate() {
        for_each_lock(part.kind, part.offset, &mut |at, lock| {
            let Some(shell) = lock.functions.shell else {
                return;
            };
            // SAFETY: By the caller's promise there is a lock, which nobody holds.
            unsafe {
                let place = to.cast::<()>().wrapping_byte_add(at);
                (shell.make)(place, Elements::NONE, locks.lock(number));
            }
        });
    }
}

/// Calls `f` for each lock of a field of this type that begins at `at`: with where it begins, and
/// its type.
pub(crate) fn for_each_lock(kind: &Type, at: usize, f: &mut dyn FnMut(usize, &Type)) {
    match (kind.kind, kind.element) {
        (Kind::Lock, _) => f(at, kind),
        (Kind::Array, Some(lock)) if lock.kind == Kind::Lock => {
            for index in 0..kind.length {
                f(at.wrapping_add(index.wrapping_mul(lock.size)), lock);
            }
        }
        _ => {}
    }
}

// ---- all -------------------------------------------------------------------------------

/// # Safety
///
/// None: there is no memory of its own.
unsafe fn keep(_shell: *mut ()) {}

/// # Safety
///
/// None: nobody can hold it.
unsafe fn is_free(_shell: *mut ()) -> bool {
    true
}

/// Memory for values on their way into a container. A box and a vector take it over.
pub(crate) struct Room {
    first: NonNull<u8>,
    layout: core::alloc::Layout,
}

impl Room {
    /// Memory for `count` values of `size` bytes, aligned to `align`. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(count: usize, size: usize, align: usize) -> Result<Self> {
        let bytes = size.checked_mul(count).ok_or(ENOMEM)?;
        let layout = core::alloc::Layout::from_size_align(bytes, align).map_err(|_| ENOMEM)?;
        let first = match bytes {
            0 => NonNull::new(ptr::without_provenance_mut(align)).ok_or(ENOMEM)?,
            _ => {
                fault(Site::Room)?;
                // The update is refused where there is not so much: no reason to complain.
                Kmalloc::alloc(layout, GFP_KERNEL | __GFP_NOWARN, NumaNode::NO_NODE)?.cast()
            }
        };
        Ok(Self { first, layout })
    }

    pub(crate) fn first(&self) -> *mut () {
        self.first.as_ptr().cast()
    }

    /// Leaves the memory to a box or a vector.
    pub(crate) fn give(self) -> *mut () {
        core::mem::ManuallyDrop::new(self).first()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: Allocated in `new`, with this layout, and given to nobody.
            unsafe { Kmalloc::free(self.first, self.layout) };
        }
    }
}

// SAFETY: Plain memory.
unsafe impl Send for Room {}
// SAFETY: As above.
unsafe impl Sync for Room {}
