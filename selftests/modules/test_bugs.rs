// SPDX-License-Identifier: GPL-2.0

//! Bugs on purpose, in Rust: what a kernel with checkers has to report, so that a run without a
//! report means something.
//!
//! A test writes the name of one to `test_bugs/command` in debugfs, in a guest that is thrown away
//! afterwards: memory is corrupted, and the writer may not come back. `free`: memory is read after
//! it was freed. `bounds`: behind its end. `leak`: memory that nothing leads to any more.
//! `overflow`: a sum that does not fit. `assertion`: a debug assertion that does not hold. `race`:
//! two tasks change a number, and nothing orders them.

use core::hint::black_box;

use kernel::debugfs::{Dir, File};
use kernel::prelude::*;
use kernel::sync::{Arc, Completion};
use kernel::uaccess::UserSliceReader;

#[path = "node/command.rs"]
#[expect(dead_code, reason = "no bug has a number")]
mod command;

kernel::prelude::module! {
    type: Bugs,
    name: "test_bugs",
    authors: ["The Molt developers"],
    description: "Molt test: bugs on purpose",
    license: "GPL",
}

#[pin_data]
struct Bugs {
    #[pin]
    command: File<()>,
    _dir: Dir,
}

impl kernel::InPlaceModule for Bugs {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let dir = Dir::new(c"test_bugs");
        try_pin_init!(Self {
            command <- dir.write_callback_file(c"command", (), &run),
            _dir: dir.clone(),
        })
    }
}

fn run(_: &(), reader: &mut UserSliceReader) -> Result {
    command::take(reader, |bug, argument| match (bug, argument) {
        ("free", "") => read_freed(),
        ("bounds", "") => read_behind(),
        ("leak", "") => leak(),
        ("overflow", "") => overflow(),
        ("assertion", "") => break_assertion(),
        ("race", "") => race(),
        _ => Err(EINVAL),
    })
}

fn read_freed() -> Result {
    let value = KBox::into_raw(KBox::new(0u64, GFP_KERNEL)?);
    // SAFETY: Made above.
    drop(unsafe { KBox::from_raw(value) });
    // SAFETY: None. That is the bug.
    black_box(unsafe { *black_box(value) });
    Ok(())
}

fn read_behind() -> Result {
    let values = KBox::into_raw(KBox::new([0u64; 3], GFP_KERNEL)?);
    // SAFETY: None: there are three. That is the bug.
    black_box(unsafe { *black_box(values.cast::<u64>()).add(3) });
    // SAFETY: Made above.
    drop(unsafe { KBox::from_raw(values) });
    Ok(())
}

fn leak() -> Result {
    // Pointers may be left in registers, on the stack, and in what the allocator keeps at hand.
    for _ in 0..1_000 {
        black_box(KBox::into_raw(KBox::new([1u64; 64], GFP_KERNEL)?));
    }
    Ok(())
}

fn overflow() -> Result {
    black_box(black_box(u8::MAX) + black_box(1));
    Ok(())
}

fn break_assertion() -> Result {
    debug_assert!(black_box(false));
    Ok(())
}

/// A number that two tasks change.
#[pin_data]
struct Shared {
    number: core::cell::UnsafeCell<u64>,
    #[pin]
    done: Completion,
}

// SAFETY: None: nothing orders the accesses. That is the bug.
unsafe impl Send for Shared {}
// SAFETY: As above.
unsafe impl Sync for Shared {}

impl Shared {
    fn change(&self) {
        for _ in 0..2_000_000 {
            let number = black_box(self.number.get());
            // SAFETY: The number is there; that two tasks change it is the bug.
            unsafe { *number = (*number).wrapping_add(1) };
        }
    }
}

fn race() -> Result {
    let shared = Arc::pin_init(
        pin_init!(Shared {
            number: core::cell::UnsafeCell::new(0),
            done <- Completion::new(),
        }),
        GFP_KERNEL,
    )?;
    let other = shared.clone();
    kernel::workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
        other.change();
        other.done.complete_all();
    })?;
    shared.change();
    shared.done.wait_for_completion();
    Ok(())
}
