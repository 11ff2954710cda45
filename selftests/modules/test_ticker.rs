// SPDX-License-Identifier: GPL-2.0

//! A caller of the test classes `tick` and `tock`, which have to be there, from wherever nobody
//! may sleep.
//!
//! A test writes commands to `test_ticker/command` in debugfs. They last until `stop` or a
//! signal:
//!
//! * `hard US`, `soft US`: a timer of this processor calls again and again, in hard or in soft
//!   interrupt context, with a rest of so many microseconds in between, or somewhat more.
//! * `locked`: the writer's task calls under a spinlock.
//! * `nested`: it walks from instance to instance, also of the other class, without a lock.
//! * `churn`: it makes instances, calls them and ends them.
//! * `spin MS`: one call that stays inside so long; it is the command's end.
//! * `stop`, `go`: ends all of these, and lets new ones begin.
//!
//! `test_ticker/result` shows how many calls came from where; `added` (what callers added up)
//! and `total` (what the instances hold), which are equal when nobody calls; and `wrong`, how
//! many results were not what they must be: exactly the total where an instance has one caller,
//! more than last time where it has many.

#![deny(unsafe_code)]

use kernel::debugfs::{Dir, File};
use kernel::fmt;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{Arc, ArcBorrow, SpinLock};
use kernel::time::hrtimer::{
    HrTimer, HrTimerCallback, HrTimerCallbackContext, HrTimerPointer, HrTimerRestart,
    RelativePinnedHardMode, RelativePinnedSoftMode,
};
use kernel::time::{delay::fsleep, Delta, Instant, Monotonic};
use kernel::uaccess::UserSliceReader;
use molt::{Class, Handle};

#[path = "node/command.rs"]
mod command;
#[path = "tick/interface.rs"]
mod interface;
use interface::{Link, Tick};

kernel::prelude::module! {
    type: Ticker,
    name: "test_ticker",
    authors: ["The Molt developers"],
    description: "Molt test: calls where sleeping is forbidden",
    license: "GPL",
    params: {
        instances: u32 {
            default: 100,
            description: "Instances of each class",
        },
    },
}

/// Shared instances that are called in one beat: few, since interrupts may be off.
const CALLS: usize = 4;
/// What a task does before it sleeps for a moment.
const BURST: usize = 64;
/// Length of a walk.
const STEPS: u64 = 6;
/// What an instance with one caller starts with.
const START: u64 = 40;

#[pin_data]
struct Ticker {
    #[pin]
    command: File<Arc<Ticks>>,
    #[pin]
    result: File<Arc<Ticks>>,
    _dir: Dir,
}

impl kernel::InPlaceModule for Ticker {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let dir = Dir::new(c"test_ticker");
            let ticks = Arc::pin_init(Ticks::new(), GFP_KERNEL)?;
            Ok(try_pin_init!(Self {
                command <- dir.write_callback_file(c"command", ticks.clone(), &run),
                result <- dir.read_callback_file(c"result", ticks.clone(), &show),
                _dir: dir.clone(),
            }))
        })
    }
}

/// What callers did and met, by the words that `result` has for it.
#[derive(Clone, Copy)]
enum Account {
    Hard,
    Soft,
    Locked,
    Nested,
    Created,
    Failed,
    Wrong,
    /// What callers put into instances.
    Added,
    /// What was in those that have ended.
    TotalOfEnded,
}

const ACCOUNTS: [(&str, Account); 8] = [
    ("hard", Account::Hard),
    ("soft", Account::Soft),
    ("locked", Account::Locked),
    ("nested", Account::Nested),
    ("created", Account::Created),
    ("failed", Account::Failed),
    ("wrong", Account::Wrong),
    ("added", Account::Added),
];

struct Accounts([Atomic<u64>; ACCOUNTS.len() + 1]);

impl Accounts {
    fn add(&self, account: Account, n: u64) {
        if let Some(value) = self.0.get(account as usize) {
            value.fetch_add(n, Relaxed);
        }
    }

    fn get(&self, account: Account) -> u64 {
        self.0
            .get(account as usize)
            .map_or(0, |value| value.load(Relaxed))
    }

    fn check(&self, is_right: bool) {
        self.add(Account::Wrong, u64::from(!is_right));
    }
}

/// The instances, and what became of the calls.
#[pin_data]
struct Ticks {
    class: Class<dyn Tick>,
    ticks: KVec<Link>,
    tocks: KVec<Link>,
    /// From a tick to a tock and back, several times.
    route: KVec<Link>,
    is_stopped: Atomic<bool>,
    accounts: Accounts,
    #[pin]
    lock: SpinLock<()>,
}

impl Ticks {
    fn new() -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let class = Class::open(c"tick")?;
            let (ticks, tocks) = (instances(&class)?, instances(&Class::open(c"tock")?)?);
            let mut route = KVec::new();
            for step in 0..STEPS as usize {
                let instances = if step % 2 == 0 { &ticks } else { &tocks };
                let tick = instances.get(step / 2).ok_or(EINVAL)?;
                route.push(Link((**tick).clone()), GFP_KERNEL)?;
            }
            Ok(try_pin_init!(Self {
                class,
                ticks,
                tocks,
                route,
                is_stopped: Atomic::new(false),
                accounts: Accounts([const { Atomic::new(0) }; ACCOUNTS.len() + 1]),
                lock <- kernel::new_spinlock!(()),
            }))
        })
    }

    fn goes_on(&self) -> bool {
        !self.is_stopped.load(Relaxed) && !current!().signal_pending()
    }

    /// Walks along the route, each step inside the one before.
    fn walk(&self) {
        if let Some((first, rest)) = self.route.split_first() {
            let accounts = &self.accounts;
            accounts.check(first.walk(rest) == STEPS);
            accounts.add(Account::Added, STEPS);
        }
    }

    fn total(&self) -> u64 {
        let all = [&self.ticks, &self.tocks].into_iter().flatten();
        all.map(|tick| tick.total()).sum()
    }

    /// Makes an instance, calls it and ends it.
    fn churn(&self) {
        match Caller::new(self) {
            Ok(caller) => {
                for n in 0..8 {
                    caller.call_own(&self.accounts, n);
                }
                caller.finish(&self.accounts);
            }
            Err(_) => self.accounts.add(Account::Failed, 1),
        }
    }
}

fn instances(class: &Class<dyn Tick>) -> Result<KVec<Link>> {
    let mut instances = KVec::new();
    for _ in 0..module_parameters::instances.value() {
        instances.push(Link(class.create(0)?), GFP_KERNEL)?;
    }
    Ok(instances)
}

/// Somebody who calls: a task, or the function of a timer.
struct Caller {
    own: Handle<dyn Tick>,
    /// What the own instance must hold.
    own_total: Atomic<u64>,
    /// The last result of each shared instance.
    seen: KVec<Atomic<u64>>,
    next: Atomic<usize>,
}

impl Caller {
    fn new(ticks: &Ticks) -> Result<Self> {
        let own = ticks.class.create(START)?;
        let accounts = &ticks.accounts;
        accounts.add(Account::Created, 1);
        accounts.add(Account::Added, START);
        Ok(Self {
            own,
            own_total: Atomic::new(START),
            seen: KVec::new(),
            next: Atomic::new(0),
        })
    }

    /// One that calls the shared instances, too.
    fn with_shared(ticks: &Ticks) -> Result<Self> {
        let mut caller = Self::new(ticks)?;
        for _ in 0..ticks.ticks.len() {
            caller.seen.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(caller)
    }

    fn call_own(&self, accounts: &Accounts, n: u64) {
        let total = self.own_total.fetch_add(n, Relaxed).wrapping_add(n);
        accounts.check(self.own.add(n) == total);
        accounts.add(Account::Added, n);
    }

    /// Some calls; `from` counts them. Does not sleep.
    fn beat(&self, ticks: &Ticks, from: Account) {
        let accounts = &ticks.accounts;
        let shared = ticks.ticks.iter().zip(&self.seen);
        let first = self.next.fetch_add(CALLS, Relaxed) % ticks.ticks.len().max(1);
        for (tick, seen) in shared.skip(first).take(CALLS) {
            let total = tick.add(1);
            accounts.check(total > seen.xchg(total, Relaxed));
            accounts.add(Account::Added, 1);
            accounts.add(from, 1);
        }
        self.call_own(accounts, 3);
        ticks.walk();
        accounts.add(from, 1 + STEPS);
    }

    /// Enters what the own instance holds, which is not called any more.
    fn finish(&self, accounts: &Accounts) {
        let total = self.own.total();
        accounts.check(total == self.own_total.load(Relaxed));
        accounts.add(Account::TotalOfEnded, total);
    }
}

/// A type of timer whose function calls, in one context.
macro_rules! timer {
    ($name:ident, $mode:ident, $from:ident) => {
        #[pin_data]
        struct $name {
            #[pin]
            timer: HrTimer<Self>,
            ticks: Arc<Ticks>,
            caller: Caller,
            interval: Delta,
        }

        impl $name {
            /// Calls until the end; sleeps meanwhile.
            fn run(ticks: &Arc<Ticks>, us: u32) -> Result {
                let caller = Caller::with_shared(ticks)?;
                let interval = Delta::from_micros(i64::from(us.max(1)));
                let timer = Arc::pin_init(
                    pin_init!(Self {
                        timer <- HrTimer::new(),
                        ticks: ticks.clone(),
                        caller,
                        interval,
                    }),
                    GFP_KERNEL,
                )?;
                let running = timer.clone().start(interval);
                while ticks.goes_on() {
                    fsleep(Delta::from_millis(2));
                }
                drop(running);
                timer.caller.finish(&ticks.accounts);
                Ok(())
            }
        }

        impl HrTimerCallback for $name {
            type Pointer<'a> = Arc<Self>;

            fn run(
                this: ArcBorrow<'_, Self>,
                mut context: HrTimerCallbackContext<'_, Self>,
            ) -> HrTimerRestart {
                this.caller.beat(&this.ticks, Account::$from);
                // A rest after each beat: a slow machine would come to nothing else.
                context.forward(Instant::now() + this.interval, this.interval);
                HrTimerRestart::Restart
            }
        }

        kernel::impl_has_hr_timer! {
            impl HasHrTimer<Self> for $name { mode: $mode<Monotonic>, field: self.timer }
        }
    };
}

timer!(Hard, RelativePinnedHardMode, Hard);
timer!(Soft, RelativePinnedSoftMode, Soft);

fn call_locked(ticks: &Ticks) -> Result {
    let caller = Caller::with_shared(ticks)?;
    repeat(ticks, || {
        let _guard = ticks.lock.lock();
        caller.beat(ticks, Account::Locked);
    })?;
    caller.finish(&ticks.accounts);
    Ok(())
}

/// In bursts, so that the test itself gets on.
fn repeat(ticks: &Ticks, mut act: impl FnMut()) -> Result {
    while ticks.goes_on() {
        for _ in 0..BURST {
            act();
        }
        fsleep(Delta::from_micros(100));
    }
    Ok(())
}

fn run(ticks: &Arc<Ticks>, reader: &mut UserSliceReader) -> Result {
    command::take(reader, |command, argument| match command {
        "hard" => Hard::run(ticks, command::number(argument)?),
        "soft" => Soft::run(ticks, command::number(argument)?),
        "locked" => call_locked(ticks),
        "nested" => repeat(ticks, || {
            ticks.walk();
            ticks.accounts.add(Account::Nested, STEPS);
        }),
        "churn" => repeat(ticks, || ticks.churn()),
        "spin" => {
            let first = ticks.ticks.first().ok_or(EINVAL)?;
            first.spin(command::number(argument)?);
            Ok(())
        }
        "stop" | "go" => {
            ticks.is_stopped.store(command == "stop", Relaxed);
            Ok(())
        }
        _ => Err(EINVAL),
    })
}

fn show(ticks: &Arc<Ticks>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let accounts = &ticks.accounts;
    for (name, account) in ACCOUNTS {
        writeln!(f, "{name} {}", accounts.get(account))?;
    }
    let ended = accounts.get(Account::TotalOfEnded);
    writeln!(f, "total {}", ticks.total().wrapping_add(ended))
}
