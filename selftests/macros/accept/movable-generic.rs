// SPDX-License-Identifier: GPL-2.0

//! A generic type is movable where its parameters are.

use kernel::prelude::*;
use molt::Movable;

/// A ring.
#[derive(Movable)]
pub struct Ring<T: Copy, const N: usize>
where
    T: Default,
{
    /// The items.
    pub items: [T; N],
    /// The next one.
    pub next: usize,
}

/// One of two.
#[derive(Movable)]
pub enum Either<A, B> {
    /// This.
    A(A),
    /// That.
    B {
        /// The other.
        other: KVec<B>,
    },
}

/// A fingerprint.
pub const SMALL: u64 = <Ring<u8, 4> as Movable>::FINGERPRINT;
/// A fingerprint.
pub const LARGE: u64 = <Ring<u8, 8> as Movable>::FINGERPRINT;
/// A fingerprint.
pub const EITHER: u64 = <Either<Ring<u8, 4>, bool> as Movable>::FINGERPRINT;

const _: () = assert!(SMALL != LARGE && LARGE != EITHER);
