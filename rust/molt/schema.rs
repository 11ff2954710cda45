// SPDX-License-Identifier: GPL-2.0

//! Schemas: what a state consists of, so that another version can take it over.
//!
//! `#[derive(State)]` and `#[derive(Movable)]` describe types in constants ([`Type`]);
//! [`module!`](crate::module) has the compiler write them into a section of the module
//! ([`encode`]) in a form that needs no Rust type to be read ([`format`]). Two of those, of
//! modules that were built apart, are compared field by field ([`compare`]).
//!
//! What belongs to a type or a rule and is code, such as how to drop a value, stands in tables
//! beside the schema, in the same order. Its text is in the module that carries the schema.

pub mod compare;
pub mod encode;
pub mod format;
pub mod statics;

use kernel::error::Result;

use crate::fingerprint::{is_same_text, Fingerprint};
use crate::implementation::Implementation;
use crate::interface::{Interface, Serves};
use crate::transfer::Table;

pub use format::{Kind, Verb};

/// A type as its module describes it.
pub struct Type {
    /// Its name, or that of its constructor.
    pub name: &'static str,
    /// Stands for the definition and all that is in it.
    pub fingerprint: u64,
    /// In bytes.
    pub size: usize,
    /// In bytes.
    pub align: usize,
    /// Whether dropping a value does anything.
    pub needs_drop: bool,
    /// Whether it is an enum, tagged or not.
    pub is_enum: bool,
    /// Whether the compiler knows the size of its values.
    pub is_sized: bool,
    /// What it is made of.
    pub kind: Kind,
    /// Its fields or variants.
    pub parts: &'static [Part],
    /// What a container holds.
    pub element: Option<&'static Type>,
    /// Of an array: how many elements. Of an enum: the size of the tag. Of a lock: where the
    /// element lies.
    pub length: usize,
    /// The rules for fields of other versions that it has no field for.
    pub rules: &'static [Rule],
    /// What can be done with a value.
    pub functions: TypeFunctions,
}

impl Type {
    /// A type that is taken whole.
    pub const fn whole<T>(name: &'static str, fingerprint: u64) -> Self {
        Self::new::<T>(name, fingerprint, Kind::Whole)
    }

    /// A type whose parts or element are added by the other constructors.
    pub const fn new<T>(name: &'static str, fingerprint: u64, kind: Kind) -> Self {
        Self {
            name,
            fingerprint,
            size: size_of::<T>(),
            align: align_of::<T>(),
            needs_drop: core::mem::needs_drop::<T>(),
            is_enum: false,
            is_sized: true,
            kind,
            parts: &[],
            element: None,
            length: 0,
            rules: &[],
            functions: TypeFunctions {
                drop: if core::mem::needs_drop::<T>() {
                    Some(drop_in_place::<T>)
                } else {
                    None
                },
                ..TypeFunctions::NONE
            },
        }
    }

    /// A type without a size, which is only ever behind a pointer.
    pub const fn without_size(name: &'static str, fingerprint: u64) -> Self {
        Self {
            is_sized: false,
            ..Self::whole::<()>(name, fingerprint)
        }
    }

    /// Adds fields or variants, and rules for what is not among them.
    pub const fn with_parts(self, parts: &'static [Part], rules: &'static [Rule]) -> Self {
        Self {
            parts,
            rules,
            ..self
        }
    }

    /// Adds the size of an enum's tag.
    pub const fn with_tag(self, size: usize) -> Self {
        Self {
            length: size,
            ..self
        }
    }

    /// Says that it is an enum.
    pub const fn enumeration(self) -> Self {
        Self {
            is_enum: true,
            ..self
        }
    }

    /// Says that values of `inside` are in it, where no rule gets at them.
    ///
    /// # Panics
    ///
    /// When compiled, if `inside` has rules: they would not be followed.
    pub const fn hiding(self, inside: &Type) -> Self {
        assert!(
            !inside.has_rules(),
            "a type with `#[state(...)]` rules is in a container that is moved whole, as an `Arc`, \
             an `RBTree`, a slice or a `VVec` is, so they would not be followed; put a type \
             without rules there, and `convert(...)` on the field that holds the container",
        );
        self
    }

    /// Refuses a state that a function of another version could take something out of that
    /// goes away with the module.
    ///
    /// # Panics
    ///
    /// When compiled, if a field is made again.
    pub(crate) const fn check_readable(&self) {
        let mut rest = self.parts;
        while let [part, tail @ ..] = rest {
            assert!(
                !matches!(part.kind.kind, Kind::Remade),
                "a state with `rebuild` or `try_rebuild` is the source of a transfer or a repair, \
                 whose function could keep what has to be made again; write rules on the fields \
                 of the new state instead",
            );
            rest = tail;
        }
    }

    /// Whether an author's rule changes a value of the type where its fields stay the same.
    const fn has_rules(&self) -> bool {
        if has_rule(self.rules) {
            return true;
        }
        let mut rest = self.parts;
        while let [part, tail @ ..] = rest {
            if has_rule(part.rules) || part.kind.has_rules() {
                return true;
            }
            rest = tail;
        }
        match self.element {
            Some(element) => element.has_rules(),
            None => false,
        }
    }

    /// Makes it a container of `element`.
    pub const fn holding(
        self,
        element: &'static Type,
        length: usize,
        shell: Option<Shell>,
    ) -> Self {
        Self {
            element: Some(element),
            length,
            functions: TypeFunctions {
                shell,
                ..self.functions
            },
            ..self
        }
    }
}

/// Whether one of them counts although a type has not changed.
const fn has_rule(rules: &[Rule]) -> bool {
    let mut rest = rules;
    while let [rule, tail @ ..] = rest {
        if matches!(
            rule.verb,
            Verb::Convert | Verb::Renamed | Verb::Irreversible
        ) {
            return true;
        }
        rest = tail;
    }
    false
}

/// # Safety
///
/// `value` is a `T`, given away.
unsafe fn drop_in_place<T>(value: *mut ()) {
    // SAFETY: By the caller's promise.
    unsafe { value.cast::<T>().drop_in_place() }
}

/// A field of a struct, or a variant of an enum.
pub struct Part {
    /// The field's name; its number in a tuple struct.
    pub name: &'static str,
    /// The field's type as written, for messages.
    pub type_name: &'static str,
    /// The field's type. Of a variant: a struct as large as the enum, with its fields.
    pub kind: &'static Type,
    /// Where the field begins, in bytes.
    pub offset: usize,
    /// A variant's tag.
    pub tag: u64,
    /// What the author says of it.
    pub rules: &'static [Rule],
}

/// What an author says of a field.
pub struct Rule {
    /// What it says.
    pub verb: Verb,
    /// The other version's field; empty: it has the same name.
    pub name: &'static str,
    /// The other version's type, where the rule depends on it.
    pub kind: Option<&'static Type>,
    /// The versions that it is meant for; none: all.
    pub versions: &'static [(&'static str, u32)],
    /// What it does.
    pub functions: RuleFunctions,
}

/// The elements of a container.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Elements {
    /// The first one; null where there is none and no memory.
    pub first: *mut (),
    /// How many.
    pub count: usize,
}

impl Elements {
    /// No element, and no memory.
    pub const NONE: Self = Self {
        first: core::ptr::null_mut(),
        count: 0,
    };
}

/// How the elements get out of a container and into one. None of it sleeps, but `check`, which
/// may spin.
#[derive(Clone, Copy)]
pub struct Shell {
    /// Where the elements of a container are.
    pub open: unsafe fn(shell: *mut ()) -> Elements,
    /// Makes a container at `place` of elements that are given away, with their memory. For an
    /// option the memory stays the caller's; for a lock the element is put in later.
    pub make: unsafe fn(place: *mut (), elements: Elements, class: usize),
    /// Frees the memory of a container whose elements were taken out.
    pub free: unsafe fn(shell: *mut ()),
    /// Whether the elements may be taken out: a lock is not held.
    pub check: unsafe fn(shell: *mut ()) -> bool,
}

/// What can be done with a value of a type.
#[derive(Clone, Copy)]
pub struct TypeFunctions {
    /// Drops it; `None`: there is nothing to drop.
    pub drop: Option<unsafe fn(*mut ())>,
    /// Of a container.
    pub shell: Option<Shell>,
}

impl TypeFunctions {
    /// Nothing.
    pub const NONE: Self = Self {
        drop: None,
        shell: None,
    };
}

/// How a rule makes a value.
#[derive(Clone, Copy)]
pub enum Make {
    /// It makes none.
    Nothing,
    /// Out of nothing, into `place`.
    New(unsafe fn(place: *mut ())),
    /// The same, and it may fail.
    TryNew(unsafe fn(place: *mut ()) -> Result),
    /// From another value, which is taken.
    From(unsafe fn(old: *mut (), place: *mut ())),
    /// From another value, which is borrowed; it may fail.
    TryFrom(unsafe fn(old: *const (), place: *mut ()) -> Result),
}

impl Make {
    const fn can_fail(&self) -> bool {
        matches!(self, Self::TryNew(_) | Self::TryFrom(_))
    }
}

/// What a rule does.
#[derive(Clone, Copy)]
pub struct RuleFunctions {
    /// To the type that it stands in.
    pub forth: Make,
    /// On the way back.
    pub back: Make,
}

impl RuleFunctions {
    /// Nothing.
    pub const NONE: Self = Self {
        forth: Make::Nothing,
        back: Make::Nothing,
    };

    pub(crate) const fn can_fail(&self) -> bool {
        self.forth.can_fail()
    }

    pub(crate) const fn has_back(&self) -> bool {
        !matches!(self.back, Make::Nothing)
    }

    pub(crate) const fn back_can_fail(&self) -> bool {
        self.back.can_fail()
    }
}

/// A type that represents instances and can be taken over by another version, field by field.
///
/// # Safety
///
/// - `TYPE` lists all fields with their places.
/// - The type does not implement [`Drop`]: whoever has moved every field out, or dropped it in
///   place, may forget the rest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not describe its fields, so no other version could take them over",
    label = "not a state",
    note = "write `#[derive(State)]` above the struct"
)]
pub unsafe trait State: Sized + 'static {
    /// The name under which other versions know this state.
    const NAME: &'static str;

    /// The version of the layout; [`None`] stands for the version of the module.
    const VERSION: Option<u32>;

    /// Which versions' states the rules are for; [`None`]: older ones of the same name.
    const SOURCES: Option<&'static [(&'static str, u32)]>;

    /// The fields and their rules.
    const TYPE: &'static Type;

    /// What `#[state(closed)]` adds.
    #[doc(hidden)]
    fn at_end(&self) {}
}

/// A state whose instances do something at their end. With `#[state(closed)]` above it, for
/// classes whose [`Implementation`] is a front's.
pub trait Closed {
    /// See [`Implementation::closed`].
    fn closed(&self);
}

/// Stands for a struct with these fields.
pub const fn fingerprint_of(parts: &[Part]) -> u64 {
    let mut hash = Fingerprint::new();
    let mut rest = parts;
    while let [part, tail @ ..] = rest {
        hash = hash
            .text(part.name)
            .number(part.offset as u64)
            .number(part.kind.fingerprint);
        rest = tail;
    }
    hash.finish()
}

/// What a module says of its implementation `T`, for [`encode`].
pub const fn source<I, T>(
    class: &'static str,
    name: &'static str,
    version: u32,
    transfers: &[Table],
    resets: &'static [&'static str],
) -> encode::Source
where
    I: ?Sized + Interface + Serves<T>,
    T: Implementation<I>,
{
    encode::Source {
        class,
        name,
        version,
        interface: I::DESCRIPTION,
        state: T::TYPE,
        sources: T::SOURCES,
        has_transfers: !transfers.is_empty(),
        resets,
    }
}

/// Whether `T` is the state that an implementation called `name@version` works on.
pub const fn is_state_of<T: State>(name: &str, version: u32) -> bool {
    let is_of_version = match T::VERSION {
        Some(own) => own == version,
        None => true,
    };
    is_of_version && is_same_text(T::NAME, name)
}
