// SPDX-License-Identifier: GPL-2.0

//! A parameter of a movable type must be movable.

use molt::Movable;

/// Two of a kind.
#[derive(Movable)]
pub struct Pair<T>(T, T);

const _: u64 = <Pair<&'static str> as Movable>::FINGERPRINT;
