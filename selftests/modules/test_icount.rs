// SPDX-License-Identifier: GPL-2.0

//! Counts the instructions of a call of class `counter`, which has to be there, and of the
//! same call without Molt.
//!
//! Meant for a guest whose time counts instructions (`tools/guest run --icount`): then the
//! time stamp counter does. Loops run with interrupts off. The figures are in the log.

use core::hint::black_box;

use kernel::interrupt::local_interrupt_disable;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

const CALLS: u64 = 1_000_000;

kernel::prelude::module! {
    type: Measure,
    name: "test_icount",
    authors: ["The Molt developers"],
    description: "Molt test: instructions of a call",
    license: "GPL",
}

/// What `counter_v1` does, without Molt.
struct Plain {
    total: Atomic<u64>,
}

impl Counter for Plain {
    #[inline(never)]
    fn add(&self, n: u64) -> u64 {
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}

fn instructions() -> u64 {
    // SAFETY: Reads a counter.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Instructions of `CALLS` rounds of `call`, loop included.
#[inline(always)]
fn count(mut call: impl FnMut()) -> u64 {
    let _quiet = local_interrupt_disable();
    let begin = instructions();
    for _ in 0..CALLS {
        call();
    }
    instructions().wrapping_sub(begin)
}

struct Measure;

impl kernel::Module for Measure {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let plain = KBox::new(
            Plain {
                total: Atomic::new(0),
            },
            GFP_KERNEL,
        )?;
        let by_table: &dyn Counter = black_box(&*plain);
        let handle = molt::Class::<dyn Counter>::open(c"counter")?.create(0)?;

        let empty = count(|| {
            black_box(0);
        });
        let direct = count(|| {
            black_box(plain.add(1));
        });
        let by_dyn = count(|| {
            black_box(by_table.add(1));
        });
        let by_molt = count(|| {
            black_box(handle.add(1));
        });
        if plain.total() != 2 * CALLS || handle.total() != CALLS {
            pr_err!("a call was lost\n");
            return Err(EIO);
        }
        // In hundredths, so that an overhead that is not the same in each round shows.
        for (name, total) in [
            ("empty", empty),
            ("direct", direct),
            ("dyn", by_dyn),
            ("molt", by_molt),
        ] {
            pr_info!("{name} {}\n", total / (CALLS / 100));
        }
        Ok(Self)
    }
}
