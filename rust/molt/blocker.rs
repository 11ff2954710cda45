// SPDX-License-Identifier: GPL-2.0

//! Blockers: the calls that kept an attempt from quiescence, by name.

use core::ffi::c_void;

use kernel::bindings;
use kernel::fmt;
use kernel::prelude::*;
use kernel::sync::Arc;

use crate::error::REASON_LEN;
use crate::exchange::Exchange;
use crate::gate::Gate;
use crate::helpers::{molt_find_tasks_in, molt_task_stack};
use crate::plan::Verb;
use crate::primitives::{describe, describe_current, describe_dead, now_ns, sleep_ns, Described};
use crate::registry::framework;
use crate::text::Text;
use crate::transition::Transition;
use crate::window::BOUND_NS;

/// How many blockers of one attempt are named.
const MOST: usize = 64;

/// How often tasks are looked at until one is found: the stack of one that is running, be it for
/// an instant, cannot be told.
const LOOKS: usize = 5;

/// How long between two looks, in nanoseconds.
const LOOK_NS: u64 = 300_000;

/// Length of a task's name in the kernel.
const COMM_LEN: usize = 16;

/// A task, by what people know it by.
#[derive(Clone, Copy)]
pub struct Who {
    /// Thread identifier in the initial namespace.
    pub pid: i32,
    /// The task's name.
    pub comm: Text<COMM_LEN>,
}

impl Who {
    /// The calling task.
    pub(crate) fn current() -> Self {
        Self::from(describe_current())
    }

    /// The first task that has died in the kernel, if one has.
    pub(crate) fn dead() -> Option<Self> {
        describe_dead().map(Self::from)
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} ({})", self.pid, self.comm.as_str())
    }
}

impl From<Described> for Who {
    fn from(task: Described) -> Self {
        let mut comm = task.comm;
        // Anybody may name a task anything: what is no plain text would forge lines.
        for byte in comm.iter_mut().filter(|byte| **byte != 0) {
            if !byte.is_ascii_graphic() && *byte != b' ' {
                *byte = b'?';
            }
        }
        let comm = comm.split(|b| *b == 0).next().unwrap_or_default();
        Self {
            pid: task.pid,
            comm: Text::from(core::str::from_utf8(comm).unwrap_or("?")),
        }
    }
}

/// One call that was inside the class when the deadline came.
pub struct Blocker {
    /// Whose call.
    pub who: Who,
    /// How long the call had been inside, in nanoseconds. `None`: it came before tracking
    /// began, and was found by its stack (best effort).
    pub inside_ns: Option<u64>,
    /// The functions on its stack, innermost first: names without addresses. Best effort.
    pub stack: Stack,
}

/// Names of functions, one in a line.
pub type Stack = Text<512>;

impl Blocker {
    /// For the log and `last_result`: who, where and since when.
    pub fn describe(&self, class: &str) -> Text<128> {
        let who = &self.who;
        match self.inside_ns {
            Some(ns) => {
                let ms = ns / 1_000_000;
                Text::format(fmt!("{who} inside {class} for {ms} ms"))
            }
            None => Text::format(fmt!("{who} inside {class} since before the update")),
        }
    }
}

/// Finds the blockers of each class of a transition and leaves them there; says who was first.
/// May sleep.
pub(crate) fn name(
    transition: &Transition,
    exchanges: &[Exchange],
    closed_ns: u64,
) -> Text<REASON_LEN> {
    let mut reason = match Who::dead() {
        Some(who) => Text::format(fmt!(
            "no quiescence: {who} has died in the kernel, inside a call perhaps"
        )),
        None => Text::new(),
    };
    for exchange in exchanges {
        let class = exchange.class();
        let blockers = collect(transition, exchange, closed_ns);
        if let (Some(first), "") = (blockers.first(), reason.as_str()) {
            reason = Text::format(fmt!(
                "no quiescence by the deadline: {}, {} in all",
                first.describe(class.name()).as_str(),
                blockers.len()
            ));
        }
        class.inner().lock().blockers = blockers;
    }
    reason
}

/// Collects the blockers of one class, the one that came first at the head. May sleep.
///
/// While a grace period is outstanding these are calls from before tracking: tasks with a
/// frame of an implementation's module on their stack, and without a record. Recorded calls
/// hold nothing up then. Afterwards it is, exactly, the recorded calls that came before the
/// gate was closed at `closed_ns`, and in an atomic class those inside the window.
fn collect(transition: &Transition, exchange: &Exchange, closed_ns: u64) -> KVec<Blocker> {
    // Allocated first: records are looked at under a spinlock.
    let (Ok(mut known), Ok(mut others)) = (
        KVec::with_capacity(MOST, GFP_KERNEL),
        KVec::with_capacity(MOST, GFP_KERNEL),
    ) else {
        return KVec::new();
    };
    let gate = exchange.class().gate();
    recorded(core::slice::from_ref(gate), &mut known);
    if gate.has_pending() {
        for _ in 0..LOOKS {
            for route in exchange.routes().iter() {
                let (module, found) = (route.from.module(), (&raw mut others).cast());
                // SAFETY: The route pins the module; the list outlives the walk.
                unsafe { molt_find_tasks_in(module, add_untracked, found) };
            }
            if !others.is_empty() || !gate.has_pending() {
                break;
            }
            sleep_ns(LOOK_NS);
        }
        others.retain(|other: &mut Blocker| known.iter().all(|one| one.who.pid != other.who.pid));
        // These are inside the domain, too, and hold the grace period up.
        inside_window(transition, gate, &mut others);
        if transition.verb() == Verb::Repair {
            // It has abandoned both kinds.
            let closed_for_ns = now_ns().wrapping_sub(closed_ns);
            known.retain(|one: &mut Blocker| one.inside_ns.is_some_and(|ns| ns >= closed_for_ns));
            known.iter_mut().for_each(Blocker::trace);
            let recorded = known.into_iter().take(MOST.saturating_sub(others.len()));
            recorded.for_each(|one| _ = others.push(one, GFP_KERNEL));
        }
        return others;
    }
    let closed_for_ns = now_ns().wrapping_sub(closed_ns);
    known.retain(|one: &mut Blocker| one.inside_ns.is_some_and(|ns| ns >= closed_for_ns));
    inside_window(transition, gate, &mut known);
    longest_first(&mut known);
    known.iter_mut().for_each(Blocker::trace);
    known
}

impl Blocker {
    /// Adds the stack, if the task is still there.
    fn trace(&mut self) {
        let mut stack = [0u8; 512];
        // SAFETY: The text is as long as said; the task is looked up by its pid.
        let length =
            unsafe { molt_task_stack(self.who.pid, stack.as_mut_ptr().cast(), stack.len()) };
        let stack = stack.get(..length).unwrap_or_default();
        self.stack = Text::from(core::str::from_utf8(stack).unwrap_or_default());
    }
}

/// Puts the call that has been inside longest at the head: it is the one that is told of.
fn longest_first(blockers: &mut [Blocker]) {
    let mut rest = blockers.iter_mut();
    let Some(first) = rest.next() else {
        return;
    };
    for other in rest {
        if other.inside_ns > first.inside_ns {
            core::mem::swap(first, other);
        }
    }
}

fn recorded(gates: &[Arc<Gate>], blockers: &mut KVec<Blocker>) {
    let now = now_ns();
    framework().records.for_each_call(gates, |record| {
        // A call may have come since.
        let inside_ns = Some(now.saturating_sub(record.since_ns));
        // SAFETY: The record's task is inside the call, and its bucket is locked.
        let who = Who::from(unsafe { describe(record.task.as_ptr()) });
        add(blockers, who, inside_ns);
    });
}

/// The calls that are inside an atomic class for longer than a window may be closed, each on a
/// processor of its own. Shorter ones are just passing.
fn inside_window(transition: &Transition, gate: &Gate, blockers: &mut KVec<Blocker>) {
    let (true, Some(window)) = (gate.is_atomic(), transition.attempt.window()) else {
        return;
    };
    window.for_each_inside(|inside| {
        let inside_ns = now_ns().saturating_sub(inside.since_ns);
        if inside_ns > BOUND_NS {
            add(blockers, Who::from(inside.who), Some(inside_ns));
        }
    });
}

/// # Safety
///
/// `blockers` is the list of `collect`, and `task` is alive for the length of the call.
unsafe extern "C" fn add_untracked(task: *mut bindings::task_struct, blockers: *mut c_void) {
    // SAFETY: `collect` passes its list; the walk holds the RCU read lock, so the task is alive.
    let (blockers, who) = unsafe {
        (
            &mut *blockers.cast::<KVec<Blocker>>(),
            Who::from(describe(task)),
        )
    };
    if !blockers.iter().any(|known| known.who.pid == who.pid) {
        add(blockers, who, None);
        if let Some(added) = blockers.last_mut() {
            added.trace();
        }
    }
}

/// Within the capacity, so without an allocation.
fn add(blockers: &mut KVec<Blocker>, who: Who, inside_ns: Option<u64>) {
    if blockers.len() < blockers.capacity() {
        let stack = Text::new();
        let blocker = Blocker {
            who,
            inside_ns,
            stack,
        };
        let _ = blockers.push(blocker, GFP_ATOMIC);
    }
}
