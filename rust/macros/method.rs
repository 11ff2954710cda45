// SPDX-License-Identifier: GPL-2.0

//! A method of an interface: what is refused, and what is generated for it.

use crate::{
    movability::{self, Place},
    text,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, ToTokens};
use syn::{
    ext::IdentExt, Error, FnArg, GenericArgument, Ident, Pat, PatType, PathArguments, Receiver,
    Result, ReturnType, Signature, TraitItemFn, Type, TypeReference, Visibility,
};

/// Methods that every handle has. One of an interface would be hidden by them, or make each
/// call ambiguous.
const OF_HANDLES: [&str; 5] = ["id", "call", "clone", "drop", "end"];

/// How an argument gets to the object.
enum Passing {
    /// Given away.
    Value,
    /// Lent, `&T` or `&mut T`.
    Lent { is_mut: bool, is_optional: bool },
}

struct Argument {
    name: Ident,
    kind: Type,
    passing: Passing,
    /// The type that has to be movable: the argument's, or the one it refers to.
    target: Type,
}

pub(crate) struct Method {
    pub(crate) name: Ident,
    signature: String,
    arguments: Vec<Argument>,
    result: Type,
}

impl Method {
    /// Takes a method of the trait `interface`.
    pub(crate) fn new(interface: &Ident, item: &TraitItemFn) -> Result<Self> {
        let signature = &item.sig;
        let whose = format!("method `{}` of `{interface}`", signature.ident);
        check_name(&whose, &signature.ident)?;
        check_attributes(&whose, item)?;
        check_qualifiers(&whose, signature)?;
        check_generics(&whose, signature)?;
        check_receiver(&whose, signature)?;

        let arguments = signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Typed(input) => Some(Argument::new(&whose, interface, input)),
                FnArg::Receiver(_) => None,
            })
            .collect::<Result<Vec<_>>>()?;
        let result = match &signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, kind) => {
                let what = format!("{whose} returns");
                movability::check(&what, Place::Result, interface, kind)?;
                Some(Type::clone(kind))
            }
        };
        Ok(Self {
            name: signature.ident.clone(),
            signature: describe(&signature.ident, &arguments, result.as_ref()),
            arguments,
            result: result.unwrap_or_else(|| syn::parse_quote!(())),
        })
    }

    /// The `molt::interface::Method` that describes the method.
    pub(crate) fn description(&self) -> TokenStream {
        let (name, signature, result) =
            (self.name.unraw().to_string(), &self.signature, &self.result);
        let count = self.arguments.len() as u64;
        let arguments = self.arguments.iter().map(Argument::fingerprint);
        let words = self.arguments.iter().map(Argument::word);
        let result_name = text::of(result);
        quote! {
            ::molt::interface::Method {
                name: #name,
                signature: #signature,
                fingerprint: ::molt::fingerprint::Fingerprint::new()
                    .text(#name)
                    .number(#count)
                    #(#arguments)*
                    .number(<#result as ::molt::movable::Movable>::FINGERPRINT)
                    .finish(),
                words: &[
                    #(#words,)*
                    ::molt::interface::Word {
                        name: "",
                        type_name: #result_name,
                        fingerprint: <#result as ::molt::movable::Movable>::FINGERPRINT,
                    },
                ],
            }
        }
    }

    /// The method's field in the table. The exact type matters where the kernel checks the
    /// types of indirect calls.
    pub(crate) fn field(&self, visibility: &Visibility) -> TokenStream {
        let (name, result) = (&self.name, &self.result);
        let kinds = self.arguments.iter().map(|argument| &argument.kind);
        let doc = format!("Calls `{name}` on an object whose state belongs to this table.");
        quote! {
            #[doc = #doc]
            #visibility #name: unsafe fn(*const ::molt::object::Header, #(#kinds),*) -> #result
        }
    }

    /// The function that the table of a type points to.
    pub(crate) fn thunk(&self, interface: &Ident) -> TokenStream {
        let (thunk, name, result) = (self.thunk_name(), &self.name, &self.result);
        let (names, kinds) = (self.positions(), self.kinds());
        quote! {
            // The caller must pass an object whose state is a `T` and which stays until the
            // function returns.
            unsafe fn #thunk<T: #interface + 'static>(
                object: *const ::molt::object::Header,
                #(#names: #kinds),*
            ) -> #result {
                // SAFETY: By the requirement on this function, the state is a `T` that lives
                // for the whole call, and the method borrows it for no longer.
                let state = unsafe { ::molt::object::state::<T>(object) };
                <T as #interface>::#name(state, #(#names),*)
            }
        }
    }

    /// The method as implemented for handles.
    pub(crate) fn call(&self, operations: &Ident) -> TokenStream {
        let (name, result) = (&self.name, &self.result);
        let (names, kinds) = (self.positions(), self.kinds());
        quote! {
            #[inline(always)]
            fn #name(&self, #(#names: #kinds),*) -> #result {
                ::molt::Handle::call(self, move |object, operations: &#operations| {
                    // SAFETY: A handle calls this with the current object of its slot and the
                    // table that belongs to it, and keeps the object during the call.
                    unsafe { (operations.#name)(object, #(#names),*) }
                })
            }
        }
    }

    pub(crate) fn thunk_name(&self) -> Ident {
        format_ident!("__molt_{}", self.name)
    }

    /// Names for the arguments that cannot be taken for anything of the generated code's own.
    fn positions(&self) -> Vec<Ident> {
        (0..self.arguments.len())
            .map(|index| format_ident!("argument_{index}"))
            .collect()
    }

    fn kinds(&self) -> impl Iterator<Item = &Type> {
        self.arguments.iter().map(|argument| &argument.kind)
    }
}

impl Argument {
    fn new(whose: &str, interface: &Ident, input: &PatType) -> Result<Self> {
        let name = match &*input.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
            pat => {
                return Err(Error::new_spanned(
                    pat,
                    format!(
                        "{whose} has an argument without a name\n\
                         help: name it; names are part of the interface"
                    ),
                ))
            }
        };
        let (passing, target) = passing(&input.ty);
        let what = format!("{whose} takes `{name}` of type");
        movability::check(&what, Place::Argument, interface, &target)?;
        if let Some(lifetime) = lent(&input.ty).and_then(|reference| reference.lifetime.as_ref()) {
            return Err(Error::new_spanned(
                lifetime,
                format!(
                    "{what} `{}`: an argument is lent for one call\n\
                     help: leave `{lifetime}` out; to keep a value, take it as a `CString`, a \
                     `KBox<T>` or an `Arc<T>`",
                    text::of(&input.ty)
                ),
            ));
        }
        Ok(Self {
            name,
            kind: Type::clone(&input.ty),
            passing,
            target,
        })
    }

    /// The `molt::interface::Word` that describes the argument.
    fn word(&self) -> TokenStream {
        let (name, kind) = (self.name.unraw().to_string(), text::of(&self.kind));
        let fingerprint = self.fingerprint();
        quote! {
            ::molt::interface::Word {
                name: #name,
                type_name: #kind,
                fingerprint: ::molt::fingerprint::Fingerprint::new() #fingerprint .finish(),
            }
        }
    }

    /// The calls that add the argument to a fingerprint.
    fn fingerprint(&self) -> TokenStream {
        let (name, target) = (self.name.unraw().to_string(), &self.target);
        let passing = match &self.passing {
            Passing::Value => 0u64,
            Passing::Lent {
                is_mut,
                is_optional,
            } => 1 + u64::from(*is_mut) + 2 * u64::from(*is_optional),
        };
        quote! {
            .text(#name)
            .number(#passing)
            .number(<#target as ::molt::movable::Movable>::FINGERPRINT)
        }
    }
}

/// The signature in one line, without what does not concern a caller.
fn describe(name: &Ident, arguments: &[Argument], result: Option<&Type>) -> String {
    let mut signature = format!("fn {}(&self", name.unraw());
    for argument in arguments {
        signature += &format!(", {}: {}", argument.name.unraw(), text::of(&argument.kind));
    }
    signature += ")";
    if let Some(result) = result {
        signature += &format!(" -> {}", text::of(result));
    }
    signature
}

/// How an argument of type `kind` is passed, and the type that has to be movable.
fn passing(kind: &Type) -> (Passing, Type) {
    match lent(kind) {
        Some(reference) => (
            Passing::Lent {
                is_mut: reference.mutability.is_some(),
                is_optional: !matches!(kind, Type::Reference(_)),
            },
            Type::clone(&reference.elem),
        ),
        None => (Passing::Value, kind.clone()),
    }
}

/// The reference that an argument is, or that is in its `Option`.
fn lent(kind: &Type) -> Option<&TypeReference> {
    let path = match kind {
        Type::Reference(reference) => return Some(reference),
        Type::Path(path) if path.qself.is_none() => &path.path,
        _ => return None,
    };
    let last = path.segments.last()?;
    let arguments = match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == "Option" => &arguments.args,
        _ => return None,
    };
    match arguments.first()? {
        GenericArgument::Type(Type::Reference(reference)) => Some(reference),
        _ => None,
    }
}

fn check_name(whose: &str, name: &Ident) -> Result<()> {
    if OF_HANDLES.iter().all(|own| name != own) {
        return Ok(());
    }
    Err(Error::new_spanned(
        name,
        format!(
            "{whose} has the name of a method that every handle has, so a caller would not get \
             to it\nhelp: choose another name"
        ),
    ))
}

fn check_attributes(whose: &str, item: &TraitItemFn) -> Result<()> {
    let is_conditional =
        |name: &&syn::Attribute| name.path().is_ident("cfg") || name.path().is_ident("cfg_attr");
    match item.attrs.iter().find(is_conditional) {
        Some(attribute) => Err(Error::new_spanned(
            attribute,
            format!(
                "{whose} is conditional, but both sides of a call need the same table\n\
                 help: put the condition on the whole trait, or return an error where there is \
                 nothing to do"
            ),
        )),
        None => Ok(()),
    }
}

fn check_qualifiers(whose: &str, signature: &Signature) -> Result<()> {
    let refuse = |tokens: &dyn ToTokens, why: &str| {
        let message = format!("{whose} {why}");
        Err(Error::new_spanned(tokens.to_token_stream(), message))
    };
    if let Some(token) = &signature.constness {
        return refuse(
            token,
            "is `const`, but which code runs is known only at the call\nhelp: remove `const`",
        );
    }
    if let Some(token) = &signature.asyncness {
        return refuse(
            token,
            "is `async`: the future would be code of one version that outlives the call\n\
             help: return `Err(EAGAIN)` and let the caller try again",
        );
    }
    if let Some(token) = &signature.unsafety {
        return refuse(
            token,
            "is `unsafe`, but client modules contain no `unsafe`\n\
             help: take arguments of types that cannot be wrong",
        );
    }
    if let Some(token) = &signature.abi {
        return refuse(
            token,
            "has an ABI of its own, but calls go through a table of Rust functions\n\
             help: remove `extern`",
        );
    }
    match &signature.variadic {
        Some(token) => refuse(token, "is variadic\nhelp: take a slice"),
        None => Ok(()),
    }
}

fn check_generics(whose: &str, signature: &Signature) -> Result<()> {
    let why = match signature.generics.params.first() {
        Some(syn::GenericParam::Lifetime(_)) => {
            "has a lifetime parameter, but results cannot be borrowed, and arguments are lent for \
             one call\nhelp: leave lifetimes out"
        }
        Some(_) => {
            "is generic, but the table has one entry for it, compiled before the caller\n\
             help: name the type, or write a method per type"
        }
        None if signature.generics.where_clause.is_some() => {
            "has a where clause, but all implementations must be callable alike\n\
             help: remove it"
        }
        None => return Ok(()),
    };
    let tokens = match signature.generics.params.is_empty() {
        true => signature.generics.where_clause.to_token_stream(),
        false => signature.generics.params.to_token_stream(),
    };
    Err(Error::new_spanned(tokens, format!("{whose} {why}")))
}

fn check_receiver(whose: &str, signature: &Signature) -> Result<()> {
    let why = match signature.receiver() {
        Some(Receiver {
            reference: Some((_, None)),
            mutability: None,
            colon_token: None,
            ..
        }) => return Ok(()),
        Some(Receiver {
            reference: Some((_, Some(_))),
            ..
        }) => "gives its receiver a lifetime, but results cannot be borrowed from an object",
        Some(Receiver {
            mutability: Some(_),
            reference: Some(_),
            ..
        }) => "takes `&mut self`, but several callers can be in an object at once",
        Some(_) => "takes `self` otherwise than by `&self`, but a handle only borrows the object",
        None => "takes no `self`, but it is called on an object",
    };
    let message = format!("{whose} {why}\nhelp: take `&self`; keep what changes in an `Atomic<T>`");
    Err(match signature.receiver() {
        Some(receiver) => Error::new_spanned(receiver, message),
        None => Error::new_spanned(&signature.ident, message),
    })
}
