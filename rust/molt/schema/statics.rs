// SPDX-License-Identifier: GPL-2.0

//! Names of statics, out of the symbols of a module.
//!
//! Symbols of Rust say where a static is (the compiler's "v0" mangling): each part of the path
//! has its length before it, so its end is known only to whoever reads it from the beginning.
//! Other symbols are names already. Uses `core` only: `molt.ko` and `moltctl` ask this one
//! source.

/// How far paths and types may be nested. A kernel's stack is small.
const DEEPEST: u32 = 24;

/// Statics that the kernel's macros leave in the functions that they are called in: classes of
/// locks, and whether a message was printed.
const LEFT_BY_MACROS: [&str; 2] = ["CLASS", "ONCE"];

/// Modules in which the kernel's `module!` leaves statics. Parameters are set by whoever loads
/// a module, for this module.
const OF_MACROS: [&str; 2] = ["module_parameters", "__module_init"];

/// The last name of the static that `symbol` stands for; [`None`]: it has none that an author
/// could have written. A symbol that is not understood is a name itself.
pub fn name_of(symbol: &str) -> Option<&str> {
    let whole = without_suffix(symbol);
    let name = place_of(whole).map_or(whole, |(_, place)| place.name);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}

/// Whether `symbol` stands for a static that no author wrote: one of a macro of the kernel or
/// of Molt. By its name, and by what it is in.
pub fn is_generated(symbol: &str) -> bool {
    let whole = without_suffix(symbol);
    let Some((around, place)) = place_of(whole) else {
        return whole.starts_with("__");
    };
    place.name.starts_with("__")
        || OF_MACROS.contains(&around.name)
        || around.is_function() && LEFT_BY_MACROS.contains(&place.name)
}

/// Compilers add suffixes: where a variable was split, and where two have one name.
fn without_suffix(symbol: &str) -> &str {
    let end = symbol.find(['.', '$']).unwrap_or(symbol.len());
    symbol.get(..end).unwrap_or_default()
}

/// What the symbol of a Rust static is in, and the static.
fn place_of(symbol: &str) -> Option<(Place<'_>, Place<'_>)> {
    let rest = symbol.strip_prefix("_RNv")?.as_bytes();
    let mut reader = Reader { rest, depth: 0 };
    let around = reader.path()?;
    let name = reader.identifier()?;
    // What may follow is the crate that asked for it.
    let is_end = reader.rest.is_empty() || reader.path().is_some() && reader.rest.is_empty();
    is_end.then_some((around, Place { space: b'v', name }))
}

/// The last part of a path.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The kind of thing: `v` is a function or static, `C` a closure, `t` a type or module.
    space: u8,
    /// Empty for an `impl`, a closure and a crate's `const _`.
    name: &'a str,
}

impl Place<'_> {
    const UNNAMED: Self = Self { space: 0, name: "" };

    fn is_function(&self) -> bool {
        matches!(self.space, b'v' | b'C')
    }
}

/// Reads a symbol; [`None`] is one that does not go by the grammar.
struct Reader<'a> {
    rest: &'a [u8],
    depth: u32,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.next();
        }
        is_next
    }

    /// A number in whatever base, which ends at an underscore.
    fn number(&mut self) -> Option<()> {
        while !self.eat(b'_') {
            self.next().filter(u8::is_ascii_alphanumeric)?;
        }
        Some(())
    }

    /// What tells equal names apart.
    fn disambiguator(&mut self) -> Option<()> {
        match self.eat(b's') {
            true => self.number(),
            false => Some(()),
        }
    }

    fn identifier(&mut self) -> Option<&'a str> {
        self.disambiguator()?;
        self.plain_identifier()
    }

    fn plain_identifier(&mut self) -> Option<&'a str> {
        self.eat(b'u');
        let mut length = 0usize;
        let first = self.peek().filter(u8::is_ascii_digit)?;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            self.next();
            length = length.checked_mul(10)?.checked_add((digit - b'0').into())?;
            // A length does not begin with zero, so that zero is a length.
            if first == b'0' {
                break;
            }
        }
        self.eat(b'_');
        let (name, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        core::str::from_utf8(name).ok()
    }

    /// Reads something that may have the same in it.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= DEEPEST {
            return None;
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// Reads things until the end of their list.
    fn list(&mut self, mut read: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        while !self.eat(b'E') {
            read(self)?;
        }
        Some(())
    }

    fn path(&mut self) -> Option<Place<'a>> {
        self.nested(Self::path_inside)
    }

    fn path_inside(&mut self) -> Option<Place<'a>> {
        match self.next()? {
            b'C' => {
                self.identifier()?;
            }
            b'M' => self.implementation()?,
            b'X' => {
                self.implementation()?;
                self.path()?;
            }
            b'Y' => {
                self.kind()?;
                self.path()?;
            }
            b'N' => {
                let space = self.next()?;
                self.path()?;
                let name = self.identifier()?;
                return Some(Place { space, name });
            }
            b'I' => {
                let place = self.path()?;
                self.list(Self::argument)?;
                return Some(place);
            }
            b'B' => self.number()?,
            _ => return None,
        }
        Some(Place::UNNAMED)
    }

    fn implementation(&mut self) -> Option<()> {
        self.disambiguator()?;
        self.path()?;
        self.kind()
    }

    fn argument(&mut self) -> Option<()> {
        match self.peek()? {
            b'L' => self.lifetime(),
            b'K' => {
                self.next();
                self.constant()
            }
            _ => self.kind(),
        }
    }

    fn lifetime(&mut self) -> Option<()> {
        self.eat(b'L').then(|| self.number())?
    }

    fn constant(&mut self) -> Option<()> {
        if self.eat(b'p') {
            return Some(());
        }
        if self.eat(b'B') {
            return self.number();
        }
        self.kind()?;
        self.eat(b'n');
        self.number()
    }

    fn kind(&mut self) -> Option<()> {
        self.nested(Self::kind_inside)
    }

    fn kind_inside(&mut self) -> Option<()> {
        let tag = self.peek()?;
        if matches!(tag, b'C' | b'M' | b'X' | b'Y' | b'N' | b'I' | b'B') {
            return self.path().map(|_| ());
        }
        self.next();
        match tag {
            b'a'..=b'z' => Some(()),
            b'A' => {
                self.kind()?;
                self.constant()
            }
            b'S' | b'P' | b'O' => self.kind(),
            b'R' | b'Q' => {
                if self.peek() == Some(b'L') {
                    self.lifetime()?;
                }
                self.kind()
            }
            b'T' => self.list(Self::kind),
            b'F' => self.function(),
            b'D' => {
                self.binder()?;
                self.list(Self::bound)?;
                self.lifetime()
            }
            _ => None,
        }
    }

    fn binder(&mut self) -> Option<()> {
        match self.eat(b'G') {
            true => self.number(),
            false => Some(()),
        }
    }

    fn function(&mut self) -> Option<()> {
        self.binder()?;
        self.eat(b'U');
        if self.eat(b'K') && !self.eat(b'C') {
            self.plain_identifier()?;
        }
        self.list(Self::kind)?;
        self.kind()
    }

    /// A trait of a `dyn`, with what it says of associated types.
    fn bound(&mut self) -> Option<()> {
        self.path()?;
        while self.eat(b'p') {
            self.plain_identifier()?;
            self.kind()?;
        }
        Some(())
    }
}
