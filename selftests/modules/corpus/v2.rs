// SPDX-License-Identifier: GPL-2.0

//! All cases, version 2.

use crate::case::{prelude::*, Case};
use crate::interface::{Corpus, Seen};
use crate::own::{v2::Entry, Answer, Fixed, ENTRIES};
use kernel::str::CString;
use kernel::sync::{new_mutex, new_spinlock, Mutex, SpinLock};
use molt::State;

crate::cases::cases!(state!(
    v2(ledger, seed)
    {
        #[pin]
        many: [Mutex<Entry>; 3],
        #[pin]
        spinning: SpinLock<Entry>,
        #[pin]
        plain: Mutex<KVec<Counted>>,
        #[pin]
        sleeping: Mutex<Entry>,
        table: [Entry; ENTRIES],
        #[pin]
        turning: SpinLock<Counted>,
        #[state(convert(Mutex<Counted> => some, back = bare))]
        opened: (Counted, u8),
        #[pin]
        #[state(convert(Option<Counted> => listed, back = last))]
        closed: Mutex<(Option<Counted>, u8)>,
        #[state(rebuild = triple)]
        function: fn(u64) -> u64,
        #[state(rebuild = label)]
        label: &'static str,
        #[state(try_rebuild = answer)]
        answer: KBox<dyn Answer>,
        #[state(renamed = "second")]
        first: Counted,
        #[state(renamed = "first")]
        second: Counted,
        #[state(keep)]
        kept: Atomic<u64>,
        #[pin]
        #[state(default = 5)]
        fresh: Mutex<u64>,
        #[pin]
        #[state(rebuild = triple)]
        rebuilt: SpinLock<fn(u64) -> u64>,
    }
    {
        many <- pin_init::pin_init_array_from_fn(|_| new_mutex!(Entry::bare(seed))),
        spinning <- new_spinlock!(Entry::new(&ledger, seed)?),
        plain <- new_mutex!(counted(&ledger, seed)?),
        sleeping <- new_mutex!(Entry::new(&ledger, seed)?),
        table <- pin_init::init_array_from_fn(|index| Entry::new(&ledger, seed + index as u64)),
        turning <- new_spinlock!(Counted::new(&ledger, seed)?),
        opened: some(Counted::new(&ledger, seed)?),
        closed <- new_mutex!(listed(Some(Counted::new(&ledger, seed)?))),
        function: triple(),
        label: label(),
        answer: answer()?,
        first: Counted::new(&ledger, seed + 1)?,
        second: Counted::new(&ledger, seed)?,
        kept: Atomic::new(seed),
        fresh <- new_mutex!(5),
        rebuilt <- new_spinlock!(triple()),
    }
    table: check_table,
    locks: check_locks,
    lock_opened: check_opened,
    rebuilt: check_rebuilt,
    swapped_fields: check_swapped,
    kept: check_kept,
));

fn counted(ledger: &Arc<Ledger>, seed: u64) -> Result<KVec<Counted>> {
    let mut list = KVec::new();
    list.push(Counted::new(ledger, seed)?, GFP_KERNEL)?;
    Ok(list)
}

fn some(value: Counted) -> (Counted, u8) {
    (value, 2)
}

fn bare(pair: (Counted, u8)) -> Counted {
    pair.0
}

fn listed(value: Option<Counted>) -> (Option<Counted>, u8) {
    (value, 3)
}

fn last(pair: (Option<Counted>, u8)) -> Option<Counted> {
    pair.0
}

fn triple() -> fn(u64) -> u64 {
    |number| number * 3
}

fn label() -> &'static str {
    "version 2"
}

fn answer() -> Result<KBox<dyn Answer>> {
    Ok(KBox::new(Fixed(2), GFP_KERNEL)?)
}

impl Shapes {
    fn check_table(&self, check: &mut Check) {
        for (number, entry) in (check.seed..).zip(&self.table) {
            entry.check(check, number);
        }
    }

    fn check_locks(&self, check: &mut Check) {
        self.sleeping.lock().check(check, check.seed);
        self.spinning.lock().check(check, check.seed);
        self.many
            .iter()
            .for_each(|lock| lock.lock().check_bare(check, check.seed));
        check.counted(&self.turning.lock(), check.seed);
        check.is(*self.fresh.lock() == 5);
        let plain = self.plain.lock();
        check.is(plain.len() == 1);
        plain
            .iter()
            .for_each(|value| check.counted(value, check.seed));
    }

    fn check_opened(&self, check: &mut Check) {
        check.counted(&self.opened.0, check.seed);
        let closed = self.closed.lock();
        check.is(closed.0.is_some() && closed.1 == 3 && self.opened.1 == 2);
        if let Some(value) = &closed.0 {
            check.counted(value, check.seed);
        }
    }

    fn check_rebuilt(&self, check: &mut Check) {
        check.is((self.function)(21) == 63 && (self.rebuilt.lock())(3) == 9);
        check.is(self.label == "version 2" && self.answer.answer() == 2);
    }

    fn check_swapped(&self, check: &mut Check) {
        check.counted(&self.first, check.seed + 1);
        check.counted(&self.second, check.seed);
    }

    fn check_kept(&self, check: &mut Check) {
        check.is(self.kept.load(Relaxed) == check.seed);
    }
}
