// SPDX-License-Identifier: GPL-2.0

//! Every way to pass an argument and to return a value.

use kernel::{
    iov::{IovIterDest, IovIterSource},
    prelude::*,
    str::CString,
    sync::{aref::ARef, atomic::Atomic, Arc},
    task::Task,
    uaccess::UserSliceReader,
};
use molt::{Handle, Movable};

/// Also the name of something in the generated code.
pub const CONTEXT: usize = 4;

/// A point.
#[derive(Clone, Copy, Movable)]
pub struct Point {
    /// To the right.
    pub x: i32,
    /// Upwards.
    pub y: i32,
}

/// Another interface.
#[molt::interface(name = "other", context = atomic)]
pub trait Other: Send + Sync {}

/// All sorts of methods.
#[molt::interface(
    name = "all-sorts_1",
    context = sleepable,
    create(label: CString, size: (u32, u32), at: Point),
)]
pub trait AllSorts: Sync + 'static {
    /// Without arguments.
    fn nothing(&self);

    /// By value.
    fn values(&self, at: Point, bytes: [u8; CONTEXT], list: KVec<KBox<Point>>) -> Point;

    /// Lent.
    fn lent(&self, at: &Point, text: &str, name: &CStr, bytes: &[u8], count: &Atomic<u32>) -> bool;

    /// Lent for writing.
    fn lent_mut(&self, at: &mut Point, buffer: &mut [u8]) -> Result<usize>;

    /// Lent or not.
    fn optional(&self, text: Option<&str>, at: Option<&mut Point>) -> Option<u64>;

    /// Owned elsewhere.
    fn counted(&self, point: Arc<Point>, task: ARef<Task>) -> Result<Option<CString>>;

    /// What a front lends.
    fn transfer(
        &self,
        to: &mut IovIterDest<'_>,
        from: &mut IovIterSource<'_>,
        user: &mut UserSliceReader,
    ) -> Result<usize>;

    /// Handles are values.
    fn handle(&self, other: &Handle<dyn Other>) -> Result<Handle<dyn Other>>;

    /// The names of the generated code's own variables are free.
    fn names(&self, object: u8, operations: u8, argument_0: u8, state: u8, mut_: u8);

    /// A word of the language.
    fn r#move(&self);
}

/// Calls look plain.
pub fn call(handle: &Handle<dyn AllSorts>) -> Result<usize> {
    let mut at = Point { x: 1, y: 2 };
    handle.nothing();
    handle.optional(None, Some(&mut at));
    handle.lent_mut(&mut at, &mut [0; 16])
}
