// SPDX-License-Identifier: GPL-2.0

//! Schemas of states of all shapes.

use kernel::sync::atomic::Atomic;
use molt::{fingerprint::is_same_text, schema::is_state_of, State};

/// Named fields.
#[derive(State)]
pub struct Sum {
    /// The total.
    pub total: Atomic<u64>,
    /// A flag.
    pub r#type: bool,
}

/// Numbered fields.
#[derive(State)]
#[state(name = "Sum", version = 3)]
pub struct Sum3(pub Atomic<u64>, pub [u8; 3]);

/// No fields.
#[derive(State)]
pub struct Nothing;

const _: () = {
    let [total, kind] = Sum::TYPE.parts else {
        panic!();
    };
    assert!(is_same_text(total.name, "total"));
    assert!(is_same_text(total.type_name, "Atomic<u64>"));
    assert!(total.kind.size == 8 && total.offset == core::mem::offset_of!(Sum, total));
    assert!(is_same_text(kind.name, "type"));
    assert!(kind.kind.size == 1 && kind.kind.fingerprint != total.kind.fingerprint);

    let [first, second] = Sum3::TYPE.parts else {
        panic!();
    };
    assert!(is_same_text(first.name, "0"));
    assert!(first.kind.fingerprint == total.kind.fingerprint);
    assert!(is_same_text(second.type_name, "[u8; 3]"));
    assert!(Nothing::TYPE.parts.is_empty());

    assert!(is_state_of::<Sum>("Sum", 1) && is_state_of::<Sum>("Sum", 7));
    assert!(is_state_of::<Sum3>("Sum", 3) && !is_state_of::<Sum3>("Sum", 1));
    assert!(!is_state_of::<Nothing>("Sum", 1));
};
