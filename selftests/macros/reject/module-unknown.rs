// SPDX-License-Identifier: GPL-2.0

//! An unknown field is answered with the known ones.

struct Shop;

molt::module! {
    class: "store",
    implementation: Shop,
    version: 1,
    license: "GPL",
    klass: "store",
}
