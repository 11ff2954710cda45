// SPDX-License-Identifier: GPL-2.0

//! The sweep: brings up what a commit has left stale.
//!
//! | policy | who moves an object |
//! |---|---|
//! | eager (atomic) | this thread and its crew before the update returns, or the first caller |
//! | lazy | the first caller; all others when the next transition asks for it |
//! | background | the first caller, or this thread at the class's rate |
//!
//! Old objects are reclaimed as they come, and at the latest when this has ended.

use kernel::prelude::*;

use crate::exchange::Exchange;
use crate::plan::Policy;
use crate::primitives::{now_ns, sleep_ns};
use crate::registry::framework;
use crate::transition::Transition;

/// How often old objects are reclaimed while a sweep waits for callers, in nanoseconds.
const RECLAIM_NS: u64 = 250_000_000;

/// How many instances the background moves at most before it looks at the time.
const STEP: u64 = 16;

const SECOND_NS: u64 = 1_000_000_000;

/// Brings up every stale instance of a transition that has committed. Sleeps.
pub(crate) fn run(transition: &Transition, exchanges: &mut KVec<Exchange>) {
    if transition.policy() == Policy::Lazy {
        wait_for_callers(transition, exchanges);
    }
    if transition.policy() == Policy::Background {
        for exchange in exchanges.iter().filter(|exchange| exchange.has_flipped()) {
            at_rate(transition, exchange);
        }
    }
    for exchange in exchanges
        .iter_mut()
        .filter(|exchange| exchange.has_flipped())
    {
        while !exchange.routes().is_done() {
            exchange.sweep();
            wait_for_last(exchange);
        }
        exchange.end_sweep();
    }
}

/// Leaves the moving to the callers, until all is moved or somebody is in a hurry.
fn wait_for_callers(transition: &Transition, exchanges: &[Exchange]) {
    let records = &framework().records;
    let is_done =
        || transition.is_hurried() || exchanges.iter().all(|exchange| exchange.routes().is_done());
    while !is_done() {
        records.drain.wait_idle(is_done, RECLAIM_NS);
        reclaim(exchanges);
    }
}

fn reclaim(exchanges: &[Exchange]) {
    for exchange in exchanges {
        exchange.routes().reclaim();
    }
}

/// Moves instances one by one, so many in a second as the class allows, until none is left:
/// the callers may have moved them all.
fn at_rate(transition: &Transition, exchange: &Exchange) {
    for part in 0..exchange.parts() {
        exchange.begin_sweep(part);
        loop {
            let step = step(exchange.class().rate());
            if !is_timed(transition, exchange) || !exchange.sweep_some(part, step as usize) {
                break;
            }
            pause(transition, exchange, step);
            exchange.routes().reclaim();
        }
    }
}

/// Those of a hundredth of a second, so that a low rate is not a few large bursts.
fn step(rate: u64) -> u64 {
    match rate {
        0 => STEP,
        rate => (rate / 100).clamp(1, STEP),
    }
}

/// Whether there is something to move, and no hurry.
fn is_timed(transition: &Transition, exchange: &Exchange) -> bool {
    !transition.is_hurried() && !exchange.routes().is_done()
}

/// Sleeps as long as `step` instances may take, less where the rate was raised or time is up.
fn pause(transition: &Transition, exchange: &Exchange, step: u64) {
    let begin_ns = now_ns();
    loop {
        let rate = exchange.class().rate();
        let Some(each_ns) = (step * SECOND_NS).checked_div(rate) else {
            return;
        };
        let passed_ns = now_ns().wrapping_sub(begin_ns);
        if passed_ns >= each_ns || !is_timed(transition, exchange) {
            return;
        }
        // In short sleeps, so that somebody in a hurry need not wait.
        sleep_ns(each_ns.wrapping_sub(passed_ns).min(10_000_000));
    }
}

/// The last stale instances may be those that are just ending: their reaper brings them up.
fn wait_for_last(exchange: &Exchange) {
    if !exchange.routes().is_done() {
        let is_done = || exchange.routes().is_done();
        framework()
            .records
            .drain
            .wait_idle(is_done, SECOND_NS / 100);
    }
}
