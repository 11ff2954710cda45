// SPDX-License-Identifier: GPL-2.0

//! What can be told from the text of a type alone about whether its values are movable.

use crate::text;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    visit::{self, Visit},
    Error, Ident, Lifetime, PathSegment, Result, Type, TypeParamBound,
};

/// Where a type stands in an interface.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// An argument passed by value, or what a reference argument refers to.
    Argument,
    /// What a method returns.
    Result,
    /// An argument of the creation.
    Creation,
}

/// Refuses a type that contains, anywhere, what cannot be movable.
///
/// `what` begins the message, as in "method `a` of `B` returns".
pub(crate) fn check(what: &str, place: Place, interface: &Ident, whole: &Type) -> Result<()> {
    let mut finder = Finder {
        place,
        interface,
        found: None,
    };
    finder.visit_type(whole);
    let Some(found) = finder.found else {
        return Ok(());
    };
    let whole = text::of(whole);
    let part = if found.part == whole {
        String::new()
    } else {
        format!(", in which `{}` stands", found.part)
    };
    Err(Error::new_spanned(
        found.tokens,
        format!("{what} `{whole}`{part}: {}\n{}", found.why, found.way_out),
    ))
}

struct Found {
    tokens: TokenStream,
    part: String,
    why: String,
    way_out: &'static str,
}

struct Finder<'a> {
    place: Place,
    interface: &'a Ident,
    found: Option<Found>,
}

impl Finder<'_> {
    /// Keeps the first find only: the others are often a consequence of it.
    fn found(&mut self, part: &impl ToTokens, why: impl Into<String>, way_out: &'static str) {
        if self.found.is_none() {
            self.found = Some(Found {
                tokens: part.to_token_stream(),
                part: text::of(part),
                why: why.into(),
                way_out,
            });
        }
    }

    fn found_borrow(&mut self, part: &impl ToTokens) {
        match self.place {
            Place::Result => self.found(
                part,
                "a borrowed result would outlive the call, while the object it was borrowed \
                 from may be replaced and the module of a `&'static` may go",
                "help: return a value (a `CString` for a text, a `KVec<T>` for a slice), or fill \
                 a `&mut` argument",
            ),
            Place::Argument => self.found(
                part,
                "a reference is lent for one call, so it can only be a whole argument",
                "help: make it an argument of its own, `&T`, `&mut T` or `Option<&T>`, without a \
                 named lifetime",
            ),
            Place::Creation => self.found(
                part,
                "the object is made from it and outlives what it was lent from",
                "help: pass a value: a `CString` for a text, a `KVec<T>` for a slice",
            ),
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_type(&mut self, node: &'ast Type) {
        match node {
            Type::Reference(_) => self.found_borrow(node),
            Type::BareFn(_) => self.found(
                node,
                "a function pointer points into the text of a module, which goes away with it",
                "help: use an enum that says what to do, or a `Handle` of an interface",
            ),
            Type::TraitObject(_) => self.found(
                node,
                "`dyn` carries a table of functions of the module that made the value, which \
                 goes away with it",
                "help: use an enum of the types it can be, or a `Handle` of an interface",
            ),
            Type::ImplTrait(_) => self.found(
                node,
                "the type would be another one in each version",
                "help: name the type",
            ),
            Type::Ptr(_) => self.found(
                node,
                "nobody can tell where a raw pointer points after an update",
                "help: lend a reference, or give a `KBox<T>` away",
            ),
            Type::Never(_) => self.found(
                node,
                "a method that never returns would hold off every update",
                "help: return, and let the caller call again",
            ),
            Type::Macro(_) => self.found(
                node,
                "a macro hides what the type is",
                "help: write the type",
            ),
            _ => visit::visit_type(self, node),
        }
    }

    fn visit_lifetime(&mut self, node: &'ast Lifetime) {
        // `'_` as a parameter of a type is a loan for one call, as a reference is.
        if node.ident != "_" || self.place != Place::Argument {
            self.found_borrow(node);
        }
    }

    fn visit_path_segment(&mut self, node: &'ast PathSegment) {
        if node.ident == "Self" {
            self.found(
                node,
                "`Self` is another type in each version",
                "help: name the type; for another instance of the class, return a number or a key",
            );
        } else if node.ident == "Handle" {
            self.visit_handle(node);
        } else {
            visit::visit_path_segment(self, node);
        }
    }
}

impl Finder<'_> {
    /// A handle refers to a slot, which belongs to the framework: its `dyn` only says which
    /// interface the slot serves.
    fn visit_handle(&mut self, node: &PathSegment) {
        if let Some(own) = arguments(node).find(|path| path.is_ident(self.interface)) {
            let why = format!(
                "the fingerprint of `{}` would depend on itself",
                self.interface
            );
            self.found(
                &own,
                why,
                "help: return the instance's number or key, and let the caller open it",
            );
        }
    }
}

/// The traits `T` of the arguments `dyn T` of a path's segment.
fn arguments(segment: &PathSegment) -> impl Iterator<Item = syn::Path> + '_ {
    let arguments = match &segment.arguments {
        syn::PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    let bounds = arguments
        .into_iter()
        .flatten()
        .filter_map(|argument| match argument {
            syn::GenericArgument::Type(Type::TraitObject(object)) => Some(&object.bounds),
            _ => None,
        });
    bounds.flatten().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => Some(bound.path.clone()),
        _ => None,
    })
}
