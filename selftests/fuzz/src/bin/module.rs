// SPDX-License-Identifier: GPL-2.0

//! Bytes that may be a module's file: read as moltctl reads it.

#![no_main]

use molt_fuzz::module::Module;
use molt_fuzz::{input, read};

/// # Safety
///
/// As libFuzzer calls it.
#[no_mangle]
pub unsafe extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
    // SAFETY: By the caller's promise.
    let bytes = unsafe { input(data, size) };
    if let Ok(module) = Module::parse(bytes) {
        assert!(module.statics.iter().all(|name| !name.is_empty()));
        if let Ok(schema) = module.schema() {
            read(&schema);
        }
    }
    0
}
