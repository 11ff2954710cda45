// SPDX-License-Identifier: GPL-2.0

//! Changed structs in containers, one in the other.

/// Boxes and options: some, none, and a box in a vector in a vector.
pub(crate) mod nested {
    macro_rules! version {
        ($version:ident, $($more:ident)?) => {
            pub(crate) mod $version {
                use crate::case::prelude::*;

                #[derive(Movable)]
                struct Leaf {
                    $(#[state(default = 4)] $more: u16,)?
                    value: Counted,
                }

                #[derive(Movable)]
                struct Row {
                    leaves: KVec<KBox<Leaf>>,
                    option: Option<Leaf>,
                }

                #[derive(Movable)]
                pub(crate) struct Shape {
                    some: Option<KBox<Leaf>>,
                    none: Option<KBox<Leaf>>,
                    rows: KVec<Row>,
                    empty: KVec<Leaf>,
                    reserved: KVec<Leaf>,
                    pinned: Pin<KBox<Leaf>>,
                }

                impl Leaf {
                    fn new(ledger: &Arc<Ledger>, number: u64) -> Result<Self> {
                        Ok(Self {
                            $($more: 4,)?
                            value: Counted::new(ledger, number)?,
                        })
                    }

                    fn check(&self, check: &mut Check, number: u64) {
                        $(check.is(self.$more == 4);)?
                        check.counted(&self.value, number);
                    }
                }

                impl Row {
                    fn new(ledger: &Arc<Ledger>, seed: u64, length: u64) -> Result<Self> {
                        let mut leaves = KVec::with_capacity(10, GFP_KERNEL)?;
                        for index in 0..length {
                            let leaf = KBox::new(Leaf::new(ledger, seed + index)?, GFP_KERNEL)?;
                            leaves.push(leaf, GFP_KERNEL)?;
                        }
                        let leaf = Leaf::new(ledger, seed)?;
                        Ok(Self {
                            leaves,
                            option: (length > 1).then_some(leaf),
                        })
                    }

                    fn check(&self, check: &mut Check, length: usize) {
                        let seed = check.seed;
                        check.is(self.leaves.len() == length);
                        for (number, leaf) in (seed..).zip(&self.leaves) {
                            leaf.check(check, number);
                        }
                        check.is(self.option.is_some() == (length > 1));
                        if let Some(leaf) = &self.option {
                            leaf.check(check, seed);
                        }
                    }
                }

                impl Case for Shape {
                    fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                        let leaf = || {
                            Ok::<_, Error>(KBox::new(Leaf::new(ledger, seed)?, GFP_KERNEL)?)
                        };
                        let mut rows = KVec::new();
                        for length in 0..4 {
                            rows.push(Row::new(ledger, seed, length)?, GFP_KERNEL)?;
                        }
                        Ok(Self {
                            some: Some(leaf()?),
                            none: None,
                            rows,
                            empty: KVec::new(),
                            reserved: KVec::with_capacity(100, GFP_KERNEL)?,
                            pinned: leaf()?.into(),
                        })
                    }

                    fn check(&self, check: &mut Check) {
                        let seed = check.seed;
                        check.is(self.some.is_some() && self.none.is_none());
                        if let Some(leaf) = &self.some {
                            leaf.check(check, seed);
                        }
                        check.is(self.rows.len() == 4);
                        for (length, row) in self.rows.iter().enumerate() {
                            row.check(check, length);
                        }
                        check.is(self.empty.is_empty() && self.reserved.is_empty());
                        self.pinned.check(check, seed);
                    }
                }
            }
        };
    }

    version!(v1,);
    version!(v2, more);
}

/// An array in an array, and one with no element.
pub(crate) mod array {
    macro_rules! version {
        ($version:ident, $($more:ident)?) => {
            pub(crate) mod $version {
                use crate::case::prelude::*;

                #[derive(Movable)]
                pub(crate) struct Entry {
                    number: u32,
                    value: Option<Counted>,
                    $(#[state(default = 1)] $more: u32,)?
                }

                #[derive(Movable)]
                pub(crate) struct Shape {
                    entries: KBox<[[Entry; 10]; 6]>,
                    none: [Entry; 0],
                }

                impl Case for Shape {
                    fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                        let entry = || Entry { number: 0, value: None, $($more: 1,)? };
                        let row = |_| core::array::from_fn(|_| entry());
                        let mut entries = KBox::new(core::array::from_fn(row), GFP_KERNEL)?;
                        for (number, entry) in (0..).zip(entries.iter_mut().flatten()) {
                            entry.number = number;
                            entry.value = Some(Counted::new(ledger, seed)?);
                        }
                        Ok(Self { entries, none: [] })
                    }

                    fn check(&self, check: &mut Check) {
                        check.is(self.none.is_empty());
                        for (number, entry) in (0..).zip(self.entries.iter().flatten()) {
                            check.is(entry.number == number && entry.value.is_some());
                            $(check.is(entry.$more == 1);)?
                            if let Some(value) = &entry.value {
                                check.counted(value, check.seed);
                            }
                        }
                    }
                }
            }
        };
    }

    version!(v1,);
    version!(v2, more);
}

/// Elements that had no size and get one.
pub(crate) mod empty {
    macro_rules! version {
        ($version:ident, $($more:ident)?) => {
            pub(crate) mod $version {
                use crate::case::prelude::*;

                #[derive(Movable)]
                pub(crate) struct Nothing {
                    nothing: (),
                    $(#[state(default = 6)] $more: u64,)?
                }

                #[derive(Movable)]
                pub(crate) struct Shape {
                    alone: Nothing,
                    vector: KVec<Nothing>,
                    boxed: KBox<Nothing>,
                    option: Option<Nothing>,
                    array: [Nothing; 3],
                    unit: (),
                }

                impl Nothing {
                    fn new() -> Self {
                        Self { nothing: (), $($more: 6,)? }
                    }

                    fn check(&self, check: &mut Check) {
                        check.is(self.nothing == ());
                        $(check.is(self.$more == 6);)?
                    }
                }

                impl Case for Shape {
                    fn new(_: &Arc<Ledger>, _: u64) -> Result<Self> {
                        let mut vector = KVec::new();
                        for _ in 0..7 {
                            vector.push(Nothing::new(), GFP_KERNEL)?;
                        }
                        Ok(Self {
                            alone: Nothing::new(),
                            vector,
                            boxed: KBox::new(Nothing::new(), GFP_KERNEL)?,
                            option: Some(Nothing::new()),
                            array: core::array::from_fn(|_| Nothing::new()),
                            unit: (),
                        })
                    }

                    fn check(&self, check: &mut Check) {
                        check.is(self.vector.len() == 7 && self.option.is_some());
                        self.alone.check(check);
                        self.boxed.check(check);
                        self.vector.iter().for_each(|one| one.check(check));
                        self.option.iter().for_each(|one| one.check(check));
                        self.array.iter().for_each(|one| one.check(check));
                    }
                }
            }
        };
    }

    version!(v1,);
    version!(v2, more);
}
