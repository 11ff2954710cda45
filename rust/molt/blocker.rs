// SPDX-License-Identifier: GPL-2.0

//! Blockers: the calls that kept an attempt from quiescence, by name.

use core::ffi::c_void;

use kernel::bindings;
use kernel::prelude::*;

use crate::gate::Gate;
use crate::helpers::{molt_for_each_task_in, molt_task_describe};
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

/// Collects the blockers of `gates`: recorded calls exactly, then tasks with a frame of
/// `implementation`'s module on their stack. May sleep.
pub(crate) fn collect(
    records: &Records,
    gates: &[Arc<Gate>],
    implementation: &Registered,
) -> KVec<Blocker> {
    // Allocated first: records are looked at under a spinlock.
    let Ok(mut blockers) = KVec::with_capacity(MOST, GFP_KERNEL) else {
        return KVec::new();
    };
    recorded(records, gates, &mut blockers);
    // SAFETY: The transition pins the module; the list outlives the walk.
    unsafe {
        molt_for_each_task_in(
            implementation.module(),
            add_untracked,
            (&raw mut blockers).cast(),
        );
    }
    blockers
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
