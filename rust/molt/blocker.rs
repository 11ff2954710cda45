// SPDX-License-Identifier: GPL-2.0

//! Blockers: the calls that kept an attempt from quiescence, by name.

use core::ffi::{c_char, c_void};

use kernel::bindings;
use kernel::prelude::*;

use crate::gate::Gate;
use crate::implementation::Registered;
use crate::primitives::{now_ns, Arc, Gates};
use crate::record::Records;
use crate::text::Text;

/// How many blockers of one attempt are named.
const MOST: usize = 64;

/// Length of a task's name in the kernel.
const COMM_LEN: usize = 16;

extern "C" {
    fn molt_task_describe(task: *mut bindings::task_struct, pid: *mut i32, comm: *mut c_char);
    fn molt_for_each_task_in(
        module: *const bindings::module,
        found: unsafe extern "C" fn(*mut bindings::task_struct, *mut c_void),
        argument: *mut c_void,
    );
}

/// One call that was inside the class when the deadline came.
#[derive(Clone, Copy)]
pub struct Blocker {
    /// Thread identifier in the initial namespace.
    pub pid: i32,
    /// The task's name.
    pub comm: Text<COMM_LEN>,
    /// How long the call had been inside, in nanoseconds. `None`: it came before tracking
    /// began, and was found by its stack (best effort).
    pub inside_ns: Option<u64>,
}

impl Blocker {
    /// # Safety
    ///
    /// `task` is alive for the length of this call.
    unsafe fn new(task: *mut bindings::task_struct, inside_ns: Option<u64>) -> Self {
        let mut pid = 0;
        let mut comm: [u8; COMM_LEN] = [0; COMM_LEN];
        // SAFETY: By the caller's promise; `comm` is as long as a task's name.
        unsafe { molt_task_describe(task, &mut pid, comm.as_mut_ptr().cast()) };
        let comm = comm.split(|b| *b == 0).next().unwrap_or_default();
        Self {
            pid,
            comm: Text::from(core::str::from_utf8(comm).unwrap_or("?")),
            inside_ns,
        }
    }

    /// For the log and `last_result`: who, where and since when.
    pub fn describe(&self, class: &str) -> Text<128> {
        match self.inside_ns {
            Some(ns) => Text::format(fmt!(
                "pid {} ({}) inside {class} for {} ms",
                self.pid,
                self.comm.as_str(),
                ns / 1_000_000
            )),
            None => Text::format(fmt!(
                "pid {} ({}) inside {class} since before the update",
                self.pid,
                self.comm.as_str()
            )),
        }
    }
}

/// Collects the blockers of `gates`: recorded calls exactly, then tasks with a frame of
/// `implementation`'s module on their stack. May sleep.
pub(crate) fn collect(
    records: &Records,
    gates: &Gates,
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
        add(blockers, unsafe {
            Blocker::new(record.task.as_ptr(), Some(inside_ns))
        });
    });
}

unsafe extern "C" fn add_untracked(task: *mut bindings::task_struct, blockers: *mut c_void) {
    // SAFETY: `collect` passes its list; the walk holds the RCU read lock, so the task is alive.
    let (blockers, blocker) = unsafe {
        (
            &mut *blockers.cast::<KVec<Blocker>>(),
            Blocker::new(task, None),
        )
    };
    if !blockers.iter().any(|known| known.pid == blocker.pid) {
        add(blockers, blocker);
    }
}

/// Within the capacity, so without an allocation.
fn add(blockers: &mut KVec<Blocker>, blocker: Blocker) {
    if blockers.len() < blockers.capacity() {
        let _ = blockers.push(blocker, GFP_ATOMIC);
    }
}
