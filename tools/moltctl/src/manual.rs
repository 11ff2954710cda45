// SPDX-License-Identifier: GPL-2.0

//! The manual page. clap_mangen would make one page a command; one for all is easier to
//! search, so that their sections are made here.

use std::io::{self, Write};

use clap::builder::PossibleValue;
use clap::{Arg, Command};
use clap_mangen::Man;
use roff::{bold, italic, roman, Inline, Roff};

use crate::arguments::{EXAMPLES, EXIT_STATUS};

/// Writes the page of `command`.
pub fn render(mut command: Command, out: &mut impl Write) -> io::Result<()> {
    // Else the commands do not know what they are called by.
    command.build();
    let man = Man::new(command.clone())
        .section("8")
        .date("November 2026")
        .source("Molt")
        .manual("Molt");
    writeln!(out, ".\\\" SPDX-License-Identifier: GPL-2.0")?;
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    commands(&command).to_writer(out)?;
    ending().to_writer(out)
}

fn commands(command: &Command) -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["COMMANDS"]);
    let is_own = |sub: &&Command| !sub.is_hide_set() && sub.get_name() != "help";
    for sub in command.get_subcommands().filter(is_own) {
        section(&mut page, sub);
    }
    page
}

fn section(page: &mut Roff, command: &Command) {
    page.control("SS", [command.get_name()]);
    let usage = command.clone().render_usage().to_string();
    for line in usage.lines() {
        let line = line.trim_start_matches("Usage:").trim();
        page.text([bold(line)]).control("br", []);
    }
    if let Some(about) = command.get_long_about().or(command.get_about()) {
        page.control("PP", []).text([roman(format!("{about}."))]);
    }
    let is_told = |arg: &&Arg| !arg.is_hide_set() && arg.get_id() != "help";
    for arg in command.get_arguments().filter(is_told) {
        argument(page, arg);
    }
}

fn argument(page: &mut Roff, arg: &Arg) {
    let Some(help) = arg.get_help() else { return };
    page.control("TP", []).text(label(arg));
    let mut text = help.to_string();
    if arg.get_action().takes_values() {
        let values: Vec<_> = arg.get_possible_values().iter().map(meaning).collect();
        if !values.is_empty() {
            text = format!("{text}: {}", values.join("; "));
        }
    }
    page.text([roman(format!("{text}."))]);
}

fn meaning(value: &PossibleValue) -> String {
    match value.get_help() {
        Some(help) => format!("{}, {help}", value.get_name()),
        None => value.get_name().to_owned(),
    }
}

fn label(arg: &Arg) -> Vec<Inline> {
    let mut label = Vec::new();
    if let Some(long) = arg.get_long() {
        label.push(bold(format!("--{long}")));
    }
    if arg.get_action().takes_values() {
        for name in arg.get_value_names().unwrap_or_default() {
            if !label.is_empty() {
                label.push(roman(" "));
            }
            label.push(italic(name.as_str()));
        }
    }
    label
}

fn ending() -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["EXIT STATUS"])
        .text([roman(EXIT_STATUS)]);
    page.control("SH", ["EXAMPLES"]);
    for (line, meaning) in EXAMPLES {
        page.control("TP", []).text([bold(*line)]);
        page.text([roman(*meaning)]);
    }
    page
}
