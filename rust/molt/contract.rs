// SPDX-License-Identifier: GPL-2.0

//! Contracts: what a class promises its callers, copied out of the module that first
//! described it.

use kernel::error::code::EPROTO;
use kernel::prelude::*;

use crate::error::Refusal;
use crate::interface::{Context, Description, Method};
use crate::text::{Name, Text};

/// A method of a contract.
struct Clause {
    name: Name,
    signature: Text<160>,
    fingerprint: u64,
}

impl Clause {
    fn new(method: &Method) -> Self {
        Self {
            name: Name::from(method.name),
            signature: Text::from(method.signature),
            fingerprint: method.fingerprint,
        }
    }

    /// Compares with what another module takes this method for.
    fn check(&self, class: &str, other: &Method) -> Result<(), Refusal> {
        if self.fingerprint == other.fingerprint {
            return Ok(());
        }
        let (name, here, there) = (self.name.as_str(), self.signature.as_str(), other.signature);
        Err(if here == there {
            Refusal::new(
                EPROTO,
                fmt!("{class}: a type in method `{name}` ({there}) has another layout"),
            )
        } else {
            Refusal::new(
                EPROTO,
                fmt!("{class}: method `{name}` was {here}, is {there}"),
            )
        })
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
            methods.push(Clause::new(method), GFP_KERNEL)?;
        }
        Ok(Self {
            name: Name::from(description.name),
            context: description.context,
            fingerprint: description.fingerprint,
            creation: Clause::new(&description.creation),
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
