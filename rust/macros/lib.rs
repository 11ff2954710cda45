// SPDX-License-Identifier: GPL-2.0

//! Procedural macros of Molt.
//!
//! They write what a client module would otherwise need `unsafe` for, and they refuse what
//! could not be updated. A refusal names what was written, why it cannot be, and a way out.
//!
//! What a macro can see is only text. Whatever depends on what a name stands for is left to
//! the compiler, through the bound on `molt::Movable`.

mod abi;
mod attribute;
mod compilation;
mod creation;
mod interface;
mod method;
mod module;
mod movability;
mod movable;
mod rules;
mod state;
mod text;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a trait an interface.
///
/// ```ignore
/// #[molt::interface(name = "counter", context = sleepable, create(start: u64))]
/// pub trait Counter {
///     /// Adds `n`; returns the new total.
///     fn add(&self, n: u64) -> u64;
/// }
/// ```
///
/// `name` is the interface's name, of up to 55 characters out of `a-z`, `0-9`, `_` and `-`.
/// `context` is `sleepable` or `atomic`. `create(...)` lists what an instance is made from;
/// leave it out if that is nothing.
///
/// Methods take `&self`, since several callers can be in an object at once. Arguments are
/// values of a movable type, or lent for the call: `&T`, `&mut T`, and `Option` of these. `T`
/// may be `str` or a slice, too. Methods return nothing or a value of a movable type. A method
/// may have a default body.
///
/// Besides the trait there will be `<Trait>Operations`, the table behind a handle.
#[proc_macro_attribute]
pub fn interface(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::ItemTrait);
    interface::expand(attribute.into(), item).into()
}

/// Declares a module that brings an implementation of a class.
///
/// ```ignore
/// molt::module! {
///     class: "counter",
///     implementation: Sum,
///     version: 1,
///     transfers: [Sum1 => Sum, Sum => Sum1],
///     license: "GPL",
///     description: "Counter",
/// }
/// ```
///
/// The fields may stand in any order. `class`, `implementation`, `version` and `license` must
/// be there. `implementation` is the type of the state, and its name that of the
/// implementation. `transfers` lists the pairs of states between which instances can move,
/// `repairs` those where the first is known to be damaged. `callbacks` names a type whose
/// `Callback` runs before and after an update to this implementation.
/// `init` names a function `fn(&'static ThisModule) -> Result<T>` that runs after the
/// implementation is registered; its value is kept until the module goes. Or `type` names a type
/// whose `InPlaceModule::init` does, as in the kernel's `module!`. `name` defaults to that of the
/// file. `authors`, `description`, `alias`, `firmware`, `imports_ns` and `params`
/// are those of the kernel's `module!`.
#[proc_macro]
pub fn module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as module::Declaration);
    module::expand(input)
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}

/// Says that a struct or an enum holds nothing that goes away with a module.
///
/// All fields must be movable. Lifetimes and unions are refused, and types that contain themselves.
/// Fields, variants and the type itself may have the rules of `#[derive(State)]`, except for
/// `rebuild`: they count where a value of the type is in a state. On a variant `renamed` is for
/// itself, `dropped` and `irreversible` are for its fields. Rules in an enum need a `repr(u8)` or
/// the like, which says where it has what; and there are none in what is moved whole, as all that
/// is in an `Arc` or a tree.
#[proc_macro_derive(Movable, attributes(state))]
pub fn derive_movable(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as syn::DeriveInput);
    movable::expand(input)
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}

/// Describes the fields of a state, so that another version can take them over.
///
/// All fields must be movable, or locks around what is movable; the struct must not implement
/// `Drop`. Above the struct, `#[state(name = "Sum", version = 1)]` gives the name and the version
/// under which other versions know the state; they default to the type's name and the module's
/// version. `from = "Sum@1"` or `from = ["Sum@1", "Sum@2"]` names the versions that the rules
/// are for, which by default are all older ones of that name.
///
/// A field that the other version has under the same name and with the same type needs no rule.
/// Else, on a field:
///
/// | rule | the field |
/// |---|---|
/// | `default`, `default = value` | is new, and begins with this |
/// | `renamed = "old"` | had another name |
/// | `convert(Type => function)` | is made by `fn(Type) -> Field`, which cannot fail |
/// | `try_convert(Type => function)` | is made by `fn(&Type) -> Result<Field>` |
/// | `convert(old: Type => ...)` | the same, from a field of another name |
/// | `convert(..., back = function)`, `try_back = function` | the way back, by such a function |
/// | `rebuild = function` | is dropped, and made again by `fn() -> Field` |
/// | `try_rebuild = function` | is dropped, and made again by `fn() -> Result<Field>` |
/// | `keep` | has to be what it was |
/// | `irreversible` | cannot go back |
///
/// On a lock, a rule's value and what its function takes and makes are those in the lock.
/// Functions that cannot fail run with interrupts off, and must not sleep.
///
/// And above the struct: `dropped(old)` for a field that is no more, `dropped(old: Type = value)`
/// with its value on the way back, and `irreversible`. `versions = "Sum@1"` in the same attribute
/// says for which versions its rules are; a thing may have several attributes.
#[proc_macro_derive(State, attributes(state))]
pub fn derive_state(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as syn::DeriveInput);
    state::expand(input)
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}
