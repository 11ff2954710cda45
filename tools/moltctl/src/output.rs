// SPDX-License-Identifier: GPL-2.0

//! Output: what a command tells on standard output.

use std::io::{self, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Writes a text as it is.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Own(format!("standard output: {error}")))
}

/// Writes one line about a subject; nothing where there is nothing to say.
pub fn tell(subject: &str, said: &str) -> Result<(), Failure> {
    match said {
        "" => Ok(()),
        said => print(&format!("{subject}: {said}\n")),
    }
}

/// Writes a value as JSON.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::Own(format!("JSON: {error}")))?;
    print(&format!("{text}\n"))
}
