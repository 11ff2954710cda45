// SPDX-License-Identifier: GPL-2.0

//! Command: does what the arguments ask for.

use std::time::Duration;

use crate::arguments::{Arguments, Command, Options, Switch, Toggle, Update};
use crate::check;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::generate;
use crate::history;
use crate::line::Line;
use crate::name::{Implementation, Name};
use crate::output;
use crate::plans;
use crate::status::Status;
use crate::target::Targets;
use crate::tree::Tree;
use crate::wait::wait;

/// Does it.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let tree = Tree::new(&arguments.root);
    match &arguments.command {
        Command::Status { class, json } => {
            let status = Status::read(&tree, class.as_ref())?;
            match json {
                true => output::json(&status),
                false => output::print(&status.show()),
            }
        }
        Command::Update(asked) => update(&tree, asked, false),
        Command::Check(asked) if check::is_files(&asked.update.targets) => check::run(asked),
        Command::Check(asked) if asked.json || asked.back => Err(Failure::Usage(
            "--json and --back are for files: check OLD.ko NEW.ko".to_owned(),
        )),
        Command::Check(asked) => update(&tree, &asked.update, true),
        Command::Back { class, options } => back(&tree, class, options),
        Command::Switch(asked) => switch(&tree, asked),
        Command::Default {
            class,
            implementation,
        } => setting(&tree.class(class)?, "default", implementation.as_ref()),
        Command::Rate { class, rate } => setting(&tree.class(class)?, "rate", rate.as_ref()),
        Command::Hold { class, toggle } => hold(&tree, class.as_ref(), *toggle),
        Command::Confirm { class } => order(&tree, class, "confirm"),
        Command::Abort { class } => order(&tree, class, "abort"),
        Command::Remove { class } => remove(&tree, class),
        Command::Repair {
            class,
            implementation,
            deadline_ms,
            yes,
        } => match yes {
            true => {
                let line = Line::new(implementation).option("deadline_ms", *deadline_ms);
                ask(&tree.class(class)?, "repair", &line)
            }
            false => Err(unsafe_repair(class)),
        },
        Command::Wait { class, timeout_ms } => {
            let folder = tree.class(class)?;
            wait(&folder, timeout_ms.map(Duration::from_millis))
        }
        Command::History { class, json } => {
            let table = history::read(&tree, class.as_ref())?;
            match json {
                true => output::json(&table.json()),
                false => output::print(&history::show(&table)),
            }
        }
        Command::Load { name } => ask(&tree.top("load")?, "load", &Line::new(name)),
        Command::Completions { shell } => generate::completions(*shell),
        Command::Man => generate::manual(),
    }
}

/// Makes a request and tells what came of it.
fn ask(folder: &Folder, file: &str, line: &Line) -> Result<(), Failure> {
    let said = folder.request(file, line, folder)?;
    output::tell(folder.subject(), &said)
}

fn order(tree: &Tree, class: &Name, file: &str) -> Result<(), Failure> {
    ask(&tree.class(class)?, file, &Line::new(1))
}

fn update(tree: &Tree, asked: &Update, is_check: bool) -> Result<(), Failure> {
    let check = is_check.then_some(1);
    match Targets::parse(&asked.targets)? {
        Targets::One(class, implementation) => {
            let line = with(Line::new(&implementation), &asked.options)
                .option("expect", asked.expect)
                .option("check", check);
            let result = ask(&tree.class(&class)?, "update", &line);
            show_plans(tree, is_check, &[(class, implementation)])?;
            result
        }
        Targets::Several(pairs) => {
            if asked.expect.is_some() {
                let problem = "--expect is for one class: each has a generation of its own";
                return Err(Failure::Usage(problem.to_owned()));
            }
            let words = pairs.iter().map(|(class, to)| format!("{class}={to}"));
            let line = Line::new(words.collect::<Vec<_>>().join(" "));
            let line = with(line, &asked.options).option("check", check);
            let result = ask(&tree.top("transaction")?, "transaction", &line);
            show_plans(tree, is_check, &pairs)?;
            result
        }
    }
}

/// After a check, what the update would do, also where it is refused.
fn show_plans(
    tree: &Tree,
    is_check: bool,
    targets: &[(Name, Implementation)],
) -> Result<(), Failure> {
    let told = targets.iter().filter(|_| is_check);
    for (class, to) in told {
        output::print(&plans::show(tree, class, to))?;
    }
    Ok(())
}

fn with(line: Line, options: &Options) -> Line {
    line.option("policy", options.policy.as_ref())
        .option("deadline_ms", options.deadline_ms)
        .option("pause_ms", options.pause_ms)
        .option("complete_ms", options.complete_ms)
        .option("confirm_ms", options.confirm_ms)
}

fn back(tree: &Tree, class: &Name, options: &Options) -> Result<(), Failure> {
    let folder = tree.class(class)?;
    let generation = folder.read("generation")?;
    let previous: Implementation = history::previous(tree, class, &folder, &generation)?;
    // Whoever else updates the class meanwhile is not undone.
    let line = with(Line::new(previous), options).option("expect", Some(generation));
    ask(&folder, "update", &line)
}

fn switch(tree: &Tree, asked: &Switch) -> Result<(), Failure> {
    let which = &asked.which;
    let line = Line::new(&asked.implementation)
        .option("instance", which.instance)
        .option("key", which.key.as_ref())
        .option("count", which.count)
        .option("percent", which.percent)
        .option("deadline_ms", asked.deadline_ms)
        .option("pause_ms", asked.pause_ms);
    ask(&tree.class(&asked.class)?, "switch", &line)
}

/// Shows a value, or sets it. What it has been set to says itself, so nothing is told.
fn setting(
    folder: &Folder,
    file: &str,
    value: Option<&impl std::fmt::Display>,
) -> Result<(), Failure> {
    match value {
        Some(value) => folder.request(file, &Line::new(value), folder).map(drop),
        None => output::print(&format!("{}\n", folder.read(file)?)),
    }
}

fn hold(tree: &Tree, class: Option<&Name>, toggle: Toggle) -> Result<(), Failure> {
    let folder = match class {
        Some(class) => tree.class(class)?,
        None => tree.top("hold")?,
    };
    setting(&folder, "hold", Some(&u8::from(toggle == Toggle::On)))
}

fn remove(tree: &Tree, class: &Name) -> Result<(), Failure> {
    let folder = tree.class(class)?;
    match folder.request("remove", &Line::new(1), &folder) {
        // The class is gone, and with it the file that could say so.
        Ok(_) => output::tell(folder.subject(), "removed"),
        Err(failure) => Err(failure),
    }
}

fn unsafe_repair(class: &Name) -> Failure {
    Failure::Usage(format!(
        "{class}: repair ends or abandons calls and state of what runs now; say --yes if that is meant"
    ))
}
