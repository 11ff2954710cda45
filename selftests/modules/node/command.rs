// SPDX-License-Identifier: GPL-2.0

//! Commands that a test writes to a file in debugfs; they run in the writer's task.

use kernel::prelude::*;
use kernel::uaccess::UserSliceReader;

/// Longest command.
const MOST: usize = 64;

/// Reads one command and hands its words to `run`.
pub(crate) fn take(reader: &mut UserSliceReader, run: impl FnOnce(&str, &str) -> Result) -> Result {
    let mut bytes = [0; MOST];
    let length = reader.len();
    let bytes = bytes.get_mut(..length).ok_or(E2BIG)?;
    reader.read_slice(bytes)?;
    let line = core::str::from_utf8(bytes).map_err(|_| EINVAL)?.trim();
    let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
    run(command, argument)
}

/// The number that a command was given.
pub(crate) fn number(argument: &str) -> Result<u32> {
    argument.parse().map_err(|_| EINVAL)
}
