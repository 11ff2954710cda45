// SPDX-License-Identifier: GPL-2.0

//! What is called an implementation must be one.

use molt::State;

#[derive(State)]
struct Shop;

molt::module! {
    class: "store",
    implementation: Shop,
    version: 1,
    license: "GPL",
}
