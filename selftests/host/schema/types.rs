// SPDX-License-Identifier: GPL-2.0

//! Types and rules for tests, in few words.

use super::builder::{hash, Field, Kinded, Said};
use super::format::{Kind, Verb, BACK_CAN_FAIL, CAN_FAIL, HAS_BACK, IS_ENUM, NEEDS_DROP};

/// A type without parts.
pub fn whole(name: &str, size: u32) -> Kinded {
    Kinded {
        name: name.to_owned(),
        fingerprint: hash(&name),
        size,
        align: size.clamp(1, 8),
        kind: Kind::Whole,
        parts: Vec::new(),
        element: None,
        length: 0,
        rules: Vec::new(),
        flags: 0,
    }
}

pub fn u32() -> Kinded {
    whole("u32", 4)
}

pub fn u64() -> Kinded {
    whole("u64", 8)
}

/// What has something to drop.
pub fn text() -> Kinded {
    Kinded {
        flags: NEEDS_DROP,
        ..whole("CString", 8)
    }
}

/// A field with rules.
pub fn field(name: &str, kind: Kinded, rules: &[Said]) -> Field {
    Field {
        name: name.to_owned(),
        kind,
        offset: 0,
        tag: 0,
        rules: rules.to_vec(),
    }
}

/// A struct, its fields one after the other.
pub fn record(name: &str, fields: &[Field]) -> Kinded {
    record_at(name, 0, fields)
}

fn record_at(name: &str, begin: u32, fields: &[Field]) -> Kinded {
    let (mut size, mut align, mut fingerprint) = (begin, 1, hash(&name));
    let mut parts = fields.to_vec();
    for part in &mut parts {
        align = align.max(part.kind.align);
        size = size.next_multiple_of(part.kind.align);
        part.offset = size;
        size += part.kind.size;
        fingerprint = hash(&(fingerprint, &part.name, part.offset, part.kind.fingerprint));
    }
    Kinded {
        fingerprint,
        size: size.next_multiple_of(align),
        align,
        kind: Kind::Struct,
        parts,
        ..whole(name, 0)
    }
}

/// An enum with a tag of one byte; its variants are structs.
pub fn tagged(name: &str, variants: &[(&str, &[Field], &[Said])]) -> Kinded {
    let structs = variants.iter();
    let structs = structs.map(|(name, fields, _)| record_at(name, 1, fields));
    let structs: Vec<_> = structs.collect();
    let size = structs.iter().map(|one| one.size).max().unwrap_or(1);
    let align = structs.iter().map(|one| one.align).max().unwrap_or(1);
    let size = size.next_multiple_of(align);
    let mut fingerprint = hash(&name);
    let mut parts = Vec::new();
    for (tag, (one, (name, _, rules))) in structs.into_iter().zip(variants).enumerate() {
        fingerprint = hash(&(fingerprint, one.fingerprint));
        let kind = Kinded { size, align, ..one };
        let tag = tag as u64;
        parts.push(Field {
            tag,
            ..field(name, kind, rules)
        });
    }
    Kinded {
        fingerprint,
        size,
        align,
        kind: Kind::Enum,
        parts,
        length: 1,
        flags: IS_ENUM,
        ..whole(name, 0)
    }
}

fn holder(kind: Kind, name: &str, size: u32, length: u32, element: Kinded) -> Kinded {
    let align = element.align.max(if kind == Kind::Array { 1 } else { 8 });
    Kinded {
        fingerprint: hash(&(name, length, element.fingerprint)),
        size: size.next_multiple_of(align),
        align,
        kind,
        element: Some(Box::new(element)),
        length,
        ..whole(name, 0)
    }
}

pub fn vector(element: Kinded) -> Kinded {
    holder(Kind::Vec, "KVec", 24, 0, element)
}

pub fn boxed(element: Kinded) -> Kinded {
    holder(Kind::Box, "KBox", 8, 0, element)
}

pub fn option(element: Kinded) -> Kinded {
    holder(Kind::Option, "Option", element.size + 8, 0, element)
}

pub fn lock(element: Kinded) -> Kinded {
    holder(Kind::Lock, "Lock", 8 + element.size, 8, element)
}

pub fn array(length: u32, element: Kinded) -> Kinded {
    holder(Kind::Array, "array", length * element.size, length, element)
}

/// What is not moved.
pub fn timer() -> Kinded {
    Kinded {
        kind: Kind::Remade,
        ..whole("Timer", 8)
    }
}

fn said(verb: Verb, name: &str, kind: Option<Kinded>) -> Said {
    Said {
        verb,
        name: name.to_owned(),
        kind,
        versions: Vec::new(),
        flags: 0,
    }
}

pub fn default() -> Said {
    said(Verb::Default, "", None)
}

pub fn renamed(from: &str) -> Said {
    said(Verb::Renamed, from, None)
}

pub fn convert(from: Kinded) -> Said {
    said(Verb::Convert, "", Some(from))
}

pub fn keep() -> Said {
    said(Verb::Keep, "", None)
}

pub fn irreversible() -> Said {
    said(Verb::Irreversible, "", None)
}

pub fn rebuild() -> Said {
    said(Verb::Rebuild, "", None)
}

pub fn dropped(name: &str) -> Said {
    said(Verb::Dropped, name, None)
}

/// What a dropped field is on the way back.
pub fn known(name: &str, kind: Kinded) -> Said {
    said(Verb::Dropped, name, Some(kind)).back()
}

impl Said {
    pub fn named(self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self
        }
    }

    pub fn back(self) -> Self {
        self.flagged(HAS_BACK)
    }

    pub fn try_back(self) -> Self {
        self.flagged(HAS_BACK | BACK_CAN_FAIL)
    }

    pub fn fallible(self) -> Self {
        self.flagged(CAN_FAIL)
    }

    pub fn from(mut self, name: &str, version: u32) -> Self {
        self.versions.push((name.to_owned(), version));
        self
    }

    fn flagged(self, flags: u32) -> Self {
        Self {
            flags: self.flags | flags,
            ..self
        }
    }
}

impl Kinded {
    /// Adds rules for fields of other versions.
    pub fn ruled(self, rules: &[Said]) -> Self {
        Self {
            rules: rules.to_vec(),
            ..self
        }
    }
}
