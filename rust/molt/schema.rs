// SPDX-License-Identifier: GPL-2.0

//! Schemas: what a state consists of, so that another version can take it over.
//!
//! `#[derive(State)]` writes them. They lie in the constants of the module that declares the
//! state; whoever keeps one longer than that module has to copy it.

use crate::fingerprint::is_same_text;

/// A field of a state.
pub struct Field {
    /// The field's name; its number in a tuple struct.
    pub name: &'static str,
    /// The field's type as written, for messages.
    pub type_name: &'static str,
    /// Stands for the field's type.
    pub fingerprint: u64,
    /// Where the field begins in the state, in bytes.
    pub offset: usize,
    /// The size of the field in bytes.
    pub size: usize,
}

/// A type that represents instances and can be taken over by another version, field by field.
///
/// # Safety
///
/// - `FIELDS` lists all fields with their places; each field is movable.
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

    /// The fields, in the order of the source.
    const FIELDS: &'static [Field];
}

/// Whether `T` is the state that an implementation called `name@version` works on.
pub const fn is_state_of<T: State>(name: &str, version: u32) -> bool {
    let is_of_version = match T::VERSION {
        Some(own) => own == version,
        None => true,
    };
    is_of_version && is_same_text(T::NAME, name)
}
