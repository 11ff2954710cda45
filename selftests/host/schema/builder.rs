// SPDX-License-Identifier: GPL-2.0

//! Builder: writes schemas for tests, with whatever is to be in them.
//!
//! Written from the description of the format, not from the encoder, which is `const` code that
//! takes real types.

use super::format::{
    Kind, Verb, CONTEXT_AT, COUNTS_AT, FINGERPRINT_AT, FLAGS_AT, HEADER, MAGIC, METHOD, NAMES_AT,
    NAMES_SOURCES, NONE, OF_CONTAINER, OF_RULE, PART, RESET, RULE, SIZE_AT, SOURCES_AT, TYPE,
    VERSION, VERSION_AT, WORD,
};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

pub type Versions = Vec<(String, u32)>;

/// A type.
#[derive(Clone)]
pub struct Kinded {
    pub name: String,
    pub fingerprint: u64,
    pub size: u32,
    pub align: u32,
    pub kind: Kind,
    pub parts: Vec<Field>,
    pub element: Option<Box<Kinded>>,
    pub length: u32,
    pub rules: Vec<Said>,
    pub flags: u32,
}

/// A field or a variant.
#[derive(Clone)]
pub struct Field {
    pub name: String,
    pub kind: Kinded,
    pub offset: u32,
    pub tag: u64,
    pub rules: Vec<Said>,
}

/// A rule.
#[derive(Clone)]
pub struct Said {
    pub verb: Verb,
    pub name: String,
    pub kind: Option<Kinded>,
    pub versions: Versions,
    pub flags: u32,
}

/// A method: its name, then names and types of arguments, then its result.
pub type Method = (String, Vec<(String, String)>);

/// A module.
#[derive(Clone)]
pub struct Module {
    pub name: String,
    pub version: u32,
    pub context: u32,
    pub flags: u32,
    pub sources: Option<Versions>,
    pub state: Kinded,
    pub methods: Vec<Method>,
    pub resets: Vec<String>,
}

impl Module {
    /// `name@version` with a state.
    pub fn new(name: &str, version: u32, state: Kinded) -> Self {
        Self {
            name: name.to_owned(),
            version,
            context: 0,
            flags: 0,
            sources: None,
            state,
            methods: vec![("create".to_owned(), vec![(String::new(), "()".to_owned())])],
            resets: Vec::new(),
        }
    }

    /// The section.
    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.kind(&self.state, NONE);
        for method in &self.methods {
            writer.method(method);
        }
        for reset in &self.resets {
            let record = writer.new_record(6);
            writer.text((6, record), 0, reset);
        }
        let mut header = vec![0; HEADER];
        let names = [self.name.as_str(), "counter", "Counter"];
        for (index, name) in names.iter().enumerate() {
            let (place, length) = writer.said(name);
            put(&mut header, NAMES_AT + 8 * index, place);
            put(&mut header, NAMES_AT + 8 * index + 4, length);
        }
        put(&mut header, VERSION_AT, self.version);
        put(&mut header, CONTEXT_AT, self.context);
        let mut flags = self.flags;
        if let Some(sources) = &self.sources {
            flags |= NAMES_SOURCES;
            let (first, count) = writer.versions(sources);
            put(&mut header, SOURCES_AT, first);
            put(&mut header, SOURCES_AT + 4, count);
        }
        put(&mut header, FLAGS_AT, flags);
        let fingerprint = hash(&self.methods);
        put(&mut header, FINGERPRINT_AT, fingerprint as u32);
        put(&mut header, FINGERPRINT_AT + 4, (fingerprint >> 32) as u32);
        header[..MAGIC.len()].copy_from_slice(MAGIC);
        for (index, size) in SIZES.iter().enumerate() {
            let count = writer.records[index].len() / size;
            put(&mut header, COUNTS_AT + 4 * index, count as u32);
        }
        let bytes = [header, writer.records.concat()].concat();
        with(&bytes, SIZE_AT, bytes.len() as u32)
    }
}

/// Sizes of records by kind, text at the end.
pub const SIZES: [usize; 8] = [TYPE, PART, RULE, VERSION, METHOD, WORD, RESET, 1];

/// Where the bytes of a record begin.
pub fn place(bytes: &[u8], kind: usize, index: usize) -> usize {
    let count = |kind: usize| get(bytes, COUNTS_AT + 4 * kind) as usize;
    let before: usize = (0..kind).map(|kind| SIZES[kind] * count(kind)).sum();
    HEADER + before + SIZES[kind] * index
}

pub fn get(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// A copy with one word changed.
pub fn with(bytes: &[u8], at: usize, value: u32) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    put(&mut copy, at, value);
    copy
}

pub fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[derive(Default)]
struct Writer {
    records: [Vec<u8>; 8],
}

impl Writer {
    fn new_record(&mut self, kind: usize) -> usize {
        let records = &mut self.records[kind];
        let index = records.len() / SIZES[kind];
        records.resize(records.len() + SIZES[kind], 0);
        index
    }

    fn word(&mut self, (kind, index): (usize, usize), at: usize, value: u32) {
        put(&mut self.records[kind], SIZES[kind] * index + at, value);
    }

    fn long(&mut self, record: (usize, usize), at: usize, value: u64) {
        self.word(record, at, value as u32);
        self.word(record, at + 4, (value >> 32) as u32);
    }

    fn said(&mut self, text: &str) -> (u32, u32) {
        let place = self.records[7].len() as u32;
        self.records[7].extend(text.as_bytes());
        (place, text.len() as u32)
    }

    fn text(&mut self, record: (usize, usize), at: usize, text: &str) {
        let (place, length) = self.said(text);
        self.word(record, at, place);
        self.word(record, at + 4, length);
    }

    fn kind(&mut self, one: &Kinded, owner: u32) -> u32 {
        let index = self.new_record(0);
        let record = (0, index);
        self.long(record, 0, one.fingerprint);
        self.text(record, 8, &one.name);
        self.word(record, 16, one.size);
        self.word(record, 20, one.align);
        self.word(record, 24, one.kind as u32);
        let parts: Vec<usize> = one.parts.iter().map(|_| self.new_record(1)).collect();
        self.word(record, 28, parts.first().map_or(0, |first| *first as u32));
        self.word(record, 32, parts.len() as u32);
        for (part, field) in parts.iter().zip(&one.parts) {
            self.part((1, *part), field, index as u32);
        }
        let element = one.element.as_ref();
        let element = element.map_or(NONE, |kind| self.kind(kind, OF_CONTAINER | index as u32));
        self.word(record, 36, element);
        self.word(record, 40, one.length);
        self.rules(record, 44, &one.rules);
        self.word(record, 52, owner);
        self.word(record, 56, one.flags);
        index as u32
    }

    fn part(&mut self, record: (usize, usize), field: &Field, owner: u32) {
        self.text(record, 0, &field.name);
        self.text(record, 8, &field.kind.name);
        let kind = self.kind(&field.kind, record.1 as u32);
        self.word(record, 16, kind);
        self.word(record, 20, field.offset);
        self.word(record, 28, owner);
        self.long(record, 32, field.tag);
        self.rules(record, 40, &field.rules);
    }

    fn rules(&mut self, record: (usize, usize), at: usize, rules: &[Said]) {
        let all: Vec<usize> = rules.iter().map(|_| self.new_record(2)).collect();
        self.word(record, at, all.first().map_or(0, |first| *first as u32));
        self.word(record, at + 4, all.len() as u32);
        for (index, rule) in all.iter().zip(rules) {
            let own = (2, *index);
            self.word(own, 0, rule.verb as u32);
            self.word(own, 4, rule.flags);
            self.text(own, 8, &rule.name);
            let kind = rule.kind.as_ref();
            let kind = kind.map_or(NONE, |kind| self.kind(kind, OF_RULE | *index as u32));
            self.word(own, 16, kind);
            let (first, count) = self.versions(&rule.versions);
            self.word(own, 20, first);
            self.word(own, 24, count);
        }
    }

    fn versions(&mut self, versions: &Versions) -> (u32, u32) {
        let first = self.records[3].len() / VERSION;
        for (name, version) in versions {
            let index = self.new_record(3);
            self.text((3, index), 0, name);
            self.word((3, index), 8, *version);
        }
        (first as u32, versions.len() as u32)
    }

    fn method(&mut self, (name, words): &Method) {
        let index = self.new_record(4);
        let record = (4, index);
        self.text(record, 0, name);
        self.text(record, 8, &format!("fn {name}"));
        self.long(record, 16, hash(words));
        self.word(record, 24, (self.records[5].len() / WORD) as u32);
        self.word(record, 28, words.len() as u32);
        for (name, kind) in words {
            let index = self.new_record(5);
            self.text((5, index), 0, name);
            self.text((5, index), 8, kind);
            self.long((5, index), 16, hash(kind));
        }
    }
}
