// SPDX-License-Identifier: GPL-2.0

//! The control module: `/sys/kernel/molt`, tables in debugfs, loading of modules by name.
//!
//! How a write to `classes/counter/update` flows:
//!
//! ```text
//!   sysfs.c   the writer and the opener have CAP_SYS_MODULE, or EPERM
//!   request   the words are understood, or EINVAL with the word that was wrong
//!   order     the framework is asked to begin (molt::transition). No such implementation:
//!             loader   modprobe molt:counter:Sum@2, with no lock held; asked once more
//!   jobs      remembers the transition for as long as the write lasts
//!             the write waits, killable, for what the policy promises;
//!             a fatal signal: the transition is asked to abort, and the write ends
//!   class     last_result says how it went; the write returns the same errno
//! ```
//!
//! The transition has a thread of its own, in `molt.ko`; at each edge it tells [`surface`],
//! which sends the uevent.
//!
//! A file must not be removed from within a write to it: the removal waits for the write.
//! So what is removed because of a write goes by a work item. `rmmod` of this module asks
//! the transitions of running writes to abort, waits for those writes, and removes it all.

mod class;
mod control;
mod jobs;
mod loader;
mod order;
mod request;
mod surface;
mod sysfs;
mod tables;

use kernel::prelude::*;
use kernel::sync::Arc;
use molt::registry::{self, Observer};

use surface::Surface;
use tables::Tables;

module! {
    type: Module,
    name: "molt_control",
    authors: ["The Molt developers"],
    description: "Dynamic update for kernel modules written in Rust: the control surface",
    license: "GPL",
}

struct Module {
    surface: Arc<Surface>,
    /// `surface`, as the framework knows it.
    observer: Arc<dyn Observer>,
    _tables: Tables,
}

impl kernel::Module for Module {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let surface = Surface::new()?;
        let observer: Arc<dyn Observer> = surface.clone();
        registry::watch(observer.clone())?;
        Ok(Self {
            surface,
            observer,
            _tables: Tables::new(),
        })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // Writes that run end soon from here on, and no other begins a transition.
        self.surface.control().jobs().stop();
        registry::unwatch(&self.observer);
        self.surface.clear();
    }
}
