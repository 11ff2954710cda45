// SPDX-License-Identifier: GPL-2.0

//! What changes the fingerprint of a type, and what does not.

use kernel::prelude::*;
use molt::Movable;

macro_rules! variant {
    ($module:ident, $($item:tt)*) => {
        /// A variant.
        #[allow(missing_docs, reason = "the parts of some variants stand for nothing")]
        pub mod $module {
            /// One of several.
            #[derive(molt::Movable)]
            $($item)*
        }
    };
}

const LIMIT: u64 = u64::MAX;

variant!(
    base,
    pub struct T {
        pub a: u32,
        pub b: u32,
    }
);
variant!(
    same,
    pub struct T {
        pub a: ::core::primitive::u32,
        pub b: u32,
    }
);
variant!(
    swapped,
    pub struct T {
        pub b: u32,
        pub a: u32,
    }
);
variant!(
    wider,
    pub struct T {
        pub a: u32,
        pub b: u64,
    }
);
variant!(
    signed,
    pub struct T {
        pub a: u32,
        pub b: i32,
    }
);
variant!(
    fixed,
    #[repr(C)]
    pub struct T {
        pub a: u32,
        pub b: u32,
    }
);
variant!(
    aligned,
    #[repr(C, align(64))]
    pub struct T {
        pub a: u32,
        pub b: u32,
    }
);
variant!(tuple, pub struct T(pub u32, pub u32););
variant!(unit, pub struct T;);
variant!(
    choice,
    pub enum T {
        A(u32),
        B(u32),
    }
);
variant!(
    choice_named,
    pub enum T {
        A { n: u32 },
        B(u32),
    }
);
variant!(
    choice_swapped,
    pub enum T {
        B(u32),
        A(u32),
    }
);
variant!(
    choice_fewer,
    pub enum T {
        A(u32),
    }
);
variant!(
    choice_plain,
    pub enum T {
        A,
        B,
    }
);
variant!(
    choice_numbered,
    pub enum T {
        A = 1,
        B = 2,
    }
);
variant!(
    choice_negative,
    pub enum T {
        A = -1,
        B = 2,
    }
);
variant!(
    choice_wide,
    #[repr(align(8), u64)]
    pub enum T {
        A(u32) = 1 << 40,
        B(u32) = super::LIMIT,
    }
);
variant!(
    choice_narrow,
    #[repr(C, u8)]
    pub enum T {
        A(u32) = 1,
        B(u32),
    }
);

macro_rules! fingerprints {
    ($($kind:ty),* $(,)?) => {
        [$(<$kind as Movable>::FINGERPRINT),*]
    };
}

/// All that must differ.
pub const ALL: [u64; 28] = fingerprints!(
    base::T,
    swapped::T,
    wider::T,
    signed::T,
    fixed::T,
    aligned::T,
    tuple::T,
    unit::T,
    choice::T,
    choice_named::T,
    choice_swapped::T,
    choice_fewer::T,
    choice_plain::T,
    choice_numbered::T,
    choice_negative::T,
    choice_wide::T,
    choice_narrow::T,
    Option<base::T>,
    KBox<base::T>,
    KVBox<base::T>,
    KVec<base::T>,
    KBox<[base::T]>,
    [base::T; 2],
    (base::T, base::T),
    Result<base::T>,
    Result<swapped::T>,
    u32,
    i32,
);

const _: () = {
    let [base, same] = fingerprints!(base::T, same::T);
    assert!(base == same);

    let mut i = 0;
    while i < ALL.len() {
        let mut j = i + 1;
        while j < ALL.len() {
            assert!(ALL[i] != ALL[j]);
            j += 1;
        }
        i += 1;
    }
};
