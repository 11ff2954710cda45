// SPDX-License-Identifier: GPL-2.0

//! History: how past transitions went.

use kernel::prelude::*;

use crate::attempt::Timing;
use crate::blocker::Who;
use crate::gate::Traffic;
use crate::registry::framework;
use crate::text::{Name, Text};

/// How many entries are remembered; about 0.5 KiB each.
const MOST: usize = 2048;

/// One class of a transition that has committed or was aborted.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The transition's number.
    pub id: u64,
    /// Who asked for it.
    pub who: Who,
    /// `update`, `switch` or `repair`.
    pub verb: &'static str,
    /// `eager`, `lazy` or `background`.
    pub policy: &'static str,
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
    /// From the end of the sweep to the old objects gone, in nanoseconds.
    pub reclaiming_ns: u64,
    /// What calls met at the gate meanwhile.
    pub traffic: Traffic,
    /// The longest wait of a call, in nanoseconds.
    pub longest_wait_ns: u64,
}

impl Entry {
    /// An entry that has nothing to tell yet.
    pub(crate) fn new(id: u64, who: Who) -> Self {
        Self {
            id,
            who,
            verb: "",
            policy: "",
            class: Name::new(),
            from: Text::new(),
            to: Text::new(),
            result: "",
            generation: 0,
            instances: 0,
            timing: Timing::default(),
            reclaiming_ns: 0,
            traffic: Traffic::default(),
            longest_wait_ns: 0,
        }
    }
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

impl History {
    /// Adds what is known later to the entries of a transition, as far as they are remembered.
    pub(crate) fn amend(&mut self, id: u64, f: impl FnMut(&mut Entry)) {
        let own = self.entries.iter_mut().filter(|entry| entry.id == id);
        own.for_each(f);
    }
}

/// Visits the remembered transitions, oldest first. May sleep.
pub fn for_each(f: impl FnMut(&Entry)) {
    let history = framework().history.lock();
    let (newer, older) = history.entries.split_at(history.next);
    [older, newer].into_iter().flatten().for_each(f);
}
