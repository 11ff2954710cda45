// SPDX-License-Identifier: GPL-2.0

//! Movable types: what may cross an interface and what may stay in a state.
//!
//! The code and the constants of a module go away with it, while arguments, results and
//! states outlive it. So none of these may point into a module. Most kernel data does not;
//! what does is short: `&'static`, function pointers, `dyn` (its table of methods), locks and
//! whatever else registers a lock class key, and everything that the kernel calls back.

use crate::container;
use crate::fingerprint::Fingerprint;
use crate::schema::{Kind, Part, Rule, Type};
use core::{
    cell::{Cell, UnsafeCell},
    convert::Infallible,
    marker::PhantomData,
    mem::offset_of,
    num::{NonZero, Wrapping},
    pin::Pin,
};
use kernel::{
    bitmap::BitmapVec,
    cred::Credential,
    error::Error,
    fs::file::File,
    id_pool::IdPool,
    iov::{IovIterDest, IovIterSource},
    list::{List, ListArc, ListArcSafe, ListItem, ListLinks},
    mm::{virt::VmaNew, Mm},
    page::Page,
    pid_namespace::PidNamespace,
    prelude::*,
    rbtree::RBTree,
    seq_file::SeqFile,
    str::CString,
    sync::{
        aref::ARef,
        atomic::{Atomic, AtomicType},
        Arc, Refcount,
    },
    task::Task,
    time::{ClockSource, Delta, Instant},
    types::ForeignOwnable,
    uaccess::{UserSlice, UserSliceReader, UserSliceWriter},
    xarray::XArray,
};

/// Types whose values hold nothing that goes away with a module.
///
/// Implement it with `#[derive(Movable)]`.
///
/// # Safety
///
/// - No value points into the text, the constants or the statics of a module, neither itself
///   nor through anything that it owns.
/// - A value can be moved to another address by copying its bytes, and code of another module
///   that was compiled against the same definition can use and drop it.
/// - `FINGERPRINT` is equal in two compilations only where the type's definition and its
///   layout are, with those of its parts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may point into a module's text, so it can neither cross an interface nor \
        stay in a state",
    label = "not known to be movable",
    note = "movable are integers, `bool`, arrays, tuples, atomics, `CString`, and `Option<T>`, \
        `Result<T>`, `KBox<T>`, `KVec<T>`, `Arc<T>`, `RBTree<K, V>`, `List<T>` of movable types, \
        and `Pin<KBox<XArray<P>>>`",
    note = "for a struct or an enum of your own, write `#[derive(Movable)]` above it",
    note = "a `&'static str` becomes a `CString`, a function pointer or a `dyn` becomes an enum, \
        a lock is a field of a state itself or stays outside; a field of a state that can be made \
        again gets `#[state(rebuild = function)]`"
)]
pub unsafe trait Movable {
    /// Stands for the type's definition and layout.
    const FINGERPRINT: u64;

    /// The type's description, for schemas.
    const TYPE: &'static Type;

    /// Its fields or variants, for [`TYPE`](Movable::TYPE).
    #[doc(hidden)]
    const PARTS: &'static [Part] = &[];

    /// Its rules, for [`TYPE`](Movable::TYPE).
    #[doc(hidden)]
    const RULES: &'static [Rule] = &[];
}

macro_rules! plain {
    ($($type:ty),* $(,)?) => {$(
        // SAFETY: The type holds no pointer into the kernel at all.
        unsafe impl Movable for $type {
            const FINGERPRINT: u64 = Fingerprint::of::<Self>(stringify!($type)).finish();
            const TYPE: &'static Type = &Type::whole::<Self>(stringify!($type), Self::FINGERPRINT);
        }
    )*};
}

plain!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);
plain!(
    NonZero<u8>,
    NonZero<u16>,
    NonZero<u32>,
    NonZero<u64>,
    NonZero<usize>
);
plain!(bool, char, (), Infallible, Error, Delta);
plain!(core::time::Duration, core::cmp::Ordering);
plain!(UserPtr, UserSlice, UserSliceReader, UserSliceWriter);
plain!(Refcount);

// SAFETY: The bits are in the value or in memory that the kernel allocated.
unsafe impl Movable for BitmapVec {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("BitmapVec").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("BitmapVec", Self::FINGERPRINT);
}

// SAFETY: It is such bits.
unsafe impl Movable for IdPool {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("IdPool").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("IdPool", Self::FINGERPRINT);
}

// SAFETY: The bytes are the value.
unsafe impl Movable for str {
    const FINGERPRINT: u64 = Fingerprint::new().text("str").finish();
    const TYPE: &'static Type = &Type::without_size("str", Self::FINGERPRINT);
}

// SAFETY: The bytes are the value.
unsafe impl Movable for CStr {
    const FINGERPRINT: u64 = Fingerprint::new().text("CStr").finish();
    const TYPE: &'static Type = &Type::without_size("CStr", Self::FINGERPRINT);
}

// SAFETY: The bytes belong to the value, and the kernel allocated them.
unsafe impl Movable for CString {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("CString").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("CString", Self::FINGERPRINT);
}

// SAFETY: A page belongs to the kernel.
unsafe impl Movable for Page {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("Page").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Page", Self::FINGERPRINT);
}

// SAFETY: It is a number.
unsafe impl<C: ClockSource> Movable for Instant<C> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("Instant")
        .number(C::ID as u64)
        .finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Instant", Self::FINGERPRINT);
}

// SAFETY: It describes memory that is lent for a call, which the lifetime sees to.
unsafe impl Movable for IovIterSource<'_> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("IovIterSource").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("IovIterSource", Self::FINGERPRINT);
}

// SAFETY: As above.
unsafe impl Movable for IovIterDest<'_> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("IovIterDest").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("IovIterDest", Self::FINGERPRINT);
}

// What the kernel lends for a call. There are no values of these, only references.
macro_rules! lent {
    ($($type:ty),* $(,)?) => {$(
        // SAFETY: It belongs to the kernel, and so does its text, or to an open file, which keeps
        // the module of its operations loaded.
        unsafe impl Movable for $type {
            const FINGERPRINT: u64 = Fingerprint::of::<Self>(stringify!($type)).finish();
            const TYPE: &'static Type = &Type::whole::<Self>(stringify!($type), Self::FINGERPRINT);
        }
    )*};
}

lent!(File, VmaNew, SeqFile);

// SAFETY: The elements are the value, and they are movable.
unsafe impl<T: Movable> Movable for [T] {
    const FINGERPRINT: u64 = Fingerprint::new()
        .text("slice")
        .number(T::FINGERPRINT)
        .finish();
    const TYPE: &'static Type = &Type::without_size("slice", Self::FINGERPRINT).hiding(T::TYPE);
}

// SAFETY: The elements are the value, and they are movable.
unsafe impl<T: Movable, const N: usize> Movable for [T; N] {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("array")
        .number(T::FINGERPRINT)
        .number(N as u64)
        .finish();
    const TYPE: &'static Type =
        &Type::new::<Self>("array", Self::FINGERPRINT, Kind::Array).holding(T::TYPE, N, None);
}

// SAFETY: It holds a movable value or an error number.
unsafe impl<T: Movable> Movable for Result<T, Error> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("Result")
        .number(T::FINGERPRINT)
        .finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Result", Self::FINGERPRINT).hiding(T::TYPE);
}

// Types that hold values of `T`, directly or in memory that the kernel allocated, and nothing
// else. Their drop glue is compiled into whatever module drops them.
macro_rules! holds {
    ($($name:literal: $description:ident [$($bounds:tt)*] $type:ty;)*) => {$(
        // SAFETY: All that the value owns are values of a movable type.
        unsafe impl<T: Movable + $($bounds)*> Movable for $type {
            const FINGERPRINT: u64 = Fingerprint::of::<Self>($name)
                .number(T::FINGERPRINT)
                .finish();
            const TYPE: &'static Type = &$description::<Self, T>($name, Self::FINGERPRINT);
        }
    )*};
}

/// A type that is taken whole, with what it holds.
const fn whole<Whole, T: ?Sized + Movable>(name: &'static str, fingerprint: u64) -> Type {
    Type::whole::<Whole>(name, fingerprint).hiding(T::TYPE)
}

const fn option<Whole, T: Movable>(name: &'static str, fingerprint: u64) -> Type {
    let whole = Type::new::<Whole>(name, fingerprint, Kind::Option);
    whole.holding(T::TYPE, 1, Some(container::option::<T>()))
}

/// A box can be looked into where its value has a size.
const fn boxed<Whole, T: ?Sized + Movable>(name: &'static str, fingerprint: u64) -> Type {
    if !T::TYPE.is_sized {
        return whole::<Whole, T>(name, fingerprint);
    }
    let whole = Type::new::<Whole>(name, fingerprint, Kind::Box);
    whole.holding(T::TYPE, 1, Some(container::boxed::<T>()))
}

const fn vector<Whole, T: Movable>(name: &'static str, fingerprint: u64) -> Type {
    let whole = Type::new::<Whole>(name, fingerprint, Kind::Vec);
    whole.holding(T::TYPE, 0, Some(container::vector::<T>()))
}

holds! {
    "Option": option [Sized] Option<T>;
    "Cell": whole [Sized] Cell<T>;
    "UnsafeCell": whole [Sized] UnsafeCell<T>;
    "Wrapping": whole [Sized] Wrapping<T>;
    "Atomic": whole [AtomicType] Atomic<T>;
    "Arc": whole [?Sized] Arc<T>;
    "KBox": boxed [?Sized] KBox<T>;
    "VBox": whole [?Sized] VBox<T>;
    "KVBox": whole [?Sized] KVBox<T>;
    "Pin<KBox>": boxed [?Sized] Pin<KBox<T>>;
    "KVec": vector [Sized] KVec<T>;
    "VVec": whole [Sized] VVec<T>;
    "KVVec": whole [Sized] KVVec<T>;
}

// SAFETY: There is nothing in it, so that rules inside do not matter.
unsafe impl<T: ?Sized + Movable> Movable for PhantomData<T> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("PhantomData")
        .number(T::FINGERPRINT)
        .finish();
    const TYPE: &'static Type = &Type::whole::<Self>("PhantomData", Self::FINGERPRINT);
}

// SAFETY: The tree owns its nodes, which hold movable values and pointers to each other.
unsafe impl<K: Movable, V: Movable> Movable for RBTree<K, V> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("RBTree")
        .number(K::FINGERPRINT)
        .number(V::FINGERPRINT)
        .finish();
    const TYPE: &'static Type = &Type::whole::<Self>("RBTree", Self::FINGERPRINT)
        .hiding(K::TYPE)
        .hiding(V::TYPE);
}

/// How many links of `links`, a type's fingerprint, are in a value, not counting what is in
/// memory of its own.
const fn links_in(one: &Type, links: u64) -> usize {
    let mut count = 0;
    let mut rest = one.parts;
    while let [part, tail @ ..] = rest {
        count += match part.kind.fingerprint == links {
            true => 1,
            false => links_in(part.kind, links),
        };
        rest = tail;
    }
    count
}

// SAFETY: Null pointers. In a list is only what a `ListArc` refers to, which stays in its place:
// an `Arc` is moved whole.
unsafe impl<const ID: u64> Movable for ListLinks<ID> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("ListLinks").number(ID).finish();
    const TYPE: &'static Type = &Type::whole::<Self>("ListLinks", Self::FINGERPRINT);
}

// A `ListArc` can be made of an `Arc` where the value says that there is none yet
// (`AtomicTracker`). Since nobody could compare how two versions keep that account, the tracker is
// not movable, and a `ListArc` begins as the only reference.
//
// SAFETY: As for an `Arc`.
unsafe impl<T: Movable + ListArcSafe<ID>, const ID: u64> Movable for ListArc<T, ID> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("ListArc")
        .number(T::FINGERPRINT)
        .number(ID)
        .finish();
    const TYPE: &'static Type = &Type::whole::<Self>("ListArc", Self::FINGERPRINT).hiding(T::TYPE);
}

// SAFETY: The values point to each other, none to the list. Both versions use the same links:
// there is one place only.
unsafe impl<T: Movable + ListItem<ID>, const ID: u64> Movable for List<T, ID> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("List")
        .number(T::FINGERPRINT)
        .number(ID)
        .finish();
    const TYPE: &'static Type = {
        assert!(
            links_in(T::TYPE, ListLinks::<ID>::FINGERPRINT) == 1,
            "a movable list is one of a struct with just one field `ListLinks<ID>` of this ID, \
             so that all versions use the same",
        );
        &Type::whole::<Self>("List", Self::FINGERPRINT).hiding(T::TYPE)
    };
}

/// What an `XArray` can hold: a pointer to memory that the kernel allocated.
///
/// # Safety
///
/// As for [`Movable`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be in a movable `XArray`",
    note = "`KBox<T>` and `Arc<T>` of a movable `T` can"
)]
pub unsafe trait Entry: Movable + ForeignOwnable {}

// SAFETY: A movable type.
unsafe impl<T: Movable + 'static> Entry for KBox<T> {}
// SAFETY: As above.
unsafe impl<T: Movable + 'static> Entry for Arc<T> {}

// SAFETY: The nodes, which the kernel allocates and frees, point back to the array; so it is in
// memory of its own, which stays in its place. Its lock is of a class of the kernel's.
unsafe impl<P: Entry> Movable for Pin<KBox<XArray<P>>> {
    const FINGERPRINT: u64 = Fingerprint::of::<XArray<P>>("Pin<KBox<XArray>>")
        .number(P::FINGERPRINT)
        .finish();
    const TYPE: &'static Type =
        &Type::whole::<Self>("Pin<KBox<XArray>>", Self::FINGERPRINT).hiding(P::TYPE);
}

// References are counted by the kernel itself, for types of which no part is a driver's:
// a device, by contrast, carries the release function of whoever made it.
macro_rules! counted {
    ($($type:ty),* $(,)?) => {$(
        // SAFETY: The kernel owns the object, and its text is where the last reference ends.
        unsafe impl Movable for ARef<$type> {
            const FINGERPRINT: u64 =
                Fingerprint::of::<Self>(concat!("ARef<", stringify!($type), ">")).finish();
            const TYPE: &'static Type =
                &Type::whole::<Self>(concat!("ARef<", stringify!($type), ">"), Self::FINGERPRINT);
        }
    )*};
}

// An open file keeps the module of its operations loaded.
counted!(Task, Credential, File, PidNamespace, Mm);

macro_rules! tuples {
    ($(($($part:ident $index:tt),*),)*) => {$(
        // SAFETY: The parts are the value, and they are movable.
        unsafe impl<$($part: Movable),*> Movable for ($($part,)*) {
            const FINGERPRINT: u64 = Fingerprint::of::<Self>("tuple")
                $(.number(offset_of!(Self, $index) as u64).number($part::FINGERPRINT))*
                .finish();
            const PARTS: &'static [Part] = &[$(Part {
                name: stringify!($index),
                type_name: $part::TYPE.name,
                kind: $part::TYPE,
                offset: offset_of!(Self, $index),
                tag: 0,
                rules: &[],
            }),*];
            const TYPE: &'static Type = &Type::new::<Self>("tuple", Self::FINGERPRINT, Kind::Struct)
                .with_parts(Self::PARTS, &[]);
        }
    )*};
}

tuples! {
    (A 0),
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
}
