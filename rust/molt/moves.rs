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

/// An operation, with what it needs looked up.
#[derive(Clone, Copy)]
enum Act {
    Copy {
        from: usize,
        to: usize,
        length: usize,
    },
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
    acts: KVec<Act>,
    holders: KVec<Holder>,
    /// Where fallible acts are: their number and the field.
    paths: KVec<(usize, Text<PATH_LEN>)>,
    can_fail: bool,
    fallible: Text<PATH_LEN>,
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

    /// Whether there is anything for `prepare` to do; locks are looked at where it runs.
    pub(crate) fn prepares(&self) -> bool {
        self.prepares
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
        unsafe { self.commit_acts(0, self.acts.len(), old, new, prepared) };
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
                Act::Each {
                    from, holder, body, ..
                } => {
                    let holder = self.holder(holder);
                    let shell = old.wrapping_byte_add(from);
                    // SAFETY: `shell` is a container of the holder's old type.
                    let elements = unsafe { holder.check_and_open(shell) };
                    let elements = elements.map_err(refused)?;
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
                Act::Copy { from, to, length } => {
                    // SAFETY: Both places have room for the type, which has one size.
                    unsafe {
                        ptr::copy_nonoverlapping(
                            old.wrapping_byte_add(from).cast::<u8>(),
                            new.wrapping_byte_add(to).cast::<u8>(),
                            length,
                        )
                    };
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
        let first = match (&room, holder.kind) {
            (Some(room), _) => room.first(),
            // SAFETY: The value goes where the new lock will have it.
            (None, Kind::Lock) => unsafe { holder.open_new(new) },
            (None, _) => new,
        };
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

    /// Where the element of the new container, which is a lock, belongs.
    ///
    /// # Safety
    ///
    /// `shell` is memory for a container of the new type.
    unsafe fn open_new(&self, shell: *mut ()) -> *mut () {
        match self.new {
            // SAFETY: By the caller's promise.
            Some(new) => unsafe { (new.open)(shell) }.first,
            None => shell,
        }
    }

    /// The old elements, if they may be taken out.
    ///
    /// # Safety
    ///
    /// As for [`Holder::open`].
    unsafe fn check_and_open(&self, shell: *mut ()) -> Result<Elements> {
        if let Some(old) = self.old {
            // SAFETY: By the caller's promise.
            if !unsafe { (old.check)(shell) } {
                return Err(EBUSY);
            }
        }
        // SAFETY: As above.
        Ok(unsafe { self.open(shell) })
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
}

impl Builder<'_> {
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
        let at = self.moves.acts.len();
        let path = Text::format(format_args!("{path}"));
        if can_fail && !self.moves.can_fail {
            self.moves.can_fail = true;
            self.moves.fallible = path;
        }
        self.moves.prepares = true;
        Ok(self.moves.paths.push((at, path), GFP_KERNEL)?)
    }

    fn act(&mut self, path: &Path<'_>, op: Op) -> Result<Act, Refusal> {
        Ok(match op {
            Op::Copy { from, to, length } => Act::Copy {
                from: from as usize,
                to: to as usize,
                length: length as usize,
            },
            Op::Make { to, by, kind } => {
                if by.can_fail {
                    self.note(path, true)?;
                }
                let new = self.new.schema.type_at(kind);
                Act::Make {
                    to: to as usize,
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
                Act::Convert {
                    from: from as usize,
                    to: to as usize,
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
                    from: from as usize,
                    drop: self.old.drop_of(kind).ok_or(EIO)?,
                }
            }
            Op::Each {
                from,
                to,
                old,
                new,
                body,
            } => {
                let kind = self.old.schema.type_at(old).kind();
                if kind != Kind::Array {
                    // A lock that is held is a refusal only where there can be one.
                    self.note(path, kind != Kind::Lock)?;
                    self.moves.finishes = true;
                }
                Act::Each {
                    from: from as usize,
                    to: to as usize,
                    holder: self.holder(old, new)?,
                    body: body as usize,
                }
            }
            Op::Match {
                from,
                to,
                old,
                new,
                body,
            } => Act::Match {
                from: from as usize,
                to: to as usize,
                sizes: (old as usize, new as usize),
                body: body as usize,
            },
            Op::Arm { old, new, body } => Act::Arm {
                old,
                new,
                body: body as usize,
            },
        })
    }

    /// Makes a copy part of the one before it, where they touch on both sides.
    fn joins(&mut self, op: Op) -> bool {
        let Op::Copy { from, to, length } = op else {
            return false;
        };
        let at = self.moves.acts.len().wrapping_sub(1);
        if self.moves.acts.len() <= self.first {
            return false;
        }
        let Some(Act::Copy {
            from: old,
            to: new,
            length: before,
        }) = self.moves.acts.get_mut(at)
        else {
            return false;
        };
        let is_next =
            old.wrapping_add(*before) == from as usize && new.wrapping_add(*before) == to as usize;
        if is_next {
            *before = before.wrapping_add(length as usize);
        }
        is_next
    }
}

impl Sink for Builder<'_> {
    type Error = Refusal;

    fn op(&mut self, path: &Path<'_>, op: Op) -> Result<usize, Refusal> {
        if !self.joins(op) {
            let act = self.act(path, op)?;
            self.moves.acts.push(act, GFP_KERNEL)?;
        }
        Ok(self.moves.acts.len().wrapping_sub(1))
    }

    fn close(&mut self, at: usize) {
        let count = self.moves.acts.len().wrapping_sub(at).wrapping_sub(1);
        if let Some(Act::Each { body, .. } | Act::Match { body, .. } | Act::Arm { body, .. }) =
            self.moves.acts.get_mut(at)
        {
            *body = count;
        }
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
