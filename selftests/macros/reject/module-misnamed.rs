// SPDX-License-Identifier: GPL-2.0

//! The state of the implementation is not another one's.

use kernel::prelude::*;
use molt::{Implementation, State};

/// An interface.
#[molt::interface(name = "store", context = sleepable)]
pub trait Store {}

#[derive(State)]
#[state(name = "Shop", version = 2)]
struct Shop {}

impl Implementation<dyn Store> for Shop {
    fn create((): ()) -> impl PinInit<Self, Error> {
        init!(Shop {}? Error)
    }
}

impl Store for Shop {}

molt::module! {
    class: "store",
    implementation: Shop,
    version: 1,
    license: "GPL",
}
