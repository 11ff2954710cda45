// SPDX-License-Identifier: GPL-2.0

//! Rules where they cannot be.

/// A variant cannot be dropped.
#[derive(molt::Movable)]
#[state(dropped(Text))]
#[repr(u8)]
pub enum Kind {
    /// A variant.
    Number(u64),
}

/// Only a field of a state can be made again.
#[derive(molt::Movable)]
pub struct Part {
    #[state(rebuild = make)]
    number: u64,
}

/// No version is meant.
#[derive(molt::Movable)]
pub struct Other {
    #[state(versions = "Store@1")]
    number: u64,
}

/// No version.
#[derive(molt::Movable)]
pub struct Third {
    #[state(default, versions = "Store1")]
    number: u64,
}

/// No name.
#[derive(molt::Movable)]
pub struct Fourth {
    #[state(renamed = "")]
    number: u64,
}

fn make() -> u64 {
    0
}
