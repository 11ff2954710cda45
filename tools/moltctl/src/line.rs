// SPDX-License-Identifier: GPL-2.0

//! Line: the text of a request, word by word.

use std::fmt::{self, Display};

/// A line. The words come from types that have no blank in them.
pub struct Line(String);

impl Line {
    /// Begins with a word.
    pub fn new(word: impl Display) -> Self {
        Self(word.to_string())
    }

    /// Adds a word.
    pub fn word(self, word: impl Display) -> Self {
        Self(format!("{} {word}", self.0))
    }

    /// Adds `key=value` where there is a value.
    pub fn option(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.word(format_args!("{key}={value}")),
            None => self,
        }
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
