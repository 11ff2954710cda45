// SPDX-License-Identifier: GPL-2.0

//! Bytes that may be two schemas: each is read, and those that are accepted are compared.

#![no_main]

use molt_fuzz::schema::format::{Schema, MAGIC};
use molt_fuzz::{compare_both, input, read};

/// # Safety
///
/// As libFuzzer calls it.
#[no_mangle]
pub unsafe extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
    // SAFETY: By the caller's promise.
    let bytes = unsafe { input(data, size) };
    // The second one begins where the second magic is, so that both can change their size.
    let is_magic = |place: &usize| bytes[*place..].starts_with(MAGIC);
    let middle = (1..bytes.len()).find(is_magic).unwrap_or(bytes.len());
    let (old, new) = bytes.split_at(middle);
    let (old, new) = (whole(old), whole(new));
    let (old, new) = (Schema::new(&old), Schema::new(&new));
    for schema in [&old, &new].into_iter().flatten() {
        read(schema);
        compare_both(*schema, *schema);
    }
    if let (Ok(old), Ok(new)) = (old, new) {
        compare_both(old, new);
    }
    0
}

/// With the right size, which is nothing to learn for a fuzzer; but not where it is odd.
fn whole(bytes: &[u8]) -> Vec<u8> {
    let size = bytes.len() as u32;
    let mut bytes = bytes.to_vec();
    if let (Some(place), 0) = (bytes.get_mut(8..12), size % 2) {
        place.copy_from_slice(&size.to_le_bytes());
    }
    bytes
}
