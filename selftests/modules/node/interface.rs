// SPDX-License-Identifier: GPL-2.0

//! The interface of the test classes `alpha` and `beta`: calls that call on.

use molt::fingerprint::Fingerprint;
use molt::schema::Type;
use molt::{Handle, Movable};

/// A handle as an argument of the interface that it is a handle of.
///
/// The fingerprint of a handle contains that of its interface, which here would contain
/// itself; so this type brings one of its own.
pub(crate) struct Link(pub(crate) Handle<dyn Node>);

impl core::ops::Deref for Link {
    type Target = Handle<dyn Node>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[expect(unsafe_code, reason = "the derive would need its own result")]
// SAFETY: A handle is movable, and its layout is the same for every interface. Callers and
// implementations of `Node` are built together.
unsafe impl Movable for Link {
    const FINGERPRINT: u64 = Fingerprint::new().text("Link").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Link", Self::FINGERPRINT);
}

/// Counts the calls that reach it.
#[molt::interface(name = "node", context = sleepable, create(peer: Option<Link>))]
pub(crate) trait Node {
    /// Counts one, then walks on from the first of `route`. Returns what was counted.
    fn walk(&self, route: &[Link]) -> u64;

    /// Drops `last` inside the call, then goes on as `walk` does.
    fn bury(&self, last: Link, route: &[Link]) -> u64;

    /// Sleeps inside the call.
    fn linger(&self, ms: u32);

    /// Returns how often it was counted.
    fn total(&self) -> u64;
}
