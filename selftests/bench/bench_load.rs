// SPDX-License-Identifier: GPL-2.0

//! Callers of the class `counter` that time each call.
//!
//! ```text
//! # modprobe bench_load instances=100000
//! # exec 3<>/dev/bench_load          makes the counters
//! # echo 1000 >&3 &                  a caller, for so many milliseconds or until a signal
//! # echo 0 >&3                       forgets what was counted so far
//! # cat <&3                          calls by their length: "le_US N", and "longest_us"
//! # exec 3>&-                        ends the counters
//! ```
//!
//! A call is as long as its caller sees it: with whatever else its processor did meanwhile.

#![deny(unsafe_code)]

use kernel::fs::{File, Kiocb};
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration};
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{new_spinlock, Arc, SpinLock};
use kernel::time::{Instant, Monotonic};
use molt::{Class, Handle};

#[path = "../../samples/counter.rs"]
mod counter;
use counter::Counter;

module! {
    type: BenchLoad,
    name: "bench_load",
    authors: ["The Molt developers"],
    description: "Molt benchmark: calls counters, and times each call",
    license: "GPL",
    params: {
        instances: u32 {
            default: 1000,
            description: "Counters of an open file",
        },
    },
}

/// Calls between two looks at the clock's end and the signals.
const ROUND: u32 = 256;

/// Lengths are counted by powers of two, in microseconds: up to a minute.
const LENGTHS: usize = 27;

#[pin_data]
struct BenchLoad {
    #[pin]
    device: MiscDeviceRegistration<Load>,
}

impl kernel::InPlaceModule for BenchLoad {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions {
            name: c"bench_load",
        };
        try_pin_init!(Self { device <- MiscDeviceRegistration::register(options) })
    }
}

/// How long calls took.
#[derive(Clone, Copy, Default)]
struct Lengths {
    /// Calls of at most 2^index microseconds, and more than the half of that.
    calls: [u64; LENGTHS],
    longest_us: u64,
}

impl Lengths {
    fn count(&mut self, us: u64) {
        let index = us.next_power_of_two().trailing_zeros() as usize;
        if let Some(calls) = self.calls.get_mut(index.min(LENGTHS - 1)) {
            *calls += 1;
        }
        self.longest_us = self.longest_us.max(us);
    }

    fn take_in(&mut self, other: &Self) {
        for (calls, more) in self.calls.iter_mut().zip(&other.calls) {
            *calls += more;
        }
        self.longest_us = self.longest_us.max(other.longest_us);
    }
}

/// An open file: counters, and how long calls of them took.
#[pin_data]
struct Load {
    counters: KVVec<Handle<dyn Counter>>,
    #[pin]
    lengths: SpinLock<Lengths>,
}

#[vtable]
impl MiscDevice for Load {
    type OwnerModule = BenchLoad;
    type Ptr = Arc<Self>;

    fn open(_file: &File, _device: &MiscDeviceRegistration<Self>) -> Result<Arc<Self>> {
        let class = Class::<dyn Counter>::open(c"counter")?;
        let count = module_parameters::instances.value();
        let mut counters = KVVec::with_capacity(count as usize, GFP_KERNEL)?;
        for _ in 0..count {
            counters.push(class.create(0)?, GFP_KERNEL)?;
        }
        let lengths = Lengths::default();
        Arc::pin_init(
            pin_init!(Self { counters, lengths <- new_spinlock!(lengths) }),
            GFP_KERNEL,
        )
    }

    fn write_iter(kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let mut text = [0; 16];
        let length = iov.copy_from_iter(&mut text);
        let text = text.get(..length).ok_or(EINVAL)?;
        let text = core::str::from_utf8(text).map_err(|_| EINVAL)?;
        match text.trim().parse().map_err(|_| EINVAL)? {
            0 => *kiocb.file().lengths.lock() = Lengths::default(),
            milliseconds => kiocb.file().run(milliseconds),
        }
        Ok(length)
    }

    fn read_iter(mut kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let text = kiocb.file().show()?;
        let position = kiocb.ki_pos_mut();
        let length = iov.simple_read_from_buffer(position, &text)?;
        if length == 0 {
            // Nobody can seek: the next reading begins anew.
            *position = 0;
        }
        Ok(length)
    }
}

impl Load {
    /// Calls without pause, one counter after the other, in the task of whoever asked for it.
    fn run(&self, milliseconds: i64) {
        let start = Instant::<Monotonic>::now();
        let mut next = self.counters.iter().cycle();
        while start.elapsed().as_millis() < milliseconds && !current!().signal_pending() {
            let mut lengths = Lengths::default();
            for _ in 0..ROUND {
                let Some(counter) = next.next() else {
                    return;
                };
                let begin = Instant::<Monotonic>::now();
                counter.add(1);
                lengths.count(begin.elapsed().as_micros_ceil().unsigned_abs());
            }
            self.lengths.lock().take_in(&lengths);
        }
    }

    fn show(&self) -> Result<KVec<u8>> {
        let lengths = *self.lengths.lock();
        let mut text = KVec::new();
        for (index, calls) in lengths.calls.iter().enumerate().filter(|&(_, c)| *c != 0) {
            let line = CString::try_from_fmt(fmt!("le_{} {calls}\n", 1u64 << index))?;
            text.extend_from_slice(line.to_bytes(), GFP_KERNEL)?;
        }
        let line = CString::try_from_fmt(fmt!("longest_us {}\n", lengths.longest_us))?;
        text.extend_from_slice(line.to_bytes(), GFP_KERNEL)?;
        Ok(text)
    }
}
