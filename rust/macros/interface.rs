// SPDX-License-Identifier: GPL-2.0

//! `#[molt::interface]`.

use crate::{abi, attribute::Attribute, compilation::Compilation, method::Method};
use proc_macro2::{TokenStream, TokenTree};
use quote::{format_ident, quote, ToTokens};
use syn::{Error, Ident, ItemTrait, Result, TraitItem, TraitItemFn, TypeParamBound};

/// Expands to the trait and what belongs to it; to the bare trait and all refusals if there
/// are any, so that each error of the compiler is about something else.
pub(crate) fn expand(attribute: TokenStream, item: ItemTrait) -> TokenStream {
    match Interface::new(attribute, &item) {
        Ok(interface) => interface.expansion(&item),
        Err(error) => {
            let errors = error.into_compile_error();
            quote!(#item #errors)
        }
    }
}

struct Interface {
    attribute: Attribute,
    compilation: Compilation,
    methods: Vec<Method>,
}

impl Interface {
    fn new(attribute: TokenStream, item: &ItemTrait) -> Result<Self> {
        let mut refusals = Refusals(None);
        let attribute = refusals.keep(syn::parse2::<Attribute>(attribute));
        if let Some(attribute) = &attribute {
            refusals.keep(attribute.creation.check(&item.ident));
        }
        refusals.keep(check_trait(item));
        let methods = item
            .items
            .iter()
            .filter_map(|part| refusals.keep(method(&item.ident, part)))
            .collect();
        if attribute
            .as_ref()
            .is_some_and(|given| given.context == "Atomic")
        {
            for method in item.items.iter().filter_map(function) {
                refusals.keep(check_atomic(&item.ident, method));
            }
        }
        let compilation = refusals.keep(Compilation::current());
        match (refusals.0, attribute, compilation) {
            (None, Some(attribute), Some(compilation)) => Ok(Self {
                attribute,
                compilation,
                methods,
            }),
            (Some(error), ..) => Err(error),
            _ => Err(Error::new_spanned(item, "the interface could not be read")),
        }
    }

    fn expansion(&self, item: &ItemTrait) -> TokenStream {
        let (name, visibility) = (&item.ident, &item.vis);
        let operations = format_ident!("{name}Operations");
        let doc = format!("The table behind a handle: the methods of [`{name}`] in their order.");
        let fields = self.methods.iter().map(|method| method.field(visibility));
        let implementations = self.implementations(name, &operations);
        let description = self.description(name, &operations);
        let abi = (!self.attribute.is_own).then(abi::reference);
        quote! {
            // The file of an interface is included by modules that nobody includes, so `pub`
            // has no effect there. It tells a reader that the interface is for others.
            #[allow(unreachable_pub)]
            #item

            #[allow(unreachable_pub)]
            #[doc = #doc]
            #[repr(C)]
            #visibility struct #operations {
                #(#fields,)*
            }

            #[allow(unsafe_code)]
            const _: () = {
                #description
                #implementations
            };

            #abi
        }
    }

    fn description(&self, trait_: &Ident, operations: &Ident) -> TokenStream {
        let Attribute {
            name,
            context,
            creation,
            ..
        } = &self.attribute;
        let Compilation { compiler, release } = &self.compilation;
        let arguments = creation.kind();
        let creation = creation.description();
        let methods = self.methods.iter().map(Method::description);
        quote! {
            // Prefixed, since the types of the signatures are read in the same scope.
            const __MOLT_METHODS: &[::molt::interface::Method] = &[#(#methods),*];
            const __MOLT_CREATION: ::molt::interface::Method = #creation;
            const __MOLT_CONTEXT: ::molt::interface::Context = ::molt::interface::Context::#context;
            const __MOLT_DESCRIPTION: ::molt::interface::Description =
                ::molt::interface::Description {
                    name: #name,
                    context: __MOLT_CONTEXT,
                    creation: __MOLT_CREATION,
                    methods: __MOLT_METHODS,
                    fingerprint: ::molt::interface::fingerprint(
                        &[#compiler, #release, #name],
                        __MOLT_CONTEXT,
                        &__MOLT_CREATION,
                        __MOLT_METHODS,
                    ),
                };

            // SAFETY: The table has the methods' functions in order, and the fingerprint covers
            // whatever their types depend on.
            unsafe impl ::molt::interface::Interface for dyn #trait_ {
                type Arguments = #arguments;
                type Operations = #operations;
                const DESCRIPTION: &'static ::molt::interface::Description = &__MOLT_DESCRIPTION;
            }
        }
    }

    fn implementations(&self, name: &Ident, operations: &Ident) -> TokenStream {
        let thunks = self.methods.iter().map(|method| method.thunk(name));
        let calls = self.methods.iter().map(|method| method.call(operations));
        let entries = self.methods.iter().map(|method| {
            let (field, thunk) = (&method.name, method.thunk_name());
            quote!(#field: #thunk::<T>)
        });
        quote! {
            #(#thunks)*

            // SAFETY: Each function takes the object's state for a `T`, which it is.
            unsafe impl<T: #name + 'static> ::molt::interface::Serves<T> for dyn #name {
                const OPERATIONS: &'static #operations = &#operations { #(#entries,)* };
            }

            impl #name for ::molt::Handle<dyn #name> {
                #(#calls)*
            }
        }
    }
}

fn method(interface: &Ident, part: &TraitItem) -> Result<Method> {
    let what = match part {
        TraitItem::Fn(method) => return Method::new(interface, method),
        TraitItem::Type(_) => "an associated type",
        TraitItem::Const(_) => "an associated constant",
        TraitItem::Macro(_) => "a macro",
        _ => "something other than methods",
    };
    Err(Error::new_spanned(
        part,
        format!(
            "`{interface}` has {what}, but an interface has methods only: a handle does not know \
             the type behind it\nhelp: name the type where it is used, or write a method that \
             returns the value"
        ),
    ))
}

fn function(part: &TraitItem) -> Option<&TraitItemFn> {
    match part {
        TraitItem::Fn(method) => Some(method),
        _ => None,
    }
}

/// What a method of atomic context cannot use without sleeping: memory of user space.
const SLEEPING: [&str; 5] = [
    "UserSlice",
    "UserSliceReader",
    "UserSliceWriter",
    "IovIterSource",
    "IovIterDest",
];

/// Refuses signatures that only make sense where a method may sleep.
fn check_atomic(interface: &Ident, method: &TraitItemFn) -> Result<()> {
    for input in &method.sig.inputs {
        let mut words = input.to_token_stream().into_iter().collect::<Vec<_>>();
        while let Some(word) = words.pop() {
            match word {
                TokenTree::Group(group) => words.extend(group.stream()),
                TokenTree::Ident(word) if SLEEPING.iter().any(|known| word == known) => {
                    return Err(Error::new_spanned(
                        input,
                        format!(
                            "method `{}` of `{interface}` takes a `{word}`, but reading or writing \
                             it may sleep, and the context is atomic\n\
                             help: copy the data before the call, or write `context = sleepable`",
                            method.sig.ident
                        ),
                    ));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn check_trait(item: &ItemTrait) -> Result<()> {
    let name = &item.ident;
    let refuse = |tokens: &dyn ToTokens, why: &str| {
        let message = format!("`{name}` {why}");
        Err(Error::new_spanned(tokens.to_token_stream(), message))
    };
    if let Some(token) = &item.unsafety {
        return refuse(
            token,
            "is an unsafe trait, but client modules contain no `unsafe`\nhelp: remove `unsafe`",
        );
    }
    if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
        return refuse(
            &item.generics.params,
            "is generic, but a class serves one interface, known by one fingerprint\n\
             help: name the types, or write an interface per type",
        );
    }
    match item.supertraits.iter().find(|bound| !is_allowed(bound)) {
        Some(bound) => refuse(
            bound,
            "has a supertrait, whose methods would not go through the handle\n\
             help: declare its methods in the interface; `Send` and `Sync` may stay",
        ),
        None => Ok(()),
    }
}

/// Bounds without methods.
fn is_allowed(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last();
            last.is_some_and(|last| last.ident == "Send" || last.ident == "Sync")
        }
        TypeParamBound::Lifetime(lifetime) => lifetime.ident == "static",
        _ => false,
    }
}

/// All that is wrong with an interface, so that its author reads it at once.
struct Refusals(Option<Error>);

impl Refusals {
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                match &mut self.0 {
                    Some(first) => first.combine(error),
                    none => *none = Some(error),
                }
                None
            }
        }
    }
}
