// SPDX-License-Identifier: GPL-2.0

//! What the fields of the state itself are made of, where both versions have the same.

/// One of a module's own types that could not be moved.
pub(crate) trait Answer: Send + Sync {
    fn answer(&self) -> u64;
}

pub(crate) struct Fixed(pub(crate) u64);

impl Answer for Fixed {
    fn answer(&self) -> u64 {
        self.0
    }
}

/// How many entries a table has.
pub(crate) const ENTRIES: usize = 600;

macro_rules! version {
    ($version:ident, $($more:ident)?) => {
        pub(crate) mod $version {
            use crate::case::prelude::*;

            /// What is behind locks, and in the table.
            #[derive(Movable)]
            pub(crate) struct Entry {
                $(#[state(default = 1)] $more: u32,)?
                number: u64,
                value: Option<Counted>,
            }

            impl Entry {
                pub(crate) fn new(ledger: &Arc<Ledger>, number: u64) -> Result<Self> {
                    Ok(Self {
                        $($more: 1,)?
                        number,
                        value: Some(Counted::new(ledger, number)?),
                    })
                }

                /// One without a counted value.
                pub(crate) fn bare(number: u64) -> Self {
                    Self {
                        $($more: 1,)?
                        number,
                        value: None,
                    }
                }

                pub(crate) fn check_bare(&self, check: &mut Check, number: u64) {
                    $(check.is(self.$more == 1);)?
                    check.is(self.number == number && self.value.is_none());
                }

                pub(crate) fn check(&self, check: &mut Check, number: u64) {
                    $(check.is(self.$more == 1);)?
                    check.is(self.number == number && self.value.is_some());
                    if let Some(value) = &self.value {
                        check.counted(value, number);
                    }
                }
            }
        }
    };
}

version!(v1,);
version!(v2, more);
