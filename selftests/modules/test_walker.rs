// SPDX-License-Identifier: GPL-2.0

//! A caller of the test classes `alpha` and `beta`, which have to be there.
//!
//! A test writes commands to `test_walker/command` in debugfs. They run in the writer's task:
//!
//! * `self`, `other`, `cross`, `bury`: walks over and over along routes within an instance,
//!   between instances of a class, between the two classes, or with the last handle of an
//!   instance dropped in a call. Ends at `stop`, or at a signal.
//! * `linger MS`: one call that sleeps inside `alpha`. `linger-beta MS`: the same in `beta`.
//! * `stop`, `go`: ends the walks, and lets new ones begin.
//!
//! `test_walker/result` shows `returned` (the sum of what walks returned) and `total` (what
//! the instances counted), which are equal when no walk runs, and what went wrong.

#![deny(unsafe_code)]

use kernel::debugfs::{Dir, File};
use kernel::fmt;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Arc;
use kernel::uaccess::UserSliceReader;

#[path = "node/command.rs"]
mod command;
#[path = "node/interface.rs"]
mod interface;
use interface::{Link, Node};

/// Length of a walk: its stack has to fit a kernel stack many times over.
const STEPS: usize = 8;
/// Instances of each class.
const NODES: usize = 4;

kernel::prelude::module! {
    type: Walker,
    name: "test_walker",
    authors: ["The Molt developers"],
    description: "Molt test: calls nodes, and lets them call each other",
    license: "GPL",
}

#[pin_data]
struct Walker {
    #[pin]
    command: File<Arc<Walks>>,
    #[pin]
    result: File<Arc<Walks>>,
    _dir: Dir,
}

impl kernel::InPlaceModule for Walker {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let dir = Dir::new(c"test_walker");
            let walks = Arc::new(Walks::new()?, GFP_KERNEL)?;
            Ok(try_pin_init!(Self {
                command <- dir.write_callback_file(c"command", walks.clone(), &run),
                result <- dir.read_callback_file(c"result", walks.clone(), &show),
                _dir: dir.clone(),
            }))
        })
    }
}

/// The nodes, and what became of the walks.
struct Walks {
    alpha: molt::Class<dyn Node>,
    alphas: KVec<Link>,
    betas: KVec<Link>,
    stopped: Atomic<u32>,
    walkers: Atomic<u32>,
    returned: Atomic<u64>,
    wrong: Atomic<u64>,
    failed: Atomic<u64>,
}

impl Walks {
    fn new() -> Result<Self> {
        let alpha = molt::Class::open(c"alpha")?;
        let beta = molt::Class::open(c"beta")?;
        Ok(Self {
            alphas: nodes(&alpha)?,
            betas: nodes(&beta)?,
            alpha,
            stopped: Atomic::new(0),
            walkers: Atomic::new(0),
            returned: Atomic::new(0),
            wrong: Atomic::new(0),
            failed: Atomic::new(0),
        })
    }

    /// The route of walker number `walker`: its first node, and where it goes from there.
    fn route(&self, kind: &str, walker: usize) -> Result<KVec<Link>> {
        let mut route = KVec::with_capacity(STEPS, GFP_KERNEL)?;
        for step in 0..STEPS {
            let (nodes, index) = match kind {
                "self" | "bury" => (&self.alphas, walker),
                "other" => (&self.alphas, walker + step),
                // Even walkers go from alpha to beta while odd ones go from beta to alpha.
                _ if (walker + step) % 2 == 0 => (&self.alphas, walker),
                _ => (&self.betas, walker),
            };
            let node = nodes.get(index % NODES).ok_or(EINVAL)?;
            route.push(Link((**node).clone()), GFP_KERNEL)?;
        }
        Ok(route)
    }

    fn walk(&self, kind: &str) -> Result {
        let route = self.route(kind, self.walkers.fetch_add(1, Relaxed) as usize)?;
        let (first, rest) = route.split_first().ok_or(EINVAL)?;
        while self.stopped.load(Relaxed) == 0 && !current!().signal_pending() {
            let returned = if kind == "bury" {
                match self.alpha.create(None) {
                    Ok(node) => first.bury(Link(node), rest),
                    Err(_) => {
                        self.failed.fetch_add(1, Relaxed);
                        continue;
                    }
                }
            } else {
                first.walk(rest)
            };
            self.returned.fetch_add(returned, Relaxed);
            if returned != STEPS as u64 {
                self.wrong.fetch_add(1, Relaxed);
            }
        }
        Ok(())
    }

    fn total(&self) -> u64 {
        let nodes = [&self.alphas, &self.betas].into_iter().flatten();
        nodes.map(|node| node.total()).sum()
    }
}

/// Some instances, of which each but the first has the one before it as its peer.
fn nodes(class: &molt::Class<dyn Node>) -> Result<KVec<Link>> {
    let mut nodes: KVec<Link> = KVec::new();
    for _ in 0..NODES {
        let peer = nodes.last().map(|node| Link((**node).clone()));
        nodes.push(Link(class.create(peer)?), GFP_KERNEL)?;
    }
    Ok(nodes)
}

fn run(walks: &Arc<Walks>, reader: &mut UserSliceReader) -> Result {
    command::take(reader, |command, argument| {
        let linger = |nodes: &KVec<Link>| -> Result {
            nodes
                .first()
                .ok_or(EINVAL)?
                .linger(command::number(argument)?);
            Ok(())
        };
        match command {
            "self" | "other" | "cross" | "bury" => walks.walk(command),
            "linger" => linger(&walks.alphas),
            "linger-beta" => linger(&walks.betas),
            "stop" => {
                walks.stopped.store(1, Relaxed);
                Ok(())
            }
            "go" => {
                walks.stopped.store(0, Relaxed);
                Ok(())
            }
            _ => Err(EINVAL),
        }
    })
}

fn show(walks: &Arc<Walks>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "returned {}", walks.returned.load(Relaxed))?;
    writeln!(f, "total {}", walks.total())?;
    writeln!(f, "wrong {}", walks.wrong.load(Relaxed))?;
    writeln!(f, "failed {}", walks.failed.load(Relaxed))
}
