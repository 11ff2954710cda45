// SPDX-License-Identifier: GPL-2.0

//! `#[derive(Movable)]`.

use crate::rules::{self, Place, Rules};
use crate::text;
use proc_macro2::{Group, Span, TokenStream};
use quote::{format_ident, quote, ToTokens};
use syn::{
    ext::IdentExt,
    parse_quote,
    visit::{self, Visit},
    Data, DataEnum, DataStruct, DeriveInput, Error, Field, Fields, GenericParam, Generics, Ident,
    Index, Path, Result,
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
    check_finite(&input)?;
    let description = description(&input)?;
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
            #description
        }
    })
}

/// Refuses a type that contains itself: the compiler would only say that its constants go round
/// in a circle.
fn check_finite(input: &DeriveInput) -> Result<()> {
    let mut finder = Finder {
        name: &input.ident,
        found: None,
    };
    match &input.data {
        Data::Struct(data) => finder.visit_types(&data.fields),
        Data::Enum(data) => {
            let variants = data.variants.iter();
            variants.for_each(|one| finder.visit_types(&one.fields));
        }
        Data::Union(_) => {}
    }
    match finder.found {
        Some(path) => Err(Error::new_spanned(
            path,
            format!(
                "`{name}` contains `{name}`, so a description of all that is in it would have no \
                 end\n\
                 help: keep the values in a `KVec<{name}>` or an `RBTree<K, {name}>` of the state, \
                 and let them name each other by number or key; a chain can be a kernel `List`",
                name = input.ident,
            ),
        )),
        None => Ok(()),
    }
}

/// Looks for a type among its own parts.
struct Finder<'a> {
    name: &'a Ident,
    found: Option<Path>,
}

impl Finder<'_> {
    fn visit_types(&mut self, fields: &Fields) {
        fields.iter().for_each(|field| self.visit_type(&field.ty));
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        let is_it =
            |segment: &syn::PathSegment| segment.ident == *self.name || segment.ident == "Self";
        if path.segments.len() == 1 && path.segments.iter().any(is_it) {
            self.found.get_or_insert_with(|| path.clone());
        }
        visit::visit_path(self, path);
    }
}

/// The constants that describe the type, for schemas.
fn description(input: &DeriveInput) -> Result<TokenStream> {
    let name = input.ident.unraw().to_string();
    let place = match &input.data {
        Data::Enum(_) => Place::Enum,
        _ => Place::Part,
    };
    let rules = Rules::of(&input.attrs, place)?.tokens(None)?;
    let (kind, parts) = match &input.data {
        Data::Struct(data) => {
            let parts = fields(&data.fields, Place::Field, |member| {
                quote!(::core::mem::offset_of!(Self, #member))
            })?;
            (quote!(Struct), quote!(&[#(#parts),*]))
        }
        Data::Enum(data) => {
            let Some(tagged) = Tagged::of(input, data) else {
                check_unruled(input, data)?;
                let kinds = data.variants.iter().flat_map(|variant| &variant.fields);
                let kinds = kinds.map(|field| &field.ty);
                let hidden = quote! {
                    #(.hiding(<#kinds as ::molt::movable::Movable>::TYPE))*
                };
                return Ok(quote! {
                    const TYPE: &'static ::molt::schema::Type =
                        &::molt::schema::Type::whole::<Self>(#name, Self::FINGERPRINT)
                            .enumeration()
                            #hidden;
                });
            };
            let (parts, tag) = (tagged.parts(data)?, &tagged.tag);
            return Ok(quote! {
                const PARTS: &'static [::molt::schema::Part] = #parts;
                const RULES: &'static [::molt::schema::Rule] = #rules;
                const TYPE: &'static ::molt::schema::Type = &::molt::schema::Type::new::<Self>(
                    #name,
                    Self::FINGERPRINT,
                    ::molt::schema::Kind::Enum,
                )
                .with_parts(Self::PARTS, Self::RULES)
                .with_tag(::core::mem::size_of::<#tag>())
                .enumeration();
            });
        }
        Data::Union(_) => return Ok(quote!()),
    };
    Ok(quote! {
        const PARTS: &'static [::molt::schema::Part] = #parts;
        const RULES: &'static [::molt::schema::Rule] = #rules;
        const TYPE: &'static ::molt::schema::Type = &::molt::schema::Type::new::<Self>(
            #name,
            Self::FINGERPRINT,
            ::molt::schema::Kind::#kind,
        )
        .with_parts(Self::PARTS, Self::RULES);
    })
}

/// Refuses rules in an enum that is taken whole: nobody would follow them.
fn check_unruled(input: &DeriveInput, data: &DataEnum) -> Result<()> {
    let variants = data.variants.iter();
    let fields = variants.clone().flat_map(|variant| &variant.fields);
    let all = input.attrs.iter();
    let mut all = all
        .chain(variants.flat_map(|variant| &variant.attrs))
        .chain(fields.flat_map(|field| &field.attrs));
    let Some(attribute) = all.find(|attribute| attribute.path().is_ident("state")) else {
        return Ok(());
    };
    let (name, generics) = (&input.ident, &input.generics.params);
    let (why, way_out) = match generics.is_empty() {
        true => (
            "the language does not say where an enum without `repr(u8)` or the like has what",
            "write `#[repr(u8)]` or `#[repr(C, u8)]` above it",
        ),
        false => (
            "the places in a generic enum differ from type to type",
            "write an enum without type parameters",
        ),
    };
    Err(Error::new_spanned(
        attribute,
        format!(
            "enum `{name}` is moved as it is, so no rule can apply to what is in it: {why}\n\
             help: {way_out}, or write `convert(...)` on the field that holds it"
        ),
    ))
}

/// The `molt::schema::Part`s of fields; `offset` says where one lies.
fn fields(
    fields: &Fields,
    place: Place,
    offset: impl Fn(&TokenStream) -> TokenStream,
) -> Result<Vec<TokenStream>> {
    let part = |(index, field): (usize, &Field)| {
        let (name, member) = match &field.ident {
            Some(name) => (name.unraw().to_string(), name.to_token_stream()),
            None => (index.to_string(), Index::from(index).to_token_stream()),
        };
        let rules = Rules::of(&field.attrs, place)?;
        if rules.rebuilds() {
            return Err(Error::new_spanned(
                field,
                "only a field of a state can be made again, not one of a part of it\n\
                 help: put it into the state itself",
            ));
        }
        let owner = quote!(::molt::movable::Movable);
        rules::part(field, &name, &rules, &owner, &offset(&member))
    };
    fields.iter().enumerate().map(part).collect()
}

/// An enum whose layout the language fixes: `repr(u8)`, `repr(C, u8)` and the like.
struct Tagged {
    tag: Ident,
    /// The fields of a variant lie behind the tag in a union of their own, not each with the tag.
    is_c: bool,
}

impl Tagged {
    fn of(input: &DeriveInput, data: &DataEnum) -> Option<Self> {
        let written = representation(input);
        let tag = discriminant_type(input);
        let is_fixed = tag != "isize" && tag != "usize" && !data.variants.is_empty();
        (is_fixed && input.generics.params.is_empty()).then_some(Self {
            tag,
            is_c: written.contains('C'),
        })
    }

    /// The variants, each as a struct with the enum's size.
    fn parts(&self, data: &DataEnum) -> Result<TokenStream> {
        let tag = &self.tag;
        let unsigned = Ident::new(&tag.to_string().replace('i', "u"), tag.span());
        let (mut structs, mut tags, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for (index, variant) in data.variants.iter().enumerate() {
            let name = variant.ident.unraw().to_string();
            let (shape, number) = (format_ident!("Variant{index}"), format_ident!("TAG{index}"));
            let kinds = variant.fields.iter().map(|field| &field.ty);
            let places = (0..variant.fields.len()).map(|index| format_ident!("field{index}"));
            let before = (!self.is_c).then(|| quote!(tag: #tag,));
            structs.push(quote! {
                #[repr(C)]
                #[allow(dead_code)]
                struct #shape { #before #(#places: #kinds),* }
            });
            let value = match (&variant.discriminant, index.checked_sub(1)) {
                (Some((_, value)), _) => quote!(#value),
                (None, Some(before)) => {
                    let before = format_ident!("TAG{before}");
                    quote!(#before + 1)
                }
                (None, None) => quote!(0),
            };
            tags.push(quote!(const #number: #tag = #value;));
            let rules = Rules::of(&variant.attrs, Place::Variant)?;
            let (rules, inner) = (rules.of_itself()?, rules.of_inside()?);
            let mut position = 0usize;
            let inside = fields(&variant.fields, Place::Field, |_| quote!(0))?;
            let inside: Vec<_> = inside
                .into_iter()
                .map(|part| {
                    let place = format_ident!("field{position}");
                    position += 1;
                    quote! {
                        ::molt::schema::Part {
                            offset: PAYLOAD + ::core::mem::offset_of!(#shape, #place),
                            ..#part
                        }
                    }
                })
                .collect();
            let constant = format_ident!("INSIDE{index}");
            structs.push(quote! {
                const #constant: &[::molt::schema::Part] = &[#(#inside),*];
            });
            parts.push(quote! {
                ::molt::schema::Part {
                    name: #name,
                    type_name: #name,
                    kind: &::molt::schema::Type::new::<Self>(#name, 0, ::molt::schema::Kind::Struct)
                        .with_parts(#constant, #inner),
                    offset: 0,
                    tag: #number as #unsigned as u64,
                    rules: #rules,
                }
            });
        }
        let shapes = (0..data.variants.len()).map(|index| format_ident!("Variant{index}"));
        let payload = match self.is_c {
            false => quote!(0),
            true => quote! {{
                // The union of all variants lies where its alignment allows.
                let aligns = [#(::core::mem::align_of::<#shapes>()),*];
                let mut place = ::core::mem::size_of::<#tag>();
                let mut index = 0;
                while index < aligns.len() {
                    place = place.next_multiple_of(aligns[index]);
                    index += 1;
                }
                place
            }},
        };
        Ok(quote! {{
            #(#structs)*
            #(#tags)*
            const PAYLOAD: usize = #payload;
            &[#(#parts),*]
        }})
    }
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
