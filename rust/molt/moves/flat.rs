// SPDX-License-Identifier: GPL-2.0

//! Flat moves: what most states come down to, in loops without a look into anything.

use core::ptr;

use kernel::prelude::*;

use super::PATH_LEN;
use crate::error::Refusal;
use crate::lock::Group;
use crate::schema::compare::Path;
use crate::schema::{Elements, Shell};
use crate::text::Text;

/// Up to how many bytes a copy is made word by word.
const FEW: usize = 64;

/// Bytes that move.
#[derive(Clone, Copy)]
pub(super) struct Copied {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) length: usize,
}

impl Copied {
    /// # Safety
    ///
    /// Both values have room for it.
    #[inline(always)]
    pub(super) unsafe fn run(&self, old: *mut (), new: *mut ()) {
        let from = old.wrapping_byte_add(self.from).cast::<u8>();
        let to = new.wrapping_byte_add(self.to).cast::<u8>();
        // SAFETY: By the caller's promise. What is short needs no call.
        unsafe {
            match self.length {
                4 => to
                    .cast::<u32>()
                    .write_unaligned(from.cast::<u32>().read_unaligned()),
                1 => to.write(from.read()),
                length => ptr::copy_nonoverlapping(from, to, length),
            }
        }
    }

    /// Takes in `next`, if it begins where this one ends, on both sides.
    pub(super) fn joins(&mut self, next: &Self) -> bool {
        let is_next = self.from.wrapping_add(self.length) == next.from
            && self.to.wrapping_add(self.length) == next.to;
        if is_next {
            self.length = self.length.wrapping_add(next.length);
        }
        is_next
    }
}

/// A word that moves: places in the old and in the new state.
#[derive(Clone, Copy)]
struct Word {
    from: u32,
    to: u32,
}

/// A field that is made of nothing.
struct Made {
    to: usize,
    make: unsafe fn(place: *mut ()),
}

/// A field that is made from another one.
struct Converted {
    from: usize,
    to: usize,
    convert: unsafe fn(old: *mut (), place: *mut ()),
}

/// A lock that is made again, and must not be held.
struct Lock {
    from: usize,
    to: usize,
    check: unsafe fn(shell: *mut ()) -> bool,
    make: unsafe fn(place: *mut (), elements: Elements, class: usize),
    /// Among the locks of the state, also those elsewhere.
    number: usize,
    path: Text<PATH_LEN>,
}

/// What is done to the state itself, in this order.
pub(super) struct Flat {
    words: KVec<Word>,
    copies: KVec<Copied>,
    /// The last copy, which the next one may join.
    last: Option<Copied>,
    made: KVec<Made>,
    converted: KVec<Converted>,
    locks: KVec<Lock>,
}

impl Flat {
    pub(super) const fn new() -> Self {
        Self {
            words: KVec::new(),
            copies: KVec::new(),
            last: None,
            made: KVec::new(),
            converted: KVec::new(),
            locks: KVec::new(),
        }
    }

    // ---- building ----------------------------------------------------------------------

    pub(super) fn copy(&mut self, copied: Copied) -> Result<(), Refusal> {
        let last = self.last.as_mut();
        if last.is_some_and(|last| last.joins(&copied)) {
            return Ok(());
        }
        self.settle()?;
        self.last = Some(copied);
        Ok(())
    }

    /// Adds the last copy, which nothing joins any more: in words, where it is short.
    pub(super) fn settle(&mut self) -> Result<(), Refusal> {
        let Some(mut rest) = self.last.take() else {
            return Ok(());
        };
        while rest.length <= FEW && rest.length >= size_of::<u64>() {
            let (from, to) = (rest.from as u32, rest.to as u32);
            self.words.push(Word { from, to }, GFP_KERNEL)?;
            rest.from = rest.from.wrapping_add(size_of::<u64>());
            rest.to = rest.to.wrapping_add(size_of::<u64>());
            rest.length = rest.length.wrapping_sub(size_of::<u64>());
        }
        if rest.length > 0 {
            self.copies.push(rest, GFP_KERNEL)?;
        }
        Ok(())
    }

    pub(super) fn make(&mut self, to: usize, make: unsafe fn(*mut ())) -> Result<(), Refusal> {
        Ok(self.made.push(Made { to, make }, GFP_KERNEL)?)
    }

    pub(super) fn convert(
        &mut self,
        from: usize,
        to: usize,
        convert: unsafe fn(*mut (), *mut ()),
    ) -> Result<(), Refusal> {
        let converted = Converted { from, to, convert };
        Ok(self.converted.push(converted, GFP_KERNEL)?)
    }

    pub(super) fn relock(
        &mut self,
        path: &Path<'_>,
        (from, to): (usize, usize),
        (old, new): (Shell, Shell),
        number: usize,
    ) -> Result<(), Refusal> {
        let lock = Lock {
            from,
            to,
            check: old.check,
            make: new.make,
            number,
            path: Text::format(format_args!("{path}")),
        };
        Ok(self.locks.push(lock, GFP_KERNEL)?)
    }

    // ---- running -----------------------------------------------------------------------

    pub(super) fn has_locks(&self) -> bool {
        !self.locks.is_empty()
    }

    /// The field of a lock.
    pub(super) fn path(&self, lock: usize) -> &str {
        self.locks.get(lock).map_or("", |lock| lock.path.as_str())
    }

    /// The first lock that is held.
    ///
    /// # Safety
    ///
    /// `old` is a state of the old implementation that no call is in.
    pub(super) unsafe fn held_lock(&self, old: *mut ()) -> Option<usize> {
        self.locks.iter().position(|lock| {
            // SAFETY: By the caller's promise there is a lock.
            !unsafe { (lock.check)(old.wrapping_byte_add(lock.from)) }
        })
    }

    /// Does all of it.
    ///
    /// # Safety
    ///
    /// `old` is a state of the old implementation that is given away, and `new` memory for one
    /// of the new. `locks` has the classes of the locks.
    #[inline(always)]
    pub(super) unsafe fn commit(&self, old: *mut (), new: *mut (), locks: Group) {
        // SAFETY: The places are those of fields, as both schemas say.
        unsafe {
            for word in &self.words {
                let from = old.wrapping_byte_add(word.from as usize).cast::<u64>();
                let to = new.wrapping_byte_add(word.to as usize).cast::<u64>();
                to.write_unaligned(from.read_unaligned());
            }
            for copied in &self.copies {
                copied.run(old, new);
            }
            for made in &self.made {
                (made.make)(new.wrapping_byte_add(made.to));
            }
            for one in &self.converted {
                let from = old.wrapping_byte_add(one.from);
                (one.convert)(from, new.wrapping_byte_add(one.to));
            }
            for lock in &self.locks {
                let place = new.wrapping_byte_add(lock.to);
                (lock.make)(place, Elements::NONE, locks.lock(lock.number));
            }
        }
    }
}
