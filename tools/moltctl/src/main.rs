// SPDX-License-Identifier: GPL-2.0

//! `moltctl`: what an administrator does with Molt, from the command line.
//!
//! The kernel decides what may be done, and says why not. The tool checks only what would
//! lead it astray (names that go into a path, words that go into a line), makes one request
//! with one write, and tells what came of it. What two files say of each other it reads by the
//! kernel's own sources.

mod arguments;
mod check;
mod class;
mod command;
mod errno;
mod failure;
mod folder;
mod generate;
mod history;
mod interface;
mod line;
mod manual;
mod module;
mod name;
mod output;
mod plans;
mod preview;
mod schema;
mod status;
mod table;
mod target;
mod tree;
mod wait;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::failure::USAGE;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Where it cannot be printed there is nobody to tell.
            let _ = error.print();
            // clap's own status for a wrong command line would be that of ENOENT.
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    match command::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "moltctl: {failure}");
            ExitCode::from(failure.status())
        }
    }
}
