// SPDX-License-Identifier: GPL-2.0

//! `#[derive(State)]`.

use crate::text;
use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use syn::{
    ext::IdentExt,
    parse::{Parse, ParseStream},
    Attribute, Data, DataStruct, DeriveInput, Error, Field, Ident, Index, LitInt, LitStr, Result,
    Token,
};

pub(crate) fn expand(input: DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let data = structure(&input)?;
    let options = Options::of(&input.attrs)?;
    let state_name = match &options.name {
        Some(given) => given.value(),
        None => name.unraw().to_string(),
    };
    let version = match &options.version {
        Some(version) => quote!(::core::option::Option::Some(#version)),
        None => quote!(::core::option::Option::None),
    };
    let fields = data
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| description(index, field))
        .collect::<Result<Vec<_>>>()?;
    Ok(quote! {
        // SAFETY: All fields are listed; their fingerprints exist for movable types only; and
        // the next item does not compile if the type implements `Drop`.
        #[allow(unsafe_code)]
        unsafe impl ::molt::schema::State for #name {
            const NAME: &'static str = #state_name;
            const VERSION: ::core::option::Option<u32> = #version;
            const FIELDS: &'static [::molt::schema::Field] = &[#(#fields),*];
        }

        const _: () = {
            // Both implementations apply to a state with a `Drop` of its own, which the
            // compiler refuses with this name in the message.
            #[allow(dead_code)]
            trait AStateMustNotImplementDropBecauseItsFieldsAreMovedOut {}
            #[allow(drop_bounds)]
            impl<T: ::core::ops::Drop> AStateMustNotImplementDropBecauseItsFieldsAreMovedOut for T {}
            impl AStateMustNotImplementDropBecauseItsFieldsAreMovedOut for #name {}
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

/// The `molt::schema::Field` of a field.
fn description(index: usize, field: &Field) -> Result<TokenStream> {
    if let Some(attribute) = find(&field.attrs) {
        return Err(Error::new_spanned(
            attribute,
            "fields have no `#[state(...)]` in this release of Molt\n\
             help: known on the struct are `name = \"...\"` and `version = N`",
        ));
    }
    let (name, member) = match &field.ident {
        Some(name) => (name.unraw().to_string(), name.to_token_stream()),
        None => (index.to_string(), Index::from(index).to_token_stream()),
    };
    let kind = &field.ty;
    let type_name = text::of(kind);
    Ok(quote! {
        ::molt::schema::Field {
            name: #name,
            type_name: #type_name,
            fingerprint: <#kind as ::molt::movable::Movable>::FINGERPRINT,
            offset: ::core::mem::offset_of!(Self, #member),
            size: ::core::mem::size_of::<#kind>(),
        }
    })
}

fn find(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("state"))
}

/// What stands in `#[state(...)]` above the struct.
#[derive(Default)]
struct Options {
    name: Option<LitStr>,
    version: Option<u32>,
}

impl Options {
    fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut all = attributes.iter();
        let is_state = |attribute: &&Attribute| attribute.path().is_ident("state");
        let Some(first) = all.find(is_state) else {
            return Ok(Self::default());
        };
        match all.find(is_state) {
            Some(second) => Err(Error::new_spanned(
                second,
                "`#[state(...)]` stands here twice\nhelp: put all into one",
            )),
            None => first.parse_args(),
        }
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            let is_new = match key.to_string().as_str() {
                "name" => options.name.replace(parse_name(input)?).is_none(),
                "version" => options.version.replace(parse_version(input)?).is_none(),
                _ => {
                    return Err(Error::new(
                        key.span(),
                        format!(
                            "a state has no `{key}` in this release of Molt\n\
                             help: known are `name = \"...\"` and `version = N`"
                        ),
                    ))
                }
            };
            if !is_new {
                let message = format!("`{key}` is given twice\nhelp: remove one of the two");
                return Err(Error::new(key.span(), message));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

fn parse_name(input: ParseStream<'_>) -> Result<LitStr> {
    input.parse::<Token![=]>()?;
    let name: LitStr = input.parse()?;
    match syn::parse_str::<Ident>(&name.value()) {
        Ok(_) if name.value().is_ascii() => Ok(name),
        _ => Err(Error::new(
            name.span(),
            format!(
                "`{}` cannot name a state: it is written `name@version` in sysfs and in aliases\n\
                 help: use a name that a type could have",
                name.value()
            ),
        )),
    }
}

fn parse_version(input: ParseStream<'_>) -> Result<u32> {
    input.parse::<Token![=]>()?;
    input.parse::<LitInt>()?.base10_parse()
}
