// SPDX-License-Identifier: GPL-2.0

//! Compares the schemas of two versions: how a state of the one becomes a state of the other.
//!
//! The newer version's author writes the rules, for both directions. What comes out are
//! operations on bytes and, beside them, steps for a reader; or a refusal that names the field.
//! Uses `core` only: `molt.ko` and `moltctl` ask this one source.
//!
//! | field of the new state | made from |
//! |---|---|
//! | `rebuild` | nothing: its function makes it |
//! | `convert` | the old field of that name and type, by its function |
//! | `renamed` | the old field of that name |
//! | any | the old field of the same name |
//! | `default`, where there is no such field | its value |
//!
//! Equal fingerprints: moved. Structs, tagged enums and the elements of equal containers are
//! compared further, by the same table. All else is a refusal, and so is an old field that
//! nothing is made from and no `dropped` names. On the way back the table is read from right
//! to left.

use super::format::{Kind, Part, Rule, Schema, Type, Verb};
use core::fmt;

/// One operation. Places are bytes from the beginning of the struct, enum or element that the
/// operation is in; numbers of types are those of the old or the new schema.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// Bytes are moved.
    Copy {
        /// Place in the old value.
        from: u32,
        /// Place in the new one.
        to: u32,
        /// How many bytes.
        length: u32,
    },
    /// A value is made of nothing.
    Make {
        /// Place in the new value.
        to: u32,
        /// What makes it.
        by: By,
        /// The new type.
        kind: u32,
    },
    /// A value is made from another one.
    Convert {
        /// Place in the old value.
        from: u32,
        /// Place in the new one.
        to: u32,
        /// What makes it.
        by: By,
        /// The old type.
        old: u32,
        /// The new type.
        new: u32,
    },
    /// A value is dropped, after all else.
    Drop {
        /// Place in the old value.
        from: u32,
        /// The old type.
        kind: u32,
    },
    /// The operations that follow, for each element of a container.
    Each {
        /// Place of the old container.
        from: u32,
        /// Place of the new one.
        to: u32,
        /// The old container's type.
        old: u32,
        /// The new one's.
        new: u32,
        /// How many operations.
        body: u32,
    },
    /// The arms that follow, of which that of the old tag is taken.
    Match {
        /// Place of the old enum.
        from: u32,
        /// Place of the new one.
        to: u32,
        /// Bytes of the old tag.
        old: u32,
        /// Bytes of the new tag.
        new: u32,
        /// How many operations, those in the arms included.
        body: u32,
    },
    /// The operations that follow, for one variant.
    Arm {
        /// The old tag.
        old: u64,
        /// The new one.
        new: u64,
        /// How many operations.
        body: u32,
    },
}

/// The function of a rule.
#[derive(Clone, Copy, Debug)]
pub struct By {
    /// Whose rule: the new schema's, or the old one's.
    pub is_new: bool,
    /// The rule's function for the way back.
    pub is_back: bool,
    /// Number of the rule in its schema.
    pub rule: u32,
    /// Whether it can fail.
    pub can_fail: bool,
}

/// What happens to a field, for a reader.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    /// It is moved.
    Moved,
    /// It is moved from a field of another name.
    Renamed(&'a str),
    /// It begins with its default.
    Default,
    /// It is made from a value of this type.
    Converted(&'a str),
    /// It is made again.
    Rebuilt,
    /// It is a lock: made again, around what was moved.
    Relocked,
    /// The old field is dropped.
    Dropped,
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved => f.write_str("moved"),
            Self::Renamed(name) => write!(f, "moved from `{name}`"),
            Self::Default => f.write_str("begins with its default"),
            Self::Converted(kind) => write!(f, "converted from `{kind}`"),
            Self::Rebuilt => f.write_str("made again"),
            Self::Relocked => f.write_str("a new lock around what was in the old one"),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}

/// Why there is no way.
#[derive(Clone, Copy)]
pub enum Why<'a> {
    /// The field is new.
    New(&'a str),
    /// The old field would be lost.
    Lost(&'a str),
    /// The type has changed.
    Changed(&'a str, &'a str),
    /// A rule names a field that is not there.
    NoField(&'a str),
    /// Two rules name one field.
    Twice(&'a str),
    /// A conversion knows another type.
    Misread(&'a str, &'a str),
    /// A conversion keeps the type, and nobody knows whether it was done already.
    Unclear,
    /// The field had to stay what it was.
    NotKept,
    /// The author said so.
    Irreversible,
    /// The older version has a field that nothing is known of.
    NoWayBack(&'a str),
    /// A conversion has no function for the way back.
    OneWay,
    /// An array's length has changed.
    Length(usize, usize),
    /// The other version has no such variant.
    NoVariant,
    /// The enum has no tag that rules could look at.
    Untagged,
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New(kind) => write!(
                f,
                "`{kind}` is new and nothing says how it begins: `default` or `renamed`"
            ),
            Self::Lost(kind) => write!(
                f,
                "`{kind}` would be lost: `dropped`, or a field that is `renamed` from it"
            ),
            Self::Changed(old, new) if old == new => {
                write!(f, "was another `{old}`: `convert`, or rules inside")
            }
            Self::Changed(old, new) => {
                write!(f, "was `{old}`, is `{new}`: `convert`, or rules inside")
            }
            Self::NoField(name) => write!(f, "is made from `{name}`, which is not there"),
            Self::Twice(name) => write!(f, "is made from `{name}`, and so is another field"),
            Self::Misread(was, known) => {
                write!(f, "was `{was}`, but its rule converts `{known}`")
            }
            Self::Unclear => f.write_str(
                "its rule converts without a change of type: it has to say for which `versions`",
            ),
            Self::NotKept => f.write_str("has changed, but its rule says `keep`"),
            Self::Irreversible => f.write_str("is irreversible, as its author says"),
            Self::NoWayBack(kind) => write!(
                f,
                "nothing says what `{kind}` is on the way back: `dropped(name: type = value)`"
            ),
            Self::OneWay => f.write_str("its rule has no way `back`"),
            Self::Length(old, new) => write!(f, "had {old} elements, has {new}"),
            Self::NoVariant => f.write_str("is a variant that the other version does not have"),
            Self::Untagged => f.write_str(
                "has changed, and an enum without `repr(u8)` or `repr(C, u8)` is taken whole",
            ),
        }
    }
}

/// Where a field is, from the state down: `inner.table[].key`.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    above: Option<&'a Path<'a>>,
    last: &'a str,
}

impl<'a> Path<'a> {
    const ROOT: Self = Self {
        above: None,
        last: "",
    };

    fn to(&'a self, last: &'a str) -> Self {
        Self {
            above: Some(self),
            last,
        }
    }

    /// Whether it is the state itself.
    pub fn is_root(&self) -> bool {
        self.above.is_none()
    }
}

/// The elements of a container.
const ELEMENTS: &str = "[]";

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(above) = self.above else {
            return Ok(());
        };
        fmt::Display::fmt(above, f)?;
        if !above.is_root() && self.last != ELEMENTS {
            f.write_str(".")?;
        }
        f.write_str(self.last)
    }
}

/// Who takes what comes out.
pub trait Sink {
    /// What ends the comparison.
    type Error;

    /// Takes an operation on the field at `path`; returns its number.
    fn op(&mut self, path: &Path<'_>, op: Op) -> Result<usize, Self::Error>;

    /// The operations since number `at` are its body.
    fn close(&mut self, at: usize);

    /// Takes a step.
    fn step(&mut self, path: &Path<'_>, step: Step<'_>) -> Result<(), Self::Error>;

    /// Takes a refusal.
    fn refuse(&mut self, path: &Path<'_>, why: Why<'_>) -> Self::Error;
}

/// Compares `old` with `new`. `is_back`: the rules are those of the old schema.
///
/// # Errors
///
/// What the sink returns, for a refusal, too.
pub fn compare<S: Sink>(
    old: Schema<'_>,
    new: Schema<'_>,
    is_back: bool,
    sink: &mut S,
) -> Result<(), S::Error> {
    let (author, other) = if is_back { (old, new) } else { (new, old) };
    let sources = author.sources().map_or(0, Iterator::count);
    let mut comparison = Comparison {
        is_back,
        other: (other.name(), other.version()),
        is_only_source: sources == 1,
        sink,
    };
    comparison.fields(&Path::ROOT, &old.state(), &new.state(), (0, 0))
}

/// Types are nested, and so are `fields`, `changed`, `elements` and `variants`, on the kernel's
/// stack: what they call besides is never inlined into them.
struct Comparison<'a, S> {
    is_back: bool,
    /// The version that the rules lead from, or back to.
    other: (&'a str, u32),
    /// The author knows of one version only.
    is_only_source: bool,
    sink: &'a mut S,
}

/// Places in the old and in the new value.
type Places = (usize, usize);

impl<S: Sink> Comparison<'_, S> {
    fn refuse<T>(&mut self, path: &Path<'_>, why: Why<'_>) -> Result<T, S::Error> {
        Err(self.sink.refuse(path, why))
    }

    fn step(&mut self, path: &Path<'_>, step: Step<'_>) -> Result<(), S::Error> {
        self.sink.step(path, step)
    }

    /// The first rule of `part` that says `verb` of the other version.
    fn rule<'s>(&self, part: &Part<'s>, verb: Verb) -> Option<Rule<'s>> {
        self.rules(part, verb).next()
    }

    fn rules<'s>(
        &self,
        part: &Part<'s>,
        verb: Verb,
    ) -> impl Iterator<Item = Rule<'s>> + use<'_, 's, S> {
        let rules = part.rules();
        rules.filter(move |rule| rule.verb() == verb && self.is_meant(rule))
    }

    /// Whether a rule is meant for the other version.
    fn is_meant(&self, rule: &Rule<'_>) -> bool {
        rule.is_for(self.other.0, self.other.1)
    }

    /// Whether the author of `old` says that there is no way back from it.
    fn is_final(&self, old: &Type<'_>) -> bool {
        let says = |rule: Rule<'_>| rule.verb() == Verb::Irreversible && self.is_meant(&rule);
        self.is_back && old.rules().any(says)
    }

    /// The name of the field of `there` that a rule of the author's field `part` names.
    fn claimed<'s>(&self, part: &Part<'s>, there: &Type<'_>) -> Option<&'s str> {
        let verbs = [Verb::Convert, Verb::Renamed].into_iter();
        let mut names = verbs.flat_map(|verb| self.rules(part, verb).map(|rule| rule.name()));
        names.find(|name| there.parts().any(|other| other.name() == *name))
    }

    fn claims(&self, part: &Part<'_>, name: &str, there: &Type<'_>) -> bool {
        // Most fields have no rule with that name, which is soon seen.
        part.rules().any(|rule| rule.name() == name) && self.claimed(part, there) == Some(name)
    }

    fn is_rebuilt(&self, part: &Part<'_>) -> bool {
        self.rule(part, Verb::Rebuild).is_some()
    }

    /// The other version's field that goes with the author's field `part`: the one that its rule
    /// names, or that of the same name, unless another one's rule names it.
    fn partner<'s>(
        &self,
        part: &Part<'_>,
        author: &Type<'_>,
        there: &Type<'s>,
    ) -> Option<Part<'s>> {
        if self.is_rebuilt(part) {
            return None;
        }
        let name = match self.claimed(part, there) {
            Some(name) => name,
            None => {
                let mut parts = author.parts();
                match parts.any(|one| self.claims(&one, part.name(), there)) {
                    true => return None,
                    false => part.name(),
                }
            }
        };
        there.parts().find(|field| field.name() == name)
    }

    /// The author's field that goes with the other version's field `other`: the same, read from
    /// right to left.
    fn owner<'s>(&self, other: &Part<'_>, author: &Type<'s>, there: &Type<'_>) -> Option<Part<'s>> {
        let name = other.name();
        let mut parts = author.parts();
        let found = parts.find(|one| self.claims(one, name, there)).or_else(|| {
            let mut same = author.parts().filter(|one| one.name() == name);
            same.find(|one| self.claimed(one, there).is_none())
        });
        found.filter(|one| !self.is_rebuilt(one))
    }

    /// The old field or variant that the new one `part` is made from.
    #[inline(never)]
    fn source<'s>(&self, part: &Part<'_>, old: &Type<'s>, new: &Type<'_>) -> Option<Part<'s>> {
        match self.is_back {
            true => self.owner(part, old, new),
            false => self.partner(part, new, old),
        }
    }

    /// The new field or variant that is made from the old one `part`.
    #[inline(never)]
    fn target<'s>(&self, part: &Part<'_>, old: &Type<'_>, new: &Type<'s>) -> Option<Part<'s>> {
        match self.is_back {
            true => self.partner(part, old, new),
            false => self.owner(part, new, old),
        }
    }

    /// Refuses rules by which two fields go with one.
    #[inline(never)]
    fn check_partners(
        &mut self,
        path: &Path<'_>,
        old: &Type<'_>,
        new: &Type<'_>,
    ) -> Result<(), S::Error> {
        let (author, there) = if self.is_back { (old, new) } else { (new, old) };
        for part in author.parts() {
            let Some(name) = self.claimed(&part, there) else {
                continue;
            };
            let is_other = |one: &Part<'_>| one.name() != part.name();
            let mut others = author.parts().filter(is_other);
            if others.any(|one| self.claims(&one, name, there)) {
                return self.refuse(&path.to(part.name()), Why::Twice(name));
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn fields(
        &mut self,
        path: &Path<'_>,
        old: &Type<'_>,
        new: &Type<'_>,
        at: Places,
    ) -> Result<(), S::Error> {
        self.begin(path, old, new)?;
        for part in new.parts() {
            let here = path.to(part.name());
            if let Some(inside) = self.field(&here, (old, new), &part, at)? {
                self.changed(&here, &inside)?;
            }
        }
        self.all_left(path, old, new, at)
    }

    /// Refuses what concerns a struct or an enum as a whole.
    #[inline(never)]
    fn begin(&mut self, path: &Path<'_>, old: &Type<'_>, new: &Type<'_>) -> Result<(), S::Error> {
        if self.is_final(old) {
            return self.refuse(path, Why::Irreversible);
        }
        self.check_partners(path, old, new)
    }

    /// The old fields that nothing is made from.
    #[inline(never)]
    fn all_left(
        &mut self,
        path: &Path<'_>,
        old: &Type<'_>,
        new: &Type<'_>,
        at: Places,
    ) -> Result<(), S::Error> {
        for part in old.parts() {
            if self.target(&part, old, new).is_none() {
                self.left(&path.to(part.name()), &part, new, at)?;
            }
        }
        Ok(())
    }

    /// A field of the new state. What comes back is to be compared further.
    #[inline(never)]
    fn field<'s>(
        &mut self,
        path: &Path<'_>,
        (old, new): (&Type<'s>, &Type<'_>),
        to: &Part<'s>,
        at: Places,
    ) -> Result<Option<Value<'s>>, S::Error> {
        let Some(from) = self.source(to, old, new) else {
            self.made(path, old, to, at)?;
            return Ok(None);
        };
        let value = Value {
            old: from.kind(),
            new: to.kind(),
            names: (from.type_name(), to.type_name()),
            at: (
                at.0.saturating_add(from.offset()),
                at.1.saturating_add(to.offset()),
            ),
        };
        if self.by_rule(path, &from, to, value.at)? {
            return Ok(None);
        }
        if !self.is_moved(&value) {
            return Ok(Some(value));
        }
        self.copy(path, &value)?;
        match from.name() == to.name() {
            true => self.step(path, Step::Moved)?,
            false => self.step(path, Step::Renamed(from.name()))?,
        }
        Ok(None)
    }

    /// Goes by what the author says of the field; `false`: nothing that decides on its value.
    #[inline(never)]
    fn by_rule(
        &mut self,
        path: &Path<'_>,
        from: &Part<'_>,
        to: &Part<'_>,
        places: Places,
    ) -> Result<bool, S::Error> {
        let is_same = from.kind().fingerprint() == to.kind().fingerprint();
        // Whose rules count, and the field of the other version.
        let (author, other) = if self.is_back { (from, to) } else { (to, from) };
        if self.is_back && self.rule(author, Verb::Irreversible).is_some() {
            return self.refuse(path, Why::Irreversible);
        }
        if let Some((rule, known)) = self.conversion(author, other) {
            if known.fingerprint() == other.kind().fingerprint() {
                self.convert(path, &rule, (from, to), places)?;
                return Ok(true);
            }
            if !is_same {
                return self.refuse(path, Why::Misread(other.type_name(), known.name()));
            }
        }
        if self.rule(author, Verb::Keep).is_some() && !is_same {
            return self.refuse(path, Why::NotKept);
        }
        Ok(false)
    }

    /// The conversion between the author's field and `other`. Of several it is the one that
    /// knows the other's type.
    fn conversion<'s>(&self, author: &Part<'s>, other: &Part<'_>) -> Option<(Rule<'s>, Type<'s>)> {
        let all = || {
            let is_it = |rule: &Rule<'_>| rule.name().is_empty() || rule.name() == other.name();
            let rules = self.rules(author, Verb::Convert).filter(is_it);
            rules.filter_map(|rule| Some((rule, rule.kind()?)))
        };
        let knows = |known: &Type<'_>| known.fingerprint() == other.kind().fingerprint();
        let fitting = all().find(|(_, known)| knows(known));
        fitting.or_else(|| all().next())
    }

    fn convert(
        &mut self,
        path: &Path<'_>,
        rule: &Rule<'_>,
        (from, to): (&Part<'_>, &Part<'_>),
        at: Places,
    ) -> Result<(), S::Error> {
        let (old, new) = (from.kind(), to.kind());
        let is_same = old.fingerprint() == new.fingerprint();
        if is_same && !rule.has_versions() && !self.is_only_source {
            return self.refuse(path, Why::Unclear);
        }
        if self.is_back && !rule.has_back() {
            return self.refuse(path, Why::OneWay);
        }
        self.sink.op(
            path,
            Op::Convert {
                from: at.0 as u32,
                to: at.1 as u32,
                by: self.by(rule, !self.is_back),
                old: old.index() as u32,
                new: new.index() as u32,
            },
        )?;
        self.step(path, Step::Converted(from.type_name()))
    }

    /// The function of `rule`, which is the new schema's or the old one's.
    fn by(&self, rule: &Rule<'_>, is_new: bool) -> By {
        let is_back = !is_new;
        let can_fail = match is_back {
            true => rule.back_can_fail(),
            false => rule.can_fail(),
        };
        By {
            is_new,
            is_back,
            rule: rule.index() as u32,
            can_fail,
        }
    }

    /// A field that is made of nothing.
    #[inline(never)]
    fn made(
        &mut self,
        path: &Path<'_>,
        old: &Type<'_>,
        part: &Part<'_>,
        at: Places,
    ) -> Result<(), S::Error> {
        // On the way back the older version's own rules do for its own fields: what is made
        // again, and what begins with a value of its own.
        let own = |verb| {
            let mut rules = part.rules();
            rules.find(|rule| rule.verb() == verb)
        };
        let (rebuild, default) = match self.is_back {
            true => (own(Verb::Rebuild), own(Verb::Default)),
            false => (
                self.rule(part, Verb::Rebuild),
                self.rule(part, Verb::Default),
            ),
        };
        if let Some(rule) = rebuild {
            self.make(path, part, &rule, true, at)?;
            return self.step(path, Step::Rebuilt);
        }
        if self.is_back {
            let mut rules = old.rules();
            let dropped = rules.find(|rule| {
                rule.verb() == Verb::Dropped && rule.name() == part.name() && self.is_meant(rule)
            });
            let is_known = |rule: &Rule<'_>| {
                let kind = rule.kind();
                kind.is_some_and(|kind| kind.fingerprint() == part.kind().fingerprint())
            };
            if let Some(rule) = dropped.filter(|rule| rule.has_back() && is_known(rule)) {
                self.make(path, part, &rule, false, at)?;
                return self.step(path, Step::Default);
            }
        }
        if let Some(rule) = default {
            self.make(path, part, &rule, true, at)?;
            return self.step(path, Step::Default);
        }
        if self.is_back {
            return self.refuse(path, Why::NoWayBack(part.type_name()));
        }
        match self.rule(part, Verb::Renamed) {
            Some(rule) => self.refuse(path, Why::NoField(rule.name())),
            None => self.refuse(path, Why::New(part.type_name())),
        }
    }

    fn make(
        &mut self,
        path: &Path<'_>,
        part: &Part<'_>,
        rule: &Rule<'_>,
        is_new: bool,
        at: Places,
    ) -> Result<(), S::Error> {
        self.sink.op(
            path,
            Op::Make {
                to: at.1.saturating_add(part.offset()) as u32,
                by: self.by(rule, is_new),
                kind: part.kind().index() as u32,
            },
        )?;
        Ok(())
    }

    /// An old field that nothing is made from.
    fn left(
        &mut self,
        path: &Path<'_>,
        part: &Part<'_>,
        new: &Type<'_>,
        at: Places,
    ) -> Result<(), S::Error> {
        let is_allowed = if self.is_back {
            if self.rule(part, Verb::Irreversible).is_some() {
                return self.refuse(path, Why::Irreversible);
            }
            let begins = [Verb::Default, Verb::Rebuild];
            begins.iter().any(|verb| self.rule(part, *verb).is_some())
        } else {
            let is_it = |rule: &Rule<'_>| {
                rule.verb() == Verb::Dropped && rule.name() == part.name() && self.is_meant(rule)
            };
            let mut same = new.parts().filter(|to| to.name() == part.name());
            new.rules().any(|rule| is_it(&rule)) || same.any(|to| self.is_rebuilt(&to))
        };
        if !is_allowed {
            return self.refuse(path, Why::Lost(part.type_name()));
        }
        if part.kind().needs_drop() {
            self.sink.op(
                path,
                Op::Drop {
                    from: at.0.saturating_add(part.offset()) as u32,
                    kind: part.kind().index() as u32,
                },
            )?;
        }
        self.step(path, Step::Dropped)
    }

    /// A value that is not moved as it is.
    fn changed(&mut self, path: &Path<'_>, value: &Value<'_>) -> Result<(), S::Error> {
        let (old, new) = (&value.old, &value.new);
        match (old.kind(), new.kind()) {
            (Kind::Struct, Kind::Struct) => self.fields(path, old, new, value.at),
            (Kind::Enum, Kind::Enum) => self.variants(path, old, new, value.at),
            (one, other) if one == other && one.is_container() => self.elements(path, value),
            _ if old.is_enum() && new.is_enum() => self.refuse(path, Why::Untagged),
            // What is written as `T` is another type in another place.
            _ if value.names.0 == value.names.1 => {
                self.refuse(path, Why::Changed(old.name(), new.name()))
            }
            _ => self.refuse(path, Why::Changed(value.names.0, value.names.1)),
        }
    }

    /// Whether the value is moved as it is.
    #[inline(never)]
    fn is_moved(&self, value: &Value<'_>) -> bool {
        let (old, new) = (&value.old, &value.new);
        let author = if self.is_back { old } else { new };
        old.fingerprint() == new.fingerprint()
            && old.kind() != Kind::Remade
            && !has_lock(old)
            && !self.has_rule(author)
    }

    /// Whether a rule changes something in `one`, the author's, although its type is the same.
    fn has_rule(&self, one: &Type<'_>) -> bool {
        let mut parts = one.parts();
        self.is_final(one)
            || parts.any(|part| self.changes(&part, one) || self.has_rule(&part.kind()))
            || one.element().is_some_and(|element| self.has_rule(&element))
    }

    /// Whether the rules of `part` of `owner` change it where the other version has the same type.
    #[inline(never)]
    fn changes(&self, part: &Part<'_>, owner: &Type<'_>) -> bool {
        let is_final = self.is_back && self.rule(part, Verb::Irreversible).is_some();
        let converts = || {
            let same = self.partner(part, owner, owner)?;
            let (_, known) = self.conversion(part, &same)?;
            Some(known.fingerprint() == same.kind().fingerprint())
        };
        let moves = || {
            self.claimed(part, owner)
                .is_some_and(|name| name != part.name())
        };
        is_final || moves() || converts().unwrap_or(false)
    }

    #[inline(never)]
    fn copy(&mut self, path: &Path<'_>, value: &Value<'_>) -> Result<(), S::Error> {
        if value.old.size() > 0 {
            self.sink.op(
                path,
                Op::Copy {
                    from: value.at.0 as u32,
                    to: value.at.1 as u32,
                    length: value.old.size() as u32,
                },
            )?;
        }
        Ok(())
    }

    #[inline(never)]
    fn elements(&mut self, path: &Path<'_>, value: &Value<'_>) -> Result<(), S::Error> {
        let (begin, element) = self.enter_elements(path, value)?;
        let kind = value.old.kind();
        let inside = match kind {
            // What is in a lock, or in a box, goes by the lock's name.
            Kind::Lock | Kind::Box | Kind::Option => *path,
            _ => path.to(ELEMENTS),
        };
        if !self.is_moved(&element) {
            self.changed(&inside, &element)?;
            self.sink.close(begin);
            return Ok(());
        }
        self.copy(&inside, &element)?;
        self.sink.close(begin);
        match kind {
            Kind::Lock => self.step(path, Step::Relocked),
            _ => self.step(path, Step::Moved),
        }
    }

    #[inline(never)]
    fn enter_elements<'s>(
        &mut self,
        path: &Path<'_>,
        value: &Value<'s>,
    ) -> Result<(usize, Value<'s>), S::Error> {
        let (old, new) = (&value.old, &value.new);
        let (Some(from), Some(to)) = (old.element(), new.element()) else {
            return self.refuse(path, Why::Changed(value.names.0, value.names.1));
        };
        if old.kind() == Kind::Array && old.length() != new.length() {
            return self.refuse(path, Why::Length(old.length(), new.length()));
        }
        let op = Op::Each {
            from: value.at.0 as u32,
            to: value.at.1 as u32,
            old: old.index() as u32,
            new: new.index() as u32,
            body: 0,
        };
        let element = Value {
            old: from,
            new: to,
            names: (from.name(), to.name()),
            at: (0, 0),
        };
        Ok((self.sink.op(path, op)?, element))
    }

    #[inline(never)]
    fn variants(
        &mut self,
        path: &Path<'_>,
        old: &Type<'_>,
        new: &Type<'_>,
        at: Places,
    ) -> Result<(), S::Error> {
        let begin = self.enter_variants(path, old, new, at)?;
        for variant in old.parts() {
            let here = path.to(variant.name());
            let (arm, found) = self.enter_arm(&here, &variant, old, new)?;
            self.fields(&here, &variant.kind(), &found.kind(), (0, 0))?;
            self.sink.close(arm);
            self.step(&here, Step::Moved)?;
        }
        self.sink.close(begin);
        Ok(())
    }

    #[inline(never)]
    fn enter_variants(
        &mut self,
        path: &Path<'_>,
        old: &Type<'_>,
        new: &Type<'_>,
        at: Places,
    ) -> Result<usize, S::Error> {
        self.begin(path, old, new)?;
        let op = Op::Match {
            from: at.0 as u32,
            to: at.1 as u32,
            old: old.length() as u32,
            new: new.length() as u32,
            body: 0,
        };
        self.sink.op(path, op)
    }

    #[inline(never)]
    fn enter_arm<'s>(
        &mut self,
        path: &Path<'_>,
        variant: &Part<'_>,
        old: &Type<'_>,
        new: &Type<'s>,
    ) -> Result<(usize, Part<'s>), S::Error> {
        let Some(found) = self.target(variant, old, new) else {
            return self.refuse(path, Why::NoVariant);
        };
        let op = Op::Arm {
            old: variant.tag(),
            new: found.tag(),
            body: 0,
        };
        Ok((self.sink.op(path, op)?, found))
    }
}

/// A value that is made from another one.
#[derive(Clone, Copy)]
struct Value<'a> {
    old: Type<'a>,
    new: Type<'a>,
    /// What the types are called in messages.
    names: (&'a str, &'a str),
    at: Places,
}

/// Whether there is a lock in it, which is never moved as it is.
fn has_lock(one: &Type<'_>) -> bool {
    match one.kind() {
        Kind::Lock => true,
        Kind::Array => one
            .element()
            .is_some_and(|element| element.kind() == Kind::Lock),
        _ => false,
    }
}
