// SPDX-License-Identifier: GPL-2.0

//! Of two rules one would not be followed.

/// Two defaults.
#[derive(molt::State)]
pub struct First {
    #[state(default = 1, default = 2)]
    number: u64,
}

/// Two conversions, in two attributes.
#[derive(molt::State)]
pub struct Second {
    #[state(convert(u32 => widen))]
    #[state(convert(u16 => widen), versions = "Second@1")]
    number: u64,
}

/// What is made again has no name before.
#[derive(molt::State)]
pub struct Third {
    #[state(rebuild = make, renamed = "count")]
    number: u64,
}

/// Kept and converted.
#[derive(molt::State)]
pub struct Fourth {
    #[state(keep, convert(u32 => widen))]
    number: u64,
}

/// Dropped twice.
#[derive(molt::State)]
#[state(dropped(count), dropped(count: u64 = 1))]
pub struct Fifth {
    number: u64,
}

fn widen(number: u32) -> u64 {
    number.into()
}

fn make() -> u64 {
    0
}
