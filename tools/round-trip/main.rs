// SPDX-License-Identifier: GPL-2.0

//! Takes states of modules there and back, for `make check-module`.
//!
//! Without arguments it prints KTAP for all pairs of versions, each of which a process of its own
//! looks at; with the number of a pair, and a word for its states, it is one of those.

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};
use std::sync::Mutex;

use kernel::sync::Arc;
use molt::implementation::Registered;
use molt::round_trip::Trip;

use crate::journey::{Choice, Errno, Fault, Journey};
use crate::plan::Plan;
use crate::value::Difference;

mod journey;
mod memory;
mod modules {
    include!(env!("MODULES"));
}
mod plan;
mod primitives;
mod sample;
mod value;

/// Ends of a process that looks at one pair.
const FAILED: i32 = 1;
const SKIPPED: i32 = 4;
/// Something of the kernel is not here.
const ABSENT: i32 = 5;
/// As a panic ends one.
const DIED: i32 = 101;

static TAKEN: Mutex<Vec<Arc<Registered>>> = Mutex::new(Vec::new());

/// Called by the framework instead of its registry.
#[no_mangle]
fn molt_host_take(implementation: Arc<Registered>) {
    TAKEN.lock().expect("one thread").push(implementation);
}

/// A source file and what it registers.
struct Version {
    file: &'static str,
    /// Its file was named, not only its folder.
    is_named: bool,
    implementation: Arc<Registered>,
}

impl Version {
    fn class(&self) -> &'static str {
        self.implementation.schema().class()
    }

    fn label(&self) -> String {
        format!(
            "{}@{}",
            self.implementation.name(),
            self.implementation.version()
        )
    }
}

/// What all modules register, and the files that do not, with their errno.
fn versions() -> (Vec<Version>, Vec<(&'static str, i32)>) {
    let (mut versions, mut silent) = (Vec::new(), Vec::new());
    for (file, init, is_named) in modules::MODULES {
        // SAFETY: It is the module's init; the framework ends it at once.
        let result = unsafe { init() };
        let taken = std::mem::take(&mut *TAKEN.lock().expect("one thread"));
        if taken.is_empty() {
            silent.push((*file, -result));
        }
        let version = |implementation| Version {
            file,
            is_named: *is_named,
            implementation,
        };
        versions.extend(taken.into_iter().map(version));
    }
    (versions, silent)
}

/// All pairs of which one says how to follow the other: older, newer.
fn pairs(versions: &[Version]) -> Vec<(&Version, &Version)> {
    let all = versions.iter();
    let ordered = all.flat_map(|old| versions.iter().map(move |new| (old, new)));
    let follows = |(old, new): &(&Version, &Version)| {
        old.class() == new.class() && new.implementation.follows(&old.implementation)
    };
    ordered.filter(follows).collect()
}

fn main() -> ExitCode {
    let (versions, silent) = versions();
    let pairs = pairs(&versions);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => all(&pairs, &silent),
        [number, filled] => {
            let (old, new) = pairs[number.parse::<usize>().expect("a number")];
            ExitCode::from(look(old, new, filled == "filled") as u8)
        }
        _ => panic!("no arguments, or a number and a word"),
    }
}

// ---- all pairs -------------------------------------------------------------------------

fn all(pairs: &[(&Version, &Version)], silent: &[(&str, i32)]) -> ExitCode {
    let mut failed = !silent.is_empty();
    println!("KTAP version 1\n1..{}", pairs.len());
    for (file, errno) in silent {
        let error = std::io::Error::from_raw_os_error(*errno);
        println!("# {file} does not register: {error}");
    }
    if pairs.is_empty() {
        println!("# no version says how to follow another one");
    }
    for (index, (old, new)) in pairs.iter().enumerate() {
        let name = format!(
            "{} {} to {} and back",
            new.class(),
            old.label(),
            new.label()
        );
        println!("# {} to {}", old.file, new.file);
        let status = child(index, "created");
        let number = index + 1;
        let may_skip = status == SKIPPED || status == ABSENT && !old.is_named && !new.is_named;
        match status {
            0 => {
                if matches!(child(index, "filled"), FAILED | DIED) {
                    println!("#   that is with other values than `create` gives: no failure");
                }
                println!("ok {number} {name}");
            }
            _ if may_skip => println!("ok {number} {name} # SKIP"),
            _ => {
                println!("not ok {number} {name}");
                failed = true;
            }
        }
    }
    ExitCode::from(u8::from(failed))
}

/// Looks at one pair in a process of its own, and tells what it says.
fn child(index: usize, state: &str) -> i32 {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    let output = command.args([&index.to_string(), state]).output();
    let output = output.expect("this program runs");
    for stream in [&output.stdout, &output.stderr] {
        for line in String::from_utf8_lossy(stream).lines() {
            println!("# {line}");
        }
    }
    output.status.code().unwrap_or_else(|| {
        println!("#   the code of a module ends with {}", output.status);
        DIED
    })
}

// ---- one pair --------------------------------------------------------------------------

fn look(old: &Version, new: &Version, is_filled: bool) -> i32 {
    let (one, other) = (&old.implementation, &new.implementation);
    if one.schema().fingerprint() != other.schema().fingerprint() {
        println!("  the interfaces differ, so the newer one would not be registered");
        return SKIPPED;
    }
    let forth = match way("forward", one, other, is_filled) {
        Ok((trip, _)) => trip,
        Err(()) => return SKIPPED,
    };
    let (back, plan) = match way("back", other, one, is_filled) {
        Ok((trip, plan)) => (Some(trip), plan),
        Err(()) => (None, None),
    };
    if let Err(unknown) = sample::check(one.arguments()) {
        println!(
            "  no state was made: `create` takes a `{}`, of which there is no sample",
            unknown.0
        );
        return SKIPPED;
    }
    let mut journey = Journey {
        old: one.clone(),
        new: other.clone(),
        forth,
        back,
        failures: 0,
    };
    travel(&mut journey, plan.as_ref(), is_filled)
}

/// The rules in one direction, which are told.
fn way(
    direction: &str,
    from: &Arc<Registered>,
    to: &Arc<Registered>,
    is_filled: bool,
) -> Result<(Trip, Option<Plan>), ()> {
    let trip = Trip::new(from, to);
    let is_back = match &trip {
        Ok(trip) => trip.is_back(),
        Err(_) => Some(!to.follows(from)),
    };
    let plan = is_back.map(|is_back| Plan::new(from, to, is_back));
    if !is_filled {
        println!("  {direction}");
        match (&plan, &trip) {
            (Some(plan), Ok(_)) => print!("{plan}"),
            (None, Ok(_)) => println!("    by functions of its author"),
            (_, Err(refusal)) => println!("    refused: {}", refusal.reason().as_str()),
        }
    }
    trip.map(|trip| (trip, plan)).map_err(drop)
}

/// Takes states of all kinds there and back.
fn travel(journey: &mut Journey, plan: Option<&Plan>, is_filled: bool) -> i32 {
    let (mut done, mut refused, mut told) = (0, BTreeSet::new(), BTreeSet::new());
    for round in 0..sample::ROUNDS {
        match journey.run(Choice { round, is_filled }) {
            Ok(differences) => {
                done += 1;
                if tell(&differences, plan, &mut told) {
                    return FAILED;
                }
            }
            Err(Fault::Refused(error, field)) => {
                let field = match field.is_empty() {
                    true => String::new(),
                    false => format!("field `{field}`, "),
                };
                refused.insert(format!("{field}{}", Errno(error)));
            }
            Err(Fault::Created(error)) => {
                refused.insert(format!("`create`, {}", Errno(error)));
            }
            Err(Fault::Wrong(wrong)) => {
                println!("  state number {round}: {wrong}");
                return FAILED;
            }
        }
    }
    if !is_filled {
        sum_up(journey, plan, done, &refused);
    }
    match done {
        0 => SKIPPED,
        _ => 0,
    }
}

/// Tells where a state is not what it was; whether it should have been. Functions of whole states
/// do not say what they leave out.
fn tell(differences: &[Difference], plan: Option<&Plan>, told: &mut BTreeSet<String>) -> bool {
    let mut is_wrong = false;
    for Difference {
        path,
        before,
        after,
        is_far,
    } in differences
    {
        if plan.is_some_and(|plan| plan.begins(path)) || !told.insert(path.clone()) {
            continue;
        }
        if *is_far {
            println!("  field `{path}` comes back elsewhere, and cannot be looked into");
            continue;
        }
        is_wrong |= plan.is_some();
        println!("  field `{path}` was {before} and comes back as {after}");
    }
    is_wrong
}

fn sum_up(journey: &Journey, plan: Option<&Plan>, done: u64, refused: &BTreeSet<String>) {
    match (done, &journey.back) {
        (0, _) => println!("  no state went there"),
        (_, None) => println!("  {done} states went there"),
        (_, Some(_)) => {
            let beginners: Vec<_> = plan.iter().flat_map(|plan| plan.beginners()).collect();
            let but = match beginners.is_empty() {
                true => String::new(),
                false => format!(", but for what begins again: {}", beginners.join(", ")),
            };
            println!("  {done} states went there and back, and are what they were{but}");
        }
    }
    if journey.failures > 0 {
        println!("  {} allocations were made to fail", journey.failures);
    }
    for refusal in refused {
        println!("  some are refused: {refusal}");
    }
}
