// SPDX-License-Identifier: GPL-2.0

//! The reference that ties a client module to one build of the framework.

use proc_macro2::TokenStream;
use quote::quote;

/// Makes the module need the symbol of the framework that it was compiled against.
///
/// Mangled names do not tell layouts apart. So each expansion refers to a symbol whose name
/// carries a hash of the build; with another build, the module does not link.
pub(crate) fn reference() -> TokenStream {
    quote! {
        #[allow(unsafe_code)]
        const _: () = {
            #[used(compiler)]
            // SAFETY: The symbol is only referred to; nobody reads through the reference.
            static ABI: &u8 = unsafe { &::molt_abi::ABI };
        };
    }
}
