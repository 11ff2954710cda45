// SPDX-License-Identifier: GPL-2.0

//! The code of one call, for `tools/checks/stub.sh` to disassemble: through a handle, and
//! the same through `dyn`. Nobody loads this module.

use kernel::prelude::*;
use molt::Handle;

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

kernel::prelude::module! {
    type: Stub,
    name: "call_stub",
    authors: ["The Molt developers"],
    description: "Molt check: the code of a call",
    license: "GPL",
}

struct Stub;

impl kernel::Module for Stub {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self)
    }
}

/// A call through a handle. Something is done with the result, so that the call is no jump.
#[expect(
    clippy::no_mangle_with_rust_abi,
    reason = "it is looked at, and called by nobody"
)]
#[no_mangle]
pub fn stub_of_handle(counter: &Handle<dyn Counter>, n: u64) -> u64 {
    counter.add(n) ^ n
}

/// The same call through `dyn`.
#[expect(
    clippy::no_mangle_with_rust_abi,
    reason = "it is looked at, and called by nobody"
)]
#[no_mangle]
pub fn stub_of_dyn(counter: &dyn Counter, n: u64) -> u64 {
    counter.add(n) ^ n
}
