// SPDX-License-Identifier: GPL-2.0

//! What making and ending an instance costs.
//!
//! Tracked: by the class. Untracked: the memory that an instance consists of, allocated and
//! initialised in the same way, but neither counted nor in a list, and with no pin on a
//! module. Interrupts stay on: both may sleep. Ended by the class means that
//! its worker has done so, switching to it included.

use core::hint::black_box;

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

/// As large as a slot of the framework, and aligned like one.
#[repr(align(64))]
struct Slot {
    words: [Atomic<u64>; 16],
}

/// As large as the object of a `counter_v1`.
struct Object {
    words: [Atomic<u64>; 3],
}

/// An instance that nobody keeps track of.
struct Untracked {
    slot: KBox<Slot>,
    object: KBox<Object>,
}

fn words<const N: usize>(first: u64) -> [Atomic<u64>; N] {
    core::array::from_fn(|index| Atomic::new(first.wrapping_add(index as u64)))
}

impl Untracked {
    #[inline(never)]
    fn new(first: u64) -> Result<Self> {
        Ok(Self {
            slot: KBox::new(
                Slot {
                    words: words(first),
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
        let first = |words: &[Atomic<u64>]| words.first().map_or(0, |word| word.load(Relaxed));
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
    let untracked = each(
        || {
            let made = Untracked::new(0)?;
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
    say("create.box", boxed.making);
    say("destroy.box", boxed.ending);
    Ok(())
}
