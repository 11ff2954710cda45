// SPDX-License-Identifier: GPL-2.0

//! What an instance is created from: `create(start: u64)` in the attribute.

use crate::{
    movability::{self, Place},
    text,
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    ext::IdentExt,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    Error, Ident, Result, Token, Type,
};

/// `molt::Movable` is implemented for tuples up to this length.
const ARGUMENTS_MAX: usize = 6;

#[derive(Default)]
pub(crate) struct Creation {
    arguments: Vec<(Ident, Type)>,
}

impl Parse for Creation {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let argument = |input: ParseStream<'_>| {
            let name: Ident = input.parse()?;
            input.parse::<Token![:]>()?;
            Ok((name, input.parse::<Type>()?))
        };
        let arguments: Vec<_> = Punctuated::<_, Token![,]>::parse_terminated_with(input, argument)?
            .into_iter()
            .collect();
        match arguments.get(ARGUMENTS_MAX) {
            Some((name, _)) => Err(Error::new(
                name.span(),
                format!(
                    "`create` takes at most {ARGUMENTS_MAX} arguments\n\
                     help: put them into a struct with `#[derive(Movable)]`"
                ),
            )),
            None => Ok(Self { arguments }),
        }
    }
}

impl Creation {
    pub(crate) fn check(&self, interface: &Ident) -> Result<()> {
        self.arguments.iter().try_for_each(|(name, kind)| {
            let what = format!("`create` of `{interface}` takes `{name}` of type");
            movability::check(&what, Place::Creation, interface, kind)
        })
    }

    /// The type `Interface::Arguments`.
    pub(crate) fn kind(&self) -> TokenStream {
        match self.arguments.as_slice() {
            [(_, kind)] => quote!(#kind),
            several => {
                let kinds = several.iter().map(|(_, kind)| kind);
                quote!((#(#kinds),*))
            }
        }
    }

    /// The `molt::interface::Method` that describes the creation.
    pub(crate) fn description(&self) -> TokenStream {
        let names = self
            .arguments
            .iter()
            .map(|(name, _)| name.unraw().to_string());
        let kinds = self.arguments.iter().map(|(_, kind)| kind);
        let arguments: Vec<_> = self
            .arguments
            .iter()
            .map(|(name, kind)| format!("{}: {}", name.unraw(), text::of(kind)))
            .collect();
        let signature = format!("create({})", arguments.join(", "));
        let words = self.arguments.iter().map(|(name, kind)| {
            let (name, text) = (name.unraw().to_string(), text::of(kind));
            quote! {
                ::molt::interface::Word {
                    name: #name,
                    type_name: #text,
                    fingerprint: <#kind as ::molt::movable::Movable>::FINGERPRINT,
                }
            }
        });
        // The tuple travels as one value, so its own layout counts as well.
        let whole = self.kind();
        quote! {
            ::molt::interface::Method {
                name: "create",
                signature: #signature,
                fingerprint: ::molt::fingerprint::Fingerprint::new()
                    #(.text(#names).number(<#kinds as ::molt::movable::Movable>::FINGERPRINT))*
                    .number(<#whole as ::molt::movable::Movable>::FINGERPRINT)
                    .finish(),
                words: &[#(#words),*],
            }
        }
    }
}
