// SPDX-License-Identifier: GPL-2.0
//! Placeholder until merged.
pub fn name_of(symbol: &str) -> Option<&str> { let _ = symbol; None }
pub fn is_generated(_symbol: &str) -> bool { false }
