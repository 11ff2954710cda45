// SPDX-License-Identifier: GPL-2.0

//! Reports: text that an instance writes for a reader, who gets it from the front.

use kernel::fmt;
use kernel::prelude::*;

use crate::fingerprint::Fingerprint;
use crate::schema::Type;
use crate::Movable;

/// Text for a reader, as long as there is room for; the rest is cut.
pub struct Report(KVec<u8>);

// SAFETY: Bytes that the kernel allocated.
unsafe impl Movable for Report {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("Report").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Report", Self::FINGERPRINT);
}

impl Report {
    /// An empty one, with room for `size` bytes. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new(size: usize) -> Result<Self> {
        Ok(Self(KVec::with_capacity(size, GFP_KERNEL)?))
    }

    /// What was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Write for Report {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.0.capacity().wrapping_sub(self.0.len());
        let bytes = text.as_bytes();
        let fitting = bytes.get(..bytes.len().min(room)).unwrap_or(bytes);
        self.0
            .extend_from_slice(fitting, GFP_KERNEL)
            .map_err(|_| fmt::Error)
    }
}
