// SPDX-License-Identifier: GPL-2.0

//! Census: a visit to every instance of a class.
//!
//! Under the lock of a list only a slot itself may be looked at. So each slot that still
//! has a handle is given one more; then, with no lock held, its object is looked at in a
//! call, which waits at the gate as any other.

use core::ptr::NonNull;

use kernel::prelude::*;

use crate::class::Class;
use crate::implementation::Registered;
use crate::object::{state_pointer, Header};
use crate::slot::Slot;
use crate::text::Text;

/// How many bytes of a state are shown.
const SHOWN: usize = 4096;

/// An instance, as it was during the visit.
pub struct Seen<'a> {
    /// Its number.
    pub id: u64,
    /// `implementation@version` of its object.
    pub implementation: Text<72>,
    /// The bytes of its state, where [`shows_state`](crate::shows_state) allows it.
    pub state: Option<&'a [u8]>,
}

impl Class {
    /// Visits each instance that has a handle, without a lock. One that is made or ended
    /// meanwhile may be left out. Sleeps while the class is being updated.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn for_each_instance(&self, mut f: impl FnMut(&Seen<'_>)) -> Result {
        let counted = Counted::of(self)?;
        let mut bytes = KVVec::new();
        if crate::shows_state() {
            bytes.reserve(SHOWN, GFP_KERNEL)?;
        }
        for slot in &counted.0 {
            // SAFETY: `counted` holds a handle of it.
            look_at(unsafe { slot.as_ref() }, &mut bytes, &mut f);
        }
        Ok(())
    }
}

fn look_at(slot: &Slot, bytes: &mut KVVec<u8>, f: &mut dyn FnMut(&Seen<'_>)) {
    let shows_state = bytes.capacity() != 0;
    bytes.clear();
    let mut implementation = Text::new();
    slot.gate().call(&slot.stamp, || {
        let Some(object) = NonNull::new(slot.object()) else {
            return;
        };
        // SAFETY: Inside a call the object is valid, and pins its implementation.
        let owner = unsafe { &*object.as_ref().implementation };
        implementation = Text::format(fmt!("{}", owner.label()));
        if shows_state {
            // SAFETY: As above.
            unsafe { copy_state(object, owner, bytes) };
        }
    });
    f(&Seen {
        id: slot.id(),
        implementation,
        state: shows_state.then_some(&**bytes),
    });
}

/// Copies the state into `bytes`, within its capacity: nothing is allocated in a call.
///
/// # Safety
///
/// `object` is one of `owner`, and a call on it is running.
unsafe fn copy_state(object: NonNull<Header>, owner: &Registered, bytes: &mut KVVec<u8>) {
    let state = state_pointer(object.as_ptr(), owner).cast::<u8>();
    let size = owner.descriptor().state.size.min(bytes.capacity());
    for index in 0..size {
        // SAFETY: Within the state, whose memory was zeroed before it was made; other calls
        // may write it meanwhile, so each byte is read once.
        let byte = unsafe { state.add(index).read_volatile() };
        let _ = bytes.push(byte, GFP_ATOMIC);
    }
}

/// Slots, with one handle of each.
struct Counted(KVVec<NonNull<Slot>>);

impl Counted {
    fn of(class: &Class) -> Result<Self> {
        loop {
            // Room for those that are made meanwhile; if there are more, once again.
            let expected = usize::try_from(class.instances()).unwrap_or_default();
            let room = expected.saturating_add(expected / 8).saturating_add(64);
            let mut counted = Self(KVVec::with_capacity(room, GFP_KERNEL)?);
            let mut is_whole = true;
            class.lists().visit(|slot| {
                is_whole = counted.0.len() < counted.0.capacity();
                if is_whole && slot.try_get() {
                    let _ = counted.0.push(NonNull::from(slot), GFP_ATOMIC);
                }
                is_whole
            });
            if is_whole {
                return Ok(counted);
            }
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        for slot in &self.0 {
            // SAFETY: The handle is given up here, and the slot not looked at after.
            if unsafe { slot.as_ref() }.put() {
                crate::reaper::bury(*slot);
            }
        }
    }
}
