// SPDX-License-Identifier: GPL-2.0

//! `#[derive(State)]`.

use crate::rules::{self, Place, Rules};
use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::{ext::IdentExt, Data, DataStruct, DeriveInput, Error, Field, Ident, Index, Result};

pub(crate) fn expand(input: DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let data = structure(&input)?;
    let options = Rules::of(&input.attrs, Place::State)?;
    let state_name = match &options.name {
        Some(given) => given.value(),
        None => name.unraw().to_string(),
    };
    let version = match &options.version {
        Some(version) => quote!(::core::option::Option::Some(#version)),
        None => quote!(::core::option::Option::None),
    };
    let sources = match &options.from {
        Some(sources) => quote!(::core::option::Option::Some(&[#(#sources),*])),
        None => quote!(::core::option::Option::None),
    };
    let parts = data
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| part(name, index, field))
        .collect::<Result<Vec<_>>>()?;
    let rules = options.tokens(None)?;
    let at_end = options.closed.map(|()| {
        quote! {
            fn at_end(&self) {
                ::molt::Closed::closed(self);
            }
        }
    });
    Ok(quote! {
        // SAFETY: All fields are listed; their types are described only where they can be moved
        // or are made again; and the next item does not compile if the type implements `Drop`.
        #[allow(unsafe_code)]
        unsafe impl ::molt::schema::State for #name {
            const NAME: &'static str = #state_name;
            const VERSION: ::core::option::Option<u32> = #version;
            const SOURCES: ::core::option::Option<&'static [(&'static str, u32)]> = #sources;
            const TYPE: &'static ::molt::schema::Type = &{
                const PARTS: &[::molt::schema::Part] = &[#(#parts),*];
                const RULES: &[::molt::schema::Rule] = #rules;
                ::molt::schema::Type::new::<#name>(
                    #state_name,
                    ::molt::schema::fingerprint_of(PARTS),
                    ::molt::schema::Kind::Struct,
                )
                .with_parts(PARTS, RULES)
            };
            #at_end
        }

        const _: () = {
            // Both implementations apply to a state with a `Drop` of its own, which the
            // compiler refuses with this name in the message.
            #[allow(dead_code)]
            trait AStateMustNotImplementDropBecauseItsFieldsAreMovedOutWriteClosedInstead {}
            #[allow(drop_bounds)]
            impl<T: ::core::ops::Drop>
                AStateMustNotImplementDropBecauseItsFieldsAreMovedOutWriteClosedInstead for T {}
            impl AStateMustNotImplementDropBecauseItsFieldsAreMovedOutWriteClosedInstead
                for #name {}
        };
    })
}

fn structure(input: &DeriveInput) -> Result<&DataStruct> {
    let name = &input.ident;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            format!(
                "state `{name}` is generic, but another version finds it by one name and one list \
                 of fields\nhelp: name the types, or write a state per type"
            ),
        ));
    }
    let token = match &input.data {
        Data::Struct(data) => return Ok(data),
        Data::Enum(data) => data.enum_token.to_token_stream(),
        Data::Union(data) => data.union_token.to_token_stream(),
    };
    Err(Error::new_spanned(
        &token,
        format!(
            "state `{name}` is an {token}, but a state is taken over field by field\n\
             help: make it a struct, with the {token} as a field"
        ),
    ))
}

fn part(owner: &Ident, index: usize, field: &Field) -> Result<TokenStream> {
    let (name, member) = match &field.ident {
        Some(name) => (name.unraw().to_string(), name.to_token_stream()),
        None => (index.to_string(), Index::from(index).to_token_stream()),
    };
    let rules = Rules::of(&field.attrs, Place::Field)?;
    rules::part(
        field,
        &name,
        &rules,
        &quote!(::molt::container::Stateful),
        &quote!(::core::mem::offset_of!(#owner, #member)),
    )
}
