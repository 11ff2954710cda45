// SPDX-License-Identifier: GPL-2.0

//! Census: a visit to every instance of a class.
//!
//! Under the lock of a list only a slot itself may be looked at. So each slot that still
//! has a handle is given one more; then its object is looked at under the slot's own lock,
//! where nobody moves it. That waits for no gate, and brings nothing up.

use core::ptr::NonNull;

use kernel::prelude::*;

use crate::class::Class;
use crate::container::for_each_lock;
use crate::gate::GATED;
use crate::implementation::Registered;
use crate::kept::Kept;
use crate::object::{state_pointer, Header};
use crate::primitives::Relaxed;
use crate::slot::Slot;
use crate::text::Text;

/// How many bytes of a state are shown.
const SHOWN: usize = 4096;

/// An instance, as it was during the visit.
pub struct Seen<'a> {
    /// Its number.
    pub id: u64,
    /// Its key, where it was made with one.
    pub key: Option<u64>,
    /// `implementation@version` of its object.
    pub implementation: Text<72>,
    /// The generation of the class that its object belongs to: the one before the present
    /// one, where a lazy transfer has not come to it.
    pub generation: u64,
    /// The bytes of its state, where [`shows_state`](crate::shows_state) allows it.
    pub state: Option<&'a [u8]>,
}

impl Class {
    /// Visits each instance that has a handle, without a lock. One that is made or ended
    /// meanwhile may be left out. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn for_each_instance(&self, mut f: impl FnMut(&Seen<'_>)) -> Result {
        let kept = Kept::of(self, |_| true)?;
        let mut bytes = KVVec::new();
        if crate::shows_state() {
            bytes.reserve(SHOWN, GFP_KERNEL)?;
        }
        for slot in kept.iter() {
            look_at(slot, &mut bytes, &mut f);
        }
        Ok(())
    }
}

fn look_at(slot: &Slot, bytes: &mut KVVec<u8>, f: &mut dyn FnMut(&Seen<'_>)) {
    let shows_state = bytes.capacity() != 0;
    bytes.clear();
    let mut implementation = Text::new();
    let mut is_stale = false;
    slot.own(|_| {
        let Some(object) = NonNull::new(slot.object()) else {
            return;
        };
        let stamp = slot.stamp.load(Relaxed);
        is_stale = stamp & GATED == 0 && slot.gate().is_stale(stamp);
        // SAFETY: Under the lock the object stays, and pins its implementation.
        let owner = unsafe { &*object.as_ref().implementation };
        implementation = Text::format(fmt!("{}", owner.label()));
        if shows_state {
            // SAFETY: As above.
            unsafe { copy_state(object, owner, bytes) };
        }
    });
    f(&Seen {
        id: slot.id(),
        key: slot.key(),
        implementation,
        generation: slot.class().generation().saturating_sub(is_stale.into()),
        state: shows_state.then_some(&**bytes),
    });
}

/// Copies the state into `bytes`, within its capacity: nothing is allocated under a lock. Of its
/// locks only what is in them, since with checkers the kernel writes to what is around that.
///
/// # Safety
///
/// `object` is one of `owner`, and stays there for the length of the call.
unsafe fn copy_state(object: NonNull<Header>, owner: &Registered, bytes: &mut KVVec<u8>) {
    let state = state_pointer(object.as_ptr(), owner).cast::<u8>();
    let size = owner.descriptor().state.size.min(bytes.capacity());
    for index in 0..size {
        // SAFETY: Within the state, whose memory was zeroed before it was made; calls
        // may write it meanwhile, so each byte is read once.
        let byte = unsafe { state.add(index).read_volatile() };
        let _ = bytes.push(byte, GFP_ATOMIC);
    }
    for part in owner.descriptor().state.fields {
        for_each_lock(part.kind, part.offset, &mut |at, lock| {
            let end = at.saturating_add(lock.length).min(bytes.len());
            if let Some(shell) = bytes.get_mut(at..end) {
                shell.fill(0);
            }
        });
    }
}
