// SPDX-License-Identifier: GPL-2.0

//! The form in which a module carries its schema: section `.molt.schema`.
//!
//! Written by the compiler ([`encode`](super::encode)), read by `molt.ko` when the module
//! registers, and by `moltctl` out of a file. Nothing is believed: a schema is checked whole
//! before anything of it is used. Uses `core` only, so that both readers are this one source.
//!
//! ```text
//!   header | types | parts | rules | versions | methods | words | resets | text
//! ```
//!
//! All numbers are little-endian. A text is its place and length in the last part. Types form a
//! tree: type 0 is the state, and each other one belongs to one part, rule or container, which
//! has a lower number; so a walk over it ends.

use core::fmt;

/// What a schema begins with.
pub const MAGIC: &[u8; 8] = b"MOLTSCH1";

/// Sizes of the records, in bytes.
pub(super) const HEADER: usize = 104;
pub(super) const TYPE: usize = 64;
pub(super) const PART: usize = 48;
pub(super) const RULE: usize = 32;
pub(super) const VERSION: usize = 16;
pub(super) const METHOD: usize = 32;
pub(super) const WORD: usize = 24;
pub(super) const RESET: usize = 8;

/// Where the header has what.
pub(super) const SIZE_AT: usize = 8;
pub(super) const COUNTS_AT: usize = 12;
pub(super) const NAMES_AT: usize = 44;
pub(super) const VERSION_AT: usize = 68;
pub(super) const CONTEXT_AT: usize = 72;
pub(super) const FLAGS_AT: usize = 76;
pub(super) const FINGERPRINT_AT: usize = 80;
pub(super) const SOURCES_AT: usize = 88;

/// No type, no rule.
pub const NONE: u32 = u32::MAX;

/// Whose a type is: a part's, a rule's, or that of a container.
pub(super) const OF_RULE: u32 = 1 << 30;
pub(super) const OF_CONTAINER: u32 = 1 << 31;

/// Most records of one kind. How long a comparison takes follows from these numbers.
const MOST: usize = 1 << 12;

/// Most rules, and most versions that they name.
const MOST_RULES: usize = 1 << 10;

/// Most bytes of text.
const MOST_TEXT: usize = 1 << 20;

/// Most fields of one type.
const MOST_PARTS: usize = 1 << 8;

/// Longest text, in bytes.
pub const LONGEST: usize = 1024;

/// Longest name of a field or a variant, in bytes.
pub const LONGEST_NAME: usize = 128;

/// Deepest nesting of types. A comparison needs some stack for each level.
pub const DEEPEST: usize = 16;

/// Largest state, in bytes.
const LARGEST: usize = 1 << 24;

/// Strictest alignment, in bytes.
const STRICTEST: usize = 4096;

/// What a type is made of, as far as rules can look into it.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Taken whole.
    Whole = 0,
    /// Has parts: its fields.
    Struct = 1,
    /// Has parts: its variants, told apart by a tag at its beginning.
    Enum = 2,
    /// So many elements.
    Array = 3,
    /// One element, or none.
    Option = 4,
    /// One element, in memory of its own.
    Box = 5,
    /// Elements in memory of their own.
    Vec = 6,
    /// One element behind a lock.
    Lock = 7,
    /// Not for moving: it is dropped and made again.
    Remade = 8,
}

impl Kind {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Whole,
            1 => Self::Struct,
            2 => Self::Enum,
            3 => Self::Array,
            4 => Self::Option,
            5 => Self::Box,
            6 => Self::Vec,
            7 => Self::Lock,
            8 => Self::Remade,
            _ => return None,
        })
    }

    /// Whether it holds elements of one type.
    pub const fn is_container(self) -> bool {
        matches!(
            self,
            Self::Array | Self::Option | Self::Box | Self::Vec | Self::Lock
        )
    }
}

/// What a rule says of a field, or of one that is no more.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// A new field begins with this value.
    Default = 0,
    /// The field had another name.
    Renamed = 1,
    /// The field's value is made from that of a field of another type.
    Convert = 2,
    /// The field has to be what it was.
    Keep = 3,
    /// There is no way back from this field.
    Irreversible = 4,
    /// The field is not moved, but made again.
    Rebuild = 5,
    /// A field of the other version is dropped; with a type, its value on the way back is known.
    Dropped = 6,
}

impl Verb {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Default,
            1 => Self::Renamed,
            2 => Self::Convert,
            3 => Self::Keep,
            4 => Self::Irreversible,
            5 => Self::Rebuild,
            6 => Self::Dropped,
            _ => return None,
        })
    }
}

/// Bits of a rule's flags.
pub(super) const CAN_FAIL: u32 = 1;
pub(super) const HAS_BACK: u32 = 2;
pub(super) const BACK_CAN_FAIL: u32 = 4;

/// Bits of a type's flags.
pub(super) const NEEDS_DROP: u32 = 1;
pub(super) const IS_ENUM: u32 = 2;

/// Bits of the header's flags.
pub(super) const NAMES_SOURCES: u32 = 1;
pub(super) const HAS_TRANSFERS: u32 = 2;

/// Why a schema is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    what: &'static str,
    index: usize,
}

impl Fault {
    const fn new(what: &'static str, index: usize) -> Self {
        Self { what, index }
    }

    /// What is wrong.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// With which record of its kind.
    pub fn index(&self) -> usize {
        self.index
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (number {})", self.what, self.index)
    }
}

type Result<T = ()> = core::result::Result<T, Fault>;

/// The kinds of records, in the order in which they lie.
#[derive(Clone, Copy)]
enum Record {
    Type = 0,
    Part = 1,
    Rule = 2,
    Version = 3,
    Method = 4,
    Word = 5,
    Reset = 6,
    Text = 7,
}

const SIZES: [usize; 8] = [TYPE, PART, RULE, VERSION, METHOD, WORD, RESET, 1];

/// A schema that was checked.
#[derive(Clone, Copy)]
pub struct Schema<'a> {
    bytes: &'a [u8],
}

/// One record of a schema. Small, since comparisons have many on a kernel's stack.
#[derive(Clone, Copy)]
struct View<'a> {
    schema: Schema<'a>,
    /// Where it begins.
    begin: u32,
    /// Which of its kind it is.
    index: u32,
}

impl<'a> View<'a> {
    fn word(&self, at: usize) -> u32 {
        let at = (self.begin as usize).checked_add(at);
        at.and_then(|at| number(self.schema.bytes, at))
            .unwrap_or_default()
    }

    fn index(&self) -> usize {
        self.index as usize
    }

    fn long(&self, at: usize) -> u64 {
        u64::from(self.word(at)) | (u64::from(self.word(at.wrapping_add(4))) << 32)
    }

    fn text(&self, at: usize) -> &'a str {
        self.schema
            .text(self.word(at), self.word(at.wrapping_add(4)))
            .unwrap_or_default()
    }
}

/// A type.
#[derive(Clone, Copy)]
pub struct Type<'a>(View<'a>);

/// A field, or a variant with its fields.
#[derive(Clone, Copy)]
pub struct Part<'a>(View<'a>);

/// A rule.
#[derive(Clone, Copy)]
pub struct Rule<'a>(View<'a>);

/// A method of the interface, or the creation.
#[derive(Clone, Copy)]
pub struct Method<'a>(View<'a>);

/// An argument of a method, or its result.
#[derive(Clone, Copy)]
pub struct Word<'a>(View<'a>);

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    let bytes = bytes.get(at..end)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

impl<'a> Schema<'a> {
    /// Checks `bytes`.
    ///
    /// # Errors
    ///
    /// The first fault that is found.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let schema = Self { bytes };
        schema.check_frame()?;
        schema.check_texts()?;
        schema.check_types()?;
        schema.check_parts()?;
        schema.check_rules()?;
        schema.check_rest()?;
        schema.check_counts()?;
        Ok(schema)
    }

    // ---- reading -----------------------------------------------------------------------

    /// Name of the implementation.
    pub fn name(&self) -> &'a str {
        self.header().text(NAMES_AT)
    }

    /// Name of the class.
    pub fn class(&self) -> &'a str {
        self.header().text(NAMES_AT + 8)
    }

    /// Name of the interface.
    pub fn interface(&self) -> &'a str {
        self.header().text(NAMES_AT + 16)
    }

    /// The implementation's version.
    pub fn version(&self) -> u32 {
        self.header().word(VERSION_AT)
    }

    /// Whether the methods may be called in any context.
    pub fn is_atomic(&self) -> bool {
        self.header().word(CONTEXT_AT) != 0
    }

    /// Stands for the interface.
    pub fn fingerprint(&self) -> u64 {
        self.header().long(FINGERPRINT_AT)
    }

    /// Which versions this description covers, where it says so.
    pub fn sources(&self) -> Option<impl Iterator<Item = (&'a str, u32)>> {
        let header = self.header();
        let is_said = header.word(FLAGS_AT) & NAMES_SOURCES != 0;
        is_said.then_some(self.versions(header.word(SOURCES_AT), header.word(SOURCES_AT + 4)))
    }

    /// Whether its rules are meant for the state of `name@version`: its list names it, or,
    /// without a list, it is an older version of the same implementation.
    pub fn covers(&self, name: &str, version: u32) -> bool {
        match self.sources() {
            Some(mut sources) => sources.any(|source| source == (name, version)),
            None => self.name() == name && version < self.version(),
        }
    }

    /// Whether its author has written functions from state to state, of which it says no more.
    pub fn has_transfers(&self) -> bool {
        self.header().word(FLAGS_AT) & HAS_TRANSFERS != 0
    }

    /// The state's type.
    pub fn state(&self) -> Type<'a> {
        self.kind(0)
    }

    /// How many types there are.
    pub fn types(&self) -> usize {
        self.count(Record::Type)
    }

    /// How many rules there are.
    pub fn rules(&self) -> usize {
        self.count(Record::Rule)
    }

    /// The creation, then the methods of the interface.
    pub fn methods(&self) -> impl Iterator<Item = Method<'a>> {
        let schema = *self;
        (0..self.count(Record::Method)).map(move |index| Method(schema.view(Record::Method, index)))
    }

    /// Statics that may begin again.
    pub fn resets(&self) -> impl Iterator<Item = &'a str> {
        let schema = *self;
        (0..self.count(Record::Reset)).map(move |index| schema.view(Record::Reset, index).text(0))
    }

    fn versions(&self, first: u32, count: u32) -> impl Iterator<Item = (&'a str, u32)> {
        let schema = *self;
        range(first, count).map(move |index| {
            let view = schema.view(Record::Version, index);
            (view.text(0), view.word(8))
        })
    }

    /// Type number `index`, which is below [`types`](Self::types).
    pub fn type_at(&self, index: u32) -> Type<'a> {
        self.kind(index as usize)
    }

    fn kind(&self, index: usize) -> Type<'a> {
        Type(self.view(Record::Type, index))
    }

    fn part(&self, index: usize) -> Part<'a> {
        Part(self.view(Record::Part, index))
    }

    fn rule(&self, index: usize) -> Rule<'a> {
        Rule(self.view(Record::Rule, index))
    }

    fn header(&self) -> View<'a> {
        View {
            schema: *self,
            begin: 0,
            index: 0,
        }
    }

    fn count(&self, record: Record) -> usize {
        let at = COUNTS_AT.wrapping_add(4usize.wrapping_mul(record as usize));
        number(self.bytes, at).unwrap_or_default() as usize
    }

    /// Where records of a kind begin.
    fn begin(&self, record: Record) -> usize {
        let before = SIZES.iter().take(record as usize).zip(0u32..);
        before.fold(HEADER, |place, (size, index)| {
            let at = COUNTS_AT.wrapping_add(4usize.wrapping_mul(index as usize));
            let count = number(self.bytes, at).unwrap_or_default() as usize;
            place.saturating_add(size.saturating_mul(count))
        })
    }

    fn view(&self, record: Record, index: usize) -> View<'a> {
        let size = SIZES.get(record as usize).copied().unwrap_or_default();
        let begin = self
            .begin(record)
            .saturating_add(size.saturating_mul(index));
        let is_there = index < self.count(record);
        View {
            schema: *self,
            // Nothing is behind the end; such a record is zeros.
            begin: if is_there { begin as u32 } else { u32::MAX },
            index: index as u32,
        }
    }

    fn text(&self, place: u32, length: u32) -> Option<&'a str> {
        let length = length as usize;
        let place = place as usize;
        let end = place.checked_add(length)?;
        if end > self.count(Record::Text) || length > LONGEST {
            return None;
        }
        let begin = self.begin(Record::Text);
        let bytes = self
            .bytes
            .get(begin.checked_add(place)?..begin.checked_add(end)?)?;
        core::str::from_utf8(bytes).ok()
    }

    // ---- checking ----------------------------------------------------------------------

    fn check_frame(&self) -> Result {
        let magic = self.bytes.get(..MAGIC.len());
        if magic != Some(MAGIC.as_slice()) {
            return Err(Fault::new("the schema has another magic", 0));
        }
        if number(self.bytes, SIZE_AT).map(|size| size as usize) != Some(self.bytes.len())
            || self.bytes.len() < HEADER
        {
            return Err(Fault::new("the schema is truncated", 0));
        }
        let most = [
            MOST, MOST, MOST_RULES, MOST_RULES, MOST, MOST, MOST_RULES, MOST_TEXT,
        ];
        let mut size = HEADER;
        for (index, (most, record)) in most.iter().zip(SIZES).enumerate() {
            let at = COUNTS_AT.wrapping_add(4usize.wrapping_mul(index));
            let count = number(self.bytes, at).unwrap_or(u32::MAX) as usize;
            if count > *most {
                return Err(Fault::new("the schema has too many records of kind", index));
            }
            size = size.saturating_add(count.saturating_mul(record));
        }
        if size != self.bytes.len() {
            return Err(Fault::new("the schema's parts do not make up its size", 0));
        }
        if self.count(Record::Type) == 0 || self.count(Record::Method) == 0 {
            return Err(Fault::new("the schema has no state or no interface", 0));
        }
        Ok(())
    }

    /// Whether there is a text for one line of a log. A name is one word besides.
    fn is_text(&self, view: &View<'_>, at: usize, longest: usize, is_needed: bool) -> bool {
        let length = view.word(at.wrapping_add(4)) as usize;
        if length > longest || length == 0 && is_needed {
            return false;
        }
        let is_name = longest <= LONGEST_NAME;
        let is_shown = |one: char| !(one.is_control() || is_name && one.is_whitespace());
        let text = self.text(view.word(at), view.word(at.wrapping_add(4)));
        text.is_some_and(|text| text.chars().all(is_shown))
    }

    fn check_text(&self, record: Record, at: usize, longest: usize, is_needed: bool) -> Result {
        for index in 0..self.count(record) {
            if !self.is_text(&self.view(record, index), at, longest, is_needed) {
                let what = match record {
                    Record::Type => "a type's name is no text, or too long",
                    Record::Part => "a field's name is no text, or too long",
                    Record::Rule => "a rule's name is no text, or too long",
                    _ => "a name is no text, or too long",
                };
                return Err(Fault::new(what, index));
            }
        }
        Ok(())
    }

    fn check_texts(&self) -> Result {
        let header = self.header();
        for at in [NAMES_AT, NAMES_AT + 8, NAMES_AT + 16] {
            if !self.is_text(&header, at, LONGEST_NAME, true) {
                return Err(Fault::new("the implementation's names are no texts", at));
            }
        }
        self.check_text(Record::Type, 8, LONGEST, true)?;
        self.check_text(Record::Part, 0, LONGEST_NAME, true)?;
        self.check_text(Record::Part, 8, LONGEST, true)?;
        self.check_text(Record::Rule, 8, LONGEST_NAME, false)?;
        self.check_text(Record::Version, 0, LONGEST_NAME, true)?;
        self.check_text(Record::Method, 0, LONGEST_NAME, true)?;
        self.check_text(Record::Method, 8, LONGEST, false)?;
        self.check_text(Record::Word, 0, LONGEST_NAME, false)?;
        self.check_text(Record::Word, 8, LONGEST, false)?;
        self.check_text(Record::Reset, 0, LONGEST_NAME, true)
    }

    fn is_range(&self, record: Record, first: u32, count: u32) -> bool {
        let end = (first as usize).checked_add(count as usize);
        end.is_some_and(|end| end <= self.count(record))
    }

    /// Whether type `index` is there, is `owner`'s, and comes after type `before`.
    fn is_owned(&self, index: u32, owner: u32, before: usize) -> bool {
        (index as usize) < self.count(Record::Type)
            && index as usize > before
            && self.kind(index as usize).0.word(52) == owner
    }

    fn check_types(&self) -> Result {
        for index in 0..self.count(Record::Type) {
            let one = self.kind(index);
            let fault = |what| Err(Fault::new(what, index));
            let (size, align) = (one.size(), one.align());
            let Some(kind) = Kind::from_number(one.0.word(24)) else {
                return fault("a type is of no known kind");
            };
            if size > LARGEST || !align.is_power_of_two() || align > STRICTEST {
                return fault("a type's size or alignment is out of range");
            }
            if size & align.wrapping_sub(1) != 0 {
                return fault("a type's size is no multiple of its alignment");
            }
            if !self.is_range(Record::Part, one.0.word(28), one.0.word(32))
                || !self.is_range(Record::Rule, one.0.word(44), one.0.word(48))
                || one.0.word(32) as usize > MOST_PARTS
            {
                return fault("a type's parts or rules are out of range");
            }
            let element = one.0.word(36);
            let owner = OF_CONTAINER | index as u32;
            if kind.is_container() != (element != NONE) {
                return fault("a type lacks its element, or has one too many");
            }
            if element != NONE && !self.is_owned(element, owner, index) {
                return fault("a type's element is itself, or another's");
            }
            if index == 0 && kind != Kind::Struct {
                return fault("a state is no struct");
            }
            self.check_inside(&one, kind, index)?;
            if self.depth(index) > DEEPEST {
                return fault("a type is nested too deeply");
            }
        }
        Ok(())
    }

    /// Whether what lies in a value of the type has its room there.
    fn check_inside(&self, one: &Type<'a>, kind: Kind, index: usize) -> Result {
        let element = one.element();
        let room = element.map_or(0, |element| element.size());
        let is_fit = match kind {
            Kind::Array => {
                one.length() <= LARGEST && room.checked_mul(one.length()) == Some(one.size())
            }
            Kind::Lock => one
                .length()
                .checked_add(room)
                .is_some_and(|end| end <= one.size()),
            Kind::Option => room <= one.size(),
            Kind::Enum => one.length().is_power_of_two() && one.length() <= one.size().min(8),
            Kind::Box => one.size() == 8,
            _ => true,
        };
        match is_fit {
            true => Ok(()),
            false => Err(Fault::new("a type has no room for what is in it", index)),
        }
    }

    /// How many types are around this one, it included. Its owners have lower numbers.
    fn depth(&self, index: usize) -> usize {
        let mut at = index;
        let mut depth = 1usize;
        while at != 0 && depth <= DEEPEST {
            let owner = self.kind(at).0.word(52);
            let above = match owner {
                NONE => return depth,
                _ if owner & OF_CONTAINER != 0 => owner & !OF_CONTAINER,
                // A rule's type is a tree of its own.
                _ if owner & OF_RULE != 0 => return depth,
                _ => self.part(owner as usize).0.word(28),
            };
            if above as usize >= at {
                return DEEPEST.saturating_add(1);
            }
            at = above as usize;
            depth = depth.saturating_add(1);
        }
        depth
    }

    fn check_parts(&self) -> Result {
        for index in 0..self.count(Record::Type) {
            let whole = self.kind(index);
            let is_enum = whole.kind() == Kind::Enum;
            let mut parts = whole.parts();
            while let Some(part) = parts.next() {
                let fault = |what| Err(Fault::new(what, part.0.index()));
                if part.0.word(28) as usize != index
                    || !self.is_owned(part.0.word(16), part.0.index, index)
                {
                    return fault("a field's type is its own, or another's");
                }
                let end = part.offset().checked_add(part.kind().size());
                if end.is_none_or(|end| end > whole.size()) {
                    return fault("a field is out of its struct's range");
                }
                if !self.is_range(Record::Rule, part.0.word(40), part.0.word(44)) {
                    return fault("a field's rules are out of range");
                }
                let is_other = |other: &Part<'_>| other.name() == part.name();
                if parts.clone().any(|other| is_other(&other)) {
                    return fault("two fields have one name");
                }
                if is_enum && parts.clone().any(|other| other.tag() == part.tag()) {
                    return fault("two variants have one tag");
                }
                if is_enum && !part.is_variant(whole.length()) {
                    return fault("a variant's tag has no room");
                }
                if !is_enum && parts.clone().any(|other| part.overlaps(&other)) {
                    return fault("two fields overlap");
                }
                if is_enum && (part.kind().kind() != Kind::Struct || part.offset() != 0) {
                    return fault("a variant is no struct");
                }
            }
        }
        Ok(())
    }

    fn check_rules(&self) -> Result {
        for index in 0..self.count(Record::Rule) {
            let rule = self.rule(index);
            let fault = |what| Err(Fault::new(what, index));
            let Some(verb) = Verb::from_number(rule.0.word(0)) else {
                return fault("a rule is of no known kind");
            };
            let kind = rule.0.word(16);
            let owner = OF_RULE | index as u32;
            if kind != NONE && !self.is_owned(kind, owner, 0) {
                return fault("a rule's type is another's");
            }
            if verb == Verb::Convert && kind == NONE {
                return fault("a conversion lacks the type that it is from");
            }
            let has_name = !rule.name().is_empty();
            if matches!(verb, Verb::Renamed | Verb::Dropped) && !has_name {
                return fault("a rule lacks the name of a field");
            }
            if !self.is_range(Record::Version, rule.0.word(20), rule.0.word(24)) {
                return fault("a rule's versions are out of range");
            }
        }
        Ok(())
    }

    /// Each record that belongs to another one belongs to one, and is not left over: else a
    /// small schema could be much work.
    fn check_counts(&self) -> Result {
        let sum = |record, at: usize| {
            let counts = (0..self.count(record)).map(|index| self.view(record, index).word(at));
            counts.fold(0usize, |sum, count| sum.saturating_add(count as usize))
        };
        let sources = self.header().word(SOURCES_AT + 4) as usize;
        let rules = sum(Record::Type, 48).saturating_add(sum(Record::Part, 44));
        let versions = sum(Record::Rule, 24).saturating_add(sources);
        for (record, needed) in [
            (Record::Part, sum(Record::Type, 32)),
            (Record::Rule, rules),
            (Record::Version, versions),
            (Record::Word, sum(Record::Method, 28)),
        ] {
            if needed != self.count(record) {
                let kind = record as usize;
                return Err(Fault::new(
                    "the schema shares or lacks records of kind",
                    kind,
                ));
            }
        }
        Ok(())
    }

    fn check_rest(&self) -> Result {
        let header = self.header();
        let (first, count) = (header.word(SOURCES_AT), header.word(SOURCES_AT + 4));
        if !self.is_range(Record::Version, first, count) {
            return Err(Fault::new("the covered versions are out of range", 0));
        }
        for index in 0..self.count(Record::Method) {
            let view = self.view(Record::Method, index);
            if !self.is_range(Record::Word, view.word(24), view.word(28)) {
                return Err(Fault::new("a method's arguments are out of range", index));
            }
        }
        Ok(())
    }
}

fn range(first: u32, count: u32) -> core::ops::Range<usize> {
    let first = first as usize;
    first..first.saturating_add(count as usize)
}

impl<'a> Type<'a> {
    /// Its number.
    pub fn index(&self) -> usize {
        self.0.index()
    }

    /// Its name, or that of its constructor.
    pub fn name(&self) -> &'a str {
        self.0.text(8)
    }

    /// Stands for the definition and all that is in it.
    pub fn fingerprint(&self) -> u64 {
        self.0.long(0)
    }

    /// In bytes.
    pub fn size(&self) -> usize {
        self.0.word(16) as usize
    }

    /// In bytes.
    pub fn align(&self) -> usize {
        self.0.word(20) as usize
    }

    /// What it is made of.
    pub fn kind(&self) -> Kind {
        Kind::from_number(self.0.word(24)).unwrap_or(Kind::Whole)
    }

    /// Its fields or variants.
    pub fn parts(&self) -> impl Iterator<Item = Part<'a>> + Clone {
        let schema = self.0.schema;
        range(self.0.word(28), self.0.word(32)).map(move |index| schema.part(index))
    }

    /// What a container holds.
    pub fn element(&self) -> Option<Type<'a>> {
        match self.0.word(36) {
            NONE => None,
            index => Some(self.0.schema.kind(index as usize)),
        }
    }

    /// Of an array: how many elements. Of an enum: the size of the tag. Of a lock: where the
    /// element lies.
    pub fn length(&self) -> usize {
        self.0.word(40) as usize
    }

    /// The rules for fields of other versions.
    pub fn rules(&self) -> impl Iterator<Item = Rule<'a>> {
        let schema = self.0.schema;
        range(self.0.word(44), self.0.word(48)).map(move |index| schema.rule(index))
    }

    /// Whether dropping a value does anything.
    pub fn needs_drop(&self) -> bool {
        self.0.word(56) & NEEDS_DROP != 0
    }

    /// Whether it is an enum, tagged or not.
    pub fn is_enum(&self) -> bool {
        self.0.word(56) & IS_ENUM != 0
    }
}

impl<'a> Part<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.0.text(0)
    }

    /// Its type as written.
    pub fn type_name(&self) -> &'a str {
        self.0.text(8)
    }

    /// Its type.
    pub fn kind(&self) -> Type<'a> {
        self.0.schema.kind(self.0.word(16) as usize)
    }

    /// Where it begins, in bytes.
    pub fn offset(&self) -> usize {
        self.0.word(20) as usize
    }

    /// A variant's tag.
    pub fn tag(&self) -> u64 {
        self.0.long(32)
    }

    /// Its rules.
    pub fn rules(&self) -> impl Iterator<Item = Rule<'a>> {
        let schema = self.0.schema;
        range(self.0.word(40), self.0.word(44)).map(move |index| schema.rule(index))
    }

    /// Whether a variant's tag goes into so many bytes, and its fields lie behind them.
    fn is_variant(&self, tag: usize) -> bool {
        let bits = tag.saturating_mul(8) as u32;
        let is_behind = |field: Part<'_>| field.kind().size() == 0 || field.offset() >= tag;
        self.tag().checked_shr(bits).unwrap_or_default() == 0 && self.kind().parts().all(is_behind)
    }

    fn overlaps(&self, other: &Part<'_>) -> bool {
        let ends = |part: &Part<'_>| part.offset().saturating_add(part.kind().size());
        self.kind().size() > 0
            && other.kind().size() > 0
            && self.offset() < ends(other)
            && other.offset() < ends(self)
    }
}

impl<'a> Rule<'a> {
    /// Its number.
    pub fn index(&self) -> usize {
        self.0.index()
    }

    /// What it says.
    pub fn verb(&self) -> Verb {
        Verb::from_number(self.0.word(0)).unwrap_or(Verb::Keep)
    }

    /// The other version's field; empty where it has the same name.
    pub fn name(&self) -> &'a str {
        self.0.text(8)
    }

    /// The other version's type, where the rule depends on it.
    pub fn kind(&self) -> Option<Type<'a>> {
        match self.0.word(16) {
            NONE => None,
            index => Some(self.0.schema.kind(index as usize)),
        }
    }

    /// Whether its function can fail.
    pub fn can_fail(&self) -> bool {
        self.0.word(4) & CAN_FAIL != 0
    }

    /// Whether it knows the way back.
    pub fn has_back(&self) -> bool {
        self.0.word(4) & HAS_BACK != 0
    }

    /// Whether the function for the way back can fail.
    pub fn back_can_fail(&self) -> bool {
        self.0.word(4) & BACK_CAN_FAIL != 0
    }

    /// Whether it says for which versions it is meant.
    pub fn has_versions(&self) -> bool {
        self.0.word(24) != 0
    }

    /// Whether it is meant for the state of `name@version`.
    pub fn is_for(&self, name: &str, version: u32) -> bool {
        let (first, count) = (self.0.word(20), self.0.word(24));
        let mut versions = self.0.schema.versions(first, count);
        count == 0 || versions.any(|one| one == (name, version))
    }
}

impl<'a> Method<'a> {
    /// Its name; `create` for the creation.
    pub fn name(&self) -> &'a str {
        self.0.text(0)
    }

    /// Its signature, in one line.
    pub fn signature(&self) -> &'a str {
        self.0.text(8)
    }

    /// Stands for all of it.
    pub fn fingerprint(&self) -> u64 {
        self.0.long(16)
    }

    /// The arguments, then the result.
    pub fn words(&self) -> impl Iterator<Item = Word<'a>> {
        let schema = self.0.schema;
        range(self.0.word(24), self.0.word(28))
            .map(move |index| Word(schema.view(Record::Word, index)))
    }
}

impl<'a> Word<'a> {
    /// The argument's name; empty for the result.
    pub fn name(&self) -> &'a str {
        self.0.text(0)
    }

    /// The type as written.
    pub fn type_name(&self) -> &'a str {
        self.0.text(8)
    }

    /// Stands for the type.
    pub fn fingerprint(&self) -> u64 {
        self.0.long(16)
    }
}
