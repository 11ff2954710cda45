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
    /// Another release may support it; this one does not.
    Unsupported(&'a [u8]),
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
            Self::Unsupported(word) => (word, "is not supported by this release"),
            Self::NotOne(word) => (word, "must be 1"),
        };
        let shown = word.get(..SHOWN).unwrap_or(word);
        let rest = if shown.len() < word.len() { "..." } else { "" };
        write!(out, "`{}{rest}` {problem}", shown.escape_ascii())
    }
}

/// What is written to `update`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Update<'a> {
    pub(crate) implementation: &'a str,
    pub(crate) version: Option<u32>,
    pub(crate) deadline_ms: Option<u64>,
    pub(crate) pause_ms: Option<u64>,
    pub(crate) expect: Option<u64>,
    pub(crate) is_check: bool,
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

/// Parses `<implementation>[@<version>] [policy=eager] [deadline_ms=N] [pause_ms=N]
/// [expect=<generation>] [check=1]`.
pub(crate) fn update(text: &[u8], position: i64) -> Result<Update<'_>, Malformed<'_>> {
    let mut words = line(text, position)?;
    let (implementation, version) = implementation(words.next().ok_or(Malformed::Blank)?)?;
    let mut update = Update {
        implementation,
        version,
        ..Update::default()
    };
    let mut has_policy = false;
    for word in words {
        let (key, value) = word
            .split_once('=')
            .ok_or(Malformed::Unknown(word.as_bytes()))?;
        match key {
            "policy" => {
                once(word, replace(&mut has_policy, true))?;
                only(word, value == "eager")?;
            }
            "deadline_ms" => option(&mut update.deadline_ms, word, value)?,
            "pause_ms" => option(&mut update.pause_ms, word, value)?,
            "expect" => option(&mut update.expect, word, value)?,
            "check" if value != "1" => return Err(Malformed::NotOne(word.as_bytes())),
            "check" => once(word, replace(&mut update.is_check, true))?,
            "complete_ms" | "confirm_ms" => only(word, false)?,
            _ => return Err(Malformed::Unknown(word.as_bytes())),
        }
    }
    Ok(update)
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
    match implementation(rest)? {
        (name, Some(version)) => Ok(Load::Implementation {
            class,
            name,
            version,
        }),
        (_, None) => Err(Malformed::Version(word.as_bytes())),
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
    let mut words = line(text, position)?;
    let word = words.next().ok_or(Malformed::Blank)?;
    words
        .next()
        .map_or(Ok(word), |extra| Err(Malformed::Unknown(extra.as_bytes())))
}

/// The words of a whole line: its end may be left out, but nothing follows it.
fn line(text: &[u8], position: i64) -> Result<impl Iterator<Item = &str>, Malformed<'_>> {
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
    let text = core::str::from_utf8(text).map_err(|_| Malformed::Character(text))?;
    Ok(text.split([' ', '\t']).filter(|word| !word.is_empty()))
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

fn implementation(word: &str) -> Result<(&str, Option<u32>), Malformed<'_>> {
    let Some((own, version)) = word.split_once('@') else {
        return Ok((name(word)?, None));
    };
    let version = number(version).and_then(|number| u32::try_from(number).ok());
    Ok((
        name(own)?,
        Some(version.ok_or(Malformed::Version(word.as_bytes()))?),
    ))
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

fn only(word: &str, is_supported: bool) -> Result<(), Malformed<'_>> {
    match is_supported {
        true => Ok(()),
        false => Err(Malformed::Unsupported(word.as_bytes())),
    }
}
