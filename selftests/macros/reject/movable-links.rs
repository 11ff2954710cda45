// SPDX-License-Identifier: GPL-2.0

//! Lists of what has two links, so that versions could differ, and of what counts its references.

use kernel::list::{impl_list_arc_safe, impl_list_item, AtomicTracker, List, ListLinks};
use kernel::prelude::*;
use molt::schema::Type;
use molt::Movable;

/// Two links of one kind.
#[derive(Movable)]
#[pin_data]
pub struct Twice {
    #[pin]
    one: ListLinks,
    #[pin]
    other: ListLinks,
}

impl_list_arc_safe! { impl ListArcSafe<0> for Twice { untracked; } }
impl_list_item! { impl ListItem<0> for Twice { using ListLinks { self.other }; } }

/// A description.
pub const TWICE: &Type = <List<Twice> as Movable>::TYPE;

/// Knows whether there is a `ListArc`.
#[derive(Movable)]
pub struct Tracked {
    links: ListLinks,
    tracker: AtomicTracker,
}
