// SPDX-License-Identifier: GPL-2.0

//! A caller of the class `bench_atomic` that notes how long each call took which found the gate
//! closed.
//!
//! ```text
//! # modprobe bench_waits instances=1000
//! # exec 3<>/dev/bench_waits         makes the counters
//! # echo 1 >&3 &                     the caller, until a signal; one at a time
//! # cat <&3                          these calls in nanoseconds, one in a line; forgets them
//! ```
//!
//! Whether a call has waited, the gate knows: it counts them. The caller is the only one, so
//! where the count has grown over a call, it was this one.

#![deny(unsafe_code)]

use kernel::fs::{File, Kiocb};
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration};
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{new_mutex, Arc, Mutex};
use kernel::time::{Instant, Monotonic};
use molt::{Class, Handle};

#[path = "atomic.rs"]
mod atomic;
use atomic::AtomicCounter;

module! {
    type: BenchWaits,
    name: "bench_waits",
    authors: ["The Molt developers"],
    description: "Molt benchmark: calls counters of an atomic class, and times those that wait",
    license: "GPL",
    params: {
        instances: u32 {
            default: 1000,
            description: "Counters of an open file",
        },
    },
}

/// Calls between two looks at the signals.
const ROUND: usize = 256;

#[pin_data]
struct BenchWaits {
    #[pin]
    device: MiscDeviceRegistration<Caller>,
}

impl kernel::InPlaceModule for BenchWaits {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions {
            name: c"bench_waits",
        };
        try_pin_init!(Self { device <- MiscDeviceRegistration::register(options) })
    }
}

/// An open file: counters, and the calls of them that waited.
#[pin_data]
struct Caller {
    class: Class<dyn AtomicCounter>,
    counters: KVVec<Handle<dyn AtomicCounter>>,
    /// Held while it calls.
    #[pin]
    turn: Mutex<()>,
    /// In nanoseconds.
    #[pin]
    waits: Mutex<KVVec<i64>>,
}

#[vtable]
impl MiscDevice for Caller {
    type OwnerModule = BenchWaits;
    type Ptr = Arc<Self>;

    fn open(_file: &File, _device: &MiscDeviceRegistration<Self>) -> Result<Arc<Self>> {
        let class = Class::<dyn AtomicCounter>::open(c"bench_atomic")?;
        let count = module_parameters::instances.value();
        let mut counters = KVVec::with_capacity(count as usize, GFP_KERNEL)?;
        for _ in 0..count {
            counters.push(class.create(0)?, GFP_KERNEL)?;
        }
        Arc::pin_init(
            pin_init!(Self {
                class,
                counters,
                turn <- new_mutex!(()),
                waits <- new_mutex!(KVVec::new()),
            }),
            GFP_KERNEL,
        )
    }

    fn write_iter(kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let mut text = [0; 16];
        let length = iov.copy_from_iter(&mut text);
        kiocb.file().run()?;
        Ok(length)
    }

    fn read_iter(mut kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let caller = kiocb.file();
        let text = caller.show()?;
        let position = kiocb.ki_pos_mut();
        let length = iov.simple_read_from_buffer(position, &text)?;
        if length == 0 {
            // Nobody can seek: the next reading begins anew.
            *position = 0;
            caller.waits.lock().clear();
        }
        Ok(length)
    }
}

impl Caller {
    /// Calls without pause, one counter after the other.
    fn run(&self) -> Result {
        let _turn = self.turn.lock();
        let mut next = self.counters.iter().cycle();
        while !current!().signal_pending() {
            for counter in next.by_ref().take(ROUND) {
                let before = self.waited();
                let begin = Instant::<Monotonic>::now();
                counter.add(1);
                let length = begin.elapsed();
                if self.waited() != before {
                    self.waits.lock().push(length.as_nanos(), GFP_KERNEL)?;
                }
            }
        }
        Ok(())
    }

    /// Calls that have waited at the gate so far.
    fn waited(&self) -> u64 {
        self.class.class().gate().traffic().waited
    }

    fn show(&self) -> Result<KVVec<u8>> {
        let mut text = KVVec::new();
        for ns in self.waits.lock().iter() {
            let line = CString::try_from_fmt(fmt!("{ns}\n"))?;
            text.extend_from_slice(line.to_bytes(), GFP_KERNEL)?;
        }
        Ok(text)
    }
}
