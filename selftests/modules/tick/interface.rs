// SPDX-License-Identifier: GPL-2.0

//! The interface of the test classes `tick` and `tock`: called from wherever nobody may sleep.

use molt::fingerprint::Fingerprint;
use molt::schema::Type;
use molt::{Handle, Movable};

/// A handle as an argument of the interface that it is a handle of.
///
/// It brings a fingerprint of its own, since that of a handle contains its interface's.
pub(crate) struct Link(pub(crate) Handle<dyn Tick>);

impl core::ops::Deref for Link {
    type Target = Handle<dyn Tick>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[expect(unsafe_code, reason = "the derive would need its own result")]
// SAFETY: A handle is movable, and its layout is the same for every interface. Callers and
// implementations of `Tick` are built together.
unsafe impl Movable for Link {
    const FINGERPRINT: u64 = Fingerprint::new().text("Link").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Link", Self::FINGERPRINT);
}

/// Counts in any context.
#[molt::interface(name = "tick", context = atomic, create(start: u64))]
pub(crate) trait Tick {
    /// Adds `n`; returns the new total.
    fn add(&self, n: u64) -> u64;

    /// Counts one, then walks on from the first of `route`. Returns what was counted.
    fn walk(&self, route: &[Link]) -> u64;

    /// Stays inside the call.
    fn spin(&self, ms: u32);

    /// Returns the total.
    fn total(&self) -> u64;
}
