// SPDX-License-Identifier: GPL-2.0

//! Repair: from an implementation that is known to be damaged to one that knows of it.
//!
//! An update waits until nobody is inside and moves states that it can rely on. A repair
//! relies on neither. What it does, and what it costs, is in the new version's rules:
//!
//! | | update | repair |
//! |---|---|---|
//! | calls inside at the deadline | it is aborted | they are abandoned |
//! | the state | moved | saved as far as `salvage` finds it sound, else made anew |
//! | the old state | dropped by the old code | not dropped: what it owned is lost |
//! | the old module | released | released, unless calls were abandoned: then it stays |
//!
//! After that the class serves under the new version. Abandoned calls go on in the old code, and
//! may change the old state while it is read: the old objects stay, too. As long as one of them has
//! not ended, the class's updates wait for it in vain; another repair does not.

use kernel::error::code::EPROTO;
use kernel::prelude::*;

use crate::error::Refusal;
use crate::implementation::Registered;
use crate::schema::State;
use crate::transfer::{check_end, is_end_of, End};

/// How a state is rebuilt from one that is known to be damaged. Neither function may sleep,
/// call a handle, or panic.
pub trait Repair<Old: State + Unpin>: State + Unpin {
    /// Makes a new state of what is sound in the old one; `None`: nothing is.
    ///
    /// `old` may hold anything that its methods can have written, and an abandoned call may be
    /// writing it: look at each value once, and believe none.
    fn salvage(old: &Old) -> Option<Self>;

    /// Makes the state of an instance of which nothing could be saved, known by its number and
    /// the key that it was made with.
    fn rebuild(id: u64, key: Option<u64>) -> Self;
}

/// A [`Repair`] as the engine sees it. As with a transfer's table, its text is in the module
/// that brings it, which the transition pins.
pub struct Mend {
    from: End,
    to: End,
    /// Old state, place for the new one; whether one was made there.
    pub(crate) salvage: unsafe fn(*const (), *mut ()) -> bool,
    /// Number, key, place for the new state.
    pub(crate) rebuild: unsafe fn(u64, Option<u64>, *mut ()),
}

impl Mend {
    /// That of `New: Repair<Old>`.
    pub const fn of<Old: State + Unpin, New: Repair<Old>>() -> Self {
        Old::TYPE.check_readable();
        Self {
            from: End::of::<Old>(),
            to: End::of::<New>(),
            salvage: salvage::<Old, New>,
            rebuild: rebuild::<Old, New>,
        }
    }
}

/// # Safety
///
/// `old` is an `Old`, damaged or not, and `new` is memory for a `New`.
unsafe fn salvage<Old: State + Unpin, New: Repair<Old>>(old: *const (), new: *mut ()) -> bool {
    // SAFETY: The engine has checked that `old` has the layout of `Old`.
    match New::salvage(unsafe { &*old.cast::<Old>() }) {
        Some(state) => {
            // SAFETY: `new` is memory for this type.
            unsafe { new.cast::<New>().write(state) };
            true
        }
        None => false,
    }
}

/// # Safety
///
/// `new` is memory for a `New`.
unsafe fn rebuild<Old: State + Unpin, New: Repair<Old>>(id: u64, key: Option<u64>, new: *mut ()) {
    // SAFETY: By the caller's promise.
    unsafe { new.cast::<New>().write(New::rebuild(id, key)) };
}

/// Finds the rules by which `to` repairs what `from` has damaged. Only the new version brings
/// them.
///
/// # Errors
///
/// `EPROTO`: there are none, or they were written for another layout than the module has.
pub(crate) fn find(from: &Registered, to: &Registered) -> Result<&'static Mend, Refusal> {
    let mut all = to.descriptor().repairs.iter();
    let is_it = |mend: &&Mend| is_end_of(&mend.from, to, from) && is_end_of(&mend.to, to, to);
    let Some(mend) = all.find(is_it) else {
        return Err(Refusal::new(
            EPROTO,
            fmt!("{} does not repair {}", to.label(), from.label()),
        ));
    };
    check_end(&mend.from, from)?;
    check_end(&mend.to, to)?;
    Ok(mend)
}
