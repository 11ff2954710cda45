// SPDX-License-Identifier: GPL-2.0

//! Which writes are requests, and what is said of the others.

#[path = "../../rust/control/request.rs"]
mod request;

use request::{
    amount, flag, load, only_implementation, order, repair, switch, transaction, update, Choice,
    Implementation, Load, Malformed, Options, Policy, Switch, Update,
};

fn named(name: &str, version: Option<u32>) -> Implementation<'_> {
    Implementation { name, version }
}

fn simple(name: &str, version: Option<u32>) -> Update<'_> {
    Update {
        to: named(name, version),
        options: Options::default(),
    }
}

fn said(malformed: Malformed<'_>) -> String {
    let mut text = String::new();
    malformed.describe(&mut text).unwrap();
    text
}

#[test]
fn update_by_name() {
    assert_eq!(update(b"Sum\n", 0), Ok(simple("Sum", None)));
    assert_eq!(update(b"Sum@2\n", 0), Ok(simple("Sum", Some(2))));
    assert_eq!(
        update(b"a-b_9@4294967295", 0),
        Ok(simple("a-b_9", Some(u32::MAX)))
    );
}

#[test]
fn end_of_line_may_be_missing() {
    assert_eq!(update(b"Sum@2", 0), update(b"Sum@2\n", 0));
    assert_eq!(order(b"1", 0), Ok(()));
}

#[test]
fn blanks_do_not_count() {
    assert_eq!(update(b" \t Sum@2  \t\n", 0), Ok(simple("Sum", Some(2))));
}

#[test]
fn update_with_all_options() {
    let line = b"Sum@2 policy=background deadline_ms=5 pause_ms=6 complete_ms=7 confirm_ms=8 \
        expect=18446744073709551615 check=1\n";
    let options = Options {
        policy: Some(Policy::Background),
        deadline_ms: Some(5),
        pause_ms: Some(6),
        complete_ms: Some(7),
        confirm_ms: Some(8),
        expect: Some(u64::MAX),
        is_check: true,
    };
    let to = named("Sum", Some(2));
    assert_eq!(update(line, 0), Ok(Update { to, options }));
}

#[test]
fn policies() {
    for (word, policy) in [
        ("eager", Policy::Eager),
        ("lazy", Policy::Lazy),
        ("background", Policy::Background),
    ] {
        let line = format!("Sum policy={word}\n");
        let parsed = update(line.as_bytes(), 0).unwrap();
        assert_eq!(parsed.options.policy, Some(policy));
    }
    assert_eq!(update(b"Sum", 0).unwrap().options.policy, None);
    for word in [
        "policy=",
        "policy=never",
        "policy=Lazy",
        "policy=lazy,eager",
    ] {
        let line = format!("Sum@2 {word}\n");
        assert_eq!(
            update(line.as_bytes(), 0),
            Err(Malformed::Policy(word.as_bytes()))
        );
    }
}

#[test]
fn blank_lines() {
    for text in [&b"\n"[..], b" ", b" \t \n", b""] {
        assert_eq!(update(text, 0), Err(Malformed::Blank));
        assert_eq!(load(text, 0), Err(Malformed::Blank));
        assert_eq!(order(text, 0), Err(Malformed::Blank));
    }
}

#[test]
fn wrong_names() {
    let long = "x".repeat(56);
    for text in ["../x", "a/b", "@2", "policy=eager", "S.m@1", &long] {
        assert!(
            matches!(update(text.as_bytes(), 0), Err(Malformed::Name(_))),
            "{text}"
        );
        assert!(
            matches!(load(text.as_bytes(), 0), Err(Malformed::Name(_))),
            "{text}"
        );
    }
    assert!(update("x".repeat(55).as_bytes(), 0).is_ok());
}

#[test]
fn wrong_versions() {
    for text in [
        "Sum@",
        "Sum@x",
        "Sum@-1",
        "Sum@+1",
        "Sum@4294967296",
        "Sum@1@2",
        "Sum@1.0",
    ] {
        assert_eq!(
            update(text.as_bytes(), 0),
            Err(Malformed::Version(text.as_bytes()))
        );
    }
}

#[test]
fn wrong_numbers() {
    for word in [
        "expect=",
        "complete_ms=",
        "confirm_ms=1s",
        "deadline_ms=x",
        "pause_ms=-1",
        "pause_ms=+1",
        "expect=0x1",
        "expect=18446744073709551616",
        "deadline_ms=1=2",
    ] {
        let text = format!("Sum@2 {word}\n");
        assert_eq!(
            update(text.as_bytes(), 0),
            Err(Malformed::Number(word.as_bytes()))
        );
    }
}

#[test]
fn unknown_words() {
    for word in ["foo", "foo=1", "Sum@3", "DEADLINE_MS=1", "=", "=1"] {
        let text = format!("Sum@2 {word}\n");
        assert_eq!(
            update(text.as_bytes(), 0),
            Err(Malformed::Unknown(word.as_bytes()))
        );
    }
}

#[test]
fn words_twice() {
    for word in [
        "policy=eager",
        "deadline_ms=1",
        "pause_ms=1",
        "complete_ms=1",
        "confirm_ms=1",
        "expect=1",
        "check=1",
    ] {
        let text = format!("Sum@2 {word} {word}\n");
        assert_eq!(
            update(text.as_bytes(), 0),
            Err(Malformed::Twice(word.as_bytes()))
        );
    }
}

#[test]
fn transactions() {
    let line = b"alpha=Plain@2 policy=lazy beta=Plain confirm_ms=9 check=1\n";
    let parsed = transaction(line, 0).unwrap();
    let options = Options {
        policy: Some(Policy::Lazy),
        confirm_ms: Some(9),
        is_check: true,
        ..Options::default()
    };
    assert_eq!(parsed.options, options);
    let targets: Vec<_> = parsed.targets().collect();
    let expected = [
        ("alpha", named("Plain", Some(2))),
        ("beta", named("Plain", None)),
    ];
    assert_eq!(targets, expected);
}

#[test]
fn transactions_with_all_options() {
    let line = b"a=X deadline_ms=1 pause_ms=2 complete_ms=3 confirm_ms=4 policy=eager check=1";
    let parsed = transaction(line, 0).unwrap();
    let options = Options {
        policy: Some(Policy::Eager),
        deadline_ms: Some(1),
        pause_ms: Some(2),
        complete_ms: Some(3),
        confirm_ms: Some(4),
        expect: None,
        is_check: true,
    };
    assert_eq!(parsed.options, options);
    assert_eq!(parsed.targets().count(), 1);
}

#[test]
fn wrong_transactions() {
    let wrong: [(&[u8], Malformed<'_>); 10] = [
        (b"\n", Malformed::Blank),
        // Options, but no class.
        (b"policy=lazy deadline_ms=1\n", Malformed::Blank),
        (b"alpha\n", Malformed::Unknown(b"alpha")),
        (b"a=X@1 expect=1\n", Malformed::Unknown(b"expect=1")),
        (b"=X@1\n", Malformed::Name(b"")),
        (b"a=\n", Malformed::Name(b"")),
        (b"a=X@x\n", Malformed::Version(b"X@x")),
        (b"a=b=X\n", Malformed::Name(b"b=X")),
        (
            b"a=X policy=eager policy=lazy",
            Malformed::Twice(b"policy=lazy"),
        ),
        (
            b"a=X confirm_ms=soon",
            Malformed::Number(b"confirm_ms=soon"),
        ),
    ];
    for (text, expected) in wrong {
        assert_eq!(transaction(text, 0), Err(expected));
    }
    assert_eq!(transaction(b"a=X\nb=X\n", 0), Err(Malformed::Lines(b"b=X")));
    assert_eq!(transaction(b"a=X", 4096), Err(Malformed::Tail(b"a=X")));
}

#[test]
fn switches() {
    for (word, choice) in [
        ("instance=18446744073709551615", Choice::Instance(u64::MAX)),
        ("key=0", Choice::Key(0)),
        ("count=5", Choice::Count(5)),
        ("percent=100", Choice::Percent(100)),
    ] {
        let line = format!("Sum@2 deadline_ms=5 {word} pause_ms=6\n");
        let options = Options {
            deadline_ms: Some(5),
            pause_ms: Some(6),
            ..Options::default()
        };
        let to = named("Sum", Some(2));
        let expected = Switch {
            to,
            choice,
            options,
        };
        assert_eq!(switch(line.as_bytes(), 0), Ok(expected));
    }
    assert!(switch(b"Sum count=1 check=1", 0).unwrap().options.is_check);
}

#[test]
fn wrong_switches() {
    let wrong: [(&[u8], Malformed<'_>); 11] = [
        (b"\n", Malformed::Blank),
        (b"Sum@2\n", Malformed::Chosen(b"Sum@2")),
        (b"Sum@2 deadline_ms=1\n", Malformed::Chosen(b"Sum@2")),
        (b"Sum count=1 count=1\n", Malformed::Twice(b"count=1")),
        (b"Sum count=1 key=1\n", Malformed::Twice(b"key=1")),
        (b"Sum count=\n", Malformed::Number(b"count=")),
        (b"Sum percent=-1\n", Malformed::Number(b"percent=-1")),
        (b"Sum key=x\n", Malformed::Number(b"key=x")),
        (b"Sum count\n", Malformed::Unknown(b"count")),
        (b"count=1\n", Malformed::Name(b"count=1")),
        (
            b"Sum key=18446744073709551616\n",
            Malformed::Number(b"key=18446744073709551616"),
        ),
    ];
    for (text, expected) in wrong {
        assert_eq!(switch(text, 0), Err(expected));
    }
    for word in [
        "policy=lazy",
        "confirm_ms=1",
        "complete_ms=1",
        "expect=1",
        "foo=1",
    ] {
        let line = format!("Sum count=1 {word}\n");
        assert_eq!(
            switch(line.as_bytes(), 0),
            Err(Malformed::Unknown(word.as_bytes()))
        );
    }
}

#[test]
fn repairs() {
    let parsed = repair(b"Sum@2 deadline_ms=7\n", 0).unwrap();
    assert_eq!(parsed.to, named("Sum", Some(2)));
    assert_eq!(parsed.options.deadline_ms, Some(7));
    assert_eq!(repair(b"Sum@2", 0), Ok(simple("Sum", Some(2))));
    assert_eq!(repair(b"", 0), Err(Malformed::Blank));
    for word in ["pause_ms=1", "policy=eager", "expect=1", "check=1", "now"] {
        let line = format!("Sum@2 {word}\n");
        assert_eq!(
            repair(line.as_bytes(), 0),
            Err(Malformed::Unknown(word.as_bytes()))
        );
    }
}

#[test]
fn single_words() {
    assert_eq!(
        only_implementation(b"Sum@2\n", 0),
        Ok(named("Sum", Some(2)))
    );
    assert_eq!(
        only_implementation(b"Sum@2 check=1\n", 0),
        Err(Malformed::Unknown(b"check=1"))
    );
    assert_eq!(flag(b"0\n", 0), Ok(false));
    assert_eq!(flag(b" 1 \n", 0), Ok(true));
    for word in ["2", "-1", "00", "01", "y", "on"] {
        assert_eq!(
            flag(word.as_bytes(), 0),
            Err(Malformed::Flag(word.as_bytes()))
        );
    }
    assert_eq!(amount(b"0\n", 0), Ok(0));
    assert_eq!(amount(b"18446744073709551615\n", 0), Ok(u64::MAX));
    for word in ["-1", "+1", "1.5", "x", "18446744073709551616"] {
        assert_eq!(
            amount(word.as_bytes(), 0),
            Err(Malformed::Number(word.as_bytes()))
        );
    }
    for text in [&b"\n"[..], b""] {
        assert_eq!(flag(text, 0), Err(Malformed::Blank));
        assert_eq!(amount(text, 0), Err(Malformed::Blank));
        assert_eq!(only_implementation(text, 0), Err(Malformed::Blank));
    }
    assert_eq!(flag(b"1 1\n", 0), Err(Malformed::Unknown(b"1")));
    assert_eq!(amount(b"1\n2\n", 0), Err(Malformed::Lines(b"2")));
    assert_eq!(flag(b"1", 1), Err(Malformed::Tail(b"1")));
}

#[test]
fn check_and_orders_are_1() {
    assert_eq!(
        update(b"Sum check=0", 0),
        Err(Malformed::NotOne(b"check=0"))
    );
    assert_eq!(order(b"0\n", 0), Err(Malformed::NotOne(b"0")));
    assert_eq!(order(b"1 1\n", 0), Err(Malformed::Unknown(b"1")));
}

#[test]
fn foreign_characters() {
    assert_eq!(
        update(b"Sum@2\0\n", 0),
        Err(Malformed::Character(b"Sum@2\0"))
    );
    assert_eq!(update(b"\0", 0), Err(Malformed::Character(b"\0")));
    assert_eq!(
        update(b"Sum che\x07ck=1 x", 0),
        Err(Malformed::Character(b"che\x07ck=1"))
    );
    assert_eq!(
        update(b"S\xc3\xbcm", 0),
        Err(Malformed::Character(b"S\xc3\xbcm"))
    );
    assert_eq!(update(b"Sum\r\n", 0), Err(Malformed::Character(b"Sum\r")));
}

#[test]
fn more_than_a_line() {
    assert_eq!(
        update(b"Sum@2\nSum@3\n", 0),
        Err(Malformed::Lines(b"Sum@3"))
    );
    assert_eq!(update(b"Sum@2\n\n", 0), Err(Malformed::Lines(b"")));
    assert_eq!(update(b"Sum@2\n\0", 0), Err(Malformed::Lines(b"\0")));
    assert_eq!(update(b"\nSum@2", 0), Err(Malformed::Lines(b"Sum@2")));
}

#[test]
fn a_page_is_too_long() {
    let mut text = b"Sum@2".to_vec();
    text.resize(4095, b' ');
    assert_eq!(update(&text, 0), Ok(simple("Sum", Some(2))));
    text.push(b'\n');
    assert_eq!(update(&text, 0), Err(Malformed::Long(b"Sum@2")));
}

#[test]
fn a_tail_is_no_request() {
    assert_eq!(update(b" Sum@2\n", 4096), Err(Malformed::Tail(b"Sum@2")));
    assert_eq!(load(b"x\n", 1), Err(Malformed::Tail(b"x")));
    assert_eq!(order(b"1\n", 1), Err(Malformed::Tail(b"1")));
    assert_eq!(order(b"1\n", -1), Err(Malformed::Tail(b"1")));
}

#[test]
fn modules() {
    assert_eq!(load(b"counter_v2\n", 0), Ok(Load::Module("counter_v2")));
    let expected = Load::Implementation {
        class: "counter",
        name: "Sum",
        version: 2,
    };
    assert_eq!(load(b"molt:counter:Sum@2\n", 0), Ok(expected));
    assert!(matches!(
        load(b"molt:counter:Sum\n", 0),
        Err(Malformed::Version(_))
    ));
    assert!(matches!(
        load(b"molt:counter\n", 0),
        Err(Malformed::Name(_))
    ));
    assert!(matches!(load(b"molt::Sum@2\n", 0), Err(Malformed::Name(_))));
    assert!(matches!(load(b"pci:v00*\n", 0), Err(Malformed::Name(_))));
    assert_eq!(load(b"a b\n", 0), Err(Malformed::Unknown(b"b")));
}

#[test]
fn answers_name_the_word() {
    assert_eq!(said(Malformed::Unknown(b"foo")), "`foo` is unknown");
    assert_eq!(
        said(Malformed::Character(b"a\0\"\xff")),
        r#"`a\x00\"\xff` has a character that is not printable ASCII"#
    );
    let shown = said(Malformed::Long(&[b'x'; 5000]));
    assert!(shown.starts_with(&format!("`{}...` ", "x".repeat(64))) && shown.len() < 192);
    assert_eq!(said(update(b"\n", 0).unwrap_err()), "`` is an empty line");
    assert_eq!(said(Malformed::Flag(b"2")), "`2` must be 0 or 1");
    for word in ["eager", "lazy", "background"] {
        assert!(said(Malformed::Policy(b"policy=never")).contains(word));
    }
    for word in ["instance=", "key=", "count=", "percent="] {
        assert!(said(Malformed::Chosen(b"Sum@2")).contains(word));
    }
}

/// No input, however odd, makes the parser panic.
#[test]
fn any_bytes() {
    let pieces: [&[u8]; 18] = [
        b"Sum",
        b"@",
        b"2",
        b" ",
        b"\n",
        b"\0",
        b"=",
        b"check=1",
        b"policy",
        b"molt:",
        b":",
        b"\xff",
        b"expect",
        b"\t",
        b"lazy",
        b"count=",
        b"percent",
        b"confirm_ms=",
    ];
    let mut seed = 1u64;
    for _ in 0..200_000 {
        let mut text = Vec::new();
        for _ in 0..seed % 9 {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            text.extend_from_slice(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1);
        let answers = [
            update(&text, 0).err(),
            load(&text, 0).err(),
            order(&text, 0).err(),
            transaction(&text, 0).err(),
            switch(&text, 0).err(),
            repair(&text, 0).err(),
            only_implementation(&text, 0).err(),
            flag(&text, 0).err(),
            amount(&text, 0).err(),
        ];
        for malformed in answers.into_iter().flatten() {
            assert!(said(malformed).len() < 192);
        }
    }
}
