// SPDX-License-Identifier: GPL-2.0

//! Drops last handles to instances of the test class `alpha` in awkward places.
//!
//! A test writes to `test_dropper/command` in debugfs: `make N` makes instances and keeps
//! their handles; `interrupt`, `spinlock` and `task` drop them all in the function of a timer
//! (hard interrupt context), under a spinlock, or in the writer's task, and return then.

#![deny(unsafe_code)]

use kernel::debugfs::{Dir, File};
use kernel::prelude::*;
use kernel::sync::{Arc, ArcBorrow, Completion, Mutex, SpinLock};
use kernel::time::hrtimer::{
    HrTimer, HrTimerCallback, HrTimerCallbackContext, HrTimerPointer, HrTimerRestart, RelativeMode,
};
use kernel::time::{Delta, Monotonic};
use kernel::uaccess::UserSliceReader;

#[path = "node/command.rs"]
mod command;
#[path = "node/interface.rs"]
mod interface;
use interface::Node;

type Handle = molt::Handle<dyn Node>;

kernel::prelude::module! {
    type: Dropper,
    name: "test_dropper",
    authors: ["The Molt developers"],
    description: "Molt test: drops handles where sleeping is forbidden",
    license: "GPL",
}

#[pin_data]
struct Dropper {
    #[pin]
    command: File<Arc<Store>>,
    _dir: Dir,
}

impl kernel::InPlaceModule for Dropper {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let dir = Dir::new(c"test_dropper");
            let store = Arc::pin_init(Store::new(), GFP_KERNEL)?;
            Ok(try_pin_init!(Self {
                command <- dir.write_callback_file(c"command", store.clone(), &run),
                _dir: dir.clone(),
            }))
        })
    }
}

/// The handles that are to be dropped.
#[pin_data]
struct Store {
    class: molt::Class<dyn Node>,
    #[pin]
    handles: Mutex<KVec<Handle>>,
}

impl Store {
    fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            class: molt::Class::open(c"alpha")?,
            handles <- kernel::new_mutex!(KVec::new()),
        })
    }

    fn make(&self, number: u32) -> Result {
        let mut handles = self.handles.lock();
        for _ in 0..number {
            handles.push(self.class.create(None)?, GFP_KERNEL)?;
        }
        Ok(())
    }

    fn take(&self) -> KVec<Handle> {
        core::mem::take(&mut *self.handles.lock())
    }
}

/// A timer whose function drops a handle.
#[pin_data]
struct Timer {
    #[pin]
    timer: HrTimer<Self>,
    /// The lock is taken once before the timer starts, and then by its function only.
    #[pin]
    handle: SpinLock<Option<Handle>>,
    #[pin]
    dropped: Completion,
}

impl Timer {
    fn new(handle: Handle) -> impl PinInit<Self> {
        pin_init!(Self {
            timer <- HrTimer::new(),
            handle <- kernel::new_spinlock!(Some(handle)),
            dropped <- Completion::new(),
        })
    }
}

impl HrTimerCallback for Timer {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, _: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        drop(this.handle.lock().take());
        this.dropped.complete_all();
        HrTimerRestart::NoRestart
    }
}

kernel::impl_has_hr_timer! {
    impl HasHrTimer<Self> for Timer { mode: RelativeMode<Monotonic>, field: self.timer }
}

fn drop_in_interrupt(handles: KVec<Handle>) -> Result {
    for handle in handles {
        let timer = Arc::pin_init(Timer::new(handle), GFP_KERNEL)?;
        let _started = timer.clone().start(Delta::from_micros(50));
        timer.dropped.wait_for_completion();
    }
    Ok(())
}

fn drop_under_spinlock(handles: KVec<Handle>) -> Result {
    let lock = KBox::pin_init(kernel::new_spinlock!(Some(handles)), GFP_KERNEL)?;
    *lock.lock() = None;
    Ok(())
}

fn run(store: &Arc<Store>, reader: &mut UserSliceReader) -> Result {
    command::take(reader, |command, argument| match command {
        "make" => store.make(command::number(argument)?),
        "interrupt" => drop_in_interrupt(store.take()),
        "spinlock" => drop_under_spinlock(store.take()),
        "task" => {
            drop(store.take());
            Ok(())
        }
        _ => Err(EINVAL),
    })
}
