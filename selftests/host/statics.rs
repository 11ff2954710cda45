// SPDX-License-Identifier: GPL-2.0

//! Tests of `rust/molt/schema/statics.rs` on the host. That file needs `core` only.

#[path = "../../rust/molt/schema/statics.rs"]
mod statics;

use statics::{is_generated, name_of};

/// A static of an author, by its name.
fn is_of_author(symbol: &str, name: &str) {
    assert_eq!(name_of(symbol), Some(name), "{symbol}");
    assert!(!is_generated(symbol), "{symbol}");
}

#[test]
fn statics_have_their_last_name() {
    is_of_author("_RNvCsjbQTsJBHEcV_14counter_v3_bad5ASKED", "ASKED");
    is_of_author("_RNvNtCsezmMoJcwhU4_4molt8registry4ROOT", "ROOT");
    is_of_author("_RNvNvCs8mS_3abc4open4SEEN", "SEEN");
}

#[test]
fn names_with_digits_are_whole() {
    is_of_author("_RNvCs1_3abc10COUNT_V1XY", "COUNT_V1XY");
    is_of_author("_RNvCs1_3abc4V_1X", "V_1X");
    is_of_author("_RNvCs1_5ab9_c12CLASSES_2ABC", "CLASSES_2ABC");
    is_of_author("_RNvCs1_3abc4__FOO", "_FOO");
}

#[test]
fn names_in_methods_and_closures_are_found() {
    is_of_author(
        "_RNvNCNvXs7_Cs8mS3goLa4Id_10bench_loadNtB9_4LoadNtNtCsb5MLIFMWygY_6kernel10miscdevice\
         10MiscDevice4open05COUNT",
        "COUNT",
    );
    is_of_author(
        "_RNvNCNCNvMs2_NtCsezmMoJcwhU4_4molt10primitivesINtBb_7BucketspE3new005TABLE",
        "TABLE",
    );
    is_of_author(
        "_RNvNvMCs1_1aINtB2_1SAhj8_DG_NtB2_1Tp4ItemRL_hEL_FUKCTmtEEuQSxPNtB2_1AKin5_E1f1X",
        "X",
    );
}

#[test]
fn the_crate_that_asked_is_no_name() {
    is_of_author("_RNvCs1_3abc5ASKEDCs2_3def", "ASKED");
}

#[test]
fn suffixes_of_compilers_are_no_names() {
    is_of_author("_RNvCs1_3abc5ASKED.0", "ASKED");
    is_of_author("_RNvCs1_3abc5ASKED.llvm.1234", "ASKED");
    is_of_author("counter.12", "counter");
}

#[test]
fn other_symbols_are_names() {
    is_of_author("hits", "hits");
    is_of_author("_ZN3foo3barE", "_ZN3foo3barE");
}

#[test]
fn macros_write_statics_too() {
    for symbol in [
        "__this_module",
        "__already_done.1",
        "_RNvNtNtCsezmMoJcwhU4_4molt13___module_init13___module_init5___MOD",
        "_RNvNtNtCs3R4sfhdUbva_12hello_caller13___module_init13___module_init5___MOD.0",
        "_RNvNtCs74OzzRsgrrN_13test_green_v317module_parameters9refuse_at",
        "_RNvNvCsaSU8MHYyWjH_12test_dropper19drop_under_spinlock5CLASS",
        "_RNvNCNvMs_NtCslNOQWMu6GfV_3lib7surfaceNtB8_7Surface3new05CLASS",
        "_RNvNCNvMs_NtCsezmMoJcwhU4_4molt8registryNtB8_4Root3new0s0_5CLASS",
        "_RNvNvCs1_3abc4open4ONCE",
    ] {
        assert!(name_of(symbol).is_some(), "{symbol}");
        assert!(is_generated(symbol), "{symbol}");
    }
    // The same names where no macro puts them.
    is_of_author("_RNvCs1_3abc5CLASS", "CLASS");
    is_of_author("_RNvNtCs1_3abc4open4ONCE", "ONCE");
}

#[test]
fn labels_are_no_names() {
    for symbol in [
        "",
        ".",
        ".Lanon.1",
        "$d",
        "a b",
        "_RNvCs1_3abc3a-b",
        "_RNvCs1_3abc0",
    ] {
        assert_eq!(name_of(symbol), None, "{symbol}");
    }
}

#[test]
fn no_symbol_is_too_much() {
    let whole = "_RNvNCNvMs_NtCslNOQWMu6GfV_3lib7surfaceINtB8_7SurfaceKj5_RL0_hE3new05CLASS";
    assert!(is_generated(whole));
    for end in 0..whole.len() {
        let part = &whole[..end];
        // What is cut off is taken as it stands, unless it ends where another name does.
        assert_eq!(name_of(part).is_none(), part.is_empty(), "{part}");
        is_generated(part);
    }
    for middle in [
        "Nv",
        "S",
        "RL_",
        "INvC1a",
        "T",
        "FE",
        "D",
        "B",
        "99999999999999999999999",
        "é",
    ] {
        let symbol = format!("_RNv{}", middle.repeat(10_000));
        name_of(&symbol);
        is_generated(&symbol);
    }
}
