// SPDX-License-Identifier: GPL-2.0

//! Chains: from one version to another over versions between them, each of which is registered.
//!
//! ```text
//!   state of 1 --prepare, commit--> between (2) --commit--> between (3) --commit--> state of 4
//! ```
//!
//! Nobody ever calls a state between. It lies behind the new state, in memory that was had with
//! it, and what made it was checked to leave nothing there: so only the first link can refuse
//! an instance, and only the first can leave something to drop.

use kernel::prelude::*;
use kernel::sync::Arc;

use crate::class::Class;
use crate::error::{Refusal, REASON_LEN};
use crate::implementation::{Pin, Registered};
use crate::moves::Moves;
use crate::text::Text;
use crate::transfer::{rules, Rules};

/// How many versions can be between.
const MOST: usize = 3;

/// A version between, and what leads on from it.
struct Link {
    between: Pin,
    moves: Moves,
}

/// How a state becomes that of another version, in one link or several.
pub(crate) struct Chain {
    first: Moves,
    links: KVec<Link>,
    /// Bytes of the state at the end.
    size: usize,
}

impl Chain {
    /// One link, which both schemas say.
    pub(crate) fn direct(first: Moves, to: &Registered) -> Self {
        Self {
            first,
            links: KVec::new(),
            size: to.schema().state().size(),
        }
    }

    /// The shortest way over other implementations of the class. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn find(
        class: &Class,
        from: &Registered,
        to: &Registered,
    ) -> Result<Option<Self>, Refusal> {
        let mut all = KVec::new();
        let mut result = Ok(());
        class.for_each_implementation(|one| {
            let is_end = [from, to].iter().any(|end| core::ptr::eq(*end, &**one));
            // One that is still in its init, or going, is no way; nor is one whose code the class
            // does not take.
            if is_end || !one.is_live() || class.check_signature(one).is_err() {
                return;
            }
            if let Ok(pin) = Pin::new(one) {
                result = result.and(all.push(pin, GFP_KERNEL).map_err(Error::from));
            }
        });
        result?;
        for length in 1..=MOST {
            if let Some(chain) = Self::of_length(length, &all, from, to)? {
                return Ok(Some(chain));
            }
        }
        Ok(None)
    }

    /// A chain with `length` versions between.
    fn of_length(
        length: usize,
        all: &[Pin],
        from: &Registered,
        to: &Registered,
    ) -> Result<Option<Self>, Refusal> {
        for between in all {
            let Some(first) = link(from, between)? else {
                continue;
            };
            let Some(mut links) = links(length, all, between, to)? else {
                continue;
            };
            // They were found from the end.
            links.reverse();
            let size = to.schema().state().size();
            return Ok(Some(Self { first, links, size }));
        }
        Ok(None)
    }

    /// The moves that are made from the old state, and which can refuse.
    pub(crate) fn first(&self) -> &Moves {
        &self.first
    }

    /// The versions between, for messages; empty: none.
    pub(crate) fn describe(&self) -> Text<REASON_LEN> {
        let mut text = Text::new();
        for link in &self.links {
            let label = link.between.label();
            // What does not fit is cut.
            let _ = kernel::fmt::Write::write_fmt(&mut text, fmt!(" by way of {label}"));
        }
        text
    }

    /// How many bytes behind a new state the states between take.
    pub(crate) fn room(&self) -> usize {
        let rooms = self.links.iter().map(|link| {
            let state = link.between.schema().state();
            state.size().saturating_add(state.align())
        });
        rooms.fold(0, usize::saturating_add)
    }

    /// Makes the new state. Does not sleep.
    ///
    /// # Safety
    ///
    /// As for [`Moves::commit`], and there is [`room`](Self::room) behind the new state.
    pub(crate) unsafe fn commit(
        &self,
        old: *mut (),
        prepared: Option<&mut crate::moves::Prepared>,
        new: *mut (),
    ) {
        let mut prepared = prepared;
        let (mut moves, mut from) = (&self.first, old);
        let mut free = new.wrapping_byte_add(self.size);
        for link in &self.links {
            let state = link.between.schema().state();
            let mask = state.align().wrapping_sub(1);
            let to = free.map_addr(|at| at.wrapping_add(mask) & !mask);
            free = to.wrapping_byte_add(state.size());
            // SAFETY: There is room for each state between, and nobody else knows of it.
            unsafe { moves.commit(from, prepared.take(), to) };
            (moves, from) = (&link.moves, to);
        }
        // SAFETY: By the caller's promise.
        unsafe { moves.commit(from, prepared, new) };
    }
}

/// The links from `between` on, the last one first, if there are any of that length.
fn links(
    length: usize,
    all: &[Pin],
    between: &Pin,
    to: &Registered,
) -> Result<Option<KVec<Link>>, Refusal> {
    let own = |moves| -> Result<Link, Refusal> {
        let between = Pin::new(between)?;
        Ok(Link { between, moves })
    };
    if length <= 1 {
        let Some(moves) = link(between, to)?.filter(Moves::is_whole) else {
            return Ok(None);
        };
        let mut links = KVec::with_capacity(MOST, GFP_KERNEL)?;
        links.push(own(moves)?, GFP_KERNEL)?;
        return Ok(Some(links));
    }
    for next in all.iter().filter(|next| !Arc::ptr_eq(next, between)) {
        let Some(moves) = link(between, next)?.filter(Moves::is_whole) else {
            continue;
        };
        if let Some(mut rest) = links(length.wrapping_sub(1), all, next, to)? {
            rest.push(own(moves)?, GFP_KERNEL)?;
            return Ok(Some(rest));
        }
    }
    Ok(None)
}

/// The moves from one version to another, if both schemas say how.
fn link(from: &Registered, to: &Registered) -> Result<Option<Moves>, Refusal> {
    let Ok(Rules::Schemas { is_back }) = rules(from, to) else {
        return Ok(None);
    };
    match Moves::new(from, to, is_back) {
        Ok(moves) => Ok(Some(moves)),
        Err(refusal) if refusal.error == kernel::error::code::EPROTO => Ok(None),
        Err(refusal) => Err(refusal),
    }
}
