// SPDX-License-Identifier: GPL-2.0

//! Values that rules make.

/// A conversion takes the old value and keeps part of it.
pub(crate) mod converted {
    pub(crate) mod v1 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Shape {
            pair: (Counted, Counted),
            reads: Atomic<u32>,
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                Ok(Self {
                    pair: (Counted::new(ledger, seed)?, Counted::new(ledger, seed + 1)?),
                    reads: Atomic::new(seed as u32),
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(u64::from(self.reads.load(Relaxed)) == check.seed);
                check.counted(&self.pair.0, check.seed);
                check.counted(&self.pair.1, check.seed + 1);
            }
        }
    }

    pub(crate) mod v2 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Shape {
            #[state(convert(pair: (Counted, Counted) => second, try_back = both))]
            last: Option<Counted>,
            #[state(convert(Atomic<u32> => widen, back = narrow))]
            reads: Atomic<u64>,
        }

        fn second(pair: (Counted, Counted)) -> Option<Counted> {
            Some(pair.1)
        }

        fn both(last: &Option<Counted>) -> Result<(Counted, Counted)> {
            let last = last.as_ref().ok_or(EINVAL)?;
            let copy = |less| Counted::new(last.ledger(), last.number() - less);
            Ok((copy(1)?, copy(0)?))
        }

        fn widen(reads: Atomic<u32>) -> Atomic<u64> {
            Atomic::new(reads.load(Relaxed).into())
        }

        fn narrow(reads: Atomic<u64>) -> Atomic<u32> {
            Atomic::new(reads.load(Relaxed) as u32)
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                Ok(Self {
                    last: Some(Counted::new(ledger, seed + 1)?),
                    reads: Atomic::new(seed),
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self.reads.load(Relaxed) == check.seed && self.last.is_some());
                if let Some(last) = &self.last {
                    check.counted(last, check.seed + 1);
                }
            }
        }
    }
}

/// The same type in other units: only `versions` tells that there is something to do.
pub(crate) mod units {
    pub(crate) mod v1 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Timeout {
            length: u64,
        }

        #[derive(Movable)]
        pub(crate) struct Shape {
            timeouts: [Timeout; 3],
            boxed: KBox<Timeout>,
        }

        impl Case for Shape {
            fn new(_: &Arc<Ledger>, seed: u64) -> Result<Self> {
                let timeout = || Timeout { length: seed };
                Ok(Self {
                    timeouts: [timeout(), timeout(), timeout()],
                    boxed: KBox::new(timeout(), GFP_KERNEL)?,
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self
                    .timeouts
                    .iter()
                    .all(|timeout| timeout.length == check.seed));
                check.is(self.boxed.length == check.seed);
            }
        }
    }

    pub(crate) mod v2 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Timeout {
            #[state(convert(u64 => to_us, back = to_ms), versions = "Shapes@1")]
            length: u64,
        }

        #[derive(Movable)]
        pub(crate) struct Shape {
            timeouts: [Timeout; 3],
            boxed: KBox<Timeout>,
        }

        fn to_us(ms: u64) -> u64 {
            ms * 1000
        }

        fn to_ms(us: u64) -> u64 {
            us / 1000
        }

        impl Case for Shape {
            fn new(_: &Arc<Ledger>, seed: u64) -> Result<Self> {
                let timeout = || Timeout {
                    length: seed * 1000,
                };
                Ok(Self {
                    timeouts: [timeout(), timeout(), timeout()],
                    boxed: KBox::new(timeout(), GFP_KERNEL)?,
                })
            }

            fn check(&self, check: &mut Check) {
                let length = check.seed * 1000;
                check.is(self.timeouts.iter().all(|timeout| timeout.length == length));
                check.is(self.boxed.length == length);
            }
        }
    }
}

/// Conversions that can fail, and do not: the old value is borrowed, and dropped later.
pub(crate) mod tried {
    pub(crate) mod v1 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Shape {
            value: Counted,
            values: KVec<Counted>,
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                let mut values = KVec::new();
                for index in 0..3 {
                    values.push(Counted::new(ledger, seed + index)?, GFP_KERNEL)?;
                }
                Ok(Self {
                    value: Counted::new(ledger, seed)?,
                    values,
                })
            }

            fn check(&self, check: &mut Check) {
                check.counted(&self.value, check.seed);
                check.is(self.values.len() == 3);
                for (number, value) in (check.seed..).zip(&self.values) {
                    check.counted(value, number);
                }
            }
        }
    }

    pub(crate) mod v2 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Shape {
            #[state(try_convert(Counted => twice, try_back = once))]
            value: [Counted; 2],
            #[state(try_convert(KVec<Counted> => boxed, try_back = listed))]
            values: Option<KBox<[Counted; 3]>>,
        }

        fn copy(value: &Counted) -> Result<Counted> {
            Counted::new(value.ledger(), value.number())
        }

        fn twice(value: &Counted) -> Result<[Counted; 2]> {
            Ok([copy(value)?, copy(value)?])
        }

        fn once(values: &[Counted; 2]) -> Result<Counted> {
            let [first, _] = values;
            copy(first)
        }

        fn boxed(values: &KVec<Counted>) -> Result<Option<KBox<[Counted; 3]>>> {
            let [first, second, third] = &**values else {
                return Err(EINVAL);
            };
            let all = [copy(first)?, copy(second)?, copy(third)?];
            Ok(Some(KBox::new(all, GFP_KERNEL)?))
        }

        fn listed(values: &Option<KBox<[Counted; 3]>>) -> Result<KVec<Counted>> {
            let mut list = KVec::new();
            for value in values.iter().flat_map(|all| all.iter()) {
                list.push(copy(value)?, GFP_KERNEL)?;
            }
            Ok(list)
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                let new = |number| Counted::new(ledger, number);
                let all = [new(seed)?, new(seed + 1)?, new(seed + 2)?];
                Ok(Self {
                    value: [new(seed)?, new(seed)?],
                    values: Some(KBox::new(all, GFP_KERNEL)?),
                })
            }

            fn check(&self, check: &mut Check) {
                for value in &self.value {
                    check.counted(value, check.seed);
                }
                check.is(self.values.is_some());
                let values = self.values.iter().flat_map(|all| all.iter());
                for (number, value) in (check.seed..).zip(values) {
                    check.counted(value, number);
                }
            }
        }
    }
}

/// Fields that are dropped and fields that begin with a default, in each kind of container.
pub(crate) mod begun {
    pub(crate) mod v1 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        pub(crate) struct Inner {
            old: Option<Counted>,
            boxed: Option<KBox<Counted>>,
        }

        #[derive(Movable)]
        pub(crate) struct Shape {
            alone: Inner,
            boxed: KBox<Inner>,
            option: Option<Inner>,
            array: [Inner; 2],
            vector: KVec<Inner>,
        }

        impl Inner {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                let new = || Counted::new(ledger, seed);
                Ok(Self {
                    old: Some(new()?),
                    boxed: Some(KBox::new(new()?, GFP_KERNEL)?),
                })
            }

            fn check(&self, check: &mut Check) {
                // They were dropped on the way, and other values came back.
                check.is(self.old.is_none() == check.is_moved());
                check.is(self.boxed.is_none() == check.is_moved());
                if let Some(old) = &self.old {
                    check.counted(old, check.seed);
                }
                if let Some(boxed) = &self.boxed {
                    check.counted(boxed, check.seed);
                }
            }
        }

        impl Case for Shape {
            fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                let new = || Inner::new(ledger, seed);
                let mut vector = KVec::new();
                vector.push(new()?, GFP_KERNEL)?;
                vector.push(new()?, GFP_KERNEL)?;
                Ok(Self {
                    alone: new()?,
                    boxed: KBox::new(new()?, GFP_KERNEL)?,
                    option: Some(new()?),
                    array: [new()?, new()?],
                    vector,
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self.option.is_some() && self.vector.len() == 2);
                self.alone.check(check);
                self.boxed.check(check);
                self.option.iter().for_each(|inner| inner.check(check));
                self.array.iter().for_each(|inner| inner.check(check));
                self.vector.iter().for_each(|inner| inner.check(check));
            }
        }
    }

    pub(crate) mod v2 {
        use crate::case::prelude::*;

        #[derive(Movable)]
        #[state(dropped(old: Option<Counted> = None))]
        #[state(dropped(boxed: Option<KBox<Counted>> = Default::default()))]
        pub(crate) struct Inner {
            #[state(default)]
            number: u64,
            #[state(default = [3; 5])]
            list: [u8; 5],
            #[state(default)]
            count: Atomic<u32>,
            #[state(default = KVec::new())]
            values: KVec<Counted>,
        }

        #[derive(Movable)]
        pub(crate) struct Shape {
            alone: Inner,
            boxed: KBox<Inner>,
            option: Option<Inner>,
            array: [Inner; 2],
            vector: KVec<Inner>,
        }

        impl Inner {
            fn new() -> Self {
                Self {
                    number: 0,
                    list: [3; 5],
                    count: Atomic::new(0),
                    values: KVec::new(),
                }
            }

            fn check(&self, check: &mut Check) {
                check.is(self.number == 0 && self.list == [3; 5]);
                check.is(self.count.load(Relaxed) == 0 && self.values.is_empty());
            }
        }

        impl Case for Shape {
            fn new(_: &Arc<Ledger>, _: u64) -> Result<Self> {
                let mut vector = KVec::new();
                vector.push(Inner::new(), GFP_KERNEL)?;
                vector.push(Inner::new(), GFP_KERNEL)?;
                Ok(Self {
                    alone: Inner::new(),
                    boxed: KBox::new(Inner::new(), GFP_KERNEL)?,
                    option: Some(Inner::new()),
                    array: [Inner::new(), Inner::new()],
                    vector,
                })
            }

            fn check(&self, check: &mut Check) {
                check.is(self.option.is_some() && self.vector.len() == 2);
                self.alone.check(check);
                self.boxed.check(check);
                self.option.iter().for_each(|inner| inner.check(check));
                self.array.iter().for_each(|inner| inner.check(check));
                self.vector.iter().for_each(|inner| inner.check(check));
            }
        }
    }
}
