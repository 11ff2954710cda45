// SPDX-License-Identifier: GPL-2.0

//! Nodes, version 2: a field more, before the others.

use super::interface::{Link, Node};
use kernel::prelude::*;
use kernel::sync::atomic::Atomic;
use molt::State;

#[derive(State)]
pub(crate) struct Plain {
    #[state(default = 1)]
    moves: u64,
    total: Atomic<u64>,
    peer: Option<Link>,
}

impl molt::Implementation<dyn Node> for Plain {
    fn create(peer: Option<Link>) -> impl PinInit<Self, Error> {
        try_init!(Self {
            moves: 0,
            total: Atomic::new(0),
            peer
        })
    }
}

super::methods::serve!(Plain);
