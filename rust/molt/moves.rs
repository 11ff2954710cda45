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

use kernel::error::code::{EBUSY, EIO};
use kernel::prelude::*;

use crate::container::Room;
use crate::error::{Refusal, REASON_LEN};
use crate::implementation::Registered;
use crate::schema::compare::{compare, By, Op, Path, Sink, Step, Why};
use crate::schema::format::{Kind, Schema};
use crate::schema::{Elements, Make, RuleFunctions, Shell, TypeFunctions};
use crate::text::Text;

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

/// Bytes that move.
#[derive(Clone, Copy)]
struct Copied {
    from: usize,
    to: usize,
    length: usize,
}

impl Copied {
    /// # Safety
    ///
    /// Both values have room for it.
    #[inline(always)]
    unsafe fn run(&self, old: *mut (), new: *mut ()) {
        let from = old.wrapping_byte_add(self.from).cast::<u8>();
        let to = new.wrapping_byte_add(self.to).cast::<u8>();
        // SAFETY: By the caller's promise. Most fields are a word, which needs no call.
        unsafe {
            match self.length {
                8 => copy_as::<u64>(from, to),
                4 => copy_as::<u32>(from, to),
                24 => copy_as::<[u64; 3]>(from, to),
                16 => copy_as::<[u64; 2]>(from, to),
                1 => to.write(from.read()),
                length => ptr::copy_nonoverlapping(from, to, length),
            }
        }
    }

    /// Takes in `next`, if it begins where this one ends, on both sides.
    fn joins(&mut self, next: &Self) -> bool {
        let is_next = self.from.wrapping_add(self.length) == next.from
            && self.to.wrapping_add(self.length) == next.to;
        if is_next {
            self.length = self.length.wrapping_add(next.length);
        }
        is_next
    }
}

/// # Safety
///
/// Both places have room for a `T`.
#[inline(always)]
unsafe fn copy_as<T>(from: *const u8, to: *mut u8) {
    // SAFETY: By the caller's promise.
    unsafe { to.cast::<T>().write_unaligned(from.cast::<T>().read_unaligned()) };
}

/// A lock of the state itself, which must not be held.
struct Checked {
    from: usize,
    check: unsafe fn(*mut ()) -> bool,
    /// The act that makes it again.
    act: usize,
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
    /// The bytes of the state itself that move, first of all.
    copies: KVec<Copied>,
    /// The locks of the state itself.
    locks: KVec<Checked>,
    /// All else, in order.
    acts: KVec<Act>,
    holders: KVec<Holder>,
    /// Where fallible acts are: their number and the field.
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

/// A refusal by an instance: the errno, and which act it was.
pub(crate) struct Refused {
    pub(crate) error: Error,
    /// `None`: none in particular.
    act: Option<usize>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, act: None }
    }
}

impl Moves {
    /// What leads from `from` to `to`. `is_back`: by the rules of `from`. May sleep.
    ///
    /// # Errors
    ///
    /// `EPROTO`: some field has no rule; the reason names it. `ENOMEM`.
    pub(crate) fn new(from: &Registered, to: &Registered, is_back: bool) -> Result<Self, Refusal> {
        let (old, new) = (Side::of(from), Side::of(to));
        let mut builder = Builder {
            old: &old,
            new: &new,
            moves: Self {
                copies: KVec::new(),
                locks: KVec::new(),
                acts: KVec::new(),
                holders: KVec::new(),
                paths: KVec::new(),
                can_fail: false,
                fallible: Text::new(),
                prepares: false,
                finishes: false,
            },
            label: Text::format(fmt!("{} to {}", from.label(), to.label())),
            first: 0,
            frames: KVec::new(),
        };
        compare(old.schema, new.schema, is_back, &mut builder)?;
        Ok(builder.moves)
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

    /// Whether there are locks to look at.
    pub(crate) fn checks(&self) -> bool {
        !self.locks.is_empty()
    }

    /// Looks whether a lock of the state is held.
    ///
    /// # Safety
    ///
    /// `old` is a state of the old implementation that no call is in.
    pub(crate) unsafe fn check(&self, old: *mut ()) -> Result<(), Refused> {
        let is_free = |lock: &&Checked| {
            // SAFETY: By the caller's promise there is a lock.
            unsafe { (lock.check)(old.wrapping_byte_add(lock.from)) }
        };
        match self.locks.iter().find(|lock| !is_free(lock)) {
            None => Ok(()),
            Some(lock) => Err(Refused {
                error: EBUSY,
                act: Some(lock.act),
            }),
        }
    }

    /// The field of a refusal.
    pub(crate) fn path(&self, refused: &Refused) -> &str {
        let mut paths = self.paths.iter();
        let path = paths.find(|(act, _)| Some(*act) == refused.act);
        path.map_or("", |(_, path)| path.as_str())
    }

    /// Makes what can fail.
    ///
    /// # Safety
    ///
    /// `old` is a state of the old implementation that nobody changes.
    pub(crate) unsafe fn prepare(&self, old: *mut ()) -> Result<Prepared, Refused> {
        let mut prepared = Prepared {
            rooms: KVec::new(),
            used: 0,
        };
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
        let mut nothing = Prepared {
            rooms: KVec::new(),
            used: 0,
        };
        let prepared = prepared.unwrap_or(&mut nothing);
        // SAFETY: By the caller's promise.
        unsafe {
            for copied in &self.copies {
                copied.run(old, new);
            }
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
                act: Some(at),
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
                Act::Relock { from, old: shell, .. } => {
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
                Act::Relock { to, new: shell, .. } => {
                    let nothing = Elements {
                        first: ptr::null_mut(),
                        count: 0,
                    };
                    // SAFETY: There is room for the lock beside what is in it.
                    unsafe { (shell.make)(new.wrapping_byte_add(to), nothing, at) };
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
        unsafe { (shell.make)(new, Elements { first, count }, at) };
    }

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

// ---- building --------------------------------------------------------------------------

struct Builder<'a> {
    old: &'a Side,
    new: &'a Side,
    moves: Moves,
    /// From what to what, for messages.
    label: Text<128>,
    /// The first act that one to come may become part of.
    first: usize,
    /// What the operations that come are in, from the outermost.
    frames: KVec<Frame>,
}

/// What operations are in.
#[derive(Clone, Copy)]
struct Frame {
    /// Where it lies in the old and in the new value.
    base: (usize, usize),
    /// It is part of the state itself.
    is_flat: bool,
}

impl Builder<'_> {
    fn frame(&self) -> Frame {
        let last = self.frames.last().copied();
        last.unwrap_or(Frame {
            base: (0, 0),
            is_flat: true,
        })
    }

    fn places(&self, from: u32, to: u32) -> (usize, usize) {
        let base = self.frame().base;
        (
            base.0.wrapping_add(from as usize),
            base.1.wrapping_add(to as usize),
        )
    }

    /// What is in a lock lies in the same value; what is in another container does not.
    fn enter(&mut self, op: Op) -> Result<(), Refusal> {
        let inside = match op {
            Op::Each {
                from, to, old, new, ..
            } if self.is_lock(old) => {
                let (from, to) = self.places(from, to);
                let offsets = (
                    self.old.schema.type_at(old).length(),
                    self.new.schema.type_at(new).length(),
                );
                Frame {
                    base: (
                        from.wrapping_add(offsets.0),
                        to.wrapping_add(offsets.1),
                    ),
                    ..self.frame()
                }
            }
            Op::Each { .. } | Op::Match { .. } | Op::Arm { .. } => Frame {
                base: (0, 0),
                is_flat: false,
            },
            _ => return Ok(()),
        };
        Ok(self.frames.push(inside, GFP_KERNEL)?)
    }

    fn is_lock(&self, old: u32) -> bool {
        self.old.schema.type_at(old).kind() == Kind::Lock
    }

    /// The function of a rule.
    fn make(&self, by: By) -> Result<Make, Refusal> {
        let side = if by.is_new { self.new } else { self.old };
        let functions = side.rules.get(by.rule as usize);
        let make = functions.map(|functions| match by.is_back {
            true => functions.back,
            false => functions.forth,
        });
        // The schema was checked against its functions when it was registered.
        make.filter(|make| !matches!(make, Make::Nothing))
            .ok_or_else(|| EIO.into())
    }

    fn holder(&mut self, old: u32, new: u32) -> Result<usize, Refusal> {
        let (from, to) = (self.old.schema.type_at(old), self.new.schema.type_at(new));
        let strides = (
            from.element().map_or(0, |element| element.size()),
            to.element().map_or(0, |element| element.size()),
        );
        let holder = Holder {
            kind: from.kind(),
            old: self.old.shell(old),
            new: self.new.shell(new),
            strides,
            align: to.element().map_or(1, |element| element.align()),
            count: from.length(),
        };
        // Where elements lie in memory of their own, this is who knows where.
        if from.kind() != Kind::Array && (holder.old.is_none() || holder.new.is_none()) {
            return Err(EIO.into());
        }
        self.moves.holders.push(holder, GFP_KERNEL)?;
        Ok(self.moves.holders.len().wrapping_sub(1))
    }

    /// Notes that the act to come has something to prepare, which perhaps can fail.
    fn note(&mut self, path: &Path<'_>, can_fail: bool) -> Result<(), Refusal> {
        if can_fail && !self.moves.can_fail {
            self.moves.can_fail = true;
            self.moves.fallible = Text::format(format_args!("{path}"));
        }
        self.moves.prepares = true;
        self.path(path)
    }

    /// Keeps the field of the act to come.
    fn path(&mut self, path: &Path<'_>) -> Result<(), Refusal> {
        let at = self.moves.acts.len();
        let path = Text::format(format_args!("{path}"));
        Ok(self.moves.paths.push((at, path), GFP_KERNEL)?)
    }

    fn act(&mut self, path: &Path<'_>, op: Op) -> Result<Act, Refusal> {
        Ok(match op {
            Op::Copy { from, to, length } => {
                let (from, to) = self.places(from, to);
                let length = length as usize;
                Act::Copy(Copied { from, to, length })
            }
            Op::Make { to, by, kind } => {
                if by.can_fail {
                    self.note(path, true)?;
                }
                let new = self.new.schema.type_at(kind);
                Act::Make {
                    to: self.places(0, to).1,
                    make: self.make(by)?,
                    size: new.size(),
                    align: new.align(),
                    drop: self.new.drop_of(kind),
                }
            }
            Op::Convert {
                from,
                to,
                by,
                old,
                new,
            } => {
                if by.can_fail {
                    self.note(path, true)?;
                    self.moves.finishes = true;
                }
                let kind = self.new.schema.type_at(new);
                let (from, to) = self.places(from, to);
                Act::Convert {
                    from,
                    to,
                    make: self.make(by)?,
                    size: kind.size(),
                    align: kind.align(),
                    drop_old: self.old.drop_of(old),
                    drop: self.new.drop_of(new),
                }
            }
            Op::Drop { from, kind } => {
                self.moves.finishes = true;
                Act::Drop {
                    from: self.places(from, 0).0,
                    drop: self.old.drop_of(kind).ok_or(EIO)?,
                }
            }
            Op::Each {
                from, to, old, new, ..
            } => self.each(path, self.places(from, to), (old, new))?,
            Op::Match {
                from,
                to,
                old,
                new,
                ..
            } => {
                let (from, to) = self.places(from, to);
                Act::Match {
                    from,
                    to,
                    sizes: (old as usize, new as usize),
                    body: 0,
                }
            }
            Op::Arm { old, new, .. } => Act::Arm { old, new, body: 0 },
        })
    }

    fn each(
        &mut self,
        path: &Path<'_>,
        (from, to): (usize, usize),
        (old, new): (u32, u32),
    ) -> Result<Act, Refusal> {
        let kind = self.old.schema.type_at(old).kind();
        if kind == Kind::Lock {
            // One that is held is a refusal, where there can be one.
            let (old, new) = self.old.shell(old).zip(self.new.shell(new)).ok_or(EIO)?;
            if self.frame().is_flat {
                let act = self.moves.acts.len();
                let check = old.check;
                self.moves.locks.push(Checked { from, check, act }, GFP_KERNEL)?;
                self.path(path)?;
            } else {
                self.note(path, false)?;
            }
            return Ok(Act::Relock { from, to, old, new });
        }
        if kind != Kind::Array {
            self.note(path, true)?;
            self.moves.finishes = true;
        }
        Ok(Act::Each {
            from,
            to,
            holder: self.holder(old, new)?,
            body: 0,
        })
    }

    /// Makes `copied` part of the one before it, or adds it.
    fn copy(&mut self, copied: Copied) -> Result<(), Refusal> {
        if self.frame().is_flat {
            let last = self.moves.copies.len().wrapping_sub(1);
            let last = self.moves.copies.get_mut(last);
            if !last.is_some_and(|last| last.joins(&copied)) {
                self.moves.copies.push(copied, GFP_KERNEL)?;
            }
            return Ok(());
        }
        let at = self.moves.acts.len().wrapping_sub(1);
        let last = match self.moves.acts.get_mut(at) {
            Some(Act::Copy(last)) if at >= self.first => Some(last),
            _ => None,
        };
        if !last.is_some_and(|last| last.joins(&copied)) {
            self.moves.acts.push(Act::Copy(copied), GFP_KERNEL)?;
        }
        Ok(())
    }
}

impl Sink for Builder<'_> {
    type Error = Refusal;

    fn op(&mut self, path: &Path<'_>, op: Op) -> Result<usize, Refusal> {
        match self.act(path, op)? {
            Act::Copy(copied) => self.copy(copied)?,
            act => self.moves.acts.push(act, GFP_KERNEL)?,
        }
        self.enter(op)?;
        Ok(self.moves.acts.len().wrapping_sub(1))
    }

    fn close(&mut self, at: usize) {
        let count = self.moves.acts.len().wrapping_sub(at).wrapping_sub(1);
        if let Some(Act::Each { body, .. } | Act::Match { body, .. } | Act::Arm { body, .. }) =
            self.moves.acts.get_mut(at)
        {
            *body = count;
        }
        self.frames.pop();
        // What comes now is not in that body.
        self.first = self.moves.acts.len();
    }

    fn step(&mut self, _path: &Path<'_>, _step: Step<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn refuse(&mut self, path: &Path<'_>, why: Why<'_>) -> Refusal {
        let mut reason = Text::<REASON_LEN>::new();
        // What does not fit is cut.
        let _ = match path.is_root() {
            true => kernel::fmt::Write::write_fmt(
                &mut reason,
                format_args!("{}: the state {why}", self.label.as_str()),
            ),
            false => kernel::fmt::Write::write_fmt(
                &mut reason,
                format_args!("{}: field `{path}`: {why}", self.label.as_str()),
            ),
        };
        Refusal::with(kernel::error::code::EPROTO, reason)
    }
}
