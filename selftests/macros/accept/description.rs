// SPDX-License-Identifier: GPL-2.0

//! What the description of an interface says.

use kernel::prelude::*;
use molt::{
    fingerprint::is_same_text,
    interface::{Context, Description, Interface},
};

/// Odd spacing does not show in the description.
#[rustfmt::skip]
#[molt::interface(name = "described", context = atomic, create(  start:u64,end :  Option< u64 >))]
pub trait Described {
    /// A method.
    fn read ( & self , buffer : & mut [ u8 ] , at: Option <& u64> ) -> Result < [ u8;4 ] > ;

    /// Another one.
    fn clear(&self, mut from: u64,) { from += 1; let _ = from; }
}

/// The description.
pub const DESCRIPTION: &Description = <dyn Described as Interface>::DESCRIPTION;
/// The signature of a method.
pub const READ: &str = "fn read(&self, buffer: &mut [u8], at: Option<&u64>) -> Result<[u8; 4]>";

const _: () = {
    assert!(is_same_text(DESCRIPTION.name, "described"));
    assert!(matches!(DESCRIPTION.context, Context::Atomic));
    assert!(is_same_text(
        DESCRIPTION.creation.signature,
        "create(start: u64, end: Option<u64>)"
    ));
    let [read, clear] = DESCRIPTION.methods else {
        panic!();
    };
    assert!(is_same_text(read.name, "read"));
    assert!(is_same_text(read.signature, READ));
    assert!(is_same_text(clear.signature, "fn clear(&self, from: u64)"));
};

/// The arguments of the creation are a tuple if there are several.
pub fn arguments() -> <dyn Described as Interface>::Arguments {
    (1, Some(2))
}
