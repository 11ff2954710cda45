// SPDX-License-Identifier: GPL-2.0

//! Requests: what may be written to a file, word for word.
//!
//! Nothing here is the kernel's, so that the same file is tested on the host.

use core::fmt::{self, Write};
use core::mem::replace;

/// The longest write that is looked at, in bytes. One that fills a page may have been cut.
const MOST: usize = 4095;

/// Longest name of a class, an implementation or a module.
const NAME_LEN: usize = 55;

/// How much of a word is repeated in an answer.
const SHOWN: usize = 64;

/// Why a write is not a request, with the word that was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed<'a> {
    /// It did not begin at the file's beginning, so it may be the tail of another line.
    Tail(&'a [u8]),
    /// It fills a page: its end may be missing.
    Long(&'a [u8]),
    /// Nothing but blanks.
    Blank,
    /// Something follows the end of the line.
    Lines(&'a [u8]),
    /// NUL, a control character, or something outside of ASCII.
    Character(&'a [u8]),
    /// Not a name.
    Name(&'a [u8]),
    /// Not a version: a decimal number of 32 bits.
    Version(&'a [u8]),
    /// Not a decimal number of 64 bits.
    Number(&'a [u8]),
    /// Neither an option nor anything else.
    Unknown(&'a [u8]),
    /// A word that comes a second time.
    Twice(&'a [u8]),
    /// Not a policy.
    Policy(&'a [u8]),
    /// A switch to this implementation that does not say of which instances.
    Chosen(&'a [u8]),
    /// Neither `0` nor `1`.
    Flag(&'a [u8]),
    /// Anything but `1`, where only `1` makes sense.
    NotOne(&'a [u8]),
}

impl Malformed<'_> {
    /// Writes one line that names the word and what is wrong with it.
    pub(crate) fn describe(&self, out: &mut dyn Write) -> fmt::Result {
        let (word, problem) = match *self {
            Self::Tail(word) => (word, "comes in a second write; the first was the request"),
            Self::Long(word) => (word, "begins a line of more than 4095 bytes"),
            Self::Blank => return out.write_str("`` is an empty line"),
            Self::Lines(word) => (word, "follows the end of the line"),
            Self::Character(word) => (word, "has a character that is not printable ASCII"),
            Self::Name(word) => (
                word,
                "is not a name: 1 to 55 of letters, digits, `_` and `-`",
            ),
            Self::Version(word) => (word, "is not name@version, the version a decimal number"),
            Self::Number(word) => (word, "is not a decimal number"),
            Self::Unknown(word) => (word, "is unknown"),
            Self::Twice(word) => (word, "comes twice"),
            Self::Policy(word) => (word, "is not a policy: eager, lazy or background"),
            Self::Chosen(word) => (word, "for which: instance=, key=, count= or percent="),
            Self::Flag(word) => (word, "must be 0 or 1"),
            Self::NotOne(word) => (word, "must be 1"),
        };
        let shown = word.get(..SHOWN).unwrap_or(word);
        let rest = if shown.len() < word.len() { "..." } else { "" };
        write!(out, "`{}{rest}` {problem}", shown.escape_ascii())
    }
}

/// When the objects are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Eager,
    Lazy,
    Background,
}

/// What may follow in a request, each word once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) policy: Option<Policy>,
    pub(crate) deadline_ms: Option<u64>,
    pub(crate) pause_ms: Option<u64>,
    pub(crate) complete_ms: Option<u64>,
    pub(crate) confirm_ms: Option<u64>,
    pub(crate) expect: Option<u64>,
    pub(crate) is_check: bool,
}

/// An implementation, and of which version; without one the highest is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Implementation<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: Option<u32>,
}

/// What is written to `update`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Update<'a> {
    pub(crate) to: Implementation<'a>,
    pub(crate) options: Options,
}

/// What is written to `transaction`. Its text was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transaction<'a> {
    line: &'a str,
    pub(crate) options: Options,
}

impl<'a> Transaction<'a> {
    /// The classes, and what each shall be served by.
    pub(crate) fn targets(self) -> impl Iterator<Item = (&'a str, Implementation<'a>)> {
        words(self.line).filter_map(|word| {
            let (class, to) = word.split_once('=')?;
            match OPTIONS.contains(&class) {
                true => None,
                false => Some((class, implementation(to).ok()?)),
            }
        })
    }
}

/// Which instances are switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Instance(u64),
    Key(u64),
    Count(u64),
    Percent(u64),
}

/// What is written to `switch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switch<'a> {
    pub(crate) to: Implementation<'a>,
    pub(crate) choice: Choice,
    pub(crate) options: Options,
}

/// What is written to `load`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load<'a> {
    /// A module by its name.
    Module(&'a str),
    /// The module of an implementation, by the alias `molt:<class>:<name>@<version>`.
    Implementation {
        class: &'a str,
        name: &'a str,
        version: u32,
    },
}

/// All words that can be options. A class of such a name cannot be in a transaction.
const OPTIONS: [&str; 7] = [
    "policy",
    "deadline_ms",
    "pause_ms",
    "complete_ms",
    "confirm_ms",
    "expect",
    "check",
];

impl Options {
    /// Takes one word in; `allowed` are those that make sense here.
    fn take<'a>(&mut self, word: &'a str, allowed: &[&str]) -> Result<(), Malformed<'a>> {
        let unknown = Malformed::Unknown(word.as_bytes());
        let (key, value) = word.split_once('=').ok_or(unknown)?;
        if !allowed.contains(&key) {
            return Err(unknown);
        }
        match key {
            "policy" => {
                once(word, self.policy.is_some())?;
                self.policy = Some(policy(word, value)?);
                Ok(())
            }
            "deadline_ms" => option(&mut self.deadline_ms, word, value),
            "pause_ms" => option(&mut self.pause_ms, word, value),
            "complete_ms" => option(&mut self.complete_ms, word, value),
            "confirm_ms" => option(&mut self.confirm_ms, word, value),
            "expect" => option(&mut self.expect, word, value),
            "check" if value != "1" => Err(Malformed::NotOne(word.as_bytes())),
            "check" => once(word, replace(&mut self.is_check, true)),
            _ => Err(unknown),
        }
    }
}

fn policy<'a>(word: &'a str, value: &str) -> Result<Policy, Malformed<'a>> {
    match value {
        "eager" => Ok(Policy::Eager),
        "lazy" => Ok(Policy::Lazy),
        "background" => Ok(Policy::Background),
        _ => Err(Malformed::Policy(word.as_bytes())),
    }
}

/// Parses `<implementation>[@<version>] {option}`.
pub(crate) fn update(text: &[u8], position: i64) -> Result<Update<'_>, Malformed<'_>> {
    let mut words = words(line(text, position)?);
    let to = implementation(words.next().ok_or(Malformed::Blank)?)?;
    let mut options = Options::default();
    for word in words {
        options.take(word, &OPTIONS)?;
    }
    Ok(Update { to, options })
}

/// Parses `<class>=<implementation>[@<version>] ... {option}`, in any order.
pub(crate) fn transaction(text: &[u8], position: i64) -> Result<Transaction<'_>, Malformed<'_>> {
    let line = line(text, position)?;
    let mut options = Options::default();
    let mut classes = 0u32;
    for word in words(line) {
        let (class, to) = word
            .split_once('=')
            .ok_or(Malformed::Unknown(word.as_bytes()))?;
        if OPTIONS.contains(&class) {
            // Each class would have to be at a generation of its own.
            let allowed = OPTIONS.split_at(5).0;
            options.take(word, if class == "check" { &OPTIONS } else { allowed })?;
        } else {
            name(class)?;
            implementation(to)?;
            classes = classes.saturating_add(1);
        }
    }
    match classes {
        0 => Err(Malformed::Blank),
        _ => Ok(Transaction { line, options }),
    }
}

/// Parses `<implementation>[@<version>] instance=N|key=N|count=N|percent=N [deadline_ms=N]
/// [pause_ms=N]`.
pub(crate) fn switch(text: &[u8], position: i64) -> Result<Switch<'_>, Malformed<'_>> {
    let mut words = words(line(text, position)?);
    let first = words.next().ok_or(Malformed::Blank)?;
    let to = implementation(first)?;
    let mut options = Options::default();
    let mut chosen = None;
    for word in words {
        let (key, value) = word
            .split_once('=')
            .ok_or(Malformed::Unknown(word.as_bytes()))?;
        let make: fn(u64) -> Choice = match key {
            "instance" => Choice::Instance,
            "key" => Choice::Key,
            "count" => Choice::Count,
            "percent" => Choice::Percent,
            _ => {
                options.take(word, &["deadline_ms", "pause_ms", "check"])?;
                continue;
            }
        };
        once(word, chosen.is_some())?;
        chosen = Some(make(
            number(value).ok_or(Malformed::Number(word.as_bytes()))?,
        ));
    }
    let choice = chosen.ok_or(Malformed::Chosen(first.as_bytes()))?;
    Ok(Switch {
        to,
        choice,
        options,
    })
}

/// Parses `<implementation>[@<version>] [deadline_ms=N]`.
pub(crate) fn repair(text: &[u8], position: i64) -> Result<Update<'_>, Malformed<'_>> {
    let mut words = words(line(text, position)?);
    let to = implementation(words.next().ok_or(Malformed::Blank)?)?;
    let mut options = Options::default();
    for word in words {
        options.take(word, &["deadline_ms"])?;
    }
    Ok(Update { to, options })
}

/// Parses `<implementation>[@<version>]`.
pub(crate) fn only_implementation(
    text: &[u8],
    position: i64,
) -> Result<Implementation<'_>, Malformed<'_>> {
    implementation(single(text, position)?)
}

/// Parses `0` or `1`.
pub(crate) fn flag(text: &[u8], position: i64) -> Result<bool, Malformed<'_>> {
    match single(text, position)? {
        "0" => Ok(false),
        "1" => Ok(true),
        word => Err(Malformed::Flag(word.as_bytes())),
    }
}

/// Parses a decimal number.
pub(crate) fn amount(text: &[u8], position: i64) -> Result<u64, Malformed<'_>> {
    let word = single(text, position)?;
    number(word).ok_or(Malformed::Number(word.as_bytes()))
}

/// Parses a module's name or `molt:<class>:<implementation>@<version>`.
pub(crate) fn load(text: &[u8], position: i64) -> Result<Load<'_>, Malformed<'_>> {
    let word = single(text, position)?;
    let Some(alias) = word.strip_prefix("molt:") else {
        return name(word).map(Load::Module);
    };
    let (class, rest) = alias
        .split_once(':')
        .ok_or(Malformed::Name(word.as_bytes()))?;
    let class = name(class)?;
    let Implementation { name, version } = implementation(rest)?;
    match version {
        Some(version) => Ok(Load::Implementation {
            class,
            name,
            version,
        }),
        None => Err(Malformed::Version(word.as_bytes())),
    }
}

/// Parses `1`, what is written to files that only take orders.
pub(crate) fn order(text: &[u8], position: i64) -> Result<(), Malformed<'_>> {
    match single(text, position)? {
        "1" => Ok(()),
        word => Err(Malformed::NotOne(word.as_bytes())),
    }
}

/// The one word of a line.
fn single(text: &[u8], position: i64) -> Result<&str, Malformed<'_>> {
    let mut words = words(line(text, position)?);
    let word = words.next().ok_or(Malformed::Blank)?;
    words
        .next()
        .map_or(Ok(word), |extra| Err(Malformed::Unknown(extra.as_bytes())))
}

/// A whole line: its end may be left out, but nothing follows it.
fn line(text: &[u8], position: i64) -> Result<&str, Malformed<'_>> {
    if position != 0 {
        return Err(Malformed::Tail(first_word(text)));
    }
    if text.len() > MOST {
        return Err(Malformed::Long(first_word(text)));
    }
    let end = text
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(text.len());
    let (text, after) = text.split_at_checked(end).unwrap_or((text, &[]));
    if after.len() > 1 {
        return Err(Malformed::Lines(first_word(after)));
    }
    let is_foreign = |byte: &u8| !byte.is_ascii_graphic() && !is_blank(byte);
    if let Some(place) = text.iter().position(is_foreign) {
        return Err(Malformed::Character(word_at(text, place)));
    }
    core::str::from_utf8(text).map_err(|_| Malformed::Character(text))
}

/// The words of a line.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split([' ', '\t']).filter(|word| !word.is_empty())
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The word around the byte at `place`.
fn word_at(text: &[u8], place: usize) -> &[u8] {
    let before = text.get(..place).unwrap_or_default();
    let begin = before
        .iter()
        .rposition(is_blank)
        .map_or(0, |blank| blank.saturating_add(1));
    let rest = text.get(begin..).unwrap_or_default();
    let end = rest.iter().position(is_blank).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

fn first_word(text: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| is_blank(byte) || *byte == b'\n';
    text.split(is_end)
        .find(|word| !word.is_empty())
        .unwrap_or_default()
}

fn implementation(word: &str) -> Result<Implementation<'_>, Malformed<'_>> {
    let Some((own, version)) = word.split_once('@') else {
        return Ok(Implementation {
            name: name(word)?,
            version: None,
        });
    };
    let version = number(version).and_then(|number| u32::try_from(number).ok());
    Ok(Implementation {
        name: name(own)?,
        version: Some(version.ok_or(Malformed::Version(word.as_bytes()))?),
    })
}

fn name(word: &str) -> Result<&str, Malformed<'_>> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=NAME_LEN).contains(&word.len()) && word.bytes().all(is_part) {
        Ok(word)
    } else {
        Err(Malformed::Name(word.as_bytes()))
    }
}

/// A decimal number, without a sign or anything else around it.
fn number(word: &str) -> Option<u64> {
    let is_decimal = word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| is_decimal)
}

fn option<'a>(place: &mut Option<u64>, word: &'a str, value: &str) -> Result<(), Malformed<'a>> {
    once(word, place.is_some())?;
    *place = Some(number(value).ok_or(Malformed::Number(word.as_bytes()))?);
    Ok(())
}

fn once(word: &str, was_there: bool) -> Result<(), Malformed<'_>> {
    match was_there {
        true => Err(Malformed::Twice(word.as_bytes())),
        false => Ok(()),
    }
}
