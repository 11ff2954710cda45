// SPDX-License-Identifier: GPL-2.0

//! A caller of the class `counter`, which calls without pause and keeps exact accounts.
//!
//! Purpose: shows what a caller sees of an update, which is nothing, and proves it. Whoever
//! opens `/dev/counter_load` gets `instances` counters of their own, whose keys are their
//! numbers from 0 on: so a switch can choose one of them (`key=0`). A task that writes a
//! number there calls all of them, over and over, for so many milliseconds or until a signal
//! ends it; the task never sleeps unless a call does. Several may write to one open file:
//! they share its counters. Each also has a counter for itself, which it ends and makes anew
//! every so often.
//!
//! A call has failed where its result is not what it must be: exactly the total in a
//! caller's own counter, and more than this caller saw last in a shared one.
//!
//! Usage: with an implementation of the class inserted,
//!
//! ```text
//! # modprobe counter_load instances=1000
//! # exec 3<>/dev/counter_load                     makes the counters
//! # for i in 1 2 3 4; do echo 10000 >&3 & done    four callers, for ten seconds
//! # cat <&3                                       the accounts, at any time
//! # wait; cat <&3                                 now `total` equals `added`
//! # exec 3>&-                                     ends the counters
//! ```
//!
//! `echo park >&3` makes one call that adds nothing. With `counter_busy` it stays inside.
//!
//! How to make it fail: without an implementation, opening fails with `ENOENT`; with one of
//! another interface, with `EPROTO`. While the file is open `rmmod` is refused, and so is the
//! removal of the class (`EBUSY`).

#![deny(unsafe_code)]

use kernel::fs::{File, Kiocb};
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration};
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{new_spinlock, Arc, SpinLock};
use kernel::time::{Instant, Monotonic};
use molt::{Class, Handle};

#[path = "counter.rs"]
mod counter;
use counter::Counter;

module! {
    type: CounterLoad,
    name: "counter_load",
    authors: ["The Molt developers"],
    description: "Molt sample: calls counters without pause",
    license: "GPL",
    params: {
        instances: u32 {
            default: 1000,
            description: "Counters of an open file",
        },
    },
}

/// What a caller's own counter starts with.
const START: u64 = 40;

/// After so many rounds a caller ends its own counter.
const LIFE: u64 = 16;

#[pin_data]
struct CounterLoad {
    #[pin]
    device: MiscDeviceRegistration<Load>,
}

impl kernel::InPlaceModule for CounterLoad {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions {
            name: c"counter_load",
        };
        try_pin_init!(Self { device <- MiscDeviceRegistration::register(options) })
    }
}

/// An open file: counters, and the accounts of those who call them.
#[pin_data]
struct Load {
    class: Class<dyn Counter>,
    counters: KVVec<Handle<dyn Counter>>,
    #[pin]
    accounts: SpinLock<Accounts>,
}

#[vtable]
impl MiscDevice for Load {
    type OwnerModule = CounterLoad;
    type Ptr = Arc<Self>;

    fn open(_file: &File, _device: &MiscDeviceRegistration<Self>) -> Result<Arc<Self>> {
        let class = Class::<dyn Counter>::open(c"counter")?;
        let mut counters = KVVec::new();
        for key in 0..module_parameters::instances.value() {
            counters.push(class.create_with_key(key.into(), 0)?, GFP_KERNEL)?;
        }
        let accounts = Accounts::default();
        Arc::pin_init(
            pin_init!(Self { class, counters, accounts <- new_spinlock!(accounts) }),
            GFP_KERNEL,
        )
    }

    fn write_iter(kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let mut text = [0; 16];
        let length = iov.copy_from_iter(&mut text);
        if !iov.is_empty() {
            return Err(EINVAL);
        }
        let text = text.get(..length).ok_or(EINVAL)?;
        match core::str::from_utf8(text).map_err(|_| EINVAL)?.trim() {
            "park" => kiocb.file().park(),
            milliseconds => kiocb
                .file()
                .run(milliseconds.parse().map_err(|_| EINVAL)?)?,
        }
        Ok(length)
    }

    fn read_iter(mut kiocb: Kiocb<'_, Arc<Self>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let text = kiocb.file().show()?;
        let position = kiocb.ki_pos_mut();
        let length = iov.simple_read_from_buffer(position, text.to_bytes())?;
        if length == 0 {
            // Writers share the open file, so nobody can seek: the next reading begins anew.
            *position = 0;
        }
        Ok(length)
    }
}

impl Load {
    /// Calls without pause, in the task of whoever asked for it.
    fn run(&self, milliseconds: i64) -> Result {
        let start = Instant::<Monotonic>::now();
        let mut caller = Caller::new(self)?;
        self.accounts.lock().callers += 1;
        while start.elapsed().as_millis() < milliseconds && !current!().signal_pending() {
            caller.round();
        }
        caller.finish();
        self.accounts.lock().callers -= 1;
        Ok(())
    }

    /// One call that adds nothing.
    fn park(&self) {
        let mut accounts = Accounts::default();
        if let Some(counter) = self.counters.first() {
            accounts.call(|| counter.add(0), |_| true);
        }
        self.accounts.lock().take_in(&accounts);
    }

    /// The accounts; the shared counters are asked for what they hold.
    fn show(&self) -> Result<CString> {
        let held = self
            .counters
            .iter()
            .map(|counter| counter.total())
            .sum::<u64>();
        let accounts = *self.accounts.lock();
        CString::try_from_fmt(fmt!(
            "callers {}\ncalls {}\nfailed {}\ncreated {}\nended {}\nadded {}\ntotal {}\n\
             longest_round_us {}\n",
            accounts.callers,
            accounts.calls,
            accounts.failed,
            accounts.created,
            accounts.ended,
            accounts.added,
            accounts.total_of_ended + held,
            accounts.longest_ns / 1000,
        ))
    }
}

/// What callers did and met.
#[derive(Clone, Copy, Default)]
struct Accounts {
    callers: u64,
    calls: u64,
    failed: u64,
    created: u64,
    ended: u64,
    /// What callers put into counters.
    added: u64,
    total_of_ended: u64,
    /// The longest round of a caller, with whatever else the processor did meanwhile; so no
    /// call took longer.
    longest_ns: i64,
}

impl Accounts {
    /// Makes a call of the class, and checks its result.
    fn call(&mut self, call: impl FnOnce() -> u64, is_right: impl FnOnce(u64) -> bool) -> u64 {
        let result = call();
        self.calls += 1;
        self.failed += u64::from(!is_right(result));
        result
    }

    /// Adds what one caller did in a round.
    fn take_in(&mut self, round: &Self) {
        self.calls += round.calls;
        self.failed += round.failed;
        self.created += round.created;
        self.ended += round.ended;
        self.added += round.added;
        self.total_of_ended += round.total_of_ended;
        self.longest_ns = self.longest_ns.max(round.longest_ns);
    }
}

/// A task that calls.
struct Caller<'a> {
    load: &'a Load,
    /// The last result of each shared counter.
    seen: KVVec<u64>,
    own: Option<Own>,
    rounds: u64,
}

/// A counter that only one caller has, and what it must hold.
struct Own {
    counter: Handle<dyn Counter>,
    total: u64,
}

impl<'a> Caller<'a> {
    fn new(load: &'a Load) -> Result<Self> {
        let seen = KVVec::from_elem(0, load.counters.len(), GFP_KERNEL)?;
        Ok(Self {
            load,
            seen,
            own: None,
            rounds: 0,
        })
    }

    /// Calls every counter once.
    fn round(&mut self) {
        let begin = Instant::<Monotonic>::now();
        let mut accounts = Accounts::default();
        if self.rounds % LIFE == 0 {
            self.renew(&mut accounts);
        }
        self.rounds += 1;
        for (counter, seen) in self.load.counters.iter().zip(&mut self.seen) {
            let before = *seen;
            *seen = accounts.call(|| counter.add(1), |total| total > before);
            accounts.added += 1;
        }
        if let Some(own) = &mut self.own {
            own.total += self.rounds;
            accounts.call(|| own.counter.add(self.rounds), |total| total == own.total);
            accounts.added += self.rounds;
        }
        accounts.longest_ns = begin.elapsed().as_nanos();
        self.load.accounts.lock().take_in(&accounts);
    }

    /// Ends the caller's own counter, and makes another one.
    fn renew(&mut self, accounts: &mut Accounts) {
        self.end(accounts);
        match self.load.class.create(START) {
            Ok(counter) => {
                self.own = Some(Own {
                    counter,
                    total: START,
                })
            }
            Err(_) => accounts.failed += 1,
        }
        accounts.created += u64::from(self.own.is_some());
        accounts.added += self.own.as_ref().map_or(0, |own| own.total);
    }

    fn end(&mut self, accounts: &mut Accounts) {
        if let Some(own) = self.own.take() {
            let total = accounts.call(|| own.counter.total(), |total| total == own.total);
            accounts.total_of_ended += total;
            accounts.ended += 1;
        }
    }

    fn finish(mut self) {
        let mut accounts = Accounts::default();
        self.end(&mut accounts);
        self.load.accounts.lock().take_in(&accounts);
    }
}
