// SPDX-License-Identifier: GPL-2.0

//! Which writes are requests, and what is said of the others.

#[path = "../../rust/control/request.rs"]
mod request;

use request::{load, order, update, Load, Malformed, Update};

fn simple(implementation: &str, version: Option<u32>) -> Update<'_> {
    Update {
        implementation,
        version,
        ..Update::default()
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
    let line = b"Sum@2 policy=eager deadline_ms=5 pause_ms=6 expect=18446744073709551615 check=1\n";
    let expected = Update {
        deadline_ms: Some(5),
        pause_ms: Some(6),
        expect: Some(u64::MAX),
        is_check: true,
        ..simple("Sum", Some(2))
    };
    assert_eq!(update(line, 0), Ok(expected));
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
fn what_another_release_may_support() {
    for word in [
        "policy=lazy",
        "policy=background",
        "policy=",
        "complete_ms=1",
        "confirm_ms=1",
    ] {
        let text = format!("Sum@2 {word}\n");
        assert_eq!(
            update(text.as_bytes(), 0),
            Err(Malformed::Unsupported(word.as_bytes()))
        );
    }
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
}

/// No input, however odd, makes the parser panic.
#[test]
fn any_bytes() {
    let pieces: [&[u8]; 14] = [
        b"Sum", b"@", b"2", b" ", b"\n", b"\0", b"=", b"check=1", b"policy", b"molt:", b":",
        b"\xff", b"expect", b"\t",
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
        ];
        for malformed in answers.into_iter().flatten() {
            assert!(said(malformed).len() < 192);
        }
    }
}
