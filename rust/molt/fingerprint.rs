// SPDX-License-Identifier: GPL-2.0

//! Fingerprints: 64 bits that stand for an interface or a type.
//!
//! Two modules that were compiled apart agree on an interface or on a field if the
//! fingerprints are equal. They are computed by the compiler, so that a mismatch costs one
//! comparison when a module is loaded. They guard against mistakes, not against forgery:
//! whoever can load a module needs no collision.

/// Offset basis of 64-bit FNV-1a.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// Prime of 64-bit FNV-1a.
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// A fingerprint under construction: FNV-1a over a sequence of texts and numbers.
///
/// # Examples
///
/// ```
/// const PAIR: u64 = Fingerprint::new().text("pair").number(8).finish();
/// ```
#[derive(Clone, Copy)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Starts an empty sequence.
    pub const fn new() -> Self {
        Self(BASIS)
    }

    /// Starts a sequence with what `T` looks like from outside: the name of its constructor,
    /// its size and its alignment.
    pub const fn of<T>(constructor: &str) -> Self {
        Self::new()
            .text(constructor)
            .number(size_of::<T>() as u64)
            .number(align_of::<T>() as u64)
    }

    /// Adds a text.
    pub const fn text(self, text: &str) -> Self {
        // The length goes first, so that "ab" and "c" are not "a" and "bc".
        let mut hash = self.number(text.len() as u64);
        let mut rest = text.as_bytes();
        while let [byte, tail @ ..] = rest {
            hash = hash.byte(*byte);
            rest = tail;
        }
        hash
    }

    /// Adds a number.
    pub const fn number(self, number: u64) -> Self {
        let mut hash = self;
        let mut shift = 0;
        while shift < u64::BITS {
            hash = hash.byte((number >> shift) as u8);
            shift += 8;
        }
        hash
    }

    /// The fingerprint of all that was added, in that order.
    pub const fn finish(self) -> u64 {
        self.0
    }

    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(PRIME))
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether two texts are equal, for constant expressions, where `==` is not available.
pub const fn is_same_text(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    while let ([first, left_tail @ ..], [second, right_tail @ ..]) = (left, right) {
        if *first != *second {
            return false;
        }
        (left, right) = (left_tail, right_tail);
    }
    left.is_empty() && right.is_empty()
}
