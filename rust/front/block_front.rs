// SPDX-License-Identifier: GPL-2.0

//! The front of disks: owns them with their queues and requests, so that the drivers behind them
//! can be replaced. What a driver implements is in `molt::front::block`.
//!
//! A request is one call of the class, or two where it is put off. While the class is updated a
//! request waits at the gate, in who submits it or a worker of the block layer. It does not time
//! out.

use kernel::error::code::{EINVAL, ENOENT};
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
                nodes <- new_mutex!(KVec::new(), "molt_block"),
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
    nodes: Mutex<KVec<Node>>,
}

/// A disk of a class.
struct Node {
    class_name: CString,
    options: GenDiskBuilder,
    disk: disk::Raw,
}

impl Node {
    fn new(class: &CStr, options: GenDiskBuilder) -> Result<Self> {
        let handle = Class::<dyn Disk>::open(class)?.create(options.geometry())?;
        Ok(Self {
            class_name: CString::try_from(class)?,
            disk: disk::Raw::new(options.name()?, &options, KBox::pin(handle, GFP_KERNEL)?)?,
            options,
        })
    }
}

impl Front for Disks {
    fn attach(&self, class: &CStr, options: &front::Options) -> Result {
        let mut nodes = self.nodes.lock();
        nodes.reserve(1, GFP_KERNEL)?;
        let node = Node::new(class, options.get::<GenDiskBuilder>()?)?;
        Ok(nodes.push(node, GFP_KERNEL)?)
    }

    fn join(&self, class: &CStr, options: &front::Options) -> Result {
        let options = options.get::<GenDiskBuilder>()?;
        let nodes = self.nodes.lock();
        let node = nodes.iter().find(|node| &*node.class_name == class);
        match node.ok_or(ENOENT)?.options == options {
            true => Ok(()),
            false => Err(EINVAL),
        }
    }

    fn detach(&self, class: &CStr) -> Result {
        let mut nodes = self.nodes.lock();
        let at = nodes.iter().position(|node| &*node.class_name == class);
        let at = at.ok_or(ENOENT)?;
        if let Some(node) = nodes.get_mut(at) {
            node.disk.remove()?;
        }
        nodes.remove(at).map(drop).map_err(|_| ENOENT)
    }
}
