// SPDX-License-Identifier: GPL-2.0

//! What a call of class `counter` costs, and what the same call costs in other ways.
//!
//! The same method of the same work is called in the same loop, with interrupts off. Class
//! `counter` has to be there; class `bench_atomic` is measured where it is. The clock is the
//! time stamp counter: meant for a guest whose time counts instructions (`tools/guest run
//! --icount`). In User Mode Linux it is the kernel's clock, in nanoseconds. The figures are in
//! the log: `result NAME VALUE UNIT CPUS CALLS`, loop included.

use core::hint::black_box;
use core::ptr;

use kernel::bindings;
use kernel::interrupt::local_interrupt_disable;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed};
use kernel::sync::rcu;
use kernel::types::Opaque;
use molt::{Class, Handle};

#[path = "atomic.rs"]
mod atomic;
#[path = "clock.rs"]
mod clock;
#[path = "../../samples/counter.rs"]
mod counter;
#[path = "creation.rs"]
mod creation;
use atomic::AtomicCounter;
use clock::{clock, median, report, PARTS, UNIT};
use counter::Counter;

const CALLS: u64 = 1_000_000;

module! {
    type: Measure,
    name: "bench_calls",
    authors: ["The Molt developers"],
    description: "Molt benchmark: calls, and the making of instances",
    license: "GPL",
    params: {
        rounds: u32 {
            default: 1,
            description: "How often everything is measured, one kind of call after the other",
        },
        cpus: u32 {
            default: 1,
            description: "On how many processors at a time",
        },
    },
}

/// What `counter_v1` does, without Molt. Aligned, so that no two share a cache line.
#[repr(align(64))]
struct Plain {
    total: Atomic<u64>,
}

/// A [`Plain`] whose address has not the low bits of the stack's. Where it had by chance, a call
/// through `dyn` took half as long again: a processor compares these to find what a load
/// depends on.
#[repr(align(4096))]
struct Apart {
    object: Plain,
}

impl Counter for Plain {
    #[inline(never)]
    fn add(&self, n: u64) -> u64 {
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}

/// The locks that other designs have around a call. Shared by all processors, as theirs are.
struct Locks {
    sem: Opaque<bindings::rw_semaphore>,
    lock: Opaque<bindings::rwlock_t>,
}

// SAFETY: Locks are made for sharing.
unsafe impl Sync for Locks {}

extern "C" {
    /// Initialises the locks where they stay.
    fn bench_locks_init(sem: *mut bindings::rw_semaphore, lock: *mut bindings::rwlock_t);

    /// Runs `body` in one thread on each of the first `cpus` processors; waits for them.
    fn bench_run_on(
        cpus: u32,
        body: unsafe extern "C" fn(*mut kernel::ffi::c_void),
        argument: *mut kernel::ffi::c_void,
    ) -> kernel::ffi::c_int;
}

impl Locks {
    fn new() -> Result<KBox<Self>> {
        let locks = KBox::new(
            Self {
                sem: Opaque::zeroed(),
                lock: Opaque::zeroed(),
            },
            GFP_KERNEL,
        )?;
        // SAFETY: They lie on the heap, and nobody uses them yet.
        unsafe { bench_locks_init(locks.sem.get(), locks.lock.get()) };
        Ok(locks)
    }

    /// As Bento calls a file system.
    #[inline(always)]
    fn with_rwsem<R>(&self, call: impl FnOnce() -> R) -> R {
        // SAFETY: Initialised; never contended, since nobody takes it for writing.
        unsafe { bindings::down_read(self.sem.get()) };
        let result = call();
        // SAFETY: Taken above.
        unsafe { bindings::up_read(self.sem.get()) };
        result
    }

    /// As Enoki calls a scheduler.
    #[inline(always)]
    fn with_rwlock<R>(&self, call: impl FnOnce() -> R) -> R {
        // SAFETY: Initialised; interrupts are off.
        unsafe { bindings::_raw_read_lock(self.lock.get()) };
        let result = call();
        // SAFETY: Taken above.
        unsafe { bindings::_raw_read_unlock(self.lock.get()) };
        result
    }
}

/// Where all processors meet before each kind of call.
struct Barrier {
    cpus: u32,
    arrived: Atomic<u32>,
}

impl Barrier {
    /// Waits for the others of turn `turn`, which counts from 1.
    fn meet(&self, turn: u32) {
        self.arrived.fetch_add(1, Full);
        while self.arrived.load(Relaxed) < turn.wrapping_mul(self.cpus) {
            core::hint::spin_loop();
        }
    }
}

/// Makes one part of the calls. The results are summed up, which is one instruction in each
/// loop, whatever else the compiler makes of it.
///
/// A function for each kind, which owns what it calls: so nothing of a loop is loaded from the
/// stack in each round because something around it needs the registers.
#[inline(never)]
fn repeat<C: FnMut() -> u64>(mut call: C) -> (u64, C) {
    let mut sum = 0u64;
    for _ in 0..CALLS / PARTS as u64 {
        sum = sum.wrapping_add(call());
    }
    (sum, call)
}

/// Ticks of `CALLS` rounds of `call`, loop included.
#[inline(always)]
fn count<C: FnMut() -> u64>(mut call: C) -> u64 {
    let mut sum = 0u64;
    let mut parts = [0u64; PARTS];
    for part in &mut parts {
        let _quiet = local_interrupt_disable();
        let begin = clock();
        let (added, back) = repeat(call);
        *part = clock().wrapping_sub(begin);
        sum = sum.wrapping_add(added);
        call = back;
    }
    black_box(sum);
    median(&parts).wrapping_mul(PARTS as u64)
}

/// What one processor calls: nobody else does.
struct Objects {
    plain: KBox<Apart>,
    handle: Handle<dyn Counter>,
    atomic: Option<Handle<dyn AtomicCounter>>,
    // Between the objects of two processors, which may be smaller than a cache line.
    _spare: [Handle<dyn Counter>; 2],
}

impl Objects {
    fn new() -> Result<Self> {
        let class = Class::<dyn Counter>::open(c"counter")?;
        Ok(Self {
            // A page, which is not made on the stack first.
            plain: KBox::init(
                init!(Apart {
                    object: Plain {
                        total: Atomic::new(0)
                    }
                }),
                GFP_KERNEL,
            )?,
            _spare: [class.create(0)?, class.create(0)?],
            handle: class.create(0)?,
            // Not there where the framework has no atomic classes.
            atomic: match Class::<dyn AtomicCounter>::open(c"bench_atomic") {
                Ok(class) => Some(class.create(0)?),
                Err(_) => None,
            },
        })
    }

    /// Whether all calls of a round arrived; `kinds` of them went to the plain object.
    fn are_complete(&self, kinds: u64) -> bool {
        let atomic = self.atomic.as_ref().map_or(CALLS, |a| a.total());
        self.plain.object.total() == kinds * CALLS
            && self.handle.total() == CALLS
            && atomic == CALLS
    }
}

/// What all processors share.
struct Shared {
    rounds: u32,
    barrier: Barrier,
    locks: KBox<Locks>,
    failed: Atomic<u32>,
}

/// One processor's way through all kinds of call.
struct Course<'a> {
    shared: &'a Shared,
    turn: u32,
}

impl Course<'_> {
    /// Measures one kind. Every processor says what it saw.
    #[inline(always)]
    fn kind(&mut self, name: &str, call: impl FnMut() -> u64) {
        self.turn += 1;
        self.shared.barrier.meet(self.turn);
        let ticks = count(call);
        report(name, ticks, CALLS, self.shared.barrier.cpus);
    }

    fn round(&mut self, objects: &Objects) {
        let plain: &Plain = &objects.plain.object;
        let by_table: &dyn Counter = black_box(plain);
        let handle = objects.handle.clone();
        let locks: &Locks = &self.shared.locks;

        self.kind("loop.empty", move || black_box(0));
        self.kind("call.direct", move || plain.add(1));
        self.kind("call.dyn", move || by_table.add(1));
        self.kind("call.molt.sleepable", move || handle.add(1));
        if let Some(handle) = objects.atomic.clone() {
            self.kind("call.molt.atomic", move || handle.add(1));
        }
        self.kind("call.rcu_dyn", move || {
            let _reader = rcu::read_lock();
            by_table.add(1)
        });
        self.kind("call.rwlock", move || locks.with_rwlock(|| by_table.add(1)));
        self.kind("call.rwsem", move || locks.with_rwsem(|| by_table.add(1)));
    }

    fn run(&mut self) -> Result {
        // For each round its own: a chance of where objects lie is one of a round only.
        let mut all = KVec::new();
        for _ in 0..self.shared.rounds {
            all.push(Objects::new()?, GFP_KERNEL)?;
        }
        for objects in &all {
            self.round(objects);
        }
        // Five kinds go to the plain object.
        if all.iter().all(|objects| objects.are_complete(5)) {
            Ok(())
        } else {
            pr_err!("a call was lost\n");
            Err(EIO)
        }
    }
}

/// # Safety
///
/// `shared` is a [`Shared`] that outlives the thread.
unsafe extern "C" fn run_course(shared: *mut kernel::ffi::c_void) {
    // SAFETY: By the caller's promise.
    let shared = unsafe { &*shared.cast::<Shared>() };
    if (Course { shared, turn: 0 }).run().is_err() {
        shared.failed.store(1, Relaxed);
    }
}

struct Measure;

impl kernel::Module for Measure {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let cpus = module_parameters::cpus.value();
        let rounds = module_parameters::rounds.value();
        let arrived = Atomic::new(0);
        let shared = Shared {
            rounds,
            barrier: Barrier { cpus, arrived },
            locks: Locks::new()?,
            failed: Atomic::new(0),
        };
        // SAFETY: `shared` outlives the threads, which are waited for.
        kernel::error::to_result(unsafe {
            bench_run_on(cpus, run_course, ptr::from_ref(&shared).cast_mut().cast())
        })?;
        if shared.failed.load(Relaxed) != 0 {
            return Err(EIO);
        }
        if cpus == 1 {
            for _ in 0..rounds {
                creation::measure()?;
            }
        }
        pr_info!("done in {UNIT}\n");
        Ok(Self)
    }
}
