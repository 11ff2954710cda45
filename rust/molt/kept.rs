// SPDX-License-Identifier: GPL-2.0

//! Kept slots: instances that do not end while somebody works on them.

use core::ptr::NonNull;

use kernel::prelude::*;

use crate::class::Class;
use crate::slot::Slot;
use crate::testing::{fault, Site};

/// Slots that are kept, with one handle of each.
pub(crate) struct Kept(KVVec<NonNull<Slot>>);

// SAFETY: Slots may be used from any thread.
unsafe impl Send for Kept {}
// SAFETY: As above.
unsafe impl Sync for Kept {}

impl Kept {
    /// None.
    pub(crate) fn none() -> Self {
        Self(KVVec::new())
    }

    /// Keeps the slots of a class that `choose` picks, as far as they have a handle left. It
    /// is asked under the lock of a list, and must not sleep. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn of(class: &Class, mut choose: impl FnMut(&Slot) -> bool) -> Result<Self> {
        fault(Site::Kept)?;
        loop {
            // Room for those that are made meanwhile; if there are more, once again.
            let expected = usize::try_from(class.instances()).unwrap_or_default();
            let room = expected.saturating_add(expected / 8).saturating_add(64);
            let mut kept = Self(KVVec::with_capacity(room, GFP_KERNEL)?);
            let mut is_whole = true;
            class.lists().visit(|slot| {
                is_whole = kept.0.len() < kept.0.capacity();
                if is_whole && choose(slot) && slot.try_get() {
                    let _ = kept.0.push(NonNull::from(slot), GFP_ATOMIC);
                }
                is_whole
            });
            if is_whole {
                return Ok(kept);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot> {
        // SAFETY: A handle of each is held.
        self.0.iter().map(|slot| unsafe { slot.as_ref() })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps the first `most` only.
    pub(crate) fn truncate(&mut self, most: usize) {
        while self.0.len() > most {
            if let Some(slot) = self.0.pop() {
                put(slot);
            }
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.truncate(0);
    }
}

fn put(slot: NonNull<Slot>) {
    // SAFETY: The handle is given up here, and the slot not looked at after.
    if unsafe { slot.as_ref() }.put() {
        crate::reaper::bury(slot);
    }
}
