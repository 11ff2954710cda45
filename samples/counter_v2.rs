// SPDX-License-Identifier: GPL-2.0

//! Counter, version 2: keeps a total and counts the calls.
//!
//! The state has one field more, and the author says how it begins. The other one is there
//! under the same name and with the same type, so it is moved. On the way back the number of
//! calls is dropped.
//!
//! Usage: with `counter_v1` in the kernel,
//!
//! ```text
//! # modprobe counter_v2
//! # echo Sum@2 > /sys/kernel/molt/classes/counter/update
//! # rmmod counter_v1
//! ```
//!
//! How to make it fail: ask for `Sum@2 expect=7` where the class is at another generation
//! (`ESTALE`), for `Sum@3`, which nobody has (`ENOENT`), or twice (`EALREADY`). Remove
//! `#[state(default)]` below, and the update is refused before anything is touched (`EPROTO`).

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::State;

#[path = "counter.rs"]
mod counter;
use counter::Counter;

molt::module! {
    class: "counter",
    implementation: Sum,
    version: 2,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt sample: a counter, version 2",
}

#[derive(State)]
#[state(from = "Sum@1")]
struct Sum {
    total: Atomic<u64>,
    #[state(default)]
    calls: Atomic<u64>,
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
