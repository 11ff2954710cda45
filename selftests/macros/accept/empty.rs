// SPDX-License-Identifier: GPL-2.0

//! An interface without methods or arguments.

/// Nothing to call.
#[molt::interface(name = "empty", context = atomic)]
pub trait Empty {}
