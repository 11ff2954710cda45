// SPDX-License-Identifier: GPL-2.0

//! Tests of `rust/molt/schema/{format,compare}.rs` on the host. Those files need `core` only.
//!
//! Where there are modules that were built, in the folder that `MODULES` names, the compiler's
//! own schemas are read, too.

// What is not tested by name is used by the kernel and by moltctl.
#![allow(dead_code)]

mod schema {
    pub mod builder;
    #[path = "../../../rust/molt/schema/compare.rs"]
    pub mod compare;
    #[path = "../../../rust/molt/schema/format.rs"]
    pub mod format;
    pub mod types;
}

use schema::builder::{get, place, put, with, Field, Kinded, Module, Said};
use schema::compare::{compare, Op, Path, Sink, Step, Why};
use schema::format::{Kind, Schema};
use schema::types::*;
use std::time::{Duration, Instant};

// ---- the format --------------------------------------------------------------------------

/// A state with something of everything.
fn everything() -> Module {
    let inner = record(
        "Inner",
        &[
            field("key", u32(), &[]),
            field("value", u64(), &[default()]),
        ],
    );
    let shape = tagged(
        "Shape",
        &[
            ("Point", &[], &[]),
            ("Line", &[field("0", u32(), &[])], &[renamed("Stroke")]),
        ],
    );
    let state = record(
        "Sum",
        &[
            field(
                "total",
                u64(),
                &[renamed("sum").from("Sum", 1), convert(u32()).back()],
            ),
            field("table", vector(inner), &[]),
            field("shape", shape, &[]),
            field("lock", lock(u32()), &[]),
            field("four", array(4, u32()), &[]),
            field("timer", timer(), &[rebuild()]),
        ],
    )
    .ruled(&[known("old", u32())]);
    Module {
        sources: Some(vec![("Sum".to_owned(), 1)]),
        methods: vec![
            (
                "create".to_owned(),
                vec![("limit".to_owned(), "u32".to_owned())],
            ),
            ("add".to_owned(), vec![("n".to_owned(), "u64".to_owned())]),
        ],
        resets: vec!["ASKED".to_owned()],
        ..Module::new("Sum", 2, state)
    }
}

/// What is wrong, in words; what is accepted is read to the end.
fn fault(bytes: &[u8]) -> &'static str {
    match Schema::new(bytes) {
        Ok(schema) => {
            read(&schema);
            ""
        }
        Err(fault) => fault.what(),
    }
}

/// Calls all that can be asked of a schema; returns how much that was.
fn read(schema: &Schema<'_>) -> usize {
    let mut count = schema.name().len() + schema.class().len() + schema.interface().len();
    count += schema.version() as usize + usize::from(schema.is_atomic());
    count += usize::from(schema.has_transfers()) + schema.fingerprint() as usize % 2;
    count += schema.sources().map_or(0, Iterator::count) + schema.resets().count();
    count += usize::from(schema.covers("Sum", 1));
    for index in 0..schema.types() {
        let one = schema.type_at(index as u32);
        count += one.index() + one.name().len() + one.size() + one.align() + one.length();
        count += one.element().map_or(0, |element| element.index());
        for part in one.parts() {
            count += part.name().len() + part.type_name().len() + part.kind().size();
            count += part.offset() + part.tag() as usize + part.rules().count();
        }
        for rule in one.rules() {
            count += rule.name().len() + rule.kind().map_or(0, |kind| kind.size());
            count += usize::from(rule.is_for("Sum", 1)) + usize::from(rule.has_versions());
        }
    }
    for method in schema.methods() {
        count += method.name().len() + method.signature().len();
        let words = method.words();
        count += words
            .map(|word| word.name().len() + word.type_name().len())
            .sum::<usize>();
    }
    count
}

/// The type of that name, by its number.
fn number_of(bytes: &[u8], name: &str) -> usize {
    let schema = Schema::new(bytes).unwrap();
    let mut all = 0..schema.types();
    all.find(|index| schema.type_at(*index as u32).name() == name)
        .unwrap()
}

/// `everything`, with a word of a record changed.
fn changed(kind: usize, index: usize, at: usize, value: u32) -> &'static str {
    let bytes = everything().bytes();
    fault(&with(&bytes, place(&bytes, kind, index) + at, value))
}

/// The same for a type, by its name.
fn type_changed(name: &str, at: usize, value: u32) -> &'static str {
    changed(0, number_of(&everything().bytes(), name), at, value)
}

#[test]
fn what_is_written_is_read() {
    let bytes = everything().bytes();
    let schema = Schema::new(&bytes).unwrap();
    assert_eq!(
        (schema.name(), schema.version(), schema.class()),
        ("Sum", 2, "counter")
    );
    assert_eq!(schema.sources().unwrap().collect::<Vec<_>>(), [("Sum", 1)]);
    assert!(schema.covers("Sum", 1) && !schema.covers("Sum", 0));
    assert_eq!(schema.resets().collect::<Vec<_>>(), ["ASKED"]);
    let methods: Vec<_> = schema.methods().map(|method| method.name()).collect();
    assert_eq!(methods, ["create", "add"]);
    let fields: Vec<_> = schema.state().parts().map(|part| part.name()).collect();
    assert_eq!(fields, ["total", "table", "shape", "lock", "four", "timer"]);
    let table = schema.state().parts().nth(1).unwrap().kind();
    assert_eq!(
        (table.kind(), table.element().unwrap().name()),
        (Kind::Vec, "Inner")
    );
    let shape = schema.state().parts().nth(2).unwrap().kind();
    assert_eq!(
        shape.parts().map(|part| part.tag()).collect::<Vec<_>>(),
        [0, 1]
    );
}

#[test]
fn compilers_schemas_are_read() {
    let Ok(folder) = std::env::var("MODULES") else {
        return;
    };
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert_eq!(fault(&bytes), "");
        count += 1;
    }
    assert!(count > 20, "{count} schemas");
}

#[test]
fn each_cut_is_noticed() {
    let bytes = everything().bytes();
    for end in 0..bytes.len() {
        assert_ne!(fault(&bytes[..end]), "", "{end}");
        // Also where it knows its new size.
        if end >= 12 {
            assert_ne!(fault(&with(&bytes[..end], 8, end as u32)), "", "{end}");
        }
    }
    assert_eq!(fault(&bytes[..bytes.len() - 1]), "the schema is truncated");
    assert_eq!(
        fault(&[&bytes[..], &[0]].concat()),
        "the schema is truncated"
    );
}

#[test]
fn headers_are_checked() {
    let bytes = everything().bytes();
    assert_eq!(fault(&with(&bytes, 0, 0)), "the schema has another magic");
    assert_eq!(fault(&with(&bytes, 8, 7)), "the schema is truncated");
    for kind in 0..8 {
        let at = 12 + 4 * kind;
        let more = get(&bytes, at) + 1;
        assert_eq!(
            fault(&with(&bytes, at, more)),
            "the schema's parts do not make up its size"
        );
        let what = "the schema has too many records of kind";
        assert_eq!(fault(&with(&bytes, at, u32::MAX)), what);
        assert_eq!(fault(&with(&bytes, at, 1 << 21)), what);
    }
    let mut empty = bytes[..104].to_vec();
    (8..104).step_by(4).for_each(|at| put(&mut empty, at, 0));
    put(&mut empty, 8, 104);
    assert_eq!(fault(&empty), "the schema has no state or no interface");
    for at in [44, 48, 52, 56, 60, 64] {
        let what = "the implementation's names are no texts";
        assert_eq!(fault(&with(&bytes, at, u32::MAX)), what);
    }
    assert_eq!(
        fault(&with(&bytes, 88, 9)),
        "the covered versions are out of range"
    );
}

#[test]
fn texts_are_checked() {
    let of = |name: &str| {
        let state = record("Sum", &[field(name, u32(), &[])]);
        Module::new("Sum", 1, state).bytes()
    };
    let what = "a field's name is no text, or too long";
    assert_eq!(fault(&of(&"n".repeat(128))), "");
    for name in [
        "",
        &"n".repeat(129),
        &"n".repeat(10_000),
        "a b",
        "a\nb",
        "a\u{1b}[2J",
    ] {
        assert_eq!(fault(&of(name)), what, "{name:?}");
    }
    let mut bytes = of("XXXX");
    let at = bytes.windows(4).position(|four| four == b"XXXX").unwrap();
    bytes[at..at + 2].copy_from_slice(&[0xff, 0xc0]);
    assert_eq!(fault(&bytes), what);
    assert_eq!(
        type_changed("Inner", 8, 1 << 20),
        "a type's name is no text, or too long"
    );
    assert_eq!(
        type_changed("Inner", 12, 1025),
        "a type's name is no text, or too long"
    );
    assert_eq!(
        changed(2, 0, 8, u32::MAX),
        "a rule's name is no text, or too long"
    );
    for kind in [3, 4, 5, 6] {
        assert_eq!(
            changed(kind, 0, 0, u32::MAX),
            "a name is no text, or too long"
        );
    }
}

#[test]
fn types_are_checked() {
    let out = "a type's size or alignment is out of range";
    assert_eq!(type_changed("Inner", 24, 9), "a type is of no known kind");
    assert_eq!(type_changed("Inner", 16, (1 << 24) + 1), out);
    assert_eq!(type_changed("Inner", 20, 0), out);
    assert_eq!(type_changed("Inner", 20, 3), out);
    assert_eq!(type_changed("Inner", 20, 8192), out);
    assert_eq!(
        type_changed("Inner", 16, 17),
        "a type's size is no multiple of its alignment"
    );
    let range = "a type's parts or rules are out of range";
    for (at, value) in [
        (28, u32::MAX),
        (32, u32::MAX),
        (32, 257),
        (44, 99),
        (48, u32::MAX),
    ] {
        assert_eq!(type_changed("Inner", at, value), range);
    }
    let room = "a type has no room for what is in it";
    assert_eq!(type_changed("array", 40, 5), room);
    assert_eq!(type_changed("Lock", 40, 16), room);
    assert_eq!(type_changed("Lock", 40, u32::MAX), room);
    assert_eq!(type_changed("Shape", 40, 3), room);
    assert_eq!(type_changed("Shape", 40, 16), room);
    assert_eq!(type_changed("Sum", 24, 0), "a state is no struct");
    // So many of nothing would keep a processor busy.
    let state = |length| {
        record(
            "Sum",
            &[field("all", array(length, whole("Nothing", 0)), &[])],
        )
    };
    assert_eq!(fault(&Module::new("Sum", 1, state(9)).bytes()), "");
    assert_eq!(fault(&Module::new("Sum", 1, state(u32::MAX)).bytes()), room);
}

#[test]
fn elements_have_one_owner() {
    let element = "a type's element is itself, or another's";
    let lacks = "a type lacks its element, or has one too many";
    let number = number_of(&everything().bytes(), "KVec") as u32;
    assert_eq!(type_changed("KVec", 36, number), element);
    assert_eq!(type_changed("KVec", 36, 0), element);
    assert_eq!(type_changed("KVec", 36, number - 1), element);
    // That of a field behind it.
    assert_eq!(type_changed("KVec", 36, number + 2), element);
    assert_eq!(type_changed("KVec", 36, 4000), element);
    assert_eq!(type_changed("KVec", 36, u32::MAX), lacks);
    assert_eq!(type_changed("Inner", 36, number + 1), lacks);
    let part = "a field's type is its own, or another's";
    for value in [0, 1, 2, 4, 4000, u32::MAX] {
        assert_eq!(changed(1, 1, 16, value), part);
    }
    assert_eq!(changed(1, 1, 28, 1), part);
    let rule = "a rule's type is another's";
    let index = (0..4).find(|index| {
        let bytes = everything().bytes();
        get(&bytes, place(&bytes, 2, *index)) == 2
    });
    for value in [0, 1, 4000] {
        assert_eq!(changed(2, index.unwrap(), 16, value), rule);
    }
}

#[test]
fn fields_are_checked() {
    let bytes = everything().bytes();
    let names: Vec<_> = Schema::new(&bytes)
        .unwrap()
        .state()
        .parts()
        .map(|p| p.name())
        .collect();
    let table = names.iter().position(|name| *name == "table").unwrap();
    assert_eq!(changed(1, table, 20, 0), "two fields overlap");
    assert_eq!(
        changed(1, table, 20, u32::MAX),
        "a field is out of its struct's range"
    );
    assert_eq!(
        changed(1, table, 40, 99),
        "a field's rules are out of range"
    );
    let first = place(&bytes, 1, 0);
    let same = with(&bytes, place(&bytes, 1, table), get(&bytes, first));
    let same = with(&same, place(&bytes, 1, table) + 4, get(&bytes, first + 4));
    assert_eq!(fault(&same), "two fields have one name");
}

#[test]
fn variants_are_checked() {
    let bytes = everything().bytes();
    let is_line = |index: &usize| {
        let at = place(&bytes, 1, *index);
        let text = place(&bytes, 7, get(&bytes, at) as usize);
        bytes[text..].starts_with(b"Line")
    };
    let line = (0..20).find(is_line).unwrap();
    assert_eq!(changed(1, line, 32, 0), "two variants have one tag");
    assert_eq!(changed(1, line, 32, 255), "");
    assert_eq!(changed(1, line, 32, 256), "a variant's tag has no room");
    assert_eq!(changed(1, line, 36, 1), "a variant's tag has no room");
    assert_eq!(type_changed("Line", 24, 0), "a variant is no struct");
    // Its field lies on the tag.
    assert_eq!(changed(1, line + 1, 20, 0), "a variant's tag has no room");
}

#[test]
fn rules_are_checked() {
    let bytes = everything().bytes();
    let of = |verb| {
        (0..5)
            .find(|i| get(&bytes, place(&bytes, 2, *i)) == verb)
            .unwrap()
    };
    assert_eq!(changed(2, 0, 0, 7), "a rule is of no known kind");
    let convert = of(2);
    let lacks = "a conversion lacks the type that it is from";
    assert_eq!(changed(2, convert, 16, u32::MAX), lacks);
    assert_eq!(changed(2, of(1), 12, 0), "a rule lacks the name of a field");
    assert_eq!(
        changed(2, convert, 20, 99),
        "a rule's versions are out of range"
    );
    assert_eq!(
        changed(4, 0, 24, 99),
        "a method's arguments are out of range"
    );
}

#[test]
fn records_are_not_shared() {
    let shares = "the schema shares or lacks records of kind";
    let bytes = everything().bytes();
    let convert = (0..5)
        .find(|i| get(&bytes, place(&bytes, 2, *i)) == 2)
        .unwrap();
    // All versions that there are, once more.
    let at = place(&bytes, 2, convert) + 20;
    let all = get(&bytes, 12 + 4 * 3);
    assert_eq!(fault(&with(&with(&bytes, at, 0), at + 4, all)), shares);
    let at = place(&bytes, 4, 0) + 24;
    assert_eq!(fault(&with(&with(&bytes, at, 0), at + 4, 2)), shares);
    assert_eq!(type_changed("Inner", 32, 1), shares);
    assert_eq!(changed(1, 0, 44, 1), shares);
}

#[test]
fn types_are_not_nested_too_deeply() {
    let nest = |depth| {
        let inner = (0..depth).fold(u32(), |kind, _| boxed(kind));
        fault(&Module::new("Sum", 1, record("Sum", &[field("deep", inner, &[])])).bytes())
    };
    assert_eq!(nest(8), "");
    assert_eq!(nest(9), "a type is nested too deeply");
    assert_eq!(nest(1000), "a type is nested too deeply");
}

#[test]
fn no_bit_makes_it_panic() {
    let bytes = everything().bytes();
    let other = Module::new("Sum", 3, everything().state).bytes();
    let other = Schema::new(&other).unwrap();
    let mut accepted = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            if let Ok(schema) = Schema::new(&changed) {
                read(&schema);
                accepted += 1;
                let _ = compare(schema, other, false, &mut Told::default());
                let _ = compare(schema, other, true, &mut Told::default());
            }
        }
    }
    assert!(accepted > 0);
}

// ---- the comparison ----------------------------------------------------------------------

/// What comes out of a comparison.
#[derive(Default)]
struct Told {
    steps: Vec<String>,
    ops: Vec<Op>,
    open: usize,
}

impl Sink for Told {
    type Error = String;

    fn op(&mut self, _path: &Path<'_>, op: Op) -> Result<usize, String> {
        self.open += usize::from(matches!(
            op,
            Op::Each { .. } | Op::Match { .. } | Op::Arm { .. }
        ));
        self.ops.push(op);
        Ok(self.ops.len() - 1)
    }

    fn close(&mut self, at: usize) {
        let op = self.ops[at];
        assert!(matches!(
            op,
            Op::Each { .. } | Op::Match { .. } | Op::Arm { .. }
        ));
        self.open -= 1;
    }

    fn step(&mut self, path: &Path<'_>, step: Step<'_>) -> Result<(), String> {
        self.steps.push(format!("{path}: {step}"));
        Ok(())
    }

    fn refuse(&mut self, path: &Path<'_>, why: Why<'_>) -> String {
        format!("{path}: {why}")
    }
}

fn told(from: &Module, to: &Module, is_back: bool) -> Result<Told, String> {
    let (from, to) = (from.bytes(), to.bytes());
    let mut told = Told::default();
    let schemas = (Schema::new(&from).unwrap(), Schema::new(&to).unwrap());
    compare(schemas.0, schemas.1, is_back, &mut told)?;
    assert_eq!(told.open, 0);
    Ok(told)
}

/// Two versions of a state.
struct Pair(Module, Module);

impl Pair {
    fn new(old: &[Field], new: &[Field]) -> Self {
        Self::of(record("Sum", old), record("Sum", new))
    }

    fn of(old: Kinded, new: Kinded) -> Self {
        Self(Module::new("Sum", 1, old), Module::new("Sum", 2, new))
    }

    /// The types of one field each.
    fn field(old: Kinded, new: Kinded) -> Self {
        Self::new(&[field("a", old, &[])], &[field("a", new, &[])])
    }

    /// An update takes these steps.
    fn forth(self, steps: &[&str]) -> Self {
        assert_eq!(
            told(&self.0, &self.1, false).map(|told| told.steps),
            Ok(owned(steps))
        );
        self
    }

    /// It is refused.
    fn not_forth(self, why: &str) -> Self {
        assert_eq!(
            told(&self.0, &self.1, false).map(|told| told.steps),
            Err(why.to_owned())
        );
        self
    }

    /// The way back takes these steps.
    fn back(self, steps: &[&str]) -> Self {
        assert_eq!(
            told(&self.1, &self.0, true).map(|told| told.steps),
            Ok(owned(steps))
        );
        self
    }

    /// It is refused.
    fn not_back(self, why: &str) -> Self {
        assert_eq!(
            told(&self.1, &self.0, true).map(|told| told.steps),
            Err(why.to_owned())
        );
        self
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn equal_states_are_moved() {
    let fields = [field("a", u32(), &[]), field("b", text(), &[])];
    let steps = ["a: moved", "b: moved"];
    Pair::new(&fields, &fields).forth(&steps).back(&steps);
    // Also where they lie elsewhere.
    let turned = [field("b", text(), &[]), field("a", u32(), &[])];
    let pair = Pair::new(&fields, &turned)
        .forth(&["b: moved", "a: moved"])
        .back(&steps);
    let ops = told(&pair.0, &pair.1, false).unwrap().ops;
    let copies = ops.iter().map(|op| match op {
        Op::Copy { from, to, length } => (*from, *to, *length),
        _ => panic!("{op:?}"),
    });
    assert_eq!(copies.collect::<Vec<_>>(), [(8, 0, 8), (0, 8, 4)]);
}

#[test]
fn a_new_field_begins_somehow() {
    let old = [field("a", u32(), &[])];
    let with = |rules: &[Said]| Pair::new(&old, &[old[0].clone(), field("b", text(), rules)]);
    let new = "b: `CString` is new and nothing says how it begins: `default` or `renamed`";
    with(&[])
        .not_forth(new)
        .not_back("b: `CString` would be lost: `dropped`, or a field that is `renamed` from it");
    with(&[default()])
        .forth(&["a: moved", "b: begins with its default"])
        .back(&["a: moved", "b: dropped"]);
    with(&[rebuild()])
        .forth(&["a: moved", "b: made again"])
        .back(&["a: moved", "b: dropped"]);
    with(&[default(), irreversible()])
        .forth(&["a: moved", "b: begins with its default"])
        .not_back("b: is irreversible, as its author says");
    // A rule for other versions is none.
    with(&[default().from("Sum", 7)]).not_forth(new);
    with(&[default().from("Sum", 7), default().from("Sum", 1)])
        .forth(&["a: moved", "b: begins with its default"]);
}

#[test]
fn an_old_field_ends_somehow() {
    let old = [field("a", u32(), &[]), field("b", text(), &[])];
    let with = |rules: &[Said]| {
        let (old, new) = (record("Sum", &old), record("Sum", &old[..1]));
        Pair::of(old, new.ruled(rules))
    };
    let no_way = "b: nothing says what `CString` is on the way back: `dropped(name: type = value)`";
    with(&[])
        .not_forth("b: `CString` would be lost: `dropped`, or a field that is `renamed` from it")
        .not_back(no_way);
    with(&[dropped("b")])
        .forth(&["a: moved", "b: dropped"])
        .not_back(no_way);
    let pair = with(&[known("b", text())])
        .forth(&["a: moved", "b: dropped"])
        .back(&["a: moved", "b: begins with its default"]);
    assert!(matches!(
        told(&pair.0, &pair.1, false).unwrap().ops[1],
        Op::Drop { from: 8, .. }
    ));
    let Op::Make { by, .. } = told(&pair.1, &pair.0, true).unwrap().ops[1] else {
        panic!("it is made")
    };
    // By the newer version's rule, which is the one that is left.
    assert!(!by.is_new && by.is_back && by.rule == 0);
    // Its type is another one there.
    with(&[known("b", u64())]).not_back(no_way);
    with(&[dropped("b").from("Sum", 3)])
        .not_forth("b: `CString` would be lost: `dropped`, or a field that is `renamed` from it");
    with(&[dropped("b"), irreversible()]).not_back(": is irreversible, as its author says");
}

#[test]
fn the_older_versions_own_rules_do_on_the_way_back() {
    let old = |rules: &[Said]| record("Sum", &[field("a", u32(), &[]), field("b", text(), rules)]);
    let new = record("Sum", &[field("a", u32(), &[])]).ruled(&[dropped("b")]);
    Pair::of(old(&[default()]), new.clone()).back(&["a: moved", "b: begins with its default"]);
    Pair::of(old(&[rebuild()]), new).back(&["a: moved", "b: made again"]);
    let timers = [field("t", timer(), &[rebuild()])];
    Pair::new(&timers, &timers)
        .forth(&["t: made again", "t: dropped"])
        .back(&["t: made again", "t: dropped"]);
    Pair::field(timer(), timer()).not_forth("a: was another `Timer`: `convert`, or rules inside");
}

#[test]
fn names_change() {
    let old = [field("a", u32(), &[])];
    Pair::new(&old, &[field("b", u32(), &[renamed("a")])])
        .forth(&["b: moved from `a`"])
        .back(&["a: moved from `b`"]);
    Pair::new(&old, &[field("b", u32(), &[renamed("c")])])
        .not_forth("b: is made from `c`, which is not there");
    // Of several names it is the one that there is.
    Pair::new(&old, &[field("b", u32(), &[renamed("c"), renamed("a")])])
        .forth(&["b: moved from `a`"])
        .back(&["a: moved from `b`"]);
    // A version that has the name already.
    Pair::new(
        &[field("b", u32(), &[])],
        &[field("b", u32(), &[renamed("a")])],
    )
    .forth(&["b: moved"])
    .back(&["b: moved"]);
    Pair::new(
        &old,
        &[
            field("b", u32(), &[renamed("a")]),
            field("c", u32(), &[renamed("a")]),
        ],
    )
    .not_forth("b: is made from `a`, and so is another field")
    .not_back("b: is made from `a`, and so is another field");
}

#[test]
fn two_fields_change_names() {
    let old = [field("a", u32(), &[]), field("b", u32(), &[])];
    Pair::new(
        &old,
        &[
            field("a", u32(), &[renamed("b")]),
            field("b", u32(), &[renamed("a")]),
        ],
    )
    .forth(&["a: moved from `b`", "b: moved from `a`"])
    .back(&["a: moved from `b`", "b: moved from `a`"]);
}

#[test]
fn a_claimed_name_is_not_its_own() {
    let old = [field("a", u32(), &[])];
    let b = field("b", u32(), &[renamed("a")]);
    Pair::new(&old, &[field("a", u64(), &[]), b.clone()])
        .not_forth("a: `u64` is new and nothing says how it begins: `default` or `renamed`");
    Pair::new(&old, &[field("a", u64(), &[default()]), b])
        .forth(&["a: begins with its default", "b: moved from `a`"])
        .back(&["a: moved from `b`", "a: dropped"]);
    // What is made again takes nobody's value, but the name is gone.
    Pair::new(
        &old,
        &[
            field("a", u32(), &[default()]),
            field("b", u32(), &[renamed("a"), rebuild()]),
        ],
    )
    .not_forth("a: `u32` would be lost: `dropped`, or a field that is `renamed` from it");
}

#[test]
fn types_change() {
    let with = |rules: &[Said]| Pair::new(&[field("a", u32(), &[])], &[field("a", u64(), rules)]);
    with(&[])
        .not_forth("a: was `u32`, is `u64`: `convert`, or rules inside")
        .not_back("a: was `u64`, is `u32`: `convert`, or rules inside");
    with(&[convert(u32())])
        .forth(&["a: converted from `u32`"])
        .not_back("a: its rule has no way `back`");
    let pair = with(&[convert(u32()).fallible().try_back()])
        .forth(&["a: converted from `u32`"])
        .back(&["a: converted from `u64`"]);
    for (from, to, is_back) in [(&pair.0, &pair.1, false), (&pair.1, &pair.0, true)] {
        let Op::Convert { by, .. } = told(from, to, is_back).unwrap().ops[0] else {
            panic!("it is converted")
        };
        assert!(by.can_fail && by.is_back == is_back && by.is_new != is_back);
    }
    with(&[convert(whole("u16", 2))]).not_forth("a: was `u32`, but its rule converts `u16`");
    with(&[convert(u32()).back().from("Sum", 7)])
        .not_forth("a: was `u32`, is `u64`: `convert`, or rules inside");
    with(&[convert(u32()).back(), irreversible()])
        .not_back("a: is irreversible, as its author says");
    with(&[keep()])
        .not_forth("a: has changed, but its rule says `keep`")
        .not_back("a: has changed, but its rule says `keep`");
    // Of several it is the one for the type that there is.
    with(&[convert(whole("u16", 2)), convert(u32()).back()])
        .forth(&["a: converted from `u32`"])
        .back(&["a: converted from `u64`"]);
}

#[test]
fn what_was_converted_is_moved() {
    let new = [field("a", u64(), &[convert(u32()).back()])];
    Pair::new(&[field("a", u64(), &[])], &new)
        .forth(&["a: moved"])
        .back(&["a: moved"]);
}

#[test]
fn names_and_types_change_together() {
    let old = [field("a", u32(), &[])];
    let forth = ["b: converted from `u32`"];
    let back = ["a: converted from `u64`"];
    Pair::new(
        &old,
        &[field("b", u64(), &[renamed("a"), convert(u32()).back()])],
    )
    .forth(&forth)
    .back(&back);
    Pair::new(
        &old,
        &[field("b", u64(), &[convert(u32()).named("a").back()])],
    )
    .forth(&forth)
    .back(&back);
    // Each rule is for the field that it names.
    let both = [
        convert(whole("u16", 2)).named("z"),
        convert(u32()).named("a").back(),
    ];
    Pair::new(&old, &[field("b", u64(), &both)])
        .forth(&forth)
        .back(&back);
}

#[test]
fn a_conversion_without_a_change_of_type_is_for_versions() {
    let old = [field("a", u32(), &[])];
    let unclear =
        "a: its rule converts without a change of type: it has to say for which `versions`";
    let with = |rule: Said| Pair::new(&old, &[field("a", u32(), &[rule])]);
    with(convert(u32()).back())
        .not_forth(unclear)
        .not_back(unclear);
    with(convert(u32()).back().from("Sum", 1))
        .forth(&["a: converted from `u32`"])
        .back(&["a: converted from `u32`"]);
    with(convert(u32()).back().from("Sum", 3))
        .forth(&["a: moved"])
        .back(&["a: moved"]);
    // An author that knows one version only has said so.
    let mut pair = with(convert(u32()).back());
    pair.1.sources = Some(vec![("Sum".to_owned(), 1)]);
    let pair = pair
        .forth(&["a: converted from `u32`"])
        .back(&["a: converted from `u32`"]);
    let mut pair = pair;
    pair.1.sources = Some(vec![("Sum".to_owned(), 0), ("Sum".to_owned(), 1)]);
    pair.not_forth(unclear);
}

#[test]
fn containers_are_looked_into() {
    let old = || record("Entry", &[field("key", u32(), &[])]);
    let new = || record("Entry", &[field("key", u64(), &[convert(u32()).back()])]);
    for (path, hold) in [
        ("a[].key", vector as fn(Kinded) -> Kinded),
        ("a.key", boxed),
        ("a.key", option),
        ("a.key", lock),
        ("a[].key", |kind| array(3, kind)),
        ("a[].key", |kind| lock(vector(kind))),
        ("a[][].key", |kind| vector(array(2, kind))),
    ] {
        Pair::field(hold(old()), hold(new()))
            .forth(&[&format!("{path}: converted from `u32`")])
            .back(&[&format!("{path}: converted from `u64`")]);
        Pair::field(hold(u32()), hold(u64())).not_forth(&format!(
            "{}: was `u32`, is `u64`: `convert`, or rules inside",
            &path[..path.len() - 4]
        ));
    }
    Pair::field(array(3, old()), array(4, new())).not_forth("a: had 3 elements, has 4");
    Pair::field(vector(old()), boxed(new()))
        .not_forth("a: was `KVec`, is `KBox`: `convert`, or rules inside");
}

#[test]
fn paths_name_what_is_nested() {
    let entry = |key| record("Entry", &[field("key", key, &[])]);
    let inner = |key| record("Inner", &[field("table", vector(entry(key)), &[])]);
    Pair::new(
        &[field("inner", inner(u32()), &[])],
        &[field("inner", inner(u64()), &[])],
    )
    .not_forth("inner.table[].key: was `u32`, is `u64`: `convert`, or rules inside");
    let rule = [convert(u32())];
    let new = record("Entry", &[field("key", u64(), &rule)]);
    let new = record("Inner", &[field("table", vector(new), &[])]);
    Pair::new(
        &[field("inner", inner(u32()), &[])],
        &[field("inner", new, &[])],
    )
    .forth(&["inner.table[].key: converted from `u32`"])
    .not_back("inner.table[].key: its rule has no way `back`");
}

#[test]
fn locks_are_made_again() {
    let steps = ["a: a new lock around what was in the old one"];
    Pair::field(lock(u32()), lock(u32()))
        .forth(&steps)
        .back(&steps);
    let many = || array(2, lock(u32()));
    Pair::field(many(), many()).forth(&["a[]: a new lock around what was in the old one"]);
}

#[test]
fn enums_are_compared_by_variants() {
    let point = |kind, rules: &[Said]| [field("x", kind, rules)];
    let old = tagged(
        "Shape",
        &[("Empty", &[], &[]), ("Point", &point(u32(), &[]), &[])],
    );
    let new = |rule: &[Said], more: bool| {
        let (point, stroke) = (point(u64(), &[convert(u32()).back()]), [renamed("Empty")]);
        let mut variants = vec![("Point", &point[..], rule), ("None", &[][..], &stroke[..])];
        if more {
            variants.push(("Line", &[], &[]));
        }
        tagged("Shape", &variants)
    };
    let forth = [
        "a.Empty: moved",
        "a.Point.x: converted from `u32`",
        "a.Point: moved",
    ];
    let back = [
        "a.Point.x: converted from `u64`",
        "a.Point: moved",
        "a.None: moved",
    ];
    let pair = Pair::field(old.clone(), new(&[], false))
        .forth(&forth)
        .back(&back);
    let ops = told(&pair.0, &pair.1, false).unwrap().ops;
    let arms = ops.iter().filter_map(|op| match op {
        Op::Arm { old, new, .. } => Some((*old, *new)),
        _ => None,
    });
    assert_eq!(arms.collect::<Vec<_>>(), [(0, 1), (1, 0)]);
    Pair::field(old.clone(), new(&[], true))
        .forth(&forth)
        .not_back("a.Line: is a variant that the other version does not have");
    Pair::field(tagged("Shape", &[("Line", &[], &[])]), old.clone())
        .not_forth("a.Line: is a variant that the other version does not have");
    let twice = "a.Point: is made from `Empty`, and so is another field";
    Pair::field(old, new(&[renamed("Empty")], false))
        .not_forth(twice)
        .not_back(twice);
}

#[test]
fn an_enum_without_a_tag_is_whole() {
    let untagged = |name: &str| Kinded {
        flags: 2,
        ..whole(name, 8)
    };
    Pair::field(untagged("A"), untagged("B")).not_forth(
        "a: has changed, and an enum without `repr(u8)` or `repr(C, u8)` is taken whole",
    );
}

#[test]
fn parts_are_irreversible_too() {
    let old = record("Inner", &[field("x", u32(), &[])]);
    let new = record("Inner", &[field("x", u64(), &[convert(u32()).back()])]);
    Pair::field(old, new.ruled(&[irreversible()]))
        .forth(&["a.x: converted from `u32`"])
        .not_back("a: is irreversible, as its author says");
}

// ---- time --------------------------------------------------------------------------------

/// As many fields as a struct may have, each with as many rules as there can be.
fn wide(count: usize, rule: &dyn Fn(usize) -> Vec<Said>) -> Kinded {
    let fields: Vec<_> = (0..count)
        .map(|i| field(&format!("f{i}"), u32(), &rule(i)))
        .collect();
    record("Wide", &fields)
}

/// The longest comparison of two states, both ways.
fn longest(old: Kinded, new: Kinded) -> Duration {
    let pair = Pair::of(old, new);
    let begin = Instant::now();
    let _ = told(&pair.0, &pair.1, false);
    let _ = told(&pair.1, &pair.0, true);
    begin.elapsed()
}

#[test]
fn time_is_bounded() {
    let most = 255;
    let last = most - 1;
    let old = || wide(most, &|_| Vec::new());
    let cases: [&dyn Fn(usize) -> Vec<Said>; 5] = [
        &|_| Vec::new(),
        // All change places.
        &|i| vec![renamed(&format!("f{}", last - i))],
        // Names that are not there, as many rules as there may be.
        &|_| vec![renamed("nobody"); 4],
        // Names of another field that is claimed already by nobody.
        &|i| {
            (0..4)
                .map(|n| renamed(&format!("f{}", (i + n) % most)).from("Other", 1))
                .collect()
        },
        // Versions, of which none is meant.
        &|i| vec![(0..4).fold(renamed(&format!("f{i}")), |rule, n| rule.from("Other", n))],
    ];
    for (index, case) in cases.iter().enumerate() {
        let took = longest(old(), wide(most, case));
        println!("{took:?} for case {index}");
        assert!(took < Duration::from_secs(3), "{index}: {took:?}");
    }
    // As many such structs as there may be types.
    let many = |case: &dyn Fn(usize) -> Vec<Said>| {
        let fields: Vec<_> = (0..15)
            .map(|i| {
                field(
                    &format!("s{i}"),
                    wide(most, if i == 0 { case } else { &|_| Vec::new() }),
                    &[],
                )
            })
            .collect();
        record("Sum", &fields)
    };
    let took = longest(many(&|_| Vec::new()), many(&|_| vec![renamed("nobody"); 4]));
    println!("{took:?} for all types");
    assert!(took < Duration::from_secs(10), "{took:?}");
}
