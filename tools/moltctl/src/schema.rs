// SPDX-License-Identifier: GPL-2.0

//! Schema: what modules carry, read and compared by the kernel's own sources.

// The kernel has use for the rest.
#![allow(dead_code)]

#[path = "../../../rust/molt/schema/compare.rs"]
pub mod compare;
#[path = "../../../rust/molt/schema/format.rs"]
pub mod format;
#[path = "../../../rust/molt/schema/statics.rs"]
pub mod statics;
