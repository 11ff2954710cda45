// SPDX-License-Identifier: GPL-2.0

//! Modules have a version.

struct Shop;

molt::module! {
    class: "store",
    implementation: Shop,
    license: "GPL",
}
