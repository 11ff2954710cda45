// SPDX-License-Identifier: GPL-2.0

//! Samples: values of types that are only known by their description.

use std::alloc::Layout;
use std::ptr;

use kernel::alloc::{allocator::Kmalloc, Allocator, NumaNode};
use kernel::prelude::{fmt, GFP_KERNEL};
use kernel::str::CString;
use molt::schema::{Elements, Kind, Part, Type};

use crate::memory::Room;
use crate::value;

/// How many elements a vector gets.
const ELEMENTS: u64 = 3;

/// How large numbers are, in bits, in each round: nothing, what is usual, all.
const WIDTHS: [u32; 8] = [0, 3, 6, 8, 12, 20, 31, 64];

/// How many rounds there are.
pub(crate) const ROUNDS: u64 = WIDTHS.len() as u64;

/// A source of numbers that look as if by chance, and are the same in each run.
pub(crate) struct Source {
    state: u64,
    width: u32,
}

impl Source {
    pub(crate) fn new(round: u64) -> Self {
        Self {
            state: round,
            width: WIDTHS[(round % ROUNDS) as usize],
        }
    }

    /// SplitMix64: a counter, and its bits mixed.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One that has at most `bits` bits.
    fn number(&mut self, bits: u32) -> u64 {
        let number = self.next();
        number.checked_shr(64 - self.width.min(bits)).unwrap_or(0)
    }
}

/// There is no sample of this type.
pub(crate) struct Unknown(pub(crate) &'static str);

/// Whether the description of a type says what a value may be.
pub(crate) fn check(kind: &'static Type) -> Result<(), Unknown> {
    let all = |parts: &'static [Part]| parts.iter().try_for_each(|part| check(part.kind));
    match (kind.kind, kind.element) {
        (Kind::Struct, _) => all(kind.parts),
        (Kind::Enum, _) => kind.parts.iter().try_for_each(|part| all(part.kind.parts)),
        (Kind::Array | Kind::Option | Kind::Box | Kind::Vec, Some(element)) => check(element),
        (Kind::Whole, _) if is_known(kind) => Ok(()),
        _ => Err(Unknown(kind.name)),
    }
}

fn is_known(kind: &Type) -> bool {
    let others = [
        "()",
        "PhantomData",
        "CString",
        "core::time::Duration",
        "char",
    ];
    others.contains(&kind.name) || kind.name.starts_with("NonZero") || is_number(kind)
}

fn is_number(kind: &Type) -> bool {
    value::is_number(kind.name, kind.size) && kind.name != "Error"
}

/// Makes a value of a type that was checked, and is not in a state yet.
///
/// # Safety
///
/// `place` is memory for it.
pub(crate) unsafe fn make(kind: &'static Type, place: *mut (), source: &mut Source) {
    // SAFETY: By the caller's promise, and so is all that follows.
    unsafe {
        match kind.kind {
            Kind::Struct => fields(kind.parts, place, source),
            Kind::Enum => {
                let index = source.below(kind.parts.len() as u64) as usize;
                let part = &kind.parts[index];
                write(place, part.tag, kind.length);
                fields(part.kind.parts, place, source)
            }
            Kind::Array => elements(element_of(kind), place, kind.length, source),
            Kind::Option => {
                let element = element_of(kind);
                let count = source.below(2) as usize;
                let room = Room::new(element.size, element.align);
                elements(element, room.first(), count, source);
                shell(kind, place, room.first(), count)
            }
            Kind::Box => held(kind, place, 1, source),
            Kind::Vec => {
                let count = source.below(ELEMENTS + 1) as usize;
                held(kind, place, count, source)
            }
            Kind::Whole => whole(kind, place, source),
            Kind::Lock | Kind::Remade => unreachable!("not in arguments"),
        }
    }
}

/// # Safety
///
/// `place` is memory for a struct with these fields.
unsafe fn fields(parts: &'static [Part], place: *mut (), source: &mut Source) {
    for part in parts {
        // SAFETY: By the caller's promise.
        unsafe { make(part.kind, place.wrapping_byte_add(part.offset), source) };
    }
}

/// # Safety
///
/// `place` is memory for so many values.
unsafe fn elements(kind: &'static Type, place: *mut (), count: usize, source: &mut Source) {
    for index in 0..count {
        // SAFETY: By the caller's promise.
        unsafe { make(kind, place.wrapping_byte_add(index * kind.size), source) };
    }
}

fn element_of(kind: &'static Type) -> &'static Type {
    kind.element.expect("a container holds a type")
}

/// A container that takes over the memory of its elements.
///
/// # Safety
///
/// `place` is memory for one.
unsafe fn held(kind: &'static Type, place: *mut (), count: usize, source: &mut Source) {
    let element = element_of(kind);
    let layout = Layout::from_size_align(element.size * count, element.align);
    let first = match layout.expect("few elements have a layout") {
        layout if layout.size() == 0 => ptr::without_provenance_mut(element.align),
        layout => {
            let memory = Kmalloc::alloc(layout, GFP_KERNEL, NumaNode::NO_NODE);
            memory.expect("there is memory").cast().as_ptr()
        }
    };
    // SAFETY: There is memory for so many; the container takes it.
    unsafe {
        elements(element, first, count, source);
        shell(kind, place, first, count);
    }
}

/// # Safety
///
/// `place` is memory for a container, and the elements are given away.
unsafe fn shell(kind: &'static Type, place: *mut (), first: *mut (), count: usize) {
    let shell = kind.functions.shell.expect("a container can be opened");
    // SAFETY: By the caller's promise.
    unsafe { (shell.make)(place, Elements { first, count }, 0) };
}

/// A value that is taken whole.
///
/// # Safety
///
/// `place` is memory for it.
unsafe fn whole(kind: &'static Type, place: *mut (), source: &mut Source) {
    let number = match kind.name {
        "()" | "PhantomData" => return,
        "CString" => {
            let text = CString::try_from_fmt(fmt!("sample-{}", source.number(16)));
            // SAFETY: By the caller's promise.
            unsafe {
                place
                    .cast::<CString>()
                    .write(text.expect("there is memory"))
            };
            return;
        }
        "core::time::Duration" => {
            let duration = core::time::Duration::from_nanos(source.number(48));
            // SAFETY: As above.
            unsafe { place.cast::<core::time::Duration>().write(duration) };
            return;
        }
        "bool" => source.below(2),
        "char" => u64::from(b'a') + source.below(26),
        // Times and durations are not negative.
        "Delta" | "Instant" => source.number(48),
        name if name.starts_with("NonZero") => source.number(32) | 1,
        _ => source.number(64),
    };
    // SAFETY: As above.
    unsafe { write(place, number, kind.size) };
}

/// Writes the lower bytes of a number; of one with more bytes, the upper ones are zero.
///
/// # Safety
///
/// There is room for so many bytes.
unsafe fn write(place: *mut (), number: u64, size: usize) {
    let bytes = u128::from(number).to_le_bytes();
    // SAFETY: By the caller's promise; no number has more than 16.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place.cast::<u8>(), size.min(16)) };
}

/// Gives a state that was made other numbers, and puts something into what is empty, as use does.
///
/// # Safety
///
/// There is a state with these fields at `place`.
pub(crate) unsafe fn fill(parts: &'static [Part], place: *mut (), source: &mut Source) {
    for part in parts {
        // SAFETY: By the caller's promise.
        unsafe { fill_one(part.kind, place.wrapping_byte_add(part.offset), source) };
    }
}

/// # Safety
///
/// There is a value of this type at `place`.
unsafe fn fill_one(kind: &'static Type, place: *mut (), source: &mut Source) {
    // SAFETY: By the caller's promise, and so is all that follows.
    unsafe {
        match kind.kind {
            Kind::Struct => fill(kind.parts, place, source),
            Kind::Enum => {
                if let Some(part) = value::variant(kind, place) {
                    fill(part.kind.parts, place, source);
                }
            }
            Kind::Array | Kind::Box | Kind::Lock | Kind::Option | Kind::Vec => {
                fill_container(kind, place, source);
            }
            // A short atomic may hold an enum.
            Kind::Whole if is_number(kind) && (kind.name != "Atomic" || kind.size == 8) => {
                whole(kind, place, source);
            }
            Kind::Whole | Kind::Remade => {}
        }
    }
}

/// # Safety
///
/// There is a container at `place`.
unsafe fn fill_container(kind: &'static Type, place: *mut (), source: &mut Source) {
    let Some(element) = kind.element else { return };
    // SAFETY: By the caller's promise.
    let inside = unsafe { value::open(kind, place) };
    for index in 0..inside.count {
        let at = inside.first.wrapping_byte_add(index * element.size);
        // SAFETY: An element of the container.
        unsafe { fill_one(element, at, source) };
    }
    let may_grow = matches!(kind.kind, Kind::Option | Kind::Vec) && check(element).is_ok();
    if inside.count > 0 || !may_grow {
        return;
    }
    let room = Room::new(kind.size, kind.align);
    // SAFETY: The new container takes the place of the empty one, which is dropped.
    unsafe {
        make(kind, room.first(), source);
        if let Some(drop) = kind.functions.drop {
            drop(place);
        }
        ptr::copy_nonoverlapping(room.first().cast::<u8>(), place.cast::<u8>(), kind.size);
    }
}
