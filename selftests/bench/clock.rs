// SPDX-License-Identifier: GPL-2.0

//! The clock that the benchmarks read, and the lines they write.

use kernel::prelude::*;

/// What the clock counts.
#[cfg(CONFIG_UML)]
pub(crate) const UNIT: &str = "ns";
/// What the clock counts, in a guest started so that its time stamp counter counts these.
#[cfg(not(CONFIG_UML))]
pub(crate) const UNIT: &str = "instructions";

/// In so many parts a million calls are timed, of which the middle one counts: the machine has
/// other things to do as well, and does them a few milliseconds at a time.
#[cfg(CONFIG_UML)]
pub(crate) const PARTS: usize = 50;
/// Instructions are counted in one piece: nothing disturbs.
#[cfg(not(CONFIG_UML))]
pub(crate) const PARTS: usize = 1;

/// The middle one of some values. Each is compared with all others: they are few.
pub(crate) fn median(values: &[u64]) -> u64 {
    let half = values.len() / 2;
    let is_middle = |&&candidate: &&u64| {
        let below = values.iter().filter(|&&other| other < candidate).count();
        let above = values.iter().filter(|&&other| other > candidate).count();
        below <= half && above <= half
    };
    values.iter().find(is_middle).copied().unwrap_or_default()
}

/// The clock. In User Mode Linux the time stamp counter is the machine's, of unknown rate.
#[cfg(CONFIG_UML)]
#[inline(always)]
pub(crate) fn clock() -> u64 {
    // SAFETY: Always safe to call.
    unsafe { kernel::bindings::ktime_get() }.unsigned_abs()
}

/// The clock.
#[cfg(not(CONFIG_UML))]
#[inline(always)]
pub(crate) fn clock() -> u64 {
    // SAFETY: Reads a counter.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Writes a line to the log: `ticks` for `n` operations on each of `cpus` processors, with two
/// digits after the point, so that a cost that is not the same in each round shows.
pub(crate) fn report(name: &str, ticks: u64, n: u64, cpus: u32) {
    let hundredths = ticks.wrapping_mul(100) / n.max(1);
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    pr_info!("result {name} {whole}.{rest:02} {UNIT} {cpus} {n}\n");
}
