// SPDX-License-Identifier: GPL-2.0

//! The stand-in for domains and their grace periods.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicU64;

use crate::cpu::interruptible;
use crate::primitives::{current, full_barrier, Arc, Result, TASKS};
use crate::record::Records;
use crate::world;

/// A domain: one word for each task, which only that task and grace periods touch.
///
/// So entering and leaving orders a reader against a grace period, and not against other
/// readers, nor against an updater's stores. Within a task only the outermost section
/// counts: it ends last.
pub(crate) struct Domain {
    /// Even: outside. Odd: inside. Each entry has a number of its own.
    inside: [AtomicU64; TASKS],
    depth: [Cell<usize>; TASKS],
    running: RefCell<Vec<Rc<Running>>>,
    pending: Cell<usize>,
}

// SAFETY: Loom runs all its threads in one thread of the host.
unsafe impl Send for Domain {}
// SAFETY: As above.
unsafe impl Sync for Domain {}

#[derive(Clone, Copy)]
pub(crate) struct Reader(usize);

/// A grace period that waits for some readers.
struct Running {
    /// The tasks that were inside when it began.
    readers: Cell<[bool; TASKS]>,
    awaited: Cell<[bool; TASKS]>,
    has_begun: Cell<bool>,
    has_ended: Cell<bool>,
    records: Arc<Records>,
}

impl Domain {
    pub(crate) fn new() -> Self {
        Self {
            inside: std::array::from_fn(|_| AtomicU64::new(0)),
            depth: std::array::from_fn(|_| Cell::new(0)),
            running: RefCell::new(Vec::new()),
            pending: Cell::new(0),
        }
    }

    pub(crate) fn settle(&self) -> Result {
        Ok(())
    }

    pub(crate) fn enter(&self) -> Reader {
        interruptible();
        let task = current().0;
        let depth = self.depth[task].get();
        if depth == 0 {
            self.inside[task].fetch_add(1, Ordering::AcqRel);
        }
        self.depth[task].set(depth + 1);
        Reader(task)
    }

    pub(crate) fn leave(&self, reader: Reader) {
        interruptible();
        let task = reader.0;
        let depth = self.depth[task].get() - 1;
        self.depth[task].set(depth);
        if depth > 0 {
            return;
        }
        self.inside[task].fetch_add(1, Ordering::AcqRel);
        // What follows up to the wake-up is one step together with the addition.
        let running = self.running.borrow().clone();
        let ended: VecDeque<_> = running
            .into_iter()
            .filter(|grace| {
                let mut awaited = grace.awaited.get();
                let was_awaited = std::mem::replace(&mut awaited[task], false);
                grace.awaited.set(awaited);
                was_awaited && grace.has_begun.get() && awaited == [false; TASKS]
            })
            .collect();
        for grace in &ended {
            self.end(grace);
        }
        for grace in &ended {
            grace.records.wake_updaters();
        }
    }

    fn end(&self, grace: &Rc<Running>) {
        grace.has_ended.set(true);
        self.pending.set(self.pending.get() - 1);
        self.running.borrow_mut().retain(|g| !Rc::ptr_eq(g, grace));
    }

    pub(crate) fn has_inside(&self, task: usize) -> bool {
        self.depth[task].get() > 0
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.pending.get() != 0
    }
}

/// One grace period of a domain.
///
/// The reader that leaves last runs the callback. In the kernel somebody else does, later:
/// to the updater, which can be late at any point itself, that looks the same.
pub(crate) struct GracePeriod {
    /// In a gate that the attempt has.
    domain: *const Domain,
    running: Rc<Running>,
}

impl GracePeriod {
    pub(crate) fn begin(domain: &Domain, records: &Arc<Records>) -> Result<Self> {
        let running = Rc::new(Running {
            readers: Cell::new([false; TASKS]),
            awaited: Cell::new([false; TASKS]),
            has_begun: Cell::new(false),
            has_ended: Cell::new(false),
            records: records.clone(),
        });
        domain.pending.set(domain.pending.get() + 1);
        domain.running.borrow_mut().push(running.clone());
        // call_srcu() has one.
        full_barrier();
        let myself = current().0;
        for task in (0..world::tasks()).filter(|&task| task != myself) {
            // Whoever enters later sees what was stored before; whoever is inside is
            // waited for.
            let is_inside = domain.inside[task].fetch_add(0, Ordering::AcqRel) % 2 == 1;
            for tasks in [&running.readers, &running.awaited] {
                let mut readers = tasks.get();
                readers[task] = is_inside;
                tasks.set(readers);
            }
        }
        running.has_begun.set(true);
        if running.awaited.get() == [false; TASKS] {
            domain.end(&running);
        }
        Ok(Self { domain, running })
    }

    pub(crate) fn has_ended(&self) -> bool {
        let has_ended = self.running.has_ended.get();
        if has_ended {
            // SAFETY: As said there.
            let domain = unsafe { &*self.domain };
            for (task, &was_inside) in self.running.readers.get().iter().enumerate() {
                if was_inside {
                    domain.inside[task].fetch_add(0, Ordering::AcqRel);
                }
            }
        }
        has_ended
    }
}
