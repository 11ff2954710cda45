// SPDX-License-Identifier: GPL-2.0

//! Contracts: what a class promises its callers, copied out of the module that first
//! described it.

use kernel::error::code::EPROTO;
use kernel::prelude::*;

use crate::error::Refusal;
use crate::interface::{Context, Description, Method, Word};
use crate::text::{Name, Text};

/// An argument of a method, or its result.
struct Term {
    name: Name,
    type_name: Text<64>,
    fingerprint: u64,
}

/// A method of a contract.
struct Clause {
    name: Name,
    fingerprint: u64,
    /// The arguments, then the result.
    terms: KVec<Term>,
}

impl Clause {
    fn new(method: &Method) -> Result<Self> {
        let mut terms = KVec::with_capacity(method.words.len(), GFP_KERNEL)?;
        for word in method.words {
            let term = Term {
                name: Name::from(word.name),
                type_name: Text::from(word.type_name),
                fingerprint: word.fingerprint,
            };
            terms.push(term, GFP_KERNEL)?;
        }
        Ok(Self {
            name: Name::from(method.name),
            fingerprint: method.fingerprint,
            terms,
        })
    }

    /// Compares with what another module takes this method for, and names what differs.
    fn check(&self, class: &str, other: &Method) -> Result<(), Refusal> {
        if self.fingerprint == other.fingerprint {
            return Ok(());
        }
        let name = self.name.as_str();
        if self.terms.len() != other.words.len() {
            let had = self
                .terms
                .iter()
                .filter(|term| !term.name.as_str().is_empty());
            let has = other.words.iter().filter(|word| !word.name.is_empty());
            let (had, has) = (had.count(), has.count());
            return Err(Refusal::new(
                EPROTO,
                fmt!("{class}: method `{name}` had {had} arguments, has {has}"),
            ));
        }
        for (term, word) in self.terms.iter().zip(other.words) {
            term.check(class, name, word)?;
        }
        Err(Refusal::new(
            EPROTO,
            fmt!("{class}: method `{name}` is laid out in another way"),
        ))
    }
}

impl Term {
    fn check(&self, class: &str, method: &str, other: &Word) -> Result<(), Refusal> {
        let (was, is) = (self.type_name.as_str(), other.type_name);
        let refuse = |what| Err(Refusal::new(EPROTO, what));
        match (self.name.as_str(), other.name) {
            (old, new) if old != new => refuse(fmt!(
                "{class}: method `{method}`: argument `{old}` was there, is `{new}`"
            )),
            _ if self.fingerprint == other.fingerprint => Ok(()),
            ("", _) if was != is => refuse(fmt!(
                "{class}: method `{method}`: the result was {was}, is {is}"
            )),
            ("", _) => refuse(fmt!(
                "{class}: method `{method}`: the result, {is}, is another type of that name"
            )),
            (name, _) if was != is => refuse(fmt!(
                "{class}: method `{method}`: argument `{name}` was {was}, is {is}"
            )),
            (name, _) => refuse(fmt!(
                "{class}: method `{method}`: argument `{name}`, {is}, is another type of that name"
            )),
        }
    }
}

/// The interface of a class.
pub struct Contract {
    name: Name,
    context: Context,
    fingerprint: u64,
    creation: Clause,
    methods: KVec<Clause>,
}

impl Contract {
    /// Copies `description`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(description: &Description) -> Result<Self> {
        let mut methods = KVec::with_capacity(description.methods.len(), GFP_KERNEL)?;
        for method in description.methods {
            methods.push(Clause::new(method)?, GFP_KERNEL)?;
        }
        Ok(Self {
            name: Name::from(description.name),
            context: description.context,
            fingerprint: description.fingerprint,
            creation: Clause::new(&description.creation)?,
            methods,
        })
    }

    /// Name of the interface.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Where its methods may be called from: `sleepable` or `atomic`.
    pub fn context(&self) -> &'static str {
        match self.context {
            Context::Sleepable => "sleepable",
            Context::Atomic => "atomic",
        }
    }

    /// Its fingerprint.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Compares with what another module was compiled against.
    ///
    /// # Errors
    ///
    /// `EPROTO`, with what differs.
    pub(crate) fn check(&self, class: &str, other: &Description) -> Result<(), Refusal> {
        if self.fingerprint == other.fingerprint {
            return Ok(());
        }
        if self.name() != other.name || self.context != other.context {
            return Err(Refusal::new(
                EPROTO,
                fmt!(
                    "{class}: the interface is `{}`, not `{}`, or its context differs",
                    self.name(),
                    other.name
                ),
            ));
        }
        self.creation.check(class, &other.creation)?;
        for (clause, method) in self.methods.iter().zip(other.methods) {
            if clause.name.as_str() != method.name {
                return Err(Refusal::new(
                    EPROTO,
                    fmt!(
                        "{class}: method `{}` stands where `{}` was",
                        method.name,
                        clause.name.as_str()
                    ),
                ));
            }
            clause.check(class, method)?;
        }
        if let Some(method) = other.methods.get(self.methods.len()) {
            return Err(Refusal::new(
                EPROTO,
                fmt!("{class}: method `{}` was not there", method.name),
            ));
        }
        if let Some(clause) = self.methods.get(other.methods.len()) {
            return Err(Refusal::new(
                EPROTO,
                fmt!("{class}: method `{}` is missing", clause.name.as_str()),
            ));
        }
        Err(Refusal::new(
            EPROTO,
            fmt!("{class}: compiled for another kernel or by another compiler"),
        ))
    }
}
