// SPDX-License-Identifier: GPL-2.0

//! Bytes that may have been written to a file of sysfs: each parser refuses them with a line
//! that can be printed, or takes them, and then what it understood says the same once more.

#![no_main]

#[path = "../../../../rust/control/request.rs"]
mod request;

use molt_fuzz::input;
use request::{
    amount, flag, load, only_implementation, order, repair, switch, transaction, update, Choice,
    Implementation, Load, Malformed, Options, Policy,
};

/// Parses, and puts what was understood into words again.
type Parser = fn(&[u8], i64) -> Result<String, Malformed<'_>>;

const PARSERS: [Parser; 9] = [
    |text, at| update(text, at).map(|said| of(said.to) + &with(said.options)),
    |text, at| repair(text, at).map(|said| of(said.to) + &with(said.options)),
    |text, at| {
        switch(text, at).map(|said| of(said.to) + &of_those(said.choice) + &with(said.options))
    },
    |text, at| {
        transaction(text, at).map(|said| {
            let targets = said.targets();
            let classes: Vec<_> = targets
                .map(|(class, to)| format!("{class}={}", of(to)))
                .collect();
            assert!(!classes.is_empty());
            classes.join(" ") + &with(said.options)
        })
    },
    |text, at| only_implementation(text, at).map(of),
    |text, at| load(text, at).map(of_load),
    |text, at| amount(text, at).map(|number| number.to_string()),
    |text, at| flag(text, at).map(|flag| u8::from(flag).to_string()),
    |text, at| order(text, at).map(|()| "1".to_owned()),
];

/// The longest answer, in bytes: 64 of a word, each of which may take four, and what is wrong.
const LONGEST: usize = 4 * 64 + 80;

/// # Safety
///
/// As libFuzzer calls it.
#[no_mangle]
pub unsafe extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
    // SAFETY: By the caller's promise.
    let bytes = unsafe { input(data, size) };
    for parser in PARSERS {
        assert!(parser(bytes, 1).is_err(), "a second write");
        if let Some(text) = understood(parser, bytes) {
            assert_eq!(understood(parser, text.as_bytes()), Some(text));
        }
    }
    0
}

/// What a parser makes of a write, or [`None`] with a look at its answer.
fn understood(parser: Parser, bytes: &[u8]) -> Option<String> {
    let malformed = match parser(bytes, 0) {
        Ok(text) => return Some(text),
        Err(malformed) => malformed,
    };
    let mut answer = String::new();
    malformed.describe(&mut answer).expect("a string has room");
    let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    assert!(
        answer.len() <= LONGEST && answer.bytes().all(is_printable),
        "{answer}"
    );
    None
}

fn of(to: Implementation<'_>) -> String {
    let version = to.version.map(|version| format!("@{version}"));
    to.name.to_owned() + &version.unwrap_or_default()
}

fn of_those(choice: Choice) -> String {
    match choice {
        Choice::Instance(number) => format!(" instance={number}"),
        Choice::Key(number) => format!(" key={number}"),
        Choice::Count(number) => format!(" count={number}"),
        Choice::Percent(number) => format!(" percent={number}"),
    }
}

fn of_load(load: Load<'_>) -> String {
    match load {
        Load::Module(name) => name.to_owned(),
        Load::Implementation {
            class,
            name,
            version,
        } => format!("molt:{class}:{name}@{version}"),
    }
}

fn with(options: Options) -> String {
    let numbers = [
        ("deadline_ms", options.deadline_ms),
        ("pause_ms", options.pause_ms),
        ("complete_ms", options.complete_ms),
        ("confirm_ms", options.confirm_ms),
        ("expect", options.expect),
        ("check", options.is_check.then_some(1)),
    ];
    let policy = options.policy.map(|policy| match policy {
        Policy::Eager => " policy=eager",
        Policy::Lazy => " policy=lazy",
        Policy::Background => " policy=background",
    });
    let mut text = policy.unwrap_or_default().to_owned();
    for (word, number) in numbers {
        if let Some(number) = number {
            text += &format!(" {word}={number}");
        }
    }
    text
}
