// SPDX-License-Identifier: GPL-2.0

//! Tables: `/sys/kernel/debug/molt`. Blank-separated columns under a line of their names.

use core::ffi::c_void;

use kernel::ffi::c_char;
use kernel::fmt;
use kernel::prelude::*;
use kernel::seq_file::SeqFile;
use kernel::seq_print;
use kernel::str::{as_char_ptr_in_const_context, CStr};
use kernel::sync::Arc;
use molt::class::Class;
use molt::history::{self, Entry};
use molt::registry;

/// `struct molt_table`.
#[repr(C)]
struct Table {
    name: *const c_char,
    /// Of a `struct seq_file`.
    show: unsafe extern "C" fn(seq: *mut c_void),
}

// SAFETY: Constant data.
unsafe impl Sync for Table {}

extern "C" {
    fn molt_tables_new(name: *const c_char, tables: *const Table, count: usize) -> *mut c_void;
    fn molt_tables_remove(dir: *mut c_void);
}

impl Table {
    const fn new<F: Fn(&SeqFile) + Copy + 'static>(name: &'static CStr, _show: F) -> Self {
        Self {
            name: as_char_ptr_in_const_context(name),
            show: show::<F>,
        }
    }
}

/// # Safety
///
/// `seq` is being shown by this task.
unsafe extern "C" fn show<F: Fn(&SeqFile) + Copy + 'static>(seq: *mut c_void) {
    // SAFETY: By the caller's promise.
    let seq = unsafe { SeqFile::from_raw(seq.cast()) };
    crate::sysfs::only_value::<F>()(seq);
}

static TABLES: [Table; 9] = [
    Table::new(c"classes", classes),
    Table::new(c"instances", instances),
    Table::new(c"blockers", blockers),
    Table::new(c"history", history),
    Table::new(c"timing", timing),
    Table::new(c"histograms", histograms),
    Table::new(c"stacks", stacks),
    Table::new(c"plans", plans),
    Table::new(c"fault_sites", fault_sites),
];

/// The tables. While one is open this module cannot be removed.
pub(crate) struct Tables(*mut c_void);

// SAFETY: Only made and removed.
unsafe impl Send for Tables {}
// SAFETY: As above.
unsafe impl Sync for Tables {}

impl Tables {
    /// Makes them. Where debugfs cannot, there are none. Sleeps.
    pub(crate) fn new() -> Self {
        // SAFETY: The tables are static.
        let dir = unsafe { molt_tables_new(c"molt".as_char_ptr(), TABLES.as_ptr(), TABLES.len()) };
        Self(dir)
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        // SAFETY: Made in `new`, and removed once.
        unsafe { molt_tables_remove(self.0) }
    }
}

/// The classes of this moment, so that none of the registry's locks is held.
fn for_each_class(mut f: impl FnMut(&Arc<Class>)) {
    let mut classes = KVec::new();
    registry::for_each_class(|class| {
        // Where memory is short, the table is.
        let _ = classes.push(class.clone(), GFP_KERNEL);
    });
    classes.iter().for_each(&mut f);
}

fn classes(seq: &SeqFile) {
    seq_print!(
        seq,
        "class interface fingerprint context implementation generation instances state\n"
    );
    for_each_class(|class| {
        let interface = class.interface();
        seq_print!(
            seq,
            "{} {} {:016x} {} ",
            class.name(),
            interface.name(),
            interface.fingerprint(),
            interface.context()
        );
        match class.default_implementation() {
            Some(default) => seq_print!(seq, "{}", default.label()),
            None => seq_print!(seq, "-"),
        }
        let (generation, instances) = (class.generation(), class.instances());
        seq_print!(seq, " {generation} {instances} {}\n", class.state());
    });
}

fn instances(seq: &SeqFile) {
    seq_print!(seq, "class id implementation state key generation\n");
    for_each_class(|class| {
        let result = class.for_each_instance(|seen| {
            let name = class.name();
            seq_print!(
                seq,
                "{name} {} {} ",
                seen.id,
                Column(seen.implementation.as_str())
            );
            match seen.state {
                Some(bytes) if !bytes.is_empty() => {
                    bytes.iter().for_each(|byte| seq_print!(seq, "{byte:02x}"));
                }
                _ => seq_print!(seq, "-"),
            }
            match seen.key {
                Some(key) => seq_print!(seq, " {key}"),
                None => seq_print!(seq, " -"),
            }
            seq_print!(seq, " {}\n", seen.generation);
        });
        if let Err(error) = result {
            seq_print!(seq, "# {}: {error:?}\n", class.name());
        }
    });
}

fn blockers(seq: &SeqFile) {
    seq_print!(seq, "class pid comm inside_us\n");
    for_each_class(|class| {
        class.for_each_blocker(|blocker| {
            let who = &blocker.who;
            seq_print!(
                seq,
                "{} {} {} ",
                class.name(),
                who.pid,
                Column(who.comm.as_str())
            );
            match blocker.inside_ns {
                Some(ns) => seq_print!(seq, "{}\n", ns / 1000),
                None => seq_print!(seq, "-\n"),
            }
        });
    });
}

/// What would happen to the fields of each class's states. The step is the rest of a line.
fn plans(seq: &SeqFile) {
    seq_print!(seq, "class from to path step\n");
    for_each_class(|class| {
        let name = class.name();
        let result = class.for_each_step(|line| {
            let (from, to) = (line.from.label(), line.to.label());
            let (path, step) = (line.path.as_str(), line.step.as_str());
            seq_print!(seq, "{name} {from} {to} {path} {step}\n");
        });
        if let Err(error) = result {
            seq_print!(seq, "# {name}: {error:?}\n");
        }
    });
}

/// The steps that the parameter `test_fail` of `molt.ko` can have fail, and how often it has.
fn fault_sites(seq: &SeqFile) {
    seq_print!(seq, "site faults\n");
    molt::for_each_fault_site(|name, faults| seq_print!(seq, "{name} {faults}\n"));
}

/// Under a line for each blocker, its functions, innermost first.
fn stacks(seq: &SeqFile) {
    for_each_class(|class| {
        class.for_each_blocker(|blocker| {
            let (name, pid) = (class.name(), blocker.who.pid);
            let comm = Column(blocker.who.comm.as_str());
            seq_print!(seq, "{name} {pid} {comm}\n");
            for function in blocker.stack.as_str().lines() {
                seq_print!(seq, "  {function}\n");
            }
        });
    });
}

fn history(seq: &SeqFile) {
    seq_print!(
        seq,
        "id class from to result generation instances tracking_us blocking_us transferring_us \
         reclaiming_us total_us reopened recorded nested waited longest_wait_us pid comm kind \
         policy closed_us window_ns missed\n"
    );
    history::for_each(|entry| {
        let Entry {
            id,
            generation,
            instances,
            timing,
            traffic,
            who,
            ..
        } = entry;
        let (class, from, to) = (entry.class.as_str(), entry.from.as_str(), entry.to.as_str());
        seq_print!(
            seq,
            "{id} {class} {from} {to} {} {generation} {instances}",
            entry.result
        );
        for (_, part) in PARTS.iter().take(5) {
            seq_print!(seq, " {}", part(entry) / 1000);
        }
        seq_print!(
            seq,
            " {} {} {} {} {} {} {}",
            timing.reopened,
            traffic.recorded,
            traffic.nested,
            traffic.waited,
            entry.longest_wait_ns / 1000,
            who.pid,
            Column(who.comm.as_str())
        );
        seq_print!(
            seq,
            " {} {} {} {} {}\n",
            entry.verb,
            entry.policy,
            timing.closed_ns / 1000,
            timing.window_ns,
            timing.missed
        );
    });
}

/// The name of a part of a transition's time, and how to find it.
type Part = (&'static str, fn(&Entry) -> u64);

/// Where a transition's time went, in the order of the history's columns, in nanoseconds.
/// The last one is among those, but not one of its neighbours.
static PARTS: [Part; 6] = [
    ("tracking", |entry| entry.timing.tracking_ns),
    ("blocking", |entry| entry.timing.blocking_ns),
    ("transferring", |entry| entry.timing.transferring_ns),
    ("reclaiming", |entry| entry.reclaiming_ns),
    ("total", |entry| entry.timing.total_ns),
    ("longest_wait", |entry| entry.longest_wait_ns),
];

/// What is shown of the times of many transitions.
#[derive(Clone, Copy)]
struct Spread {
    count: u64,
    least: u64,
    most: u64,
    sum: u64,
}

impl Spread {
    const NONE: Self = Self {
        count: 0,
        least: u64::MAX,
        most: 0,
        sum: 0,
    };

    fn take_in(&mut self, ns: u64) {
        self.count = self.count.wrapping_add(1);
        self.least = self.least.min(ns);
        self.most = self.most.max(ns);
        self.sum = self.sum.saturating_add(ns);
    }
}

fn timing(seq: &SeqFile) {
    seq_print!(seq, "class part transitions least_us mean_us most_us\n");
    for_each_class(|class| {
        let mut spreads = [Spread::NONE; 6];
        history::for_each(|entry| {
            if entry.result == "ok" && entry.class.as_str() == class.name() {
                for (spread, (_, part)) in spreads.iter_mut().zip(&PARTS) {
                    spread.take_in(part(entry));
                }
            }
        });
        for ((name, _), spread) in PARTS.iter().zip(spreads) {
            let Some(mean) = spread.sum.checked_div(spread.count) else {
                continue;
            };
            seq_print!(
                seq,
                "{} {name} {} {} {} {}\n",
                class.name(),
                spread.count,
                spread.least / 1000,
                mean / 1000,
                spread.most / 1000
            );
        }
    });
}

/// How many transitions took how long: a row for each power of two of microseconds that
/// some did.
fn histograms(seq: &SeqFile) {
    seq_print!(seq, "class part below_us transitions\n");
    for_each_class(|class| {
        for (name, part) in &PARTS {
            let mut counts = [0u64; 65];
            history::for_each(|entry| {
                if entry.result == "ok" && entry.class.as_str() == class.name() {
                    let us = part(entry) / 1000;
                    let power = u64::BITS.saturating_sub(us.leading_zeros()) as usize;
                    if let Some(count) = counts.get_mut(power) {
                        *count = count.wrapping_add(1);
                    }
                }
            });
            for (power, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let below = 1u64.checked_shl(power as u32).unwrap_or(u64::MAX);
                seq_print!(seq, "{} {name} {below} {count}\n", class.name());
            }
        }
    });
}

/// A text as one column: never empty, without blanks and without control characters.
struct Column<'a>(&'a str);

impl fmt::Display for Column<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        if self.0.is_empty() {
            return f.write_char('-');
        }
        self.0
            .chars()
            .try_for_each(|c| f.write_char(if c.is_ascii_graphic() { c } else { '_' }))
    }
}
