// SPDX-License-Identifier: GPL-2.0

//! Writes a schema, while the module that carries it is compiled.

use super::format::{
    BACK_CAN_FAIL, CAN_FAIL, CONTEXT_AT, COUNTS_AT, DEEPEST, FINGERPRINT_AT, FLAGS_AT, HAS_BACK,
    HAS_TRANSFERS, HEADER, IS_ENUM, MAGIC, METHOD, NAMES_AT, NAMES_SOURCES, NEEDS_DROP, NONE,
    OF_CONTAINER, OF_RULE, PART, RESET, RULE, SIZE_AT, SOURCES_AT, TYPE, VERSION, VERSION_AT, WORD,
};
use super::{Part, Rule, RuleFunctions, Type, TypeFunctions};
use crate::interface::{Description, Method};

/// What a module says of its implementation.
pub struct Source {
    pub(crate) class: &'static str,
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) interface: &'static Description,
    pub(crate) state: &'static Type,
    pub(crate) sources: Option<&'static [(&'static str, u32)]>,
    /// There are functions from state to state besides.
    pub(crate) has_transfers: bool,
    /// Statics that may begin again.
    pub(crate) resets: &'static [&'static str],
}

/// How many records of each kind a schema has, and where the next one goes.
#[derive(Clone, Copy)]
pub struct Counts {
    /// Types.
    pub types: usize,
    parts: usize,
    /// Rules.
    pub rules: usize,
    versions: usize,
    methods: usize,
    words: usize,
    resets: usize,
    text: usize,
}

const NOTHING: Counts = Counts {
    types: 0,
    parts: 0,
    rules: 0,
    versions: 0,
    methods: 0,
    words: 0,
    resets: 0,
    text: 0,
};

impl Counts {
    /// Where each kind of record begins.
    const fn places(&self) -> Self {
        let types = HEADER;
        let parts = types + self.types * TYPE;
        let rules = parts + self.parts * PART;
        let versions = rules + self.rules * RULE;
        let methods = versions + self.versions * VERSION;
        let words = methods + self.methods * METHOD;
        let resets = words + self.words * WORD;
        let text = resets + self.resets * RESET;
        Self {
            types,
            parts,
            rules,
            versions,
            methods,
            words,
            resets,
            text,
        }
    }

    /// Bytes of the whole schema.
    pub const fn size(&self) -> usize {
        self.places().text + self.text
    }
}

/// A schema, and the functions that belong to its types and rules, in their order.
pub struct Encoded<const BYTES: usize, const TYPES: usize, const RULES: usize> {
    /// What goes into the section.
    pub bytes: [u8; BYTES],
    /// Of each type.
    pub types: [TypeFunctions; TYPES],
    /// Of each rule.
    pub rules: [RuleFunctions; RULES],
}

/// How much room `source` takes.
pub const fn measure(source: &Source) -> Counts {
    // Without room nothing is written, only counted.
    Encoder::<0, 0, 0>::run(source, NOTHING).next
}

/// Writes `source`, whose counts `measure` has found.
pub const fn encode<const BYTES: usize, const TYPES: usize, const RULES: usize>(
    source: &Source,
    counts: Counts,
) -> Encoded<BYTES, TYPES, RULES> {
    let encoder = Encoder::run(source, counts);
    Encoded {
        bytes: encoder.bytes,
        types: encoder.types,
        rules: encoder.rules,
    }
}

struct Encoder<const BYTES: usize, const TYPES: usize, const RULES: usize> {
    bytes: [u8; BYTES],
    types: [TypeFunctions; TYPES],
    rules: [RuleFunctions; RULES],
    begin: Counts,
    next: Counts,
    /// How many types are around the next one.
    depth: usize,
}

impl<const BYTES: usize, const TYPES: usize, const RULES: usize> Encoder<BYTES, TYPES, RULES> {
    const fn run(source: &Source, counts: Counts) -> Self {
        let mut this = Self {
            bytes: [0; BYTES],
            types: [TypeFunctions::NONE; TYPES],
            rules: [RuleFunctions::NONE; RULES],
            begin: counts.places(),
            next: NOTHING,
            depth: 0,
        };
        this.add_type(source.state, NONE);
        this.add_interface(source.interface);
        let mut index = 0;
        while index < source.resets.len() {
            this.text(
                this.begin.resets + this.next.resets * RESET,
                source.resets[index],
            );
            this.next.resets += 1;
            index += 1;
        }
        this.add_header(source);
        this
    }

    const fn add_header(&mut self, source: &Source) {
        self.text(NAMES_AT, source.name);
        self.text(NAMES_AT + 8, source.class);
        self.text(NAMES_AT + 16, source.interface.name);
        self.word(VERSION_AT, source.version);
        self.word(CONTEXT_AT, source.interface.context as u32);
        self.long(FINGERPRINT_AT, source.interface.fingerprint);
        let mut flags = 0;
        if source.has_transfers {
            flags |= HAS_TRANSFERS;
        }
        if let Some(sources) = source.sources {
            flags |= NAMES_SOURCES;
            self.add_versions(SOURCES_AT, sources);
        }
        self.word(FLAGS_AT, flags);
        let counts = [
            self.next.types,
            self.next.parts,
            self.next.rules,
            self.next.versions,
            self.next.methods,
            self.next.words,
            self.next.resets,
            self.next.text,
        ];
        let mut index = 0;
        while index < counts.len() {
            self.word(COUNTS_AT + 4 * index, counts[index] as u32);
            index += 1;
        }
        let mut index = 0;
        while index < MAGIC.len() {
            self.byte(index, MAGIC[index]);
            index += 1;
        }
        self.word(SIZE_AT, BYTES as u32);
    }

    const fn add_interface(&mut self, interface: &Description) {
        self.add_method(&interface.creation);
        let mut index = 0;
        while index < interface.methods.len() {
            self.add_method(&interface.methods[index]);
            index += 1;
        }
    }

    const fn add_method(&mut self, method: &Method) {
        let at = self.begin.methods + self.next.methods * METHOD;
        self.next.methods += 1;
        self.text(at, method.name);
        self.text(at + 8, method.signature);
        self.long(at + 16, method.fingerprint);
        self.word(at + 24, self.next.words as u32);
        self.word(at + 28, method.words.len() as u32);
        let mut index = 0;
        while index < method.words.len() {
            let word = &method.words[index];
            let at = self.begin.words + self.next.words * WORD;
            self.next.words += 1;
            self.text(at, word.name);
            self.text(at + 8, word.type_name);
            self.long(at + 16, word.fingerprint);
            index += 1;
        }
    }

    /// Adds a type and all that belongs to it; returns its number.
    const fn add_type(&mut self, one: &Type, owner: u32) -> u32 {
        assert!(
            self.depth < DEEPEST,
            "types in a state may be nested sixteen deep, the state and what is in containers \
             included"
        );
        self.depth += 1;
        let index = self.next.types;
        let at = self.begin.types + index * TYPE;
        self.next.types += 1;
        if index < TYPES {
            self.types[index] = one.functions;
        }
        self.long(at, one.fingerprint);
        self.text(at + 8, one.name);
        self.word(at + 16, one.size as u32);
        self.word(at + 20, one.align as u32);
        self.word(at + 24, one.kind as u32);
        self.add_parts(at + 28, one.parts, index as u32);
        let element = match one.element {
            Some(element) => self.add_type(element, OF_CONTAINER | index as u32),
            None => NONE,
        };
        self.word(at + 36, element);
        self.word(at + 40, one.length as u32);
        self.add_rules(at + 44, one.rules);
        self.word(at + 52, owner);
        let needs_drop = if one.needs_drop { NEEDS_DROP } else { 0 };
        self.word(at + 56, needs_drop | if one.is_enum { IS_ENUM } else { 0 });
        self.depth -= 1;
        index as u32
    }

    /// Adds the parts of type `owner`, and where they are.
    const fn add_parts(&mut self, place: usize, parts: &[Part], owner: u32) {
        let first = self.next.parts;
        self.next.parts += parts.len();
        self.word(place, first as u32);
        self.word(place + 4, parts.len() as u32);
        let mut index = 0;
        while index < parts.len() {
            let part = &parts[index];
            let at = self.begin.parts + (first + index) * PART;
            self.text(at, part.name);
            self.text(at + 8, part.type_name);
            let kind = self.add_type(part.kind, (first + index) as u32);
            self.word(at + 16, kind);
            self.word(at + 20, part.offset as u32);
            self.word(at + 28, owner);
            self.long(at + 32, part.tag);
            self.add_rules(at + 40, part.rules);
            index += 1;
        }
    }

    const fn add_rules(&mut self, place: usize, rules: &[Rule]) {
        let first = self.next.rules;
        self.next.rules += rules.len();
        self.word(place, first as u32);
        self.word(place + 4, rules.len() as u32);
        let mut index = 0;
        while index < rules.len() {
            let rule = &rules[index];
            let at = self.begin.rules + (first + index) * RULE;
            if first + index < RULES {
                self.rules[first + index] = rule.functions;
            }
            let functions = &rule.functions;
            let mut flags = 0;
            if functions.can_fail() {
                flags |= CAN_FAIL;
            }
            if functions.has_back() {
                flags |= HAS_BACK;
            }
            if functions.back_can_fail() {
                flags |= BACK_CAN_FAIL;
            }
            self.word(at, rule.verb as u32);
            self.word(at + 4, flags);
            self.text(at + 8, rule.name);
            let kind = match rule.kind {
                Some(kind) => self.add_type_of_rule(kind, OF_RULE | (first + index) as u32),
                None => NONE,
            };
            self.word(at + 16, kind);
            self.add_versions(at + 20, rule.versions);
            index += 1;
        }
    }

    /// The same for a type of a rule, which is in no other one.
    const fn add_type_of_rule(&mut self, one: &Type, owner: u32) -> u32 {
        let depth = self.depth;
        self.depth = 0;
        let index = self.add_type(one, owner);
        self.depth = depth;
        index
    }

    const fn add_versions(&mut self, place: usize, versions: &[(&str, u32)]) {
        let first = self.next.versions;
        self.next.versions += versions.len();
        self.word(place, first as u32);
        self.word(place + 4, versions.len() as u32);
        let mut index = 0;
        while index < versions.len() {
            let at = self.begin.versions + (first + index) * VERSION;
            self.text(at, versions[index].0);
            self.word(at + 8, versions[index].1);
            index += 1;
        }
    }

    const fn text(&mut self, place: usize, text: &str) {
        self.word(place, self.next.text as u32);
        self.word(place + 4, text.len() as u32);
        let bytes = text.as_bytes();
        let mut index = 0;
        while index < bytes.len() {
            self.byte(self.begin.text + self.next.text + index, bytes[index]);
            index += 1;
        }
        self.next.text += bytes.len();
    }

    const fn long(&mut self, place: usize, value: u64) {
        self.word(place, value as u32);
        self.word(place + 4, (value >> 32) as u32);
    }

    const fn word(&mut self, place: usize, value: u32) {
        let bytes = value.to_le_bytes();
        let mut index = 0;
        while index < bytes.len() {
            self.byte(place + index, bytes[index]);
            index += 1;
        }
    }

    const fn byte(&mut self, place: usize, value: u8) {
        if place < BYTES {
            self.bytes[place] = value;
        }
    }
}
