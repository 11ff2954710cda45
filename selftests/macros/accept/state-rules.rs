// SPDX-License-Identifier: GPL-2.0

//! Each rule, in each place and form in which it can be written.

use kernel::prelude::*;
use kernel::sync::atomic::Atomic;
use kernel::sync::{Mutex, SpinLock};
use molt::{Movable, State};

/// A state.
#[derive(State)]
#[state(name = "Store", version = 4, from = ["Store@1", "Store@2", "Shop@3"])]
#[state(dropped(old), dropped(r#type: u64 = 5), dropped(0))]
#[state(dropped(lock: Mutex<u64> = 1), versions = "Store@2")]
#[state(irreversible, versions = ["Shop@3"])]
pub struct Store {
    #[state(default)]
    number: u64,
    #[state(default = Atomic::new(1), renamed = "counter")]
    count: Atomic<u64>,
    #[state(default)]
    atomic: Atomic<u32>,
    #[state(convert(u32 => widen, back = narrow), versions = "Store@1")]
    #[state(convert(wide: u32 => widen), versions = ["Store@2", "Shop@3"])]
    converted: u64,
    #[state(try_convert(1: u32 => try_widen, try_back = try_narrow,))]
    tried: u64,
    #[state(convert(r#match: u32 => widen))]
    raw: u64,
    #[state(convert(core::primitive::u32 => widen))]
    path: u64,
    #[state(rebuild = label, irreversible)]
    label: &'static str,
    #[state(try_rebuild = try_label)]
    boxed: KBox<dyn Send + Sync>,
    #[state(keep)]
    kept: u64,
    #[state(default = 3)]
    lock: Mutex<u64>,
    #[state(convert(Mutex<u32> => widen, back = narrow))]
    spinning: SpinLock<u64>,
    #[state(rebuild = label)]
    relabelled: Mutex<&'static str>,
    locks: [SpinLock<u64>; 3],
    part: Part,
    kind: Kind,
}

/// A part.
#[derive(Movable)]
#[state(dropped(old: Option<KBox<u64>> = None), irreversible)]
pub struct Part(
    #[state(renamed = "1")] u64,
    #[state(renamed = "0")] u64,
    #[state(default)] KVec<u64>,
);

/// Variants.
#[derive(Movable)]
#[repr(u8)]
#[state(irreversible, versions = "Store@1")]
pub enum Kind {
    /// One.
    #[state(renamed = "Old", dropped(count: u64 = 1))]
    New {
        /// A number.
        #[state(default = 5)]
        number: u64,
    },
    /// The other.
    Empty,
}

fn widen(number: u32) -> u64 {
    number.into()
}

fn narrow(number: u64) -> u32 {
    number as u32
}

fn try_widen(number: &u32) -> Result<u64> {
    Ok(widen(*number))
}

fn try_narrow(number: &u64) -> Result<u32> {
    u32::try_from(*number).map_err(|_| EINVAL)
}

fn label() -> &'static str {
    "label"
}

fn try_label() -> Result<KBox<dyn Send + Sync>> {
    Ok(KBox::new(1u64, GFP_KERNEL)?)
}

/// Types that come out of a macro of the author's.
macro_rules! made {
    ($name:ident, $field:ident: $kind:ty, $lock:ty) => {
        /// A state.
        #[derive(State)]
        #[state(dropped(old: $kind = 1))]
        pub struct $name {
            #[state(default = 2)]
            $field: $kind,
            #[state(default = 3)]
            lock: $lock,
            #[state(convert($kind => same))]
            same: $kind,
        }
    };
}

made!(Made, value: u64, Mutex<u64>);

fn same(number: u64) -> u64 {
    number
}
