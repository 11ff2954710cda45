// SPDX-License-Identifier: GPL-2.0

//! Counter, version 3: its transfer refuses.
//!
//! Purpose: shows what happens when the state of some instance cannot be carried over. Rules
//! that can fail (`try_convert`) run for each instance first, and none is changed before all
//! have agreed; so one refusal leaves the whole class on the old generation, every total as it
//! was.
//!
//! Usage: with `counter_v2` serving the class,
//!
//! ```text
//! # modprobe counter_v3_bad refuse_at=500
//! # echo Sum@3 > /sys/kernel/molt/classes/counter/update
//! sh: write error: Numerical argument out of domain
//! # cat /sys/kernel/molt/classes/counter/last_result
//! # rmmod counter_v3_bad
//! ```
//!
//! How to make it fail otherwise: with `refuse_at=0` nothing is refused and the update
//! succeeds. Then `echo Sum@2 > .../update` is refused (`EPROTO`), before anything is
//! touched: this module says that it is irreversible. With `counter_v1` serving the class `Sum@3`
//! is refused, too: its rules are for `Sum@2`.

#![deny(unsafe_code)]

use kernel::error::code::EDOM;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::State;

#[path = "counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 3,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a counter whose transfer refuses",
    params: {
        refuse_at: u64 {
            default: 1,
            description: "Which instance of a transition is refused; 0: none",
        },
    },
}

/// How many instances the transition has asked for so far.
static ASKED: Atomic<u64> = Atomic::new(0);

#[derive(State)]
#[state(from = "Sum@2", irreversible)]
struct Sum {
    #[state(try_convert(Atomic<u64> => take_over))]
    total: Atomic<u64>,
    calls: Atomic<u64>,
}

/// The total of one instance, unless it is that instance's turn to be refused.
fn take_over(total: &Atomic<u64>) -> Result<Atomic<u64>> {
    let asked = ASKED.fetch_add(1, Relaxed) + 1;
    if asked == module_parameters::refuse_at.value() {
        ASKED.store(0, Relaxed);
        return Err(EDOM);
    }
    Ok(Atomic::new(total.load(Relaxed)))
}

impl molt::Implementation<dyn Counter> for Sum {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start),
            calls: Atomic::new(0)
        })
    }
}

impl Counter for Sum {
    fn add(&self, n: u64) -> u64 {
        self.calls.fetch_add(1, Relaxed);
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
