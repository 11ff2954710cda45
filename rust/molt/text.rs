// SPDX-License-Identifier: GPL-2.0

//! Short texts in place: names and reasons that outlive the module they came from.

use kernel::fmt::{self, Write};

/// Longest name of a class or an implementation, in bytes.
pub const NAME_LEN: usize = 56;

/// A name copied out of a client's memory.
pub type Name = Text<NAME_LEN>;

/// A text of at most `N` bytes; what does not fit is cut at a character's border.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    length: usize,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// The empty text.
    pub const fn new() -> Self {
        Self {
            length: 0,
            bytes: [0; N],
        }
    }

    /// The text of `arguments`, as `fmt!` gives them.
    pub fn format(arguments: fmt::Arguments<'_>) -> Self {
        let mut text = Self::new();
        // Fails where something was cut, which is as it should be.
        let _ = text.write_fmt(arguments);
        text
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> From<&str> for Text<N> {
    fn from(text: &str) -> Self {
        let mut copy = Self::new();
        let _ = copy.write_str(text);
        copy
    }
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut length = text.len().min(N.saturating_sub(self.length));
        while !text.is_char_boundary(length) {
            length = length.saturating_sub(1);
        }
        let free = self.bytes.iter_mut().skip(self.length);
        for (place, byte) in free.zip(text.bytes().take(length)) {
            *place = byte;
        }
        self.length = self.length.wrapping_add(length);
        // An error ends the formatting: nothing may follow what was cut.
        if length < text.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
