// SPDX-License-Identifier: GPL-2.0

//! Nodes, version 2: a field more, before the others, and both directions.

use super::interface::{Link, Node};
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Convert, State};

#[derive(State)]
#[state(name = "Plain", version = 1)]
pub(crate) struct Plain1 {
    total: Atomic<u64>,
    peer: Option<Link>,
}

#[derive(State)]
pub(crate) struct Plain {
    moves: u64,
    total: Atomic<u64>,
    peer: Option<Link>,
}

impl Convert<Plain1> for Plain {
    fn convert(old: &mut Plain1) -> Self {
        Self {
            moves: 1,
            total: Atomic::new(old.total.load(Relaxed)),
            peer: old.peer.take(),
        }
    }
}

impl Convert<Plain> for Plain1 {
    fn convert(old: &mut Plain) -> Self {
        Self {
            total: Atomic::new(old.total.load(Relaxed)),
            peer: old.peer.take(),
        }
    }
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
