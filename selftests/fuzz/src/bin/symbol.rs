// SPDX-License-Identifier: GPL-2.0

//! Bytes that may be the symbol of a static: its name is read out of them, by the kernel, too.

#![no_main]

use std::hint::black_box;

use molt_fuzz::input;
use molt_fuzz::schema::statics::{is_generated, name_of};

/// # Safety
///
/// As libFuzzer calls it.
#[no_mangle]
pub unsafe extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
    // SAFETY: By the caller's promise.
    let bytes = unsafe { input(data, size) };
    let Ok(symbol) = std::str::from_utf8(bytes) else {
        return 0;
    };
    black_box(is_generated(symbol));
    if let Some(name) = name_of(symbol) {
        assert!(
            !name.is_empty() && symbol.contains(name),
            "{name} of {symbol}"
        );
        assert!(name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    }
    0
}
