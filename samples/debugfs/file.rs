// SPDX-License-Identifier: GPL-2.0

//! What an implementation behind the debugfs front serves: the content of a file.

use kernel::prelude::*;
use molt::front::Report;
use molt::Movable;

/// A file in debugfs.
#[molt::interface(name = "debugfs_file", context = sleepable)]
pub trait DebugfsFile {
    /// Writes what a reader of the file gets.
    fn show(&self, report: &mut Report) -> Result<()>;
    /// Takes what was written to it.
    fn store(&self, text: &str) -> Result<()>;
}

/// The name of the front.
pub(crate) const FRONT: &str = "debugfs";

/// What an implementation asks its front for. The file is called `value`, in
/// a folder with the name of the class.
#[derive(Clone, Copy, Movable)]
pub(crate) struct Options {
    /// Most bytes of what is shown.
    pub(crate) room: usize,
}
