// SPDX-License-Identifier: GPL-2.0

//! Name: what classes, implementations and modules are called. Nothing else gets into a
//! path or a request.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Longest name, in bytes.
const MOST: usize = 55;

/// 1 to 55 of letters, digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=MOST).contains(&text.len()) && text.bytes().all(is_part) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a name is 1 to 55 of letters, digits, `_` and `-`".to_owned())
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<Path> for Name {
    fn as_ref(&self) -> &Path {
        self.0.as_ref()
    }
}

/// An implementation, with or without its version: `Sum@2`, `Sum`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Implementation {
    /// Its name.
    pub name: Name,
    /// Its version; without one the kernel takes the highest.
    pub version: Option<u32>,
}

impl FromStr for Implementation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, version)) = text.split_once('@') else {
            let name = text.parse()?;
            return Ok(Self {
                name,
                version: None,
            });
        };
        // Rust's own parser takes a sign.
        let is_decimal = version.bytes().all(|byte| byte.is_ascii_digit());
        let number = version.parse().ok().filter(|_| is_decimal);
        Ok(Self {
            name: name.parse()?,
            version: Some(number.ok_or("a version is a decimal number of 32 bits")?),
        })
    }
}

impl fmt::Display for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => self.name.fmt(f),
        }
    }
}

/// What can be loaded: a module, or an implementation as `molt:<class>:<name>@<version>`.
#[derive(Clone, Debug)]
pub struct Loadable(String);

impl FromStr for Loadable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("molt:") {
            None => text.parse::<Name>().map(drop)?,
            Some(alias) => {
                let (class, implementation) = alias
                    .split_once(':')
                    .ok_or("an alias is molt:CLASS:IMPL@V")?;
                class.parse::<Name>()?;
                implementation.parse::<Implementation>()?;
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Loadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An instance's key: one word, so that it cannot be taken for an option.
#[derive(Clone, Debug)]
pub struct Key(String);

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a key is one word of printable ASCII".to_owned())
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
