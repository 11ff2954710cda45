// SPDX-License-Identifier: GPL-2.0

//! A node that keeps the last handle which it is to drop, for a rule that ends that instance.

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::global_lock;
use molt::State;

#[path = "interface.rs"]
mod interface;
#[expect(
    unused_macros,
    unused_imports,
    reason = "one of the methods is its own"
)]
#[path = "methods.rs"]
mod methods;
use interface::{Link, Node};

global_lock! {
    // SAFETY: Before the init has ended no instance is made.
    pub(crate) unsafe(uninit) static LAST: SpinLock<Option<Link>> = None;
}

pub(crate) fn begin(_module: &'static ThisModule) -> Result<()> {
    // SAFETY: Once, in the init.
    unsafe { LAST.init() };
    Ok(())
}

/// Ends the instance that is kept.
pub(crate) fn end_last() {
    let last = LAST.lock().take();
    if let Some(Link(last)) = last {
        last.end();
    }
}

#[derive(State)]
#[state(name = "Plain", version = 1)]
pub(crate) struct Plain1 {
    total: Atomic<u64>,
    peer: Option<Link>,
}

#[derive(State)]
pub(crate) struct Plain {
    total: Atomic<u64>,
    peer: Option<Link>,
}

/// Version 1 of the state, from the one that is served here.
pub(crate) fn back(old: &mut Plain) -> Plain1 {
    Plain1 {
        total: Atomic::new(old.total.load(Relaxed)),
        peer: old.peer.take(),
    }
}

impl molt::Implementation<dyn Node> for Plain {
    fn create(peer: Option<Link>) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(0),
            peer
        })
    }
}

impl Node for Plain {
    fn walk(&self, route: &[Link]) -> u64 {
        methods::walk(&self.total, route)
    }

    fn bury(&self, last: Link, route: &[Link]) -> u64 {
        let before = LAST.lock().replace(last);
        drop(before);
        methods::walk(&self.total, route)
    }

    fn linger(&self, ms: u32) {
        methods::linger(ms);
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
