// SPDX-License-Identifier: GPL-2.0

//! Explores the protocol of `rust/molt/{gate,record,attempt,window}.rs`, compiled unchanged.
//!
//! `molt-model --list` names the scenarios, and says which are large. `molt-model BOUND
//! SCENARIO...` explores them with at most BOUND preemptions in each execution, says how many
//! executions there were, and ends with status 3 and the trail at the first violation.

mod class;
mod cpu;
mod domain;
mod primitives;
mod routes;
mod scenario;
mod slot;
mod stage;
mod work;
mod world;

#[allow(dead_code, reason = "the framework uses more of it than the model")]
#[path = "../../../rust/molt/attempt.rs"]
mod attempt;
#[allow(dead_code, reason = "as above")]
#[path = "../../../rust/molt/gate.rs"]
mod gate;
#[allow(dead_code, reason = "as above")]
#[path = "../../../rust/molt/record.rs"]
mod record;
#[allow(dead_code, reason = "as above")]
#[path = "../../../rust/molt/window.rs"]
mod window;

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Instant;

use cpu::Interrupt;
use scenario::{Event, Scenario, Size, SCENARIOS};
use world::Strike;

/// Steps of one execution; one that needs more goes round in circles.
const MAX_BRANCHES: usize = 2_000;

/// Explores every execution in which whatever happens by itself comes at opportunity `at`.
///
/// Returns how many there were, and the largest number of opportunities.
fn explore(scenario: &'static Scenario, bound: usize, at: usize) -> (usize, usize) {
    let executions = Arc::new(AtomicUsize::new(0));
    let opportunities = Arc::new(AtomicUsize::new(0));
    let (count, most) = (executions.clone(), opportunities.clone());
    let keeps_trail = std::env::var_os("MODEL_TRAIL").is_some();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(bound);
    builder.max_branches = MAX_BRANCHES;
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let (strike, interrupt) = match scenario.event {
            Event::None | Event::Impatience => (None, None),
            Event::Strike { by_ns } => (Some(Strike { at, by_ns }), None),
            Event::Interrupt { task } => (None, Some(Interrupt::new(task, at))),
        };
        let is_impatient = matches!(scenario.event, Event::Impatience);
        world::begin(scenario.tasks, strike, is_impatient, interrupt, keeps_trail);
        (scenario.run)();
        let seen = world::with(|world| match (scenario.event, &world.interrupt) {
            (Event::Strike { .. }, _) => world.clock.opportunities(),
            (_, Some(interrupt)) => interrupt.opportunities(),
            _ => 0,
        });
        most.fetch_max(seen, Ordering::Relaxed);
        world::end();
    });
    (
        executions.load(Ordering::Relaxed),
        opportunities.load(Ordering::Relaxed),
    )
}

/// Explores a scenario, once for each opportunity that there is.
fn explore_all(scenario: &'static Scenario, bound: usize) -> usize {
    let (mut executions, mut most, mut at) = (0, 1, 0);
    while at < most {
        let (count, opportunities) = explore(scenario, bound, at);
        executions += count;
        most = most.max(opportunities);
        at += 1;
    }
    executions
}

/// Ends the process at the first violation: what is on the threads' stacks stays there.
fn stop_at_violation() {
    std::panic::set_hook(Box::new(|panic| {
        let mut out = std::io::stdout().lock();
        for line in world::trail() {
            let _ = writeln!(out, "  {line}");
        }
        let message = panic.payload();
        let message = message
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| message.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without words");
        let _ = writeln!(out, "violation: {message}");
        let _ = out.flush();
        std::process::exit(3);
    }));
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next().unwrap_or_default();
    if first == "--list" {
        for scenario in SCENARIOS {
            let size = match scenario.size {
                Size::Small => "small",
                Size::Middling => "middling",
                Size::Large => "large",
            };
            println!("{} {size}", scenario.name);
        }
        return ExitCode::SUCCESS;
    }
    let Ok(bound) = first.parse() else {
        eprintln!("usage: molt-model --list | BOUND SCENARIO...");
        return ExitCode::from(2);
    };
    stop_at_violation();
    for name in arguments {
        let Some(scenario) = SCENARIOS.iter().find(|s| s.name == name) else {
            eprintln!("molt-model: no scenario {name}");
            return ExitCode::from(2);
        };
        let begin = Instant::now();
        let executions = explore_all(scenario, bound);
        println!(
            "{name}: {executions} executions, at most {bound} preemptions, {:.1} s",
            begin.elapsed().as_secs_f32()
        );
    }
    ExitCode::SUCCESS
}
