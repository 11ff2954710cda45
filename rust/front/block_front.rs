// SPDX-License-Identifier: GPL-2.0

//! The front of disks: owns them with their queues and requests, so that the drivers behind them
//! can be replaced. What a driver implements is in `molt::front::block`.
//!
//! A request is one call of the class, or two where it is put off. While the class is updated a
//! request waits at the gate, in who submits it or a worker of the block layer. It does not time
//! out.

use kernel::error::code::{EBUSY, EINVAL, ENOENT};
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{new_mutex, Arc, Mutex};
use molt::front::block::{Disk, GenDiskBuilder, FRONT};
use molt::front::{self, Front};
use molt::{Class, Handle};

#[path = "disk.rs"]
mod disk;

/// Who serves a disk's requests.
type Data = Handle<dyn Disk>;

module! {
    type: Module,
    name: "molt_block",
    authors: ["The Molt developers"],
    description: "Dynamic update for kernel modules written in Rust: disks",
    license: "GPL",
    alias: ["molt-front-block"],
}

struct Module {
    _registration: front::Registration,
}

impl kernel::Module for Module {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let disks = Arc::pin_init(
            pin_init!(Disks {
                nodes <- new_mutex!(
                    Nodes {
                        attached: KVec::new(),
                        added: KVec::new(),
                        last: 0,
                    },
                    "molt_block"
                ),
            }),
            GFP_KERNEL,
        )?;
        Ok(Self {
            _registration: front::Registration::new(FRONT, disks, module)?,
        })
    }
}

/// All disks of this front.
#[pin_data]
struct Disks {
    #[pin]
    nodes: Mutex<Nodes>,
}

struct Nodes {
    attached: KVec<Node>,
    /// Those that somebody else keeps, by number.
    added: KVec<(u64, Node)>,
    last: u64,
}

/// A class, with a disk if it has one here.
struct Node {
    class_name: CString,
    options: GenDiskBuilder,
    disk: Option<disk::Raw>,
}

impl Node {
    fn new(class: &CStr, options: &front::Options) -> Result<Self> {
        let options = options.get::<GenDiskBuilder>()?;
        let make = |name| {
            let handle = Class::<dyn Disk>::open(class)?.create(options.geometry())?;
            disk::Raw::new(name, &options, KBox::pin(handle, GFP_KERNEL)?)
        };
        Ok(Self {
            class_name: CString::try_from(class)?,
            disk: options.name().map(make).transpose()?,
            options,
        })
    }

    fn is_of(&self, class: &CStr) -> bool {
        &*self.class_name == class
    }

    /// Ends the disk; `forced`: also one that is open.
    fn remove(&mut self, forced: bool) -> Result {
        match &mut self.disk {
            Some(disk) => disk.remove(forced),
            None => Ok(()),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It does not fail where it is forced.
        let _ = self.remove(true);
    }
}

impl Front for Disks {
    fn attach(&self, class: &CStr, options: &front::Options) -> Result {
        // Without the lock: the driver may wait, for a module even that has a disk itself.
        let node = Node::new(class, options)?;
        Ok(self.nodes.lock().attached.push(node, GFP_KERNEL)?)
    }

    fn join(&self, class: &CStr, options: &front::Options) -> Result {
        let options = options.get::<GenDiskBuilder>()?;
        let nodes = self.nodes.lock();
        let node = nodes.attached.iter().find(|node| node.is_of(class));
        match node.ok_or(ENOENT)?.options == options {
            true => Ok(()),
            false => Err(EINVAL),
        }
    }

    fn add(&self, class: &CStr, options: &front::Options) -> Result<u64> {
        let node = Node::new(class, options)?;
        let mut nodes = self.nodes.lock();
        nodes.last = nodes.last.wrapping_add(1);
        let number = nodes.last;
        nodes.added.push((number, node), GFP_KERNEL)?;
        Ok(number)
    }

    fn remove(&self, number: u64) {
        let mut nodes = self.nodes.lock();
        let at = nodes.added.iter().position(|(known, _)| *known == number);
        let found = at.and_then(|at| nodes.added.remove(at).ok());
        // Requests are waited for, which need no lock of ours; others should not wait along.
        drop(nodes);
        drop(found);
    }

    fn detach(&self, class: &CStr) -> Result {
        let mut nodes = self.nodes.lock();
        if nodes.added.iter().any(|(_, node)| node.is_of(class)) {
            return Err(EBUSY);
        }
        let at = nodes.attached.iter().position(|node| node.is_of(class));
        let at = at.ok_or(ENOENT)?;
        if let Some(node) = nodes.attached.get_mut(at) {
            node.remove(false)?;
        }
        nodes.attached.remove(at).map(drop).map_err(|_| ENOENT)
    }
}
