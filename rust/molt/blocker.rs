// SPDX-License-Identifier: GPL-2.0

//! Blockers: the calls that kept an attempt from quiescence, by name.

use core::ffi::c_void;

use kernel::bindings;
use kernel::prelude::*;

use crate::gate::Gate;
use crate::helpers::{molt_find_tasks_in, molt_task_describe};
use crate::implementation::Registered;
use crate::primitives::{current, now_ns, Arc};
use crate::record::Records;
use crate::text::Text;

/// How many blockers of one attempt are named.
const MOST: usize = 64;

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
        // SAFETY: The calling task is alive.
        unsafe { Self::of(current().as_ptr()) }
    }

    /// # Safety
    ///
    /// `task` is alive for the length of this call.
    unsafe fn of(task: *mut bindings::task_struct) -> Self {
        let mut pid = 0;
        let mut comm: [u8; COMM_LEN] = [0; COMM_LEN];
        // SAFETY: By the caller's promise; `comm` is as long as a task's name.
        unsafe { molt_task_describe(task, &mut pid, comm.as_mut_ptr().cast()) };
        // Anybody may name a task anything: what is no plain text would forge lines.
        for byte in comm.iter_mut().filter(|byte| **byte != 0) {
            if !byte.is_ascii_graphic() && *byte != b' ' {
                *byte = b'?';
            }
        }
        let comm = comm.split(|b| *b == 0).next().unwrap_or_default();
        Self {
            pid,
            comm: Text::from(core::str::from_utf8(comm).unwrap_or("?")),
        }
    }
}

/// One call that was inside the class when the deadline came.
#[derive(Clone, Copy)]
pub struct Blocker {
    /// Whose call.
    pub who: Who,
    /// How long the call had been inside, in nanoseconds. `None`: it came before tracking
    /// began, and was found by its stack (best effort).
    pub inside_ns: Option<u64>,
}

impl Blocker {
    /// For the log and `last_result`: who, where and since when.
    pub fn describe(&self, class: &str) -> Text<128> {
        let Who { pid, comm } = &self.who;
        let comm = comm.as_str();
        match self.inside_ns {
            Some(ns) => {
                let ms = ns / 1_000_000;
                Text::format(fmt!("pid {pid} ({comm}) inside {class} for {ms} ms"))
            }
            None => Text::format(fmt!(
                "pid {pid} ({comm}) inside {class} since before the update"
            )),
        }
    }
}

/// Collects the blockers of `gates`, the one that came first at the head. May sleep.
///
/// While a grace period is outstanding these are calls from before tracking: tasks with a
/// frame of `implementation`'s module on their stack, and without a record. Recorded calls
/// hold nothing up then. Afterwards it is, exactly, the recorded calls that came before the
/// gate was closed at `closed_ns`.
pub(crate) fn collect(
    records: &Records,
    gates: &[Arc<Gate>],
    implementation: &Registered,
    closed_ns: u64,
) -> KVec<Blocker> {
    // Allocated first: records are looked at under a spinlock.
    let (Ok(mut known), Ok(mut others)) = (
        KVec::with_capacity(MOST, GFP_KERNEL),
        KVec::with_capacity(MOST, GFP_KERNEL),
    ) else {
        return KVec::new();
    };
    recorded(records, gates, &mut known);
    if !gates.iter().any(|gate| gate.domain.has_pending()) {
        let closed_for_ns = now_ns().wrapping_sub(closed_ns);
        known.retain(|one: &mut Blocker| one.inside_ns.is_some_and(|ns| ns >= closed_for_ns));
        longest_first(&mut known);
        return known;
    }
    // SAFETY: The transition pins the module; the list outlives the walk.
    unsafe {
        molt_find_tasks_in(
            implementation.module(),
            add_untracked,
            (&raw mut others).cast(),
        );
    }
    others.retain(|other: &mut Blocker| known.iter().all(|one| one.who.pid != other.who.pid));
    others
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

fn recorded(records: &Records, gates: &[Arc<Gate>], blockers: &mut KVec<Blocker>) {
    let now = now_ns();
    records.for_each_call(gates, |record| {
        let inside_ns = now.wrapping_sub(record.since_ns);
        // SAFETY: The record's task is inside the call, and its bucket is locked.
        let who = unsafe { Who::of(record.task.as_ptr()) };
        let inside_ns = Some(inside_ns);
        add(blockers, Blocker { who, inside_ns });
    });
}

/// # Safety
///
/// `blockers` is the list of `collect`, and `task` is alive for the length of the call.
unsafe extern "C" fn add_untracked(task: *mut bindings::task_struct, blockers: *mut c_void) {
    // SAFETY: `collect` passes its list; the walk holds the RCU read lock, so the task is alive.
    let (blockers, who) = unsafe { (&mut *blockers.cast::<KVec<Blocker>>(), Who::of(task)) };
    if !blockers.iter().any(|known| known.who.pid == who.pid) {
        let inside_ns = None;
        add(blockers, Blocker { who, inside_ns });
    }
}

/// Within the capacity, so without an allocation.
fn add(blockers: &mut KVec<Blocker>, blocker: Blocker) {
    if blockers.len() < blockers.capacity() {
        let _ = blockers.push(blocker, GFP_ATOMIC);
    }
}
