// SPDX-License-Identifier: GPL-2.0

//! Fields under other names and numbers.

/// One is renamed, and two of one type swap their names, so that no type changes at all.
pub(crate) mod swapped {
    macro_rules! version {
        ($version:ident, $item:item, $low:ident, $high:ident) => {
            pub(crate) mod $version {
                use crate::case::prelude::*;

                #[derive(Movable)]
                $item

                #[derive(Movable)]
                pub(crate) struct Shape {
                    range: Range,
                    ranges: KVec<Range>,
                }

                impl Range {
                    fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                        Ok(Self {
                            $low: Counted::new(ledger, seed)?,
                            $high: Counted::new(ledger, seed + 1)?,
                        })
                    }

                    fn check(&self, check: &mut Check) {
                        check.counted(&self.$low, check.seed);
                        check.counted(&self.$high, check.seed + 1);
                    }
                }

                impl Case for Shape {
                    fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                        let mut ranges = KVec::new();
                        for _ in 0..3 {
                            ranges.push(Range::new(ledger, seed)?, GFP_KERNEL)?;
                        }
                        Ok(Self {
                            range: Range::new(ledger, seed)?,
                            ranges,
                        })
                    }

                    fn check(&self, check: &mut Check) {
                        self.range.check(check);
                        check.is(self.ranges.len() == 3);
                        self.ranges.iter().for_each(|range| range.check(check));
                    }
                }
            }
        };
    }

    version!(
        v1,
        struct Range {
            first: Counted,
            second: Counted,
        },
        first,
        second
    );
    // Version 1 had taken them for the wrong ends.
    version!(
        v2,
        struct Range {
            #[state(renamed = "second")]
            first: Counted,
            #[state(renamed = "first")]
            second: Counted,
        },
        second,
        first
    );
}

/// The fields of a tuple struct change places, and raw names lose their marks.
pub(crate) mod numbers {
    pub(crate) mod v1 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Point(u64, Counted);

        #[derive(Movable)]
        pub(crate) struct Shape {
            point: Point,
            r#type: u16,
            r#match: Counted,
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                Ok(Self {
                    point: Point(seed, Counted::new(ledger, seed)?),
                    r#type: 5,
                    r#match: Counted::new(ledger, seed)?,
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self.point.0 == check.seed && self.r#type == 5);
                check.counted(&self.point.1, check.seed);
                check.counted(&self.r#match, check.seed);
            }
        }
    }

    pub(crate) mod v2 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Point(
            #[state(convert(1: Counted => pair, back = alone))] (Counted, u8),
            #[state(renamed = "0")] u64,
            #[state(default = 8)] u8,
        );

        #[derive(Movable)]
        pub(crate) struct Shape {
            point: Point,
            #[state(convert(r#type: u16 => widen, back = narrow))]
            kind: u32,
            #[state(renamed = "match")]
            found: Counted,
        }

        fn pair(value: Counted) -> (Counted, u8) {
            (value, 6)
        }

        fn alone(pair: (Counted, u8)) -> Counted {
            pair.0
        }

        fn widen(kind: u16) -> u32 {
            kind.into()
        }

        fn narrow(kind: u32) -> u16 {
            kind as u16
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                Ok(Self {
                    point: Point(pair(Counted::new(ledger, seed)?), seed, 8),
                    kind: 5,
                    found: Counted::new(ledger, seed)?,
                })
            }

            fn check(&self, check: &mut Check) {
                let Point((value, six), seed, eight) = &self.point;
                check.is(*seed == check.seed && *six == 6 && *eight == 8 && self.kind == 5);
                check.counted(value, check.seed);
                check.counted(&self.found, check.seed);
            }
        }
    }
}
