// SPDX-License-Identifier: GPL-2.0

//! The name of a class becomes part of an alias and of a path.

struct Shop;

molt::module! {
    class: "The Store",
    implementation: Shop,
    version: 1,
    license: "GPL",
}
