// SPDX-License-Identifier: GPL-2.0

//! Enums: with a tag that the language fixes, and without.

/// Another payload, other discriminants, another name of a variant, another order, another tag.
pub(crate) mod tagged {
    macro_rules! versions {
        ($($version:ident: $old:tt, $new:tt;)*) => {$(
            pub(crate) mod $version {
                pub(crate) mod v1 {
                    use crate::case::prelude::*;

                    #[derive(Movable)]
                    #[repr $old]
                    pub(crate) enum Kind {
                        Nothing,
                        Number(u32),
                        Pair { first: Counted, second: u8 } = 9,
                        Counted(Counted),
                    }

                    #[derive(Movable)]
                    pub(crate) struct Shape {
                        kinds: [Kind; 4],
                        listed: KVec<Kind>,
                    }

                    fn kinds(ledger: &Arc<Ledger>, seed: u64) -> Result<[Kind; 4]> {
                        Ok([
                            Kind::Counted(Counted::new(ledger, seed)?),
                            Kind::Pair { first: Counted::new(ledger, seed)?, second: 2 },
                            Kind::Number(3),
                            Kind::Nothing,
                        ])
                    }

                    fn check_kinds(kinds: &[Kind], check: &mut Check) {
                        let [
                            Kind::Counted(value),
                            Kind::Pair { first, second },
                            Kind::Number(number),
                            Kind::Nothing,
                        ] = kinds
                        else {
                            return check.is(false);
                        };
                        check.is(*second == 2 && *number == 3);
                        check.counted(value, check.seed);
                        check.counted(first, check.seed);
                    }

                    impl Case for Shape {
                        fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                            let mut listed = KVec::new();
                            for kind in kinds(ledger, seed)? {
                                listed.push(kind, GFP_KERNEL)?;
                            }
                            Ok(Self { kinds: kinds(ledger, seed)?, listed })
                        }

                        fn check(&self, check: &mut Check) {
                            check_kinds(&self.kinds, check);
                            check_kinds(&self.listed, check);
                        }
                    }
                }

                pub(crate) mod v2 {
                    use crate::case::prelude::*;

                    #[derive(Movable)]
                    #[repr $new]
                    pub(crate) enum Kind {
                        #[state(renamed = "Counted")]
                        Value(Counted),
                        #[state(dropped(second: u8 = 2))]
                        Pair {
                            #[state(default = 5)]
                            third: u64,
                            first: Counted,
                        },
                        Nothing = 3,
                        Number(
                            #[state(convert(u32 => widen, back = narrow))] u64,
                        ) = 9,
                    }

                    fn widen(number: u32) -> u64 {
                        number.into()
                    }

                    fn narrow(number: u64) -> u32 {
                        number as u32
                    }

                    #[derive(Movable)]
                    pub(crate) struct Shape {
                        kinds: [Kind; 4],
                        listed: KVec<Kind>,
                    }

                    fn kinds(ledger: &Arc<Ledger>, seed: u64) -> Result<[Kind; 4]> {
                        Ok([
                            Kind::Value(Counted::new(ledger, seed)?),
                            Kind::Pair { first: Counted::new(ledger, seed)?, third: 5 },
                            Kind::Number(3),
                            Kind::Nothing,
                        ])
                    }

                    fn check_kinds(kinds: &[Kind], check: &mut Check) {
                        let [
                            Kind::Value(value),
                            Kind::Pair { first, third },
                            Kind::Number(number),
                            Kind::Nothing,
                        ] = kinds
                        else {
                            return check.is(false);
                        };
                        check.is(*third == 5 && *number == 3);
                        check.counted(value, check.seed);
                        check.counted(first, check.seed);
                    }

                    impl Case for Shape {
                        fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                            let mut listed = KVec::new();
                            for kind in kinds(ledger, seed)? {
                                listed.push(kind, GFP_KERNEL)?;
                            }
                            Ok(Self { kinds: kinds(ledger, seed)?, listed })
                        }

                        fn check(&self, check: &mut Check) {
                            check_kinds(&self.kinds, check);
                            check_kinds(&self.listed, check);
                        }
                    }
                }
            }
        )*};
    }

    versions! {
        plain: (u8), (i32);
        with_c: (C, u8), (C, i16);
    }
}

/// Without a tag: taken whole where nothing has changed, and converted where something has.
pub(crate) mod untagged {
    pub(crate) mod v1 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) enum Choice {
            None,
            Some(KBox<Counted>),
        }

        #[derive(Movable)]
        pub(crate) enum Mode {
            Slow,
            Fast,
        }

        #[derive(Movable)]
        pub(crate) struct Shape {
            choices: [Choice; 2],
            mode: Mode,
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                let value = KBox::new(Counted::new(ledger, seed)?, GFP_KERNEL)?;
                Ok(Self {
                    choices: [Choice::Some(value), Choice::None],
                    mode: Mode::Fast,
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(matches!(self.mode, Mode::Fast));
                match &self.choices {
                    [Choice::Some(value), Choice::None] => check.counted(value, check.seed),
                    _ => check.is(false),
                }
            }
        }
    }

    pub(crate) mod v2 {
        use super::v1;
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) enum Choice {
            None,
            Some(KBox<Counted>),
        }

        /// The number of `Fast` is another one's now.
        #[derive(Movable)]
        pub(crate) enum Mode {
            Slow,
            Medium,
            Fast,
        }

        #[derive(Movable)]
        pub(crate) struct Shape {
            #[state(default = true)]
            is_new: bool,
            choices: [Choice; 2],
            #[state(convert(v1::Mode => refine, back = coarsen))]
            mode: Mode,
        }

        fn refine(mode: v1::Mode) -> Mode {
            match mode {
                v1::Mode::Slow => Mode::Slow,
                v1::Mode::Fast => Mode::Fast,
            }
        }

        fn coarsen(mode: Mode) -> v1::Mode {
            match mode {
                Mode::Slow => v1::Mode::Slow,
                Mode::Medium | Mode::Fast => v1::Mode::Fast,
            }
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                let value = KBox::new(Counted::new(ledger, seed)?, GFP_KERNEL)?;
                Ok(Self {
                    is_new: true,
                    choices: [Choice::Some(value), Choice::None],
                    mode: Mode::Fast,
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self.is_new && matches!(self.mode, Mode::Fast));
                match &self.choices {
                    [Choice::Some(value), Choice::None] => check.counted(value, check.seed),
                    _ => check.is(false),
                }
            }
        }
    }
}
