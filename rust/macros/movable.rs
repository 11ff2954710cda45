// SPDX-License-Identifier: GPL-2.0

//! `#[derive(Movable)]`.

use crate::text;
use proc_macro2::{Group, Span, TokenStream};
use quote::{quote, ToTokens};
use syn::{
    ext::IdentExt, parse_quote, Data, DataEnum, DataStruct, DeriveInput, Error, Field, Fields,
    GenericParam, Generics, Ident, Index, Result,
};

pub(crate) fn expand(input: DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let generics = bounded(&input)?;
    let parts = match &input.data {
        Data::Struct(data) => structure(data),
        Data::Enum(data) => enumeration(data, &discriminant_type(&input)),
        Data::Union(data) => {
            return Err(Error::new_spanned(
                data.union_token,
                format!(
                    "union `{name}` cannot be movable: nobody can tell which field is in use\n\
                     help: make it an enum"
                ),
            ))
        }
    };
    let constructor = name.unraw().to_string();
    let representation = representation(&input);
    let constants = input.generics.const_params().map(|param| &param.ident);
    let (parameters, arguments, bounds) = generics.split_for_impl();
    Ok(quote! {
        // SAFETY: The fingerprint names the fields and their types, so the compiler has checked
        // that each is movable, and it covers where they are.
        #[allow(unsafe_code)]
        unsafe impl #parameters ::molt::movable::Movable for #name #arguments #bounds {
            const FINGERPRINT: u64 = ::molt::fingerprint::Fingerprint::of::<Self>(#constructor)
                .text(#representation)
                #(.number(#constants as u64))*
                #parts
                .finish();
        }
    })
}

/// Bounds each type parameter by `Movable`; refuses lifetimes.
fn bounded(input: &DeriveInput) -> Result<Generics> {
    let mut generics = input.generics.clone();
    for param in &mut generics.params {
        match param {
            GenericParam::Type(param) => {
                param.bounds.push(parse_quote!(::molt::movable::Movable));
            }
            GenericParam::Lifetime(param) => {
                return Err(Error::new_spanned(
                    &param.lifetime,
                    format!(
                        "`{}` cannot be movable: it borrows for `{}`, and what it borrows from \
                         may go away with a module\n\
                         help: own the value, as `CString`, `KBox<T>`, `KVec<T>` or `Arc<T>`",
                        input.ident, param.lifetime
                    ),
                ))
            }
            GenericParam::Const(_) => {}
        }
    }
    Ok(generics)
}

/// `#[repr(...)]` as written: it decides on the layout.
fn representation(input: &DeriveInput) -> String {
    let attributes = input.attrs.iter();
    attributes
        .filter(|attribute| attribute.path().is_ident("repr"))
        .map(|attribute| text::of(&attribute.meta))
        .collect()
}

/// The type that the language gives to written discriminants.
fn discriminant_type(input: &DeriveInput) -> Ident {
    let mut kind = Ident::new("isize", Span::call_site());
    let attributes = input.attrs.iter();
    for attribute in attributes.filter(|attribute| attribute.path().is_ident("repr")) {
        // The compiler refuses a wrong `repr` by itself.
        let _ = attribute.parse_nested_meta(|meta| {
            if let Some(name) = meta.path.get_ident() {
                if name.to_string().starts_with(['i', 'u']) {
                    kind = name.clone();
                }
            }
            meta.input.parse::<Option<Group>>().map(drop)
        });
    }
    kind
}

/// The calls that add the fields of a struct.
fn structure(data: &DataStruct) -> TokenStream {
    let fields = data.fields.iter().enumerate().map(|(index, field)| {
        let member = match &field.ident {
            Some(name) => name.to_token_stream(),
            None => Index::from(index).to_token_stream(),
        };
        let part = part(index, field);
        quote!(.number(::core::mem::offset_of!(Self, #member) as u64) #part)
    });
    quote!(#(#fields)*)
}

/// The calls that add the variants of an enum. Places are not known here; they follow from the
/// rest, since both sides use the same compiler.
fn enumeration(data: &DataEnum, discriminants: &Ident) -> TokenStream {
    let variants = data.variants.iter().map(|variant| {
        let (name, count) = (
            variant.ident.unraw().to_string(),
            variant.fields.len() as u64,
        );
        let discriminant = match &variant.discriminant {
            Some((_, value)) => quote! {
                .number({
                    const DISCRIMINANT: #discriminants = #value;
                    DISCRIMINANT as u64
                })
            },
            None => quote!(),
        };
        let kind = match &variant.fields {
            Fields::Named(_) => "named",
            Fields::Unnamed(_) => "unnamed",
            Fields::Unit => "unit",
        };
        let fields = variant.fields.iter().enumerate();
        let fields = fields.map(|(index, field)| part(index, field));
        quote!(.text(#name).text(#kind).number(#count) #discriminant #(#fields)*)
    });
    quote!(#(#variants)*)
}

/// The calls that add a field's name and type.
fn part(index: usize, field: &Field) -> TokenStream {
    let name = match &field.ident {
        Some(name) => name.unraw().to_string(),
        None => index.to_string(),
    };
    let kind = &field.ty;
    quote!(.text(#name).number(<#kind as ::molt::movable::Movable>::FINGERPRINT))
}
