// SPDX-License-Identifier: GPL-2.0

//! A counter that keeps a call inside.
//!
//! Purpose: shows an update that meets its deadline. A class can only be moved when no call
//! is inside; this implementation keeps a call which adds nothing for `park_ms`. Until then
//! the class goes on as it is: the update ends with `ETIMEDOUT` and says whose call it was.
//!
//! Usage: with `counter_v2` serving the class, and instances as in `counter_load`,
//!
//! ```text
//! # modprobe counter_busy park_ms=5000
//! # echo Busy > /sys/kernel/molt/classes/counter/update
//! # echo park >&3 &
//! # echo Sum@2 deadline_ms=1000 > /sys/kernel/molt/classes/counter/update
//! sh: write error: Connection timed out
//! # cat /sys/kernel/molt/classes/counter/last_result
//! # wait
//! # echo Sum@2 > /sys/kernel/molt/classes/counter/update
//! # rmmod counter_busy
//! ```
//!
//! How to make it fail otherwise: `rmmod counter_busy` while it serves the class is refused,
//! and so is `Sum@1` (`EPROTO`): it says how it takes over from `Sum@2`, and of no other.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::{delay::fsleep, Delta};
use molt::State;

#[path = "counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Busy,
    version: 1,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a counter that keeps a call inside",
    params: {
        park_ms: u32 {
            default: 5000,
            description: "How long a call that adds nothing stays, in milliseconds",
        },
    },
}

#[derive(State)]
#[state(from = "Sum@2")]
struct Busy {
    total: Atomic<u64>,
    calls: Atomic<u64>,
}

impl molt::Implementation<dyn Counter> for Busy {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start),
            calls: Atomic::new(0)
        })
    }
}

impl Counter for Busy {
    fn add(&self, n: u64) -> u64 {
        if n == 0 {
            fsleep(Delta::from_millis(
                module_parameters::park_ms.value().into(),
            ));
        }
        self.calls.fetch_add(1, Relaxed);
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
