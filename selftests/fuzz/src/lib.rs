// SPDX-License-Identifier: GPL-2.0

//! What the fuzz targets share: the sources that read what others wrote, and what has to be
//! so whatever comes out of them.

// The sources are whole; no target uses all of them.
#![allow(dead_code)]

#[path = "../../../tools/moltctl/src/errno.rs"]
pub mod errno;
#[path = "../../../tools/moltctl/src/failure.rs"]
pub mod failure;
#[path = "../../../tools/moltctl/src/module.rs"]
pub mod module;
pub mod schema;

use schema::compare::{compare, Op, Path, Sink, Step, Why};
use schema::format::Schema;
use std::hint::black_box;
use std::ops::Range;

/// The input of a target, as libFuzzer gives it.
///
/// # Safety
///
/// `data` are `size` bytes, for as long as the result is used.
pub unsafe fn input<'a>(data: *const u8, size: usize) -> &'a [u8] {
    match size {
        0 => &[],
        // SAFETY: By the caller's promise.
        _ => unsafe { std::slice::from_raw_parts(data, size) },
    }
}

/// Asks all that can be asked.
pub fn read(schema: &Schema<'_>) {
    black_box((
        schema.name(),
        schema.class(),
        schema.interface(),
        schema.version(),
    ));
    black_box((
        schema.is_atomic(),
        schema.has_transfers(),
        schema.fingerprint(),
    ));
    black_box((
        schema.sources().map(Iterator::count),
        schema.covers("Sum", 1),
    ));
    schema.resets().for_each(|reset| assert!(!reset.is_empty()));
    for index in 0..schema.types() {
        let one = schema.type_at(index as u32);
        black_box((
            one.name(),
            one.fingerprint(),
            one.kind(),
            one.length(),
            one.needs_drop(),
        ));
        assert!(one.align().is_power_of_two() && one.size() % one.align() == 0);
        assert!(one.element().is_none_or(|element| element.index() > index));
        for part in one.parts() {
            assert!(!part.name().is_empty() && part.kind().index() > index);
            assert!(part.offset() + part.kind().size() <= one.size());
            black_box((part.type_name(), part.tag()));
            part.rules().for_each(|rule| read_rule(&rule));
        }
        one.rules().for_each(|rule| read_rule(&rule));
    }
    for method in schema.methods() {
        black_box((method.name(), method.signature(), method.fingerprint()));
        for word in method.words() {
            black_box((word.name(), word.type_name(), word.fingerprint()));
        }
    }
}

fn read_rule(rule: &schema::format::Rule<'_>) {
    black_box((
        rule.verb(),
        rule.name(),
        rule.kind().map(|kind| kind.size()),
    ));
    black_box((rule.can_fail(), rule.has_back(), rule.back_can_fail()));
    black_box((rule.has_versions(), rule.is_for("Sum", 1), rule.index()));
}

/// Compares in both directions, and checks what comes out.
pub fn compare_both(old: Schema<'_>, new: Schema<'_>) {
    for (from, to, is_back) in [(old, new, false), (new, old, true)] {
        let mut checker = Checker::new(from, to);
        if compare(from, to, is_back, &mut checker).is_ok() {
            checker.finish();
        }
    }
}

/// A value that is taken apart: which of its bytes were taken, and which were made.
#[derive(Default)]
struct Scope {
    taken: Vec<Range<usize>>,
    made: Vec<Range<usize>>,
    begin: usize,
}

/// Checks that no byte is taken twice or made twice, and that the work is bounded.
struct Checker<'a> {
    old: Schema<'a>,
    new: Schema<'a>,
    scopes: Vec<Scope>,
    ops: usize,
    steps: usize,
}

/// It was refused.
struct Refused;

impl<'a> Checker<'a> {
    fn new(old: Schema<'a>, new: Schema<'a>) -> Self {
        Self {
            old,
            new,
            scopes: vec![Scope::default()],
            ops: 0,
            steps: 0,
        }
    }

    /// How much there may be of anything.
    fn most(&self) -> usize {
        4 * (self.old.types() + self.new.types())
    }

    fn size(&self, is_new: bool, kind: u32) -> usize {
        let schema = if is_new { self.new } else { self.old };
        assert!((kind as usize) < schema.types());
        schema.type_at(kind).size()
    }

    fn take(&mut self, from: u32, length: usize) {
        let scope = self.scopes.last_mut().expect("the state has a scope");
        add(&mut scope.taken, from, length);
    }

    fn make(&mut self, to: u32, length: usize) {
        let scope = self.scopes.last_mut().expect("the state has a scope");
        add(&mut scope.made, to, length);
    }

    fn enter(&mut self) {
        self.scopes.push(Scope {
            begin: self.ops,
            ..Scope::default()
        });
    }

    fn finish(&self) {
        assert_eq!(self.scopes.len(), 1, "all is closed");
    }
}

/// Adds a range that overlaps no other one.
fn add(ranges: &mut Vec<Range<usize>>, begin: u32, length: usize) {
    let begin = begin as usize;
    let range = begin..begin + length;
    let overlaps = |other: &Range<usize>| range.start < other.end && other.start < range.end;
    assert!(
        length == 0 || !ranges.iter().any(overlaps),
        "{range:?} in {ranges:?}"
    );
    ranges.push(range);
}

impl Sink for Checker<'_> {
    type Error = Refused;

    fn op(&mut self, path: &Path<'_>, op: Op) -> Result<usize, Refused> {
        black_box(path.to_string());
        self.ops += 1;
        assert!(self.ops <= self.most(), "{} operations", self.ops);
        match op {
            Op::Copy { from, to, length } => {
                self.take(from, length as usize);
                self.make(to, length as usize);
            }
            Op::Make { to, by, kind } => {
                let rules = if by.is_new { self.new } else { self.old }.rules();
                assert!((by.rule as usize) < rules);
                self.make(to, self.size(true, kind));
            }
            Op::Convert {
                from, to, old, new, ..
            } => {
                self.take(from, self.size(false, old));
                self.make(to, self.size(true, new));
            }
            Op::Drop { from, kind } => self.take(from, self.size(false, kind)),
            Op::Each {
                from, to, old, new, ..
            } => {
                self.take(from, self.size(false, old));
                self.make(to, self.size(true, new));
                self.enter();
            }
            Op::Match { .. } | Op::Arm { .. } => self.enter(),
        }
        Ok(self.ops)
    }

    fn close(&mut self, at: usize) {
        let scope = self.scopes.pop().expect("it was opened");
        assert_eq!(scope.begin, at, "what is closed is what was opened last");
    }

    fn step(&mut self, path: &Path<'_>, step: Step<'_>) -> Result<(), Refused> {
        self.steps += 1;
        assert!(self.steps <= self.most(), "{} steps", self.steps);
        black_box(format!("{path}: {step}"));
        Ok(())
    }

    fn refuse(&mut self, path: &Path<'_>, why: Why<'_>) -> Refused {
        black_box(format!("{path}: {why}"));
        Refused
    }
}
