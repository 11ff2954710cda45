// SPDX-License-Identifier: GPL-2.0

//! What is generated from the description of the command line.

use clap::CommandFactory;
use clap_complete::shells;

use crate::arguments::{Arguments, Shell};
use crate::failure::Failure;
use crate::manual;
use crate::output::print;

/// Writes completions.
pub fn completions(shell: Shell) -> Result<(), Failure> {
    let mut command = Arguments::command();
    let mut text = Vec::new();
    match shell {
        Shell::Bash => clap_complete::generate(shells::Bash, &mut command, "moltctl", &mut text),
        Shell::Zsh => clap_complete::generate(shells::Zsh, &mut command, "moltctl", &mut text),
        Shell::Fish => clap_complete::generate(shells::Fish, &mut command, "moltctl", &mut text),
    }
    print(&String::from_utf8_lossy(&text))
}

/// Writes the manual page.
pub fn manual() -> Result<(), Failure> {
    let mut text = Vec::new();
    manual::render(Arguments::command(), &mut text)
        .map_err(|error| Failure::Own(format!("manual page: {error}")))?;
    print(&String::from_utf8_lossy(&text))
}
