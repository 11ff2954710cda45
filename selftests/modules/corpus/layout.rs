// SPDX-License-Identifier: GPL-2.0

//! The same fields at other places.

/// Another order.
pub(crate) mod order {
    pub(crate) mod v1 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        #[repr(C)]
        pub(crate) struct Shape {
            number: u64,
            flag: u8,
            value: Counted,
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                Ok(Self {
                    number: seed,
                    flag: 7,
                    value: Counted::new(ledger, seed + 1)?,
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self.number == check.seed && self.flag == 7);
                check.counted(&self.value, check.seed + 1);
            }
        }
    }

    pub(crate) mod v2 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        #[repr(C)]
        pub(crate) struct Shape {
            flag: u8,
            value: Counted,
            number: u64,
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                Ok(Self {
                    flag: 7,
                    value: Counted::new(ledger, seed + 1)?,
                    number: seed,
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self.number == check.seed && self.flag == 7);
                check.counted(&self.value, check.seed + 1);
            }
        }
    }
}

/// The same order, but each value begins at a cache line of its own, in vectors and options, too.
pub(crate) mod padding {
    macro_rules! version {
        ($version:ident, $($representation:tt)*) => {
            pub(crate) mod $version {
                use crate::case::prelude::*;

                #[derive(Movable)]
                #[repr($($representation)*)]
                pub(crate) struct Line {
                    flag: u8,
                    number: u128,
                    value: Counted,
                }

                impl Line {
                    fn new(ledger: &Arc<Ledger>, number: u64) -> Result<Self> {
                        Ok(Self {
                            flag: 1,
                            number: u128::MAX - u128::from(number),
                            value: Counted::new(ledger, number)?,
                        })
                    }

                    fn check(&self, check: &mut Check, number: u64) {
                        let is_aligned = core::ptr::from_ref(self).is_aligned();
                        check.is(is_aligned && self.flag == 1);
                        check.is(self.number == u128::MAX - u128::from(number));
                        check.counted(&self.value, number);
                    }
                }

                #[derive(Movable)]
                pub(crate) struct Shape {
                    one: Line,
                    option: Option<Line>,
                    vector: KVec<Line>,
                    boxed: KBox<Line>,
                }

                impl Case for Shape {
                    fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                        let mut vector = KVec::new();
                        for index in 0..5 {
                            vector.push(Line::new(ledger, seed + index)?, GFP_KERNEL)?;
                        }
                        Ok(Self {
                            one: Line::new(ledger, seed)?,
                            option: Some(Line::new(ledger, seed)?),
                            vector,
                            boxed: KBox::new(Line::new(ledger, seed)?, GFP_KERNEL)?,
                        })
                    }

                    fn check(&self, check: &mut Check) {
                        self.one.check(check, check.seed);
                        self.boxed.check(check, check.seed);
                        check.is(self.option.is_some() && self.vector.len() == 5);
                        if let Some(line) = &self.option {
                            line.check(check, check.seed);
                        }
                        for (number, line) in (check.seed..).zip(&self.vector) {
                            line.check(check, number);
                        }
                    }
                }
            }
        };
    }

    version!(v1, C);
    version!(v2, C, align(64));
}

/// A struct changes three levels down: it has a field less and one more.
pub(crate) mod deep {
    macro_rules! version {
        ($version:ident, $inner:item, $new:expr, $check:expr) => {
            pub(crate) mod $version {
                use crate::case::prelude::*;

                #[derive(Movable)]
                pub(crate) struct Shape {
                    before: u16,
                    middle: Middle,
                }

                #[derive(Movable)]
                struct Middle {
                    pair: (u32, Inner),
                    after: Counted,
                }

                #[derive(Movable)]
                $inner

                impl Case for Shape {
                    fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                        let make: fn(&Arc<Ledger>, u64) -> Result<Inner> = $new;
                        Ok(Self {
                            before: 3,
                            middle: Middle {
                                pair: (4, make(ledger, seed)?),
                                after: Counted::new(ledger, seed)?,
                            },
                        })
                    }

                    fn check(&self, check: &mut Check) {
                        let inside: fn(&Inner, &mut Check) = $check;
                        check.is(self.before == 3 && self.middle.pair.0 == 4);
                        inside(&self.middle.pair.1, check);
                        check.counted(&self.middle.after, check.seed);
                    }
                }
            }
        };
    }

    version!(
        v1,
        struct Inner {
            kept: Counted,
            gone: Option<Counted>,
        },
        |ledger, seed| Ok(Inner {
            kept: Counted::new(ledger, seed)?,
            gone: Some(Counted::new(ledger, seed)?),
        }),
        |inner, check| {
            check.counted(&inner.kept, check.seed);
            // It was dropped on the way, and another value came back.
            check.is(inner.gone.is_none() == check.is_moved());
            if let Some(gone) = &inner.gone {
                check.counted(gone, check.seed);
            }
        }
    );
    version!(
        v2,
        #[state(dropped(gone: Option<Counted> = None))]
        struct Inner {
            #[state(default = 9)]
            new: u8,
            kept: Counted,
        },
        |ledger, seed| Ok(Inner {
            new: 9,
            kept: Counted::new(ledger, seed)?,
        }),
        |inner, check| {
            check.is(inner.new == 9);
            check.counted(&inner.kept, check.seed);
        }
    );
}

/// The argument of a generic type changes, by a conversion; another generic type has rules.
pub(crate) mod generic {
    #[derive(molt::Movable)]
    pub(crate) struct Pair<T> {
        pub(crate) first: T,
        pub(crate) second: T,
    }

    pub(crate) mod v1 {
        use super::Pair;
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Wrapped<T> {
            value: T,
        }

        #[derive(Movable)]
        pub(crate) struct Shape {
            pair: Pair<u32>,
            wrapped: Wrapped<Counted>,
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                Ok(Self {
                    pair: Pair {
                        first: 1,
                        second: 2,
                    },
                    wrapped: Wrapped {
                        value: Counted::new(ledger, seed)?,
                    },
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self.pair.first == 1 && self.pair.second == 2);
                check.counted(&self.wrapped.value, check.seed);
            }
        }
    }

    pub(crate) mod v2 {
        use super::Pair;
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Wrapped<T> {
            #[state(renamed = "value")]
            inside: T,
            #[state(default)]
            more: u8,
        }

        #[derive(Movable)]
        pub(crate) struct Shape {
            #[state(convert(Pair<u32> => widen, back = narrow))]
            pair: Pair<u64>,
            wrapped: Wrapped<Counted>,
        }

        fn widen(pair: Pair<u32>) -> Pair<u64> {
            Pair {
                first: pair.first.into(),
                second: pair.second.into(),
            }
        }

        fn narrow(pair: Pair<u64>) -> Pair<u32> {
            Pair {
                first: pair.first as u32,
                second: pair.second as u32,
            }
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                Ok(Self {
                    pair: widen(Pair {
                        first: 1,
                        second: 2,
                    }),
                    wrapped: Wrapped {
                        inside: Counted::new(ledger, seed)?,
                        more: 0,
                    },
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self.pair.first == 1 && self.pair.second == 2);
                check.is(self.wrapped.more == 0);
                check.counted(&self.wrapped.inside, check.seed);
            }
        }
    }
}
