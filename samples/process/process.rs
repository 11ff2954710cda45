// SPDX-License-Identifier: GPL-2.0

//! The interface: a process, as the tracker calls it. Implementations and tracker include this
//! file alike.

use molt::Movable;

/// Spans of time by which the ages of processes are counted.
pub(crate) const AGES: usize = 8;

/// What is known of a process.
#[derive(Movable, Clone, Copy)]
pub(crate) struct Report {
    /// Processes that it has made.
    pub(crate) children: u64,
    /// Threads that it has made.
    pub(crate) threads: u64,
    /// Programs that it has begun.
    pub(crate) execs: u64,
    /// Children that were too many.
    pub(crate) refused: u64,
    /// So many children it may have; `None`: any number.
    pub(crate) limit: Option<u64>,
    /// Milliseconds since it was made, if the implementation knows.
    pub(crate) age_ms: Option<i64>,
    /// How old it was at its execs, if the implementation counts that: in its first millisecond,
    /// in the three after that, in the twelve after that, and so on; the last is open.
    pub(crate) ages: Option<[u32; AGES]>,
}

/// A process, which is its threads together: one that is just being made, or one that was there
/// before its tracker. The methods are called by its own threads, but for
/// the last two.
#[molt::interface(name = "process", context = atomic, create(is_new: bool))]
pub(crate) trait Process {
    /// Counts a child. Whether it may live: `false` where it is one too many.
    fn fork(&self) -> bool;

    /// Counts a thread.
    fn thread(&self);

    /// Counts a program.
    fn exec(&self);

    /// Lets it have so many children, those that it has made already among them.
    fn set_limit(&self, limit: Option<u64>);

    /// What is known of it.
    fn report(&self) -> Report;
}
