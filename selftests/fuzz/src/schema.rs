// SPDX-License-Identifier: GPL-2.0

//! The sources of schemas, of kernel and tests.

#[path = "../../host/schema/builder.rs"]
pub mod builder;
#[path = "../../../rust/molt/schema/compare.rs"]
pub mod compare;
#[path = "../../../rust/molt/schema/format.rs"]
pub mod format;
#[path = "../../../rust/molt/schema/statics.rs"]
pub mod statics;
#[path = "../../host/schema/types.rs"]
pub mod types;
