// SPDX-License-Identifier: GPL-2.0

//! All cases, version 1.

use crate::case::{prelude::*, Case};
use crate::interface::{Corpus, Seen};
use crate::own::{v1::Entry, Answer, Fixed, ENTRIES};
use kernel::str::CString;
use kernel::sync::{new_mutex, new_spinlock, Mutex, SpinLock};
use molt::State;

crate::cases::cases!(state!(
    v1(ledger, seed)
    {
        table: [Entry; ENTRIES],
        #[pin]
        sleeping: Mutex<Entry>,
        #[pin]
        spinning: SpinLock<Entry>,
        #[pin]
        plain: Mutex<KVec<Counted>>,
        #[pin]
        many: [Mutex<Entry>; 3],
        #[pin]
        turning: Mutex<Counted>,
        #[pin]
        opened: Mutex<Counted>,
        closed: Option<Counted>,
        #[state(rebuild = double)]
        function: fn(u64) -> u64,
        #[state(rebuild = label)]
        label: &'static str,
        #[state(try_rebuild = answer)]
        answer: KBox<dyn Answer>,
        first: Counted,
        second: Counted,
        #[state(keep)]
        kept: Atomic<u64>,
    }
    {
        table <- pin_init::init_array_from_fn(|index| Entry::new(&ledger, seed + index as u64)),
        sleeping <- new_mutex!(Entry::new(&ledger, seed)?),
        spinning <- new_spinlock!(Entry::new(&ledger, seed)?),
        plain <- new_mutex!(counted(&ledger, seed)?),
        many <- pin_init::pin_init_array_from_fn(|_| new_mutex!(Entry::bare(seed))),
        turning <- new_mutex!(Counted::new(&ledger, seed)?),
        opened <- new_mutex!(Counted::new(&ledger, seed)?),
        closed: Some(Counted::new(&ledger, seed)?),
        function: double(),
        label: label(),
        answer: answer()?,
        first: Counted::new(&ledger, seed)?,
        second: Counted::new(&ledger, seed + 1)?,
        kept: Atomic::new(seed),
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

fn double() -> fn(u64) -> u64 {
    |number| number * 2
}

fn label() -> &'static str {
    "version 1"
}

fn answer() -> Result<KBox<dyn Answer>> {
    Ok(KBox::new(Fixed(1), GFP_KERNEL)?)
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
        let plain = self.plain.lock();
        check.is(plain.len() == 1);
        plain
            .iter()
            .for_each(|value| check.counted(value, check.seed));
    }

    fn check_opened(&self, check: &mut Check) {
        check.counted(&self.opened.lock(), check.seed);
        check.is(self.closed.is_some());
        if let Some(value) = &self.closed {
            check.counted(value, check.seed);
        }
    }

    fn check_rebuilt(&self, check: &mut Check) {
        check.is((self.function)(21) == 42);
        check.is(self.label == "version 1" && self.answer.answer() == 1);
    }

    fn check_swapped(&self, check: &mut Check) {
        check.counted(&self.first, check.seed);
        check.counted(&self.second, check.seed + 1);
    }

    fn check_kept(&self, check: &mut Check) {
        check.is(self.kept.load(Relaxed) == check.seed);
    }
}
