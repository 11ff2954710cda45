// SPDX-License-Identifier: GPL-2.0

//! `molt::module!`.

use crate::{abi, attribute};
use proc_macro2::{Literal, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use std::{env, path::Path as File};
use syn::{
    bracketed,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    spanned::Spanned,
    Error, Ident, LitInt, LitStr, Path, Result, Token, Type,
};

/// The fields in the order in which the messages list them.
const FIELDS: [&str; 17] = [
    "class",
    "implementation",
    "version",
    "transfers",
    "repairs",
    "callbacks",
    "statics",
    "init",
    "type",
    "name",
    "authors",
    "description",
    "license",
    "alias",
    "firmware",
    "imports_ns",
    "params",
];

/// The fields that the kernel's `module!` takes as they are, in the order that it insists on,
/// with those that are made here.
const KERNEL_FIELDS: [&str; 7] = [
    "authors",
    "description",
    "license",
    "alias",
    "firmware",
    "imports_ns",
    "params",
];

/// What runs after the registration.
enum Start {
    /// A function.
    Function(Path),
    /// The init of a module as the kernel knows one.
    Module(Type),
}

/// From one state to another.
struct Transfer {
    from: Type,
    to: Type,
}

/// A static that may begin again.
struct Reset(Ident);

impl Parse for Reset {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let word: Ident = input.parse()?;
        if word != "reset" {
            return Err(Error::new(
                word.span(),
                format!(
                    "a static has no `{word}`\n\
                     help: write `reset(NAME)` where a static of the other version may begin again"
                ),
            ));
        }
        let inside;
        parenthesized!(inside in input);
        Ok(Self(inside.parse()?))
    }
}

pub(crate) struct Declaration {
    class: LitStr,
    implementation: Path,
    version: u32,
    transfers: Vec<Transfer>,
    repairs: Vec<Transfer>,
    callbacks: Option<Type>,
    statics: Vec<Reset>,
    start: Option<Start>,
    name: Option<LitStr>,
    aliases: Vec<LitStr>,
    /// Fields for the kernel's `module!`.
    kernel: Vec<(Ident, TokenTree)>,
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut fields = Fields::default();
        while !input.is_empty() {
            fields.parse(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let missing = |key| {
            Error::new(
                Span::call_site(),
                format!("the module lacks `{key}`\nhelp: write `{key}: ...,`"),
            )
        };
        if !fields.seen.iter().any(|key| key == "license") {
            return Err(missing("license"));
        }
        Ok(Self {
            class: fields.class.ok_or_else(|| missing("class"))?,
            implementation: fields
                .implementation
                .ok_or_else(|| missing("implementation"))?,
            version: fields.version.ok_or_else(|| missing("version"))?,
            transfers: fields.transfers,
            repairs: fields.repairs,
            callbacks: fields.callbacks,
            statics: fields.statics,
            start: fields.start,
            name: fields.name,
            aliases: fields.aliases,
            kernel: fields.kernel,
        })
    }
}

/// The fields read so far.
#[derive(Default)]
struct Fields {
    seen: Vec<Ident>,
    class: Option<LitStr>,
    implementation: Option<Path>,
    version: Option<u32>,
    transfers: Vec<Transfer>,
    repairs: Vec<Transfer>,
    callbacks: Option<Type>,
    statics: Vec<Reset>,
    start: Option<Start>,
    name: Option<LitStr>,
    aliases: Vec<LitStr>,
    kernel: Vec<(Ident, TokenTree)>,
}

impl Fields {
    fn parse(&mut self, input: ParseStream<'_>) -> Result<()> {
        let key = input.call(Ident::parse_any)?;
        if self.seen.contains(&key) {
            let message = format!("`{key}` is given twice\nhelp: remove one of the two");
            return Err(Error::new(key.span(), message));
        }
        self.seen.push(key.clone());
        let text = key.to_string();
        if !FIELDS.contains(&text.as_str()) {
            return Err(Error::new(
                key.span(),
                format!(
                    "a module has no `{key}`\nhelp: it has {}",
                    FIELDS.map(|field| format!("`{field}`")).join(", ")
                ),
            ));
        }
        input.parse::<Token![:]>()?;
        match text.as_str() {
            "class" => self.class = Some(parse_class(input)?),
            "implementation" => self.implementation = Some(parse_implementation(input)?),
            "version" => self.version = Some(input.parse::<LitInt>()?.base10_parse()?),
            "transfers" => self.transfers = parse_list(input)?,
            "repairs" => self.repairs = parse_list(input)?,
            "callbacks" => self.callbacks = Some(input.parse()?),
            "statics" => self.statics = parse_list(input)?,
            "init" => self.begin(&key, Start::Function(input.parse()?))?,
            "type" => self.begin(&key, Start::Module(input.parse()?))?,
            "name" => self.name = Some(input.parse()?),
            "alias" => self.aliases = parse_list(input)?,
            _ => self.kernel.push((key, input.parse()?)),
        }
        Ok(())
    }
}

impl Fields {
    fn begin(&mut self, key: &Ident, start: Start) -> Result<()> {
        match self.start.replace(start) {
            None => Ok(()),
            Some(_) => Err(Error::new(
                key.span(),
                "`init` beside `type`: either says what runs at the module's init\n\
                 help: remove one of the two",
            )),
        }
    }
}

impl Parse for Transfer {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let from = input.parse()?;
        input.parse::<Token![=>]>()?;
        let to = input.parse()?;
        Ok(Self { from, to })
    }
}

fn parse_list<T: Parse>(input: ParseStream<'_>) -> Result<Vec<T>> {
    let list;
    bracketed!(list in input);
    let list = Punctuated::<T, Token![,]>::parse_terminated(&list)?;
    Ok(list.into_iter().collect())
}

fn parse_class(input: ParseStream<'_>) -> Result<LitStr> {
    let class: LitStr = input.parse()?;
    attribute::check_name("a class", &class)?;
    Ok(class)
}

fn parse_implementation(input: ParseStream<'_>) -> Result<Path> {
    let path: Path = input.parse()?;
    match path.segments.last() {
        Some(last) if last.arguments.is_empty() => Ok(path),
        _ => Err(Error::new_spanned(
            &path,
            "an implementation is known by one name, so its type takes no arguments\n\
             help: write a struct with the arguments filled in",
        )),
    }
}

pub(crate) fn expand(module: Declaration) -> Result<TokenStream> {
    let implementation = module.implementation_name();
    let kernel_module = module.kernel_module(&implementation)?;
    let information = module.information(&implementation);
    let start = module.start(&implementation);
    let abi = abi::reference();
    Ok(quote! {
        #kernel_module
        #start
        #information
        #abi
    })
}

impl Declaration {
    fn implementation_name(&self) -> String {
        let last = self.implementation.segments.last();
        last.map(|last| last.ident.unraw().to_string())
            .unwrap_or_default()
    }

    /// The call of the kernel's `module!`.
    fn kernel_module(&self, implementation: &str) -> Result<TokenStream> {
        let name = match &self.name {
            Some(name) => name.value(),
            None => file_name()?,
        };
        let own = format!(
            "molt:{}:{implementation}@{}",
            self.class.value(),
            self.version
        );
        let aliases = &self.aliases;
        let alias = (
            Ident::new("alias", Span::call_site()),
            syn::parse2(quote!([#own, #(#aliases),*]))?,
        );
        let fields = KERNEL_FIELDS.iter().filter_map(|field| {
            let mut given = self.kernel.iter().chain([&alias]);
            let (key, value) = given.find(|(key, _)| key == field)?;
            Some(quote!(#key: #value,))
        });
        Ok(quote! {
            ::kernel::prelude::module! {
                type: __MoltModule,
                name: #name,
                #(#fields)*
            }
        })
    }

    /// The module's type: it registers the implementation, and keeps what `init` returned.
    fn start(&self, name: &str) -> TokenStream {
        let Self {
            class,
            implementation,
            version,
            ..
        } = self;
        let transfers = self.transfers.iter().map(|Transfer { from, to }| {
            quote_spanned!(from.span()=> ::molt::transfer::Table::of::<#from, #to>())
        });
        let descriptor = quote_spanned! {implementation.span()=>
            ::molt::implementation::Descriptor::of::<_, #implementation>(
                #class, #name, #version, DESCRIBED, TRANSFERS,
            )
        };
        let repairs = self.repairs.iter().map(|Transfer { from, to }| {
            quote_spanned!(from.span()=> ::molt::repair::Mend::of::<#from, #to>())
        });
        let callbacks = self.callbacks.iter().map(|callbacks| {
            quote_spanned!(callbacks.span()=>
                .with_callbacks(::molt::callback::Callbacks::of::<#callbacks>())
            )
        });
        let resets = self
            .statics
            .iter()
            .map(|Reset(name)| name.unraw().to_string());
        let misnamed = format!(
            "the state of implementation `{name}@{version}` says otherwise in `#[state(...)]`; \
             leave `name` and `version` out there"
        );
        let (kept_field, kept_value) = self.kept();
        quote! {
            struct __MoltModule {
                #kept_field
                _registration: ::molt::implementation::Registration,
            }

            const _: () = {
                const TRANSFERS: &[::molt::transfer::Table] = &[#(#transfers),*];
                const REPAIRS: &[::molt::repair::Mend] = &[#(#repairs),*];
                const SOURCE: ::molt::schema::encode::Source =
                    ::molt::schema::source::<_, #implementation>(
                        #class, #name, #version, TRANSFERS, &[#(#resets),*],
                    );
                const COUNTS: ::molt::schema::encode::Counts =
                    ::molt::schema::encode::measure(&SOURCE);
                const ENCODED: ::molt::schema::encode::Encoded<
                    { COUNTS.size() },
                    { COUNTS.types },
                    { COUNTS.rules },
                > = ::molt::schema::encode::encode(&SOURCE, COUNTS);
                // A section of its own is what the lint objects to: tools find it there.
                #[allow(unsafe_code)]
                #[link_section = ".molt.schema"]
                #[used(compiler)]
                static SCHEMA: [u8; COUNTS.size()] = ENCODED.bytes;
                const DESCRIBED: ::molt::implementation::Described =
                    ::molt::implementation::Described {
                        schema: &SCHEMA,
                        types: &ENCODED.types,
                        rules: &ENCODED.rules,
                    };
                static DESCRIPTOR: ::molt::implementation::Descriptor =
                    #descriptor.with_repairs(REPAIRS)#(#callbacks)*;

                ::core::assert!(
                    ::molt::schema::is_state_of::<#implementation>(#name, #version),
                    #misnamed
                );

                impl ::kernel::Module for __MoltModule {
                    fn init(
                        module: &'static ::kernel::ThisModule,
                    ) -> ::kernel::error::Result<Self> {
                        let _registration =
                            ::molt::implementation::Registration::new(&DESCRIPTOR, module)?;
                        ::core::result::Result::Ok(Self { #kept_value _registration })
                    }
                }
            };
        }
    }

    /// The field for what the module's own init makes, and its value. It stands before the
    /// registration, so that it is dropped before it.
    fn kept(&self) -> (TokenStream, TokenStream) {
        // The type that a function returns has no name here, so it is kept as `dyn`; its
        // table of functions is in this very module.
        match &self.start {
            None => (quote!(), quote!()),
            Some(Start::Function(init)) => (
                quote!(_kept: ::kernel::alloc::KBox<dyn __MoltKept>,),
                quote_spanned! {init.span()=>
                    _kept: ::kernel::alloc::KBox::new(
                        #init(module)?,
                        ::kernel::alloc::flags::GFP_KERNEL,
                    )?,
                },
            ),
            Some(Start::Module(module)) => (
                quote_spanned!(module.span()=>
                    _kept: ::core::pin::Pin<::kernel::alloc::KBox<#module>>,
                ),
                quote_spanned! {module.span()=>
                    _kept: ::kernel::alloc::KBox::try_pin_init(
                        <#module as ::kernel::InPlaceModule>::init(module),
                        ::kernel::alloc::flags::GFP_KERNEL,
                    )?,
                },
            ),
        }
    }

    /// What modinfo shows, besides what the kernel's `module!` put there.
    fn information(&self, implementation: &str) -> TokenStream {
        let entries = [
            ("class", self.class.value()),
            ("implementation", implementation.to_owned()),
            ("version", self.version.to_string()),
        ];
        let entries = entries.iter().map(|(key, value)| {
            let entry = format!("molt_{key}={value}\0");
            let length = entry.len();
            let bytes = Literal::byte_string(entry.as_bytes());
            let name = format_ident!("__MOLT_{}", key.to_uppercase());
            quote! {
                #[link_section = ".modinfo"]
                #[used(compiler)]
                static #name: [u8; #length] = *#bytes;
            }
        });
        let is_function = matches!(self.start, Some(Start::Function(_)));
        let kept = is_function.then(|| {
            quote! {
                trait __MoltKept: Send + Sync {}
                impl<T: Send + Sync> __MoltKept for T {}
            }
        });
        quote! {
            #kept
            // A section of its own is what the lint objects to.
            #[allow(unsafe_code)]
            const _: () = {
                #(#entries)*
            };
        }
    }
}

/// The name that Kbuild gives the module.
fn file_name() -> Result<String> {
    let path = env::var("RUST_MODFILE").ok();
    let name = path.as_deref().and_then(|path| File::new(path).file_name());
    match name.and_then(|name| name.to_str()) {
        Some(name) => Ok(name.to_owned()),
        None => Err(Error::new(
            Span::call_site(),
            "RUST_MODFILE is not set, so the module's name is not known; build through Kbuild, \
             or write `name: \"...\"`",
        )),
    }
}
