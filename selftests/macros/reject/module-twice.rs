// SPDX-License-Identifier: GPL-2.0

//! A field can be given once.

struct Shop;

molt::module! {
    class: "store",
    implementation: Shop,
    version: 1,
    license: "GPL",
    version: 2,
}
