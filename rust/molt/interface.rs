// SPDX-License-Identifier: GPL-2.0

//! Interfaces: the traits through which callers use a class.
//!
//! `#[molt::interface]` turns a trait into one. It describes the trait in constants, makes the
//! table of functions through which each call goes, and implements the trait for handles, so
//! that `handle.add(2)` reads like a plain call.
//!
//! Everything that a description refers to lies in the constants of the module that was
//! compiled with the trait. Whoever keeps one longer than that module has to copy it.

use crate::{fingerprint::Fingerprint, movable::Movable};

/// Where the methods of a class may be called from.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// From where a task may sleep. Methods may sleep; calls may wait asleep.
    Sleepable = 0,
    /// From anywhere but an NMI. Methods do not sleep; calls may wait spinning.
    Atomic = 1,
}

/// A method of an interface, or the creation of an instance.
pub struct Method {
    /// The method's name; `create` for the creation.
    pub name: &'static str,
    /// The signature as written, in one line, for messages.
    pub signature: &'static str,
    /// Stands for names, types and their layout, in the order of the arguments.
    pub fingerprint: u64,
    /// The arguments, then the result.
    pub words: &'static [Word],
}

/// An argument of a method, or its result.
pub struct Word {
    /// The argument's name; empty for the result.
    pub name: &'static str,
    /// Its type as written.
    pub type_name: &'static str,
    /// Stands for its type.
    pub fingerprint: u64,
}

/// What there is to know about an interface without knowing the trait.
pub struct Description {
    /// The name given in the attribute.
    pub name: &'static str,
    /// Where the methods may be called from.
    pub context: Context,
    /// The arguments that make an instance.
    pub creation: Method,
    /// The methods, in the order of the trait, which is also that of the table.
    pub methods: &'static [Method],
    /// Stands for all of the above, the compiler and the kernel release. Two modules with
    /// equal fingerprints can call each other through this interface.
    pub fingerprint: u64,
}

/// A trait that handles can serve; implemented for `dyn Trait`.
///
/// `#[molt::interface]` implements it.
///
/// # Safety
///
/// - `Operations` is a `repr(C)` struct of function pointers, one per method in the order of
///   `DESCRIPTION.methods`; each takes the object first and then the method's arguments.
/// - `DESCRIPTION.fingerprint` is equal in two compilations only where `Operations` has the
///   same functions with the same types and layouts of types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interface",
    label = "not an interface",
    note = "an interface is written `dyn Trait`, where `#[molt::interface(...)]` stands above \
        the trait"
)]
pub unsafe trait Interface: 'static {
    /// What the creation of an instance takes: `()`, one type, or a tuple of several.
    type Arguments: Movable;

    /// The table of functions through which calls go.
    type Operations: 'static;

    /// The interface in constants.
    const DESCRIPTION: &'static Description;
}

/// The interface can be served by objects whose state is `T`.
///
/// `#[molt::interface]` implements it for each `T` that implements the trait.
///
/// # Safety
///
/// The functions of `OPERATIONS` may be called with an object whose state is a `T`.
pub unsafe trait Serves<T>: Interface {
    /// The table for `T`, in the constants of the module that instantiates it.
    const OPERATIONS: &'static Self::Operations;
}

/// The fingerprint of an interface: what it was compiled for, and what it consists of.
///
/// Written here and not in each expansion, so that there is one definition of it.
pub const fn fingerprint(
    origin: &[&str],
    context: Context,
    creation: &Method,
    methods: &[Method],
) -> u64 {
    let mut hash = Fingerprint::new();
    let mut origin = origin;
    while let [text, rest @ ..] = origin {
        hash = hash.text(text);
        origin = rest;
    }
    hash = hash
        .number(context as u64)
        .number(creation.fingerprint)
        .number(methods.len() as u64);
    let mut methods = methods;
    while let [method, rest @ ..] = methods {
        hash = hash.number(method.fingerprint);
        methods = rest;
    }
    hash.finish()
}
