// SPDX-License-Identifier: GPL-2.0

//! The stand-in for processors: each task has one of its own.
//!
//! An interrupt is a call in the midst of what its task does. A scenario that has one is
//! explored once for each moment at which it can come.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use loom::sync::{Mutex, MutexGuard};

use crate::primitives::{current, Result, WaitQueue};
use crate::slot::Slot;
use crate::world::{self, note};

/// What a processor is at.
pub(crate) struct Cpu {
    /// How often interrupts were switched off.
    quiet: Cell<usize>,
    /// How often preemption was, for whatever reason.
    pinned: Cell<usize>,
    moving: Cell<*const Slot>,
    /// How often it has written.
    written: Cell<usize>,
    /// What others had written when it spun last, and for how many rounds.
    spun: Cell<(usize, usize)>,
}

impl Cpu {
    pub(crate) fn new() -> Self {
        Self {
            quiet: Cell::new(0),
            pinned: Cell::new(0),
            moving: Cell::new(ptr::null()),
            written: Cell::new(0),
            spun: Cell::new((0, 0)),
        }
    }
}

fn own<R>(f: impl FnOnce(&Cpu) -> R) -> R {
    world::with(|world| f(&world.cpus[current().0]))
}

/// Whether preemption and interrupts are on.
pub(crate) fn is_preemptible() -> bool {
    own(|cpu| cpu.pinned.get() == 0)
}

// ---- interrupts ------------------------------------------------------------------------

/// An interrupt that comes once.
pub(crate) struct Interrupt {
    pub(crate) task: usize,
    /// At which opportunity, counted from 0.
    pub(crate) at: usize,
    opportunities: Cell<usize>,
    is_running: Cell<bool>,
    /// What it does; before it is known, nothing comes.
    pub(crate) handler: RefCell<Option<Rc<dyn Fn()>>>,
}

impl Interrupt {
    pub(crate) fn new(task: usize, at: usize) -> Self {
        Self {
            task,
            at,
            opportunities: Cell::new(0),
            is_running: Cell::new(false),
            handler: RefCell::new(None),
        }
    }

    pub(crate) fn opportunities(&self) -> usize {
        self.opportunities.get()
    }

    fn comes(&self) -> Option<Rc<dyn Fn()>> {
        let handler = self.handler.borrow().clone()?;
        if self.is_running.get() || current().0 != self.task || own(|cpu| cpu.quiet.get() > 0) {
            return None;
        }
        let now = self.opportunities.replace(self.opportunities.get() + 1);
        (now == self.at).then_some(handler)
    }
}

/// A moment at which the task can be interrupted, if interrupts are on.
pub(crate) fn interruptible() {
    let Some(interrupt) = world::with(|world| world.interrupt.clone()) else {
        return;
    };
    if let Some(handler) = interrupt.comes() {
        note(|| "is interrupted".to_string());
        interrupt.is_running.set(true);
        let pinned = Pinned::new();
        handler();
        drop(pinned);
        interrupt.is_running.set(false);
        note(|| "goes on".to_string());
    }
}

/// Interrupts are off for as long as this lives.
pub(crate) struct Quiet(PhantomData<*const ()>);

pub(crate) fn quiet() -> Quiet {
    own(|cpu| cpu.quiet.set(cpu.quiet.get() + 1));
    pin();
    Quiet(PhantomData)
}

impl Drop for Quiet {
    fn drop(&mut self) {
        own(|cpu| cpu.quiet.set(cpu.quiet.get() - 1));
        unpin();
        // What came meanwhile comes now.
        interruptible();
    }
}

/// No interrupt comes for as long as this lives, though in the kernel one could: the model's
/// own locks are held.
pub(crate) struct Undisturbed(PhantomData<*const ()>);

pub(crate) fn undisturbed() -> Undisturbed {
    own(|cpu| cpu.quiet.set(cpu.quiet.get() + 1));
    Undisturbed(PhantomData)
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        own(|cpu| cpu.quiet.set(cpu.quiet.get() - 1));
    }
}

// ---- preemption ------------------------------------------------------------------------

/// Preemption is off for as long as this lives.
pub(crate) struct Pinned(PhantomData<*const ()>);

impl Pinned {
    pub(crate) fn new() -> Self {
        pin();
        Self(PhantomData)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        unpin();
    }
}

fn pin() {
    // What was stored before a grace period is seen after it.
    if is_preemptible() {
        order(current().0);
    }
    own(|cpu| cpu.pinned.set(cpu.pinned.get() + 1));
}

fn unpin() {
    let is_last = own(|cpu| cpu.pinned.get()) == 1;
    if is_last {
        order(current().0);
    }
    own(|cpu| cpu.pinned.set(cpu.pinned.get() - 1));
    if is_last {
        has_written();
    }
}

// ---- spinning --------------------------------------------------------------------------

/// Rounds of a spin that see no write: in each a load may still have returned an older value.
const ROUNDS: usize = 3;

/// What others have written, to those who wait for it.
pub(crate) struct Writes {
    count: Cell<usize>,
    spinning: Cell<usize>,
    changed: WaitQueue,
}

impl Writes {
    pub(crate) fn new() -> Self {
        Self {
            count: Cell::new(0),
            spinning: Cell::new(0),
            changed: WaitQueue::new(),
        }
    }
}

/// The calling task has changed something that others can see.
pub(crate) fn has_written() {
    let writes = world::with(|world| world.writes.clone());
    writes.count.set(writes.count.get() + 1);
    own(|cpu| cpu.written.set(cpu.written.get() + 1));
    if writes.spinning.get() > 0 {
        writes.changed.wake_all();
    }
}

/// One round of a spin. After some in which nobody else has written it waits for a write:
/// loom would explore each order in which spinning tasks take turns while a third is held up.
pub(crate) fn spin() {
    let writes = world::with(|world| world.writes.clone());
    let seen = || own(|cpu| writes.count.get() - cpu.written.get());
    let (before, rounds) = own(|cpu| cpu.spun.get());
    let rounds = if before == seen() { rounds + 1 } else { 0 };
    own(|cpu| cpu.spun.set((seen(), rounds)));
    if rounds < ROUNDS {
        loom::thread::yield_now();
        return;
    }
    let before = seen();
    writes.spinning.set(writes.spinning.get() + 1);
    writes.changed.stay(|| seen() != before);
    writes.spinning.set(writes.spinning.get() - 1);
}

fn order(cpu: usize) {
    let pins = world::with(|world| world.pins.as_ptr());
    // SAFETY: They stay to the end of the execution, and nobody changes the list.
    unsafe { (&*pins)[cpu].fetch_add(0, Ordering::AcqRel) };
}

/// Waits until each processor has had preemption on once.
pub(crate) fn wait_for_pinned() {
    for task in (0..world::tasks()).filter(|&task| task != current().0) {
        order(task);
        while world::with(|world| world.cpus[task].pinned.get() > 0) {
            interruptible();
            spin();
        }
        order(task);
    }
}

// ---- what a processor keeps ------------------------------------------------------------

pub(crate) fn moving() -> *const Slot {
    own(|cpu| cpu.moving.get())
}

pub(crate) fn set_moving(slot: *const Slot) -> *const Slot {
    own(|cpu| cpu.moving.replace(slot))
}

pub(crate) fn warn_nmi() {}

/// Nobody reads what it says.
#[derive(Clone, Copy, Default)]
pub(crate) struct Described;

pub(crate) fn describe_current() -> Described {
    Described
}

/// A value under a spinlock whose holder has interrupts off.
pub(crate) struct Locked<T>(Mutex<T>);

/// Held: unlocks, and then switches interrupts on again.
pub(crate) struct Holding<'a, T> {
    guard: Option<MutexGuard<'a, T>>,
    is_changed: bool,
    _quiet: Quiet,
}

impl<T> Locked<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> Holding<'_, T> {
        world::demand_alive(ptr::from_ref(self));
        let quiet = quiet();
        Holding {
            guard: Some(self.0.lock().unwrap()),
            is_changed: false,
            _quiet: quiet,
        }
    }
}

impl<T> Drop for Holding<'_, T> {
    fn drop(&mut self) {
        self.guard.take();
        if self.is_changed {
            has_written();
        }
    }
}

impl<T> Deref for Holding<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().unwrap()
    }
}

impl<T> DerefMut for Holding<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.is_changed = true;
        self.guard.as_mut().unwrap()
    }
}

/// A locked value for each processor.
pub(crate) struct Cells<T>(Vec<Locked<T>>);

impl<T> Cells<T> {
    pub(crate) fn new(value: impl Fn() -> T) -> Result<Self> {
        let each = (0..world::tasks()).map(|_| Locked::new(value()));
        Ok(Self(each.collect()))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn own(&self) -> Holding<'_, T> {
        assert!(!is_preemptible(), "a cell is looked for with preemption on");
        self.lock(current().0)
    }

    pub(crate) fn lock(&self, cpu: usize) -> Holding<'_, T> {
        // The slice of cells is elsewhere than the window.
        world::demand_alive(ptr::from_ref(self));
        self.0[cpu].lock()
    }
}
