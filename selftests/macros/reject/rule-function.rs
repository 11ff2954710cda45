// SPDX-License-Identifier: GPL-2.0

//! Functions of rules have the types that the rule says.

/// Made from something else.
#[derive(molt::State)]
pub struct Store {
    #[state(convert(u16 => widen))]
    number: u64,
    #[state(try_convert(u32 => widen))]
    other: u64,
    #[state(default = "none")]
    third: u64,
    #[state(convert(&'static str => length))]
    fourth: u64,
}

fn widen(number: u32) -> u64 {
    number.into()
}

fn length(text: &str) -> u64 {
    text.len() as u64
}
