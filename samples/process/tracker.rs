// SPDX-License-Identifier: GPL-2.0

//! The tracker: hears from the kernel where processes begin and end, and asks their instances.

use core::ffi::{c_int, c_void};

use kernel::error::code::{EBUSY, ESRCH};
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Arc;

use super::object::{end, Callee, Maker};
use super::process::Process;
use super::table;

extern "C" {
    fn process_probes_begin(tracker: *mut c_void) -> c_int;
    fn process_probes_end();
    fn process_adopt_all(tracker: *mut c_void) -> c_int;
}

/// What the tracker has seen. Each process is among the first two.
#[derive(Clone, Copy)]
pub(crate) enum Account {
    /// Processes that were there before.
    Found,
    /// Processes that were made.
    Forks,
    /// Of these, those without an instance, as there was no memory.
    Failed,
    /// Of all with an instance, those that have come to their end.
    Ended,
    Threads,
    Execs,
    /// Children that were too many.
    Refused,
    /// Calls of processes that had no instance.
    Unknown,
}

/// All of them, with their names, in the order above.
pub(crate) const ACCOUNTS: [(&str, Account); 8] = [
    ("found", Account::Found),
    ("forks", Account::Forks),
    ("failed", Account::Failed),
    ("ended", Account::Ended),
    ("threads", Account::Threads),
    ("execs", Account::Execs),
    ("refused", Account::Refused),
    ("unknown", Account::Unknown),
];

pub(crate) struct Accounts([Atomic<u64>; ACCOUNTS.len()]);

impl Accounts {
    const fn new() -> Self {
        Self([const { Atomic::new(0) }; ACCOUNTS.len()])
    }

    fn count(&self, account: Account) {
        self.0[account as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self, account: Account) -> u64 {
        self.0[account as usize].load(Relaxed)
    }
}

/// What the probes work with.
pub(crate) struct Tracker {
    maker: Maker,
    pub(crate) accounts: Accounts,
}

impl Tracker {
    /// Calls the instance of a process; `None`: it has none.
    ///
    /// # Safety
    ///
    /// The process does not end meanwhile.
    #[inline(always)]
    unsafe fn call<R>(&self, pid: u32, f: impl FnOnce(&Callee) -> R) -> Option<R> {
        // SAFETY: By the caller's promise.
        let result = unsafe { table::with(pid, f) };
        if result.is_none() {
            self.accounts.count(Account::Unknown);
        }
        result
    }

    /// A process was made that has not run yet.
    fn begin(&self, pid: u32) {
        let made = self.maker.make(pid, true);
        match made.and_then(|instance| table::insert(pid, instance)) {
            // It was found already.
            Err(EBUSY) => return,
            Err(_) => self.accounts.count(Account::Failed),
            Ok(()) => {}
        }
        self.accounts.count(Account::Forks);
    }

    fn end(&self, pid: u32) {
        if let Some(instance) = table::remove(pid) {
            self.accounts.count(Account::Ended);
            end(instance);
        }
    }

    /// A process that was there before.
    ///
    /// # Safety
    ///
    /// `task` is a task of it.
    unsafe fn find(&self, task: *const c_void, pid: u32) -> Result {
        let instance = self.maker.make(pid, false)?;
        // SAFETY: By the caller's promise.
        match unsafe { table::adopt(task, pid, instance) } {
            Ok(()) => self.accounts.count(Account::Found),
            // Its fork was seen, or its end is near.
            Err(EBUSY | ESRCH) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Makes a tracker, registers the probes, and gives the processes that are there an instance
/// each. Undone by [`finish`]. May sleep.
///
/// # Errors
///
/// Those of [`Maker::new`]; `ENOENT`: the kernel has no such tracepoints; `ENOMEM`.
pub(crate) fn begin() -> Result<Arc<Tracker>> {
    let (maker, accounts) = (Maker::new()?, Accounts::new());
    let tracker = Arc::new(Tracker { maker, accounts }, GFP_KERNEL)?;
    let pointer = Arc::as_ptr(&tracker).cast_mut().cast();
    // SAFETY: `finish` runs before the tracker goes.
    to_result(unsafe { process_probes_begin(pointer) })?;
    // SAFETY: As above.
    to_result(unsafe { process_adopt_all(pointer) }).inspect_err(|_| {
        finish();
    })?;
    Ok(tracker)
}

/// Undoes that; how many instances there were. The tracker has to be there yet. May sleep.
pub(crate) fn finish() -> usize {
    // SAFETY: Always safe to call. No probe runs afterwards.
    unsafe { process_probes_end() };
    let mut live = 0;
    while let Some((pid, one)) = table::first_from(0) {
        drop(one);
        table::remove(pid).into_iter().for_each(end);
        live += 1;
    }
    live
}

/// # Safety
///
/// Called by `probe.c` with what `begin` registered.
unsafe fn tracker<'a>(pointer: *mut c_void) -> &'a Tracker {
    // SAFETY: By the caller's promise it is a tracker, which stays until no probe runs.
    unsafe { &*pointer.cast::<Tracker>() }
}

/// Process `parent` has made process `child`; whether that may live.
///
/// # Safety
///
/// As for [`tracker`]; runs in a task of `parent`.
#[no_mangle]
unsafe extern "C" fn process_forked(pointer: *mut c_void, parent: u32, child: u32) -> bool {
    // SAFETY: By the caller's promise.
    let tracker = unsafe { tracker(pointer) };
    tracker.begin(child);
    // SAFETY: A process in which a task runs does not end.
    let may_live = unsafe { tracker.call(parent, |process| process.fork()) };
    if may_live == Some(false) {
        tracker.accounts.count(Account::Refused);
    }
    may_live != Some(false)
}

/// Process `pid` has made a thread.
///
/// # Safety
///
/// As for [`tracker`]; runs in a task of the process.
#[no_mangle]
unsafe extern "C" fn process_cloned(pointer: *mut c_void, pid: u32) {
    // SAFETY: By the caller's promise.
    let tracker = unsafe { tracker(pointer) };
    tracker.accounts.count(Account::Threads);
    // SAFETY: A process in which a task runs does not end.
    unsafe { tracker.call(pid, |process| process.thread()) };
}

/// Process `pid` has begun another program.
///
/// # Safety
///
/// As for [`tracker`]; runs in a task of the process.
#[no_mangle]
unsafe extern "C" fn process_execed(pointer: *mut c_void, pid: u32) {
    // SAFETY: By the caller's promise.
    let tracker = unsafe { tracker(pointer) };
    tracker.accounts.count(Account::Execs);
    // SAFETY: A process in which a task runs does not end.
    unsafe { tracker.call(pid, |process| process.exec()) };
}

/// The last task of process `pid` is at its end.
///
/// # Safety
///
/// As for [`tracker`].
#[no_mangle]
unsafe extern "C" fn process_exited(pointer: *mut c_void, pid: u32) {
    // SAFETY: By the caller's promise.
    unsafe { tracker(pointer) }.end(pid);
}

/// Process `pid` was there before; 0, or an errno.
///
/// # Safety
///
/// As for [`tracker`]; `task` is a task of the process.
#[no_mangle]
unsafe extern "C" fn process_found(pointer: *mut c_void, task: *const c_void, pid: u32) -> c_int {
    // SAFETY: By the caller's promise.
    match unsafe { tracker(pointer).find(task, pid) } {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}
