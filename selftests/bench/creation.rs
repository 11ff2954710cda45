// SPDX-License-Identifier: GPL-2.0

//! What making and ending an instance costs.
//!
//! Tracked: by the class. Untracked: the memory that an instance consists of, allocated by the
//! same functions and initialised in the same way, its state by a call through a table; but
//! neither counted nor in a list, with no pin on a module, and no transition waits for its
//! making. Boxes: that memory as Rust has it without a cache, in two `KBox`es. Interrupts
//! stay on: all may sleep. Ended by the class means that its worker has done so, switching to
//! it included.

use core::ffi::c_void;
use core::hint::black_box;
use core::ptr::NonNull;

use kernel::error::code::ENOMEM;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Class, Handle};

use crate::clock::{clock, median, report};
use crate::counter::Counter;
use crate::Plain;

/// So many at a time: few enough for the caches of the allocator, whose supply of pages is not
/// what is measured.
const BATCH: usize = 50;
const BATCHES: usize = 201;

extern "C" {
    fn bench_slots_init(size: u32, align: u32) -> bool;
    fn bench_slots_destroy();
    fn bench_slot_alloc() -> *mut c_void;
    fn bench_slot_free(slot: *mut c_void);
    fn bench_object_alloc(size: usize) -> *mut c_void;
    fn bench_object_free(object: *mut c_void);
}

/// As large as a slot of the framework, aligned like one, and with as many words that are
/// written when it is made.
#[repr(C, align(64))]
struct Slot {
    words: [Atomic<u64>; 13],
    lock: [Atomic<u64>; 2],
}

/// As large as the object of a `counter_v1`.
struct Object {
    words: [Atomic<u64>; 3],
}

fn words<const N: usize>(first: u64) -> [Atomic<u64>; N] {
    core::array::from_fn(|index| Atomic::new(first.wrapping_add(index as u64)))
}

/// Makes the state of an object.
trait Make {
    fn make(&self, object: NonNull<Object>, first: u64) -> Result;
}

struct Maker;

impl Make for Maker {
    fn make(&self, object: NonNull<Object>, first: u64) -> Result {
        let made = Object {
            words: words(first),
        };
        // SAFETY: It is memory for one.
        unsafe { object.write(made) };
        Ok(())
    }
}

/// The memory of slots.
struct Slots(());

impl Slots {
    fn new() -> Result<Self> {
        // SAFETY: Called once at a time.
        let is_there =
            unsafe { bench_slots_init(size_of::<Slot>() as u32, align_of::<Slot>() as u32) };
        is_there.then_some(Self(())).ok_or(ENOMEM)
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        // SAFETY: All slots were freed.
        unsafe { bench_slots_destroy() }
    }
}

/// An instance that nobody keeps track of.
struct Untracked<'a> {
    slot: NonNull<Slot>,
    object: NonNull<Object>,
    _slots: &'a Slots,
}

impl<'a> Untracked<'a> {
    #[inline(never)]
    fn new(slots: &'a Slots, maker: &dyn Make, first: u64) -> Result<Self> {
        // SAFETY: There is a cache.
        let slot = NonNull::new(unsafe { bench_slot_alloc() }.cast::<Slot>()).ok_or(ENOMEM)?;
        // SAFETY: It is memory for a slot.
        unsafe { (&raw mut (*slot.as_ptr()).words).write(words(first)) };
        // SAFETY: Always safe to call.
        let object = NonNull::new(unsafe { bench_object_alloc(size_of::<Object>()) }.cast());
        let Some(object) = object else {
            // SAFETY: Allocated above.
            unsafe { bench_slot_free(slot.as_ptr().cast()) };
            return Err(ENOMEM);
        };
        let made = Self {
            slot,
            object,
            _slots: slots,
        };
        maker.make(object, first)?;
        Ok(made)
    }

    fn sum(&self) -> u64 {
        // SAFETY: Both are this one's; the words were written.
        unsafe {
            first(&(*self.slot.as_ptr()).words).wrapping_add(first(&(*self.object.as_ptr()).words))
        }
    }
}

impl Drop for Untracked<'_> {
    fn drop(&mut self) {
        // SAFETY: Both are this one's.
        unsafe {
            bench_slot_free(self.slot.as_ptr().cast());
            bench_object_free(self.object.as_ptr().cast());
        }
    }
}

fn first(words: &[Atomic<u64>]) -> u64 {
    words.first().map_or(0, |word| word.load(Relaxed))
}

/// The same in boxes.
struct Boxed {
    slot: KBox<Slot>,
    object: KBox<Object>,
}

impl Boxed {
    #[inline(never)]
    fn new(first: u64) -> Result<Self> {
        Ok(Self {
            slot: KBox::new(
                Slot {
                    words: words(first),
                    lock: words(first),
                },
                GFP_KERNEL,
            )?,
            object: KBox::new(
                Object {
                    words: words(first),
                },
                GFP_KERNEL | __GFP_ZERO,
            )?,
        })
    }

    fn sum(&self) -> u64 {
        first(&self.slot.words).wrapping_add(first(&self.object.words))
    }
}

/// Ticks of the middle one of all batches: others share the processor with somebody else.
struct Ticks {
    making: KVec<u64>,
    ending: KVec<u64>,
}

/// Makes many with `make` and ends them with `end`.
fn each<T>(
    mut make: impl FnMut() -> Result<T>,
    mut end: impl FnMut(&mut KVec<T>),
) -> Result<Ticks> {
    let mut made = KVec::with_capacity(BATCH, GFP_KERNEL)?;
    let mut making = KVec::with_capacity(BATCHES, GFP_KERNEL)?;
    let mut ending = KVec::with_capacity(BATCHES, GFP_KERNEL)?;
    for _ in 0..BATCHES {
        let begin = clock();
        for _ in 0..BATCH {
            made.push(make()?, GFP_KERNEL)?;
        }
        let whole = clock();
        end(&mut made);
        let gone = clock();
        making.push(whole.wrapping_sub(begin), GFP_KERNEL)?;
        ending.push(gone.wrapping_sub(whole), GFP_KERNEL)?;
    }
    Ok(Ticks { making, ending })
}

fn say(name: &str, ticks: KVec<u64>) {
    report(name, median(&ticks), BATCH as u64, 1);
}

/// Waits until the class has no more instances than `left`; the reaper ends them.
fn await_end(class: &Class<dyn Counter>, left: i64) {
    while class.class().instances() > left {
        // SAFETY: A thread that may sleep, and holds no lock.
        unsafe { kernel::bindings::yield_() };
    }
}

/// Measures all of it once.
pub(crate) fn measure() -> Result {
    let class = Class::<dyn Counter>::open(c"counter")?;
    let before = class.class().instances();

    let handles = |handles: &mut KVec<Handle<dyn Counter>>| {
        handles.clear();
        await_end(&class, before);
    };
    let tracked = each(|| class.create(0), handles)?;
    let slots = Slots::new()?;
    let maker: &dyn Make = black_box(&Maker);
    let untracked = each(
        || {
            let made = Untracked::new(&slots, maker, 0)?;
            black_box(made.sum());
            Ok(made)
        },
        KVec::clear,
    )?;
    let boxes = each(
        || {
            let made = Boxed::new(0)?;
            black_box(made.sum());
            Ok(made)
        },
        KVec::clear,
    )?;
    let boxed = each(
        || {
            let total = Atomic::new(0);
            Ok(KBox::new(Plain { total }, GFP_KERNEL)?)
        },
        KVec::clear,
    )?;
    say("create.tracked", tracked.making);
    say("destroy.tracked", tracked.ending);
    say("create.untracked", untracked.making);
    say("destroy.untracked", untracked.ending);
    say("create.boxes", boxes.making);
    say("destroy.boxes", boxes.ending);
    say("create.box", boxed.making);
    say("destroy.box", boxed.ending);
    Ok(())
}
