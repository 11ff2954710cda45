// SPDX-License-Identifier: GPL-2.0

//! Values: what is in a state, read by its description, so that two can be compared.

use core::fmt;

use kernel::str::CString;
use molt::schema::{Elements, Kind, Part, Type};

/// What a description finds at a place.
#[derive(PartialEq)]
pub(crate) enum Value {
    /// A type that is taken whole, by its bytes.
    Plain(&'static str, Vec<u8>),
    /// One that owns something that no description leads to: where that is.
    Far(Vec<u8>),
    Text(Vec<u8>),
    /// A struct, with the names of its fields.
    Fields(Vec<(&'static str, Value)>),
    /// A variant, with its fields.
    Variant(&'static str, Box<Value>),
    /// An array or a vector.
    Elements(Vec<Value>),
    /// What is in an option, a box or a lock, which goes by the same name.
    Inside(Option<Box<Value>>),
    /// What is made again with each state.
    Remade,
}

/// A place where two values differ.
pub(crate) struct Difference {
    /// As in `inner.table[3].key`.
    pub(crate) path: String,
    pub(crate) before: String,
    pub(crate) after: String,
    /// Only that something lies elsewhere is known.
    pub(crate) is_far: bool,
}

/// Reads the fields of a struct.
///
/// # Safety
///
/// There is a value with these fields at `place`.
pub(crate) unsafe fn fields(parts: &'static [Part], place: *mut ()) -> Value {
    let field = |part: &'static Part| {
        // SAFETY: By the caller's promise.
        let value = unsafe { read(part.kind, place.wrapping_byte_add(part.offset)) };
        (part.name, value)
    };
    Value::Fields(parts.iter().map(field).collect())
}

/// # Safety
///
/// There is a value of the type at `place`.
unsafe fn read(kind: &'static Type, place: *mut ()) -> Value {
    // SAFETY: By the caller's promise, and so is all that follows.
    unsafe {
        match kind.kind {
            Kind::Struct => fields(kind.parts, place),
            Kind::Enum => match variant(kind, place) {
                Some(part) => Value::Variant(part.name, Box::new(fields(part.kind.parts, place))),
                None => Value::Plain("tag", bytes(place, kind.length)),
            },
            Kind::Array | Kind::Vec => Value::Elements(each(kind, place).collect()),
            Kind::Option | Kind::Box | Kind::Lock => {
                Value::Inside(each(kind, place).next().map(Box::new))
            }
            Kind::Remade => Value::Remade,
            Kind::Whole if kind.name == "CString" => {
                Value::Text((*place.cast::<CString>()).to_bytes().to_vec())
            }
            Kind::Whole if kind.needs_drop => Value::Far(bytes(place, kind.size)),
            Kind::Whole => Value::Plain(kind.name, bytes(place, kind.size)),
        }
    }
}

/// # Safety
///
/// There is a container of the type at `place`.
unsafe fn each(kind: &'static Type, place: *mut ()) -> impl Iterator<Item = Value> {
    // SAFETY: By the caller's promise.
    let elements = unsafe { open(kind, place) };
    let element = kind.element.expect("a container holds a type");
    (0..elements.count).map(move |index| {
        let at = elements.first.wrapping_byte_add(index * element.size);
        // SAFETY: As above.
        unsafe { read(element, at) }
    })
}

/// Where the elements of a container are.
///
/// # Safety
///
/// There is one of the type at `place`.
pub(crate) unsafe fn open(kind: &'static Type, place: *mut ()) -> Elements {
    match kind.functions.shell {
        Some(shell) => {
            // SAFETY: By the caller's promise.
            let is_free = unsafe { (shell.check)(place) };
            assert!(is_free, "a lock of the state is held");
            // SAFETY: As above.
            unsafe { (shell.open)(place) }
        }
        // An array is its elements.
        None => Elements {
            first: place,
            count: kind.length,
        },
    }
}

/// The variant that there is.
///
/// # Safety
///
/// There is an enum with a tag at `place`.
pub(crate) unsafe fn variant(kind: &'static Type, place: *mut ()) -> Option<&'static Part> {
    // SAFETY: By the caller's promise.
    let tag = number(&unsafe { bytes(place, kind.length) });
    kind.parts.iter().find(|part| u128::from(part.tag) == tag)
}

/// # Safety
///
/// So many bytes are at `place`.
unsafe fn bytes(place: *mut (), count: usize) -> Vec<u8> {
    // SAFETY: By the caller's promise.
    unsafe { std::slice::from_raw_parts(place.cast::<u8>(), count) }.to_vec()
}

fn number(bytes: &[u8]) -> u128 {
    let digits = bytes.iter().rev();
    digits.fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

/// Types whose bytes are a number.
pub(crate) fn is_number(name: &str, size: usize) -> bool {
    let is_integer =
        name.starts_with(['u', 'i']) && name[1..].starts_with(|c: char| c.is_numeric());
    let is_like_one = [
        "Atomic", "usize", "isize", "bool", "tag", "Delta", "Instant", "Error",
    ];
    (is_integer || is_like_one.contains(&name)) && size <= 16
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(name, bytes) if is_number(name, bytes.len()) => {
                write!(f, "{}", number(bytes))
            }
            Self::Plain(_, bytes) | Self::Far(bytes) => bytes
                .iter()
                .rev()
                .try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Text(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Self::Fields(fields) => {
                f.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{name}: {value}")?;
                }
                f.write_str("}")
            }
            Self::Variant(name, value) => write!(f, "{name}{value}"),
            Self::Elements(all) => {
                f.write_str("[")?;
                for (index, value) in all.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{value}")?;
                }
                f.write_str("]")
            }
            Self::Inside(Some(value)) => value.fmt(f),
            Self::Inside(None) => f.write_str("none"),
            Self::Remade => f.write_str("made again"),
        }
    }
}

/// Where `after` is not what `before` is.
pub(crate) fn compare(path: &str, before: &Value, after: &Value, to: &mut Vec<Difference>) {
    let inner = |name: &str| match path.is_empty() {
        true => name.to_owned(),
        false => format!("{path}.{name}"),
    };
    match (before, after) {
        (Value::Fields(one), Value::Fields(other)) if one.len() == other.len() => {
            for ((name, before), (_, after)) in one.iter().zip(other) {
                compare(&inner(name), before, after, to);
            }
        }
        (Value::Variant(one, before), Value::Variant(other, after)) if one == other => {
            compare(&inner(one), before, after, to);
        }
        (Value::Elements(one), Value::Elements(other)) if one.len() == other.len() => {
            for (index, (before, after)) in one.iter().zip(other).enumerate() {
                compare(&format!("{path}[{index}]"), before, after, to);
            }
        }
        (Value::Inside(Some(before)), Value::Inside(Some(after))) => {
            compare(path, before, after, to);
        }
        _ if before == after => {}
        _ => to.push(Difference {
            path: path.to_owned(),
            before: before.to_string(),
            after: after.to_string(),
            is_far: matches!((before, after), (Value::Far(_), Value::Far(_))),
        }),
    }
}
