// SPDX-License-Identifier: GPL-2.0

//! A caller of the test classes `red`, `green` and `blue`, which have to be there. It looks
//! whether it ever sees two versions at once.
//!
//! A test writes commands to `test_painter/command` in debugfs. They run in the writer's task:
//!
//! * `paint`: calls through all three classes, each call inside the one before,
//!   until `stop` or a signal.
//! * `linger MS`: one call that sleeps inside `green`.
//! * `stop`, `go`: ends the painting, and lets more begin.
//!
//! `test_painter/result` shows `calls` (whose results were looked at), `mixed` (how many of
//! those ran in two versions, or in one on a state of another), `counted` (what the calls should
//! have been counted as) and `total` (what the instances hold), which are equal when nobody paints.

#![deny(unsafe_code)]

use kernel::debugfs::{Dir, File};
use kernel::fmt;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Arc;
use kernel::time::{delay::fsleep, Delta};
use kernel::uaccess::UserSliceReader;
use molt::interface::Interface;
use molt::{Class, Handle};

#[path = "hue/blue.rs"]
mod blue;
#[path = "node/command.rs"]
mod command;
#[path = "hue/green.rs"]
mod green;
#[path = "hue/red.rs"]
mod red;
use blue::Blue;
use green::Green;
use red::Red;

kernel::prelude::module! {
    type: Painter,
    name: "test_painter",
    authors: ["The Molt developers"],
    description: "Molt test: calls through three classes",
    license: "GPL",
}

/// Instances of each class; those of the three together are 1,000.
const REDS: usize = 334;
const GREENS: usize = 333;
const BLUES: usize = 333;

#[pin_data]
struct Painter {
    #[pin]
    command: File<Arc<Paint>>,
    #[pin]
    result: File<Arc<Paint>>,
    _dir: Dir,
}

impl kernel::InPlaceModule for Painter {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let dir = Dir::new(c"test_painter");
            let paint = Arc::new(Paint::new()?, GFP_KERNEL)?;
            Ok(try_pin_init!(Self {
                command <- dir.write_callback_file(c"command", paint.clone(), &run),
                result <- dir.read_callback_file(c"result", paint.clone(), &show),
                _dir: dir.clone(),
            }))
        })
    }
}

/// The instances, and what was seen of them.
struct Paint {
    reds: KVec<Handle<dyn Red>>,
    greens: KVec<Handle<dyn Green>>,
    blues: KVec<Handle<dyn Blue>>,
    is_stopped: Atomic<bool>,
    calls: Atomic<u64>,
    mixed: Atomic<u64>,
    counted: Atomic<u64>,
}

impl Paint {
    fn new() -> Result<Self> {
        Ok(Self {
            reds: instances(c"red", REDS)?,
            greens: instances(c"green", GREENS)?,
            blues: instances(c"blue", BLUES)?,
            is_stopped: Atomic::new(false),
            calls: Atomic::new(0),
            mixed: Atomic::new(0),
            counted: Atomic::new(0),
        })
    }

    fn goes_on(&self) -> bool {
        !self.is_stopped.load(Relaxed) && !current!().signal_pending()
    }

    /// Calls until it has to stop; each green and each blue comes with each red in turn.
    fn paint(&self) {
        let mut round = 0usize;
        while self.goes_on() {
            let greens = self.greens.iter().cycle().skip(round % GREENS);
            let blues = self.blues.iter().cycle().skip(round / 7 % BLUES);
            for ((red, green), blue) in self.reds.iter().zip(greens).zip(blues) {
                self.look_at(red.show(green, blue), 3);
            }
            if let (Some(green), Some(blue)) = (self.greens.first(), self.blues.last()) {
                self.look_at(green.show(blue), 2);
            }
            round = round.wrapping_add(1);
            // So that the test itself gets on.
            fsleep(Delta::from_micros(100));
        }
    }

    /// Whether all of `calls` nested calls ran in one version.
    fn look_at(&self, hue: u32, calls: u64) {
        self.calls.fetch_add(1, Relaxed);
        self.counted.fetch_add(calls, Relaxed);
        if hue.count_ones() != 1 {
            self.mixed.fetch_add(1, Relaxed);
        }
    }

    fn total(&self) -> u64 {
        let reds: u64 = self.reds.iter().map(|red| red.total()).sum();
        let greens: u64 = self.greens.iter().map(|green| green.total()).sum();
        let blues: u64 = self.blues.iter().map(|blue| blue.total()).sum();
        reds + greens + blues
    }
}

fn instances<I: ?Sized + Interface<Arguments = u64>>(
    class: &CStr,
    count: usize,
) -> Result<KVec<Handle<I>>> {
    let class = Class::<I>::open(class)?;
    let mut instances = KVec::with_capacity(count, GFP_KERNEL)?;
    for _ in 0..count {
        instances.push(class.create(0)?, GFP_KERNEL)?;
    }
    Ok(instances)
}

fn run(paint: &Arc<Paint>, reader: &mut UserSliceReader) -> Result {
    command::take(reader, |command, argument| match command {
        "paint" => {
            paint.paint();
            Ok(())
        }
        "linger" => {
            let first = paint.greens.first().ok_or(EINVAL)?;
            first.linger(command::number(argument)?);
            Ok(())
        }
        "stop" | "go" => {
            paint.is_stopped.store(command == "stop", Relaxed);
            Ok(())
        }
        _ => Err(EINVAL),
    })
}

fn show(paint: &Arc<Paint>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "calls {}", paint.calls.load(Relaxed))?;
    writeln!(f, "mixed {}", paint.mixed.load(Relaxed))?;
    writeln!(f, "counted {}", paint.counted.load(Relaxed))?;
    writeln!(f, "total {}", paint.total())
}
