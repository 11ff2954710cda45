// SPDX-License-Identifier: GPL-2.0

//! Moves: the operations that make a state of one version from that of another, and their run
//! for one instance.
//!
//! ```text
//!   prepare   gate closed   the old state is borrowed; what can fail is made, into rooms
//!   undo      gate open     the rooms and what is in them are dropped
//!   commit    interrupts    bytes move, rules that cannot fail run, rooms are used up, all in
//!             off           the order of `prepare`
//!   finish    gate open     what is left of the old state is dropped
//! ```
//!
//! All four are walks over the same operations. After `commit` the old state still has all its
//! bytes, but they are nobody's: `finish` drops what the operations say was left there.
//!
//! Functions are those of the two modules, which are pinned as long as these moves are.

use core::ptr;

use kernel::error::code::EBUSY;
use kernel::prelude::*;

use crate::container::Room;
use crate::error::Refusal;
use crate::implementation::Registered;
use crate::lock::Group;
use crate::schema::compare::compare;
use crate::schema::format::{Kind, Schema};
use crate::schema::{Elements, Make, RuleFunctions, Shell, TypeFunctions};
use crate::testing::{fault, Site};
use crate::text::Text;

mod builder;
mod flat;

use builder::Builder;
use flat::{Copied, Flat};

/// Longest path of a field that is kept, in bytes.
pub(crate) const PATH_LEN: usize = 96;

/// One side of the moves.
struct Side {
    schema: Schema<'static>,
    types: &'static [TypeFunctions],
    rules: &'static [RuleFunctions],
}

impl Side {
    fn of(implementation: &Registered) -> Self {
        let described = &implementation.descriptor().described;
        Self {
            schema: implementation.schema(),
            types: described.types,
            rules: described.rules,
        }
    }

    fn shell(&self, kind: u32) -> Option<Shell> {
        self.types.get(kind as usize)?.shell
    }

    fn drop_of(&self, kind: u32) -> Option<unsafe fn(*mut ())> {
        self.types.get(kind as usize)?.drop
    }
}

/// What there is to know of a container while it is walked, so that no schema is read then.
#[derive(Clone, Copy)]
struct Holder {
    kind: Kind,
    old: Option<Shell>,
    new: Option<Shell>,
    /// Bytes from one element to the next: old, new.
    strides: (usize, usize),
    /// Of a new element.
    align: usize,
    /// Of an array.
    count: usize,
}

/// An operation, with what it needs looked up.
#[derive(Clone, Copy)]
enum Act {
    Copy(Copied),
    Make {
        to: usize,
        make: Make,
        size: usize,
        align: usize,
        drop: Option<unsafe fn(*mut ())>,
    },
    Convert {
        from: usize,
        to: usize,
        make: Make,
        size: usize,
        align: usize,
        drop_old: Option<unsafe fn(*mut ())>,
        drop: Option<unsafe fn(*mut ())>,
    },
    Drop {
        from: usize,
        drop: unsafe fn(*mut ()),
    },
    /// A new lock; what is in it is moved by other acts.
    Relock {
        from: usize,
        to: usize,
        old: Shell,
        new: Shell,
        /// Among the locks of the state.
        number: usize,
    },
    Each {
        from: usize,
        to: usize,
        /// Index into `holders`.
        holder: usize,
        body: usize,
    },
    Match {
        from: usize,
        to: usize,
        sizes: (usize, usize),
        body: usize,
    },
    Arm {
        old: u64,
        new: u64,
        body: usize,
    },
}

/// How a state of one implementation is made from one of another.
pub(crate) struct Moves {
    /// For the locks of the new state.
    locks: Group,
    /// What needs no look into containers, and nothing prepared.
    flat: Flat,
    /// All else, in order.
    acts: KVec<Act>,
    holders: KVec<Holder>,
    /// The fields of acts that can refuse; the number of the act.
    paths: KVec<(usize, Text<PATH_LEN>)>,
    can_fail: bool,
    fallible: Text<PATH_LEN>,
    /// Some act is prepared.
    prepares: bool,
    finishes: bool,
}

/// A room and what is in it: made by `prepare`, used up by `commit`.
pub(crate) struct Prepared {
    rooms: KVec<Filled>,
    /// How many are used up.
    used: usize,
}

struct Filled {
    room: Option<Room>,
    drop: Option<unsafe fn(*mut ())>,
}

impl Drop for Filled {
    fn drop(&mut self) {
        if let (Some(room), Some(drop)) = (&self.room, self.drop) {
            // SAFETY: There is a value in the room, and it is given up.
            unsafe { drop(room.first()) };
        }
    }
}

/// A refusal by an instance: the errno, and where.
pub(crate) struct Refused {
    pub(crate) error: Error,
    at: At,
}

/// Where an instance was refused.
enum At {
    Act(usize),
    Lock(usize),
    Nowhere,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self {
            error,
            at: At::Nowhere,
        }
    }
}

impl Moves {
    /// What leads from `from` to `to`. `is_back`: by the rules of `from`. May sleep.
    ///
    /// # Errors
    ///
    /// `EPROTO`: some field has no rule; the reason names it. `ENOMEM`.
    pub(crate) fn new(from: &Registered, to: &Registered, is_back: bool) -> Result<Self, Refusal> {
        fault(Site::Moves)?;
        let (old, new) = (Side::of(from), Side::of(to));
        let mut builder = Builder::new(&old, &new, fmt!("{} to {}", from.label(), to.label()));
        compare(old.schema, new.schema, is_back, &mut builder)?;
        builder.moves.flat.settle()?;
        builder.moves.locks = Group::of(to.descriptor().class);
        Ok(builder.moves)
    }

    const fn none() -> Self {
        Self {
            locks: Group::of(""),
            flat: Flat::new(),
            acts: KVec::new(),
            holders: KVec::new(),
            paths: KVec::new(),
            can_fail: false,
            fallible: Text::new(),
            prepares: false,
            finishes: false,
        }
    }

    /// Whether some instance can refuse.
    pub(crate) fn can_fail(&self) -> bool {
        self.can_fail
    }

    /// The first field that can refuse; empty: none.
    pub(crate) fn fallible(&self) -> &str {
        self.fallible.as_str()
    }

    /// Whether there is anything for `prepare` to do.
    pub(crate) fn prepares(&self) -> bool {
        self.prepares
    }

    /// Whether nothing is prepared, and nothing is left of the old state.
    pub(crate) fn is_whole(&self) -> bool {
        !self.prepares && !self.finishes
    }

    /// Whether there are locks to look at.
    pub(crate) fn checks(&self) -> bool {
        self.flat.has_locks()
    }

    /// Looks whether a lock of the state is held.
    ///
    /// # Safety
    ///
    /// `old` is a state of the old implementation that no call is in.
    pub(crate) unsafe fn check(&self, old: *mut ()) -> Result<(), Refused> {
        // SAFETY: By the caller's promise.
        match unsafe { self.flat.held_lock(old) } {
            None => Ok(()),
            Some(lock) => Err(Refused {
                error: EBUSY,
                at: At::Lock(lock),
            }),
        }
    }

    /// The field of a refusal.
    pub(crate) fn path(&self, refused: &Refused) -> &str {
        match refused.at {
            At::Lock(lock) => self.flat.path(lock),
            At::Act(act) => {
                let mut paths = self.paths.iter();
                let path = paths.find(|(number, _)| *number == act);
                path.map_or("", |(_, path)| path.as_str())
            }
            At::Nowhere => "",
        }
    }

    /// Makes what can fail.
    ///
    /// # Safety
    ///
    /// `old` is a state of the old implementation that nobody changes.
    pub(crate) unsafe fn prepare(&self, old: *mut ()) -> Result<Prepared, Refused> {
        let mut prepared = Prepared::nothing();
        // SAFETY: By the caller's promise.
        unsafe { self.prepare_acts(0, self.acts.len(), old, &mut prepared)? };
        Ok(prepared)
    }

    /// Makes the new state. Does not sleep.
    ///
    /// # Safety
    ///
    /// `old` is a state of the old implementation that is given away, `new` memory for one of
    /// the new, and `prepared` is what `prepare` made of `old`, where that was asked.
    pub(crate) unsafe fn commit(
        &self,
        old: *mut (),
        prepared: Option<&mut Prepared>,
        new: *mut (),
    ) {
        // SAFETY: By the caller's promise.
        unsafe {
            self.flat.commit(old, new, self.locks);
            if self.acts.is_empty() {
                return;
            }
            let mut nothing = Prepared::nothing();
            let prepared = prepared.unwrap_or(&mut nothing);
            self.commit_acts(0, self.acts.len(), old, new, prepared);
        }
    }

    /// Drops what is left of a state that was moved. May sleep.
    ///
    /// # Safety
    ///
    /// `commit` has taken `old`, and nobody uses it any more.
    pub(crate) unsafe fn finish(&self, old: *mut ()) {
        if self.finishes {
            // SAFETY: By the caller's promise.
            unsafe { self.finish_acts(0, self.acts.len(), old) };
        }
    }

    fn holder(&self, index: usize) -> Holder {
        self.holders.get(index).copied().unwrap_or(Holder::NONE)
    }

    // ---- the walks ---------------------------------------------------------------------

    /// Prepares the acts from `begin` to `end` for one value.
    ///
    /// # Safety
    ///
    /// `old` is a value that they are for, and nobody changes it.
    unsafe fn prepare_acts(
        &self,
        begin: usize,
        end: usize,
        old: *mut (),
        prepared: &mut Prepared,
    ) -> Result<(), Refused> {
        let mut at = begin;
        while at < end {
            let Some(act) = self.acts.get(at) else {
                return Ok(());
            };
            let refused = |error: Error| Refused {
                error,
                at: At::Act(at),
            };
            let mut next = at.wrapping_add(1);
            match *act {
                Act::Make {
                    make: Make::TryNew(make),
                    size,
                    align,
                    drop,
                    ..
                } => {
                    // SAFETY: The room is for the rule's type.
                    let fill = |place| unsafe { make(place) };
                    prepared.fill(size, align, drop, fill).map_err(refused)?;
                }
                Act::Convert {
                    from,
                    make: Make::TryFrom(make),
                    size,
                    align,
                    drop,
                    ..
                } => {
                    // SAFETY: As above; the old value is borrowed.
                    let fill = |place| unsafe { make(old.wrapping_byte_add(from), place) };
                    prepared.fill(size, align, drop, fill).map_err(refused)?;
                }
                Act::Relock {
                    from, old: shell, ..
                } => {
                    // SAFETY: A lock of the old type.
                    if !unsafe { (shell.check)(old.wrapping_byte_add(from)) } {
                        return Err(refused(EBUSY));
                    }
                }
                Act::Each {
                    from, holder, body, ..
                } => {
                    let holder = self.holder(holder);
                    // SAFETY: A container of the holder's old type.
                    let elements = unsafe { holder.open(old.wrapping_byte_add(from)) };
                    if holder.needs_room() {
                        let (size, align) = (holder.strides.1, holder.align);
                        let room = Room::new(elements.count, size, align);
                        prepared
                            .push(room.map_err(refused)?, None)
                            .map_err(refused)?;
                    }
                    next = next.wrapping_add(body);
                    for index in 0..elements.count {
                        let element = holder.old_element(elements.first, index);
                        // SAFETY: An element of the container.
                        unsafe { self.prepare_acts(at.wrapping_add(1), next, element, prepared)? };
                    }
                }
                Act::Match {
                    from, sizes, body, ..
                } => {
                    next = next.wrapping_add(body);
                    let old = old.wrapping_byte_add(from);
                    // SAFETY: `old` is an enum that begins with a tag of this size.
                    let tag = unsafe { read_tag(old, sizes.0) };
                    if let Some((begin, end, _)) = self.arm(at.wrapping_add(1), next, tag) {
                        // SAFETY: The arm is that of the variant that there is.
                        unsafe { self.prepare_acts(begin, end, old, prepared)? };
                    }
                }
                _ => {}
            }
            at = next;
        }
        Ok(())
    }

    /// Runs the acts from `begin` to `end` for one value.
    ///
    /// # Safety
    ///
    /// `old` is a value that they are for, given away; `new` is memory for what they make; the
    /// next rooms of `prepared` are those that `prepare_acts` made for it.
    unsafe fn commit_acts(
        &self,
        begin: usize,
        end: usize,
        old: *mut (),
        new: *mut (),
        prepared: &mut Prepared,
    ) {
        let mut at = begin;
        while at < end {
            let Some(act) = self.acts.get(at) else {
                return;
            };
            let mut next = at.wrapping_add(1);
            match *act {
                // SAFETY: Both places have room for the type, which has one size.
                Act::Copy(copied) => unsafe { copied.run(old, new) },
                Act::Relock {
                    to,
                    new: shell,
                    number,
                    ..
                } => {
                    let class = self.locks.lock(number);
                    // SAFETY: There is room for the lock beside what is in it.
                    unsafe { (shell.make)(new.wrapping_byte_add(to), Elements::NONE, class) };
                }
                Act::Make { to, make, size, .. } => {
                    let place = new.wrapping_byte_add(to);
                    match make {
                        // SAFETY: The place is for the rule's type.
                        Make::New(make) => unsafe { make(place) },
                        // SAFETY: As above.
                        _ => unsafe { prepared.put(place, size) },
                    }
                }
                Act::Convert {
                    from,
                    to,
                    make,
                    size,
                    ..
                } => {
                    let place = new.wrapping_byte_add(to);
                    match make {
                        // SAFETY: The old value is the rule's, and the place is for its type.
                        Make::From(make) => unsafe { make(old.wrapping_byte_add(from), place) },
                        // SAFETY: As above.
                        _ => unsafe { prepared.put(place, size) },
                    }
                }
                Act::Drop { .. } | Act::Arm { .. } => {}
                Act::Each {
                    from,
                    to,
                    holder,
                    body,
                } => {
                    next = next.wrapping_add(body);
                    let holder = self.holder(holder);
                    let (old, new) = (old.wrapping_byte_add(from), new.wrapping_byte_add(to));
                    // SAFETY: Both are containers of the holder's types.
                    unsafe {
                        self.commit_each((at, next), &holder, (old, new), prepared);
                    }
                }
                Act::Match {
                    from,
                    to,
                    sizes,
                    body,
                } => {
                    next = next.wrapping_add(body);
                    let (old, new) = (old.wrapping_byte_add(from), new.wrapping_byte_add(to));
                    // SAFETY: `old` is an enum that begins with a tag of this size.
                    let tag = unsafe { read_tag(old, sizes.0) };
                    if let Some((begin, end, tag)) = self.arm(at.wrapping_add(1), next, tag) {
                        // SAFETY: The arm leads from the variant that there is to the one that
                        // the new tag says.
                        unsafe {
                            write_tag(new, sizes.1, tag);
                            self.commit_acts(begin, end, old, new, prepared);
                        }
                    }
                }
            }
            at = next;
        }
    }

    /// One container: its elements, then the shell around them.
    ///
    /// # Safety
    ///
    /// As for `commit_acts`, of containers of the holder's types.
    unsafe fn commit_each(
        &self,
        (at, end): (usize, usize),
        holder: &Holder,
        (old, new): (*mut (), *mut ()),
        prepared: &mut Prepared,
    ) {
        // SAFETY: By the caller's promise; `prepare` has seen that they may be taken out.
        let elements = unsafe { holder.open(old) };
        let room = match holder.needs_room() {
            true => prepared.take(),
            false => None,
        };
        // An array is its elements.
        let first = room.as_ref().map_or(new, Room::first);
        for index in 0..elements.count {
            let from = holder.old_element(elements.first, index);
            let to = holder.new_element(first, index);
            // SAFETY: Elements of the containers.
            unsafe { self.commit_acts(at.wrapping_add(1), end, from, to, prepared) };
        }
        let Some(shell) = holder.new else { return };
        let count = elements.count;
        let is_taken = count > 0 && matches!(holder.kind, Kind::Box | Kind::Vec);
        let first = match room {
            Some(room) if is_taken => room.give(),
            ref room => room.as_ref().map_or(first, Room::first),
        };
        // SAFETY: The elements are in place; a box and a vector take over their memory.
        unsafe { (shell.make)(new, Elements { first, count }, self.locks.lock(at)) };
    }

    /// Drops what the acts from `begin` to `end` have left of one value.
    ///
    /// # Safety
    ///
    /// `commit_acts` has run for it, and nobody uses it any more.
    unsafe fn finish_acts(&self, begin: usize, end: usize, old: *mut ()) {
        let mut at = begin;
        while at < end {
            let Some(act) = self.acts.get(at) else {
                return;
            };
            let mut next = at.wrapping_add(1);
            match *act {
                // SAFETY: The value was left, and is dropped once.
                Act::Drop { from, drop } => unsafe { drop(old.wrapping_byte_add(from)) },
                Act::Convert {
                    from,
                    make: Make::TryFrom(_),
                    drop_old: Some(drop),
                    ..
                    // SAFETY: The value was only borrowed.
                } => unsafe { drop(old.wrapping_byte_add(from)) },
                Act::Each {
                    from, holder, body, ..
                } => {
                    next = next.wrapping_add(body);
                    let holder = self.holder(holder);
                    let shell = old.wrapping_byte_add(from);
                    // SAFETY: The container is as it was, but for its elements.
                    let elements = unsafe { holder.open(shell) };
                    for index in 0..elements.count {
                        let element = holder.old_element(elements.first, index);
                        // SAFETY: An element of the container.
                        unsafe { self.finish_acts(at.wrapping_add(1), next, element) };
                    }
                    if let Some(old) = holder.old {
                        // SAFETY: Its elements are gone.
                        unsafe { (old.free)(shell) };
                    }
                }
                Act::Match {
                    from, sizes, body, ..
                } => {
                    next = next.wrapping_add(body);
                    let old = old.wrapping_byte_add(from);
                    // SAFETY: `old` is an enum that begins with a tag of this size.
                    let tag = unsafe { read_tag(old, sizes.0) };
                    if let Some((begin, end, _)) = self.arm(at.wrapping_add(1), next, tag) {
                        // SAFETY: The arm is that of the variant that there was.
                        unsafe { self.finish_acts(begin, end, old) };
                    }
                }
                _ => {}
            }
            at = next;
        }
    }

    /// The acts for a variant among the arms from `begin` to `end`, and its new tag.
    fn arm(&self, begin: usize, end: usize, tag: u64) -> Option<(usize, usize, u64)> {
        let mut at = begin;
        while at < end {
            let Some(Act::Arm { old, new, body }) = self.acts.get(at) else {
                return None;
            };
            let inside = at.wrapping_add(1);
            at = inside.wrapping_add(*body);
            if *old == tag {
                return Some((inside, at, *new));
            }
        }
        None
    }
}

impl Prepared {
    const fn nothing() -> Self {
        Self {
            rooms: KVec::new(),
            used: 0,
        }
    }

    fn push(&mut self, room: Room, drop: Option<unsafe fn(*mut ())>) -> Result {
        let room = Some(room);
        Ok(self.rooms.push(Filled { room, drop }, GFP_KERNEL)?)
    }

    /// Adds a room with a value that `fill` makes.
    fn fill(
        &mut self,
        size: usize,
        align: usize,
        drop: Option<unsafe fn(*mut ())>,
        fill: impl FnOnce(*mut ()) -> Result,
    ) -> Result {
        let room = Room::new(1, size, align)?;
        fault(Site::Prepared)?;
        self.rooms.reserve(1, GFP_KERNEL)?;
        fill(room.first())?;
        self.push(room, drop)
    }

    /// The next room, whose value is no longer this one's to drop.
    fn take(&mut self) -> Option<Room> {
        let filled = self.rooms.get_mut(self.used)?;
        self.used = self.used.wrapping_add(1);
        filled.drop = None;
        filled.room.take()
    }

    /// Moves the next value to `place`.
    ///
    /// # Safety
    ///
    /// It is of `size` bytes, for which there is memory.
    unsafe fn put(&mut self, place: *mut (), size: usize) {
        if let Some(room) = self.take() {
            // SAFETY: By the caller's promise.
            unsafe {
                ptr::copy_nonoverlapping(room.first().cast::<u8>(), place.cast::<u8>(), size)
            };
        }
    }
}

impl Holder {
    const NONE: Self = Self {
        kind: Kind::Whole,
        old: None,
        new: None,
        strides: (0, 0),
        align: 1,
        count: 0,
    };

    /// Whether new elements are made in memory of their own first.
    fn needs_room(&self) -> bool {
        matches!(self.kind, Kind::Box | Kind::Vec | Kind::Option)
    }

    fn old_element(&self, first: *mut (), index: usize) -> *mut () {
        first.wrapping_byte_add(self.strides.0.wrapping_mul(index))
    }

    fn new_element(&self, first: *mut (), index: usize) -> *mut () {
        first.wrapping_byte_add(self.strides.1.wrapping_mul(index))
    }

    /// The old elements.
    ///
    /// # Safety
    ///
    /// `shell` is a container of the old type.
    unsafe fn open(&self, shell: *mut ()) -> Elements {
        match self.old {
            // SAFETY: By the caller's promise.
            Some(old) => unsafe { (old.open)(shell) },
            // An array is its elements.
            None => Elements {
                first: shell,
                count: self.count,
            },
        }
    }
}

/// # Safety
///
/// `value` begins with a number of `size` bytes.
unsafe fn read_tag(value: *mut (), size: usize) -> u64 {
    // SAFETY: By the caller's promise.
    unsafe {
        match size {
            1 => value.cast::<u8>().read().into(),
            2 => value.cast::<u16>().read().into(),
            4 => value.cast::<u32>().read().into(),
            _ => value.cast::<u64>().read(),
        }
    }
}

/// # Safety
///
/// `value` has room for a number of `size` bytes.
unsafe fn write_tag(value: *mut (), size: usize, tag: u64) {
    // SAFETY: By the caller's promise. What is cut are zeroes, or copies of the sign.
    unsafe {
        match size {
            1 => value.cast::<u8>().write(tag as u8),
            2 => value.cast::<u16>().write(tag as u16),
            4 => value.cast::<u32>().write(tag as u32),
            _ => value.cast::<u64>().write(tag),
        }
    }
}
