// SPDX-License-Identifier: GPL-2.0

//! History: how past transitions went.

use kernel::prelude::*;

use crate::blocker::Who;
use crate::gate::Traffic;
use crate::registry::framework;
use crate::text::{Name, Text};
use crate::transition::Timing;

/// How many transitions are remembered; about 0.5 KiB each.
const MOST: usize = 2048;

/// One transition that has ended.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The transition's number.
    pub id: u64,
    /// Who asked for it.
    pub who: Who,
    /// The class.
    pub class: Name,
    /// `implementation@version` before.
    pub from: Text<72>,
    /// `implementation@version` asked for.
    pub to: Text<72>,
    /// `ok`, or an errno's name.
    pub result: &'static str,
    /// The generation afterwards.
    pub generation: u64,
    /// Instances that were transferred.
    pub instances: u64,
    /// Where the time went.
    pub timing: Timing,
    /// From the open gate to the old objects gone, in nanoseconds.
    pub reclaiming_ns: u64,
    /// What calls met at the gate meanwhile.
    pub traffic: Traffic,
    /// The longest wait of a call, in nanoseconds.
    pub longest_wait_ns: u64,
}

/// The last transitions, oldest first from `next` on.
pub(crate) struct History {
    entries: KVVec<Entry>,
    next: usize,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            entries: KVVec::new(),
            next: 0,
        }
    }

    /// Remembers `entry`. Where memory is short it is dropped: history is not worth more.
    pub(crate) fn push(&mut self, entry: Entry) {
        if self.entries.len() < MOST {
            let _ = self.entries.push(entry, GFP_KERNEL);
        } else if let Some(oldest) = self.entries.get_mut(self.next) {
            *oldest = entry;
            self.next = (self.next + 1) % MOST;
        }
    }
}

/// Visits the remembered transitions, oldest first. May sleep.
pub fn for_each(f: impl FnMut(&Entry)) {
    let history = framework().history.lock();
    let (newer, older) = history.entries.split_at(history.next);
    [older, newer].into_iter().flatten().for_each(f);
}
