// SPDX-License-Identifier: GPL-2.0

//! Hooks for tests, off unless a parameter of `molt.ko` is set.

use kernel::error::code::ENOMEM;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};

use crate::attempt::{Attempt, Milestone};
use crate::helpers::{
    molt_test_dawdle_us, molt_test_fail, molt_test_hold, molt_test_refuse, molt_test_state,
};
use crate::primitives::{now_ns, relax, sleep_ns};

/// Holds every attempt at one milestone for as long as the parameter `test_hold` names it:
/// 1 tracking, 2 blocking, 3 transferring, 4 prepared. The deadline and an abort end it.
pub(crate) fn hold(milestone: Milestone, attempt: &Attempt) {
    let number = match milestone {
        Milestone::Tracking => 1,
        Milestone::Blocking => 2,
        Milestone::Transferring => 3,
        Milestone::Prepared => 4,
    };
    while held() == number && attempt.is_running() && !attempt.is_past_deadline() {
        sleep_ns(1_000_000);
    }
}

/// Longer than any host takes the processor away for that such a class could bear.
const MOST_DAWDLE_NS: u64 = 10_000_000;

/// Lengthens a closure of a window by as much as the parameter `test_dawdle_us` says, as a
/// host does that takes the processor away; by [`MOST_DAWDLE_NS`] at most. Interrupts are off.
pub(crate) fn dawdle() {
    // SAFETY: A word that root may change at any time.
    let us = unsafe { (&raw const molt_test_dawdle_us).read_volatile() };
    let ns = u64::try_from(us)
        .unwrap_or_default()
        .saturating_mul(1_000)
        .min(MOST_DAWDLE_NS);
    let begin_ns = now_ns();
    while now_ns().wrapping_sub(begin_ns) < ns {
        relax();
    }
}

/// Whether transitions are refused at their commit point: the gate, and where there is one the
/// window, then closes and opens with nothing done. Any context.
pub(crate) fn is_refused() -> bool {
    // SAFETY: A word that root may change at any time.
    unsafe { (&raw const molt_test_refuse).read_volatile() }
}

/// Declares the sites, and their names.
macro_rules! sites {
    ($($(#[$doc:meta])* $site:ident $name:literal,)*) => {
        /// A step for which there may be no memory.
        #[derive(Clone, Copy)]
        pub enum Site {
            $($(#[$doc])* $site,)*
        }

        static SITES: &[&str] = &[$($name,)*];
    };
}

sites! {
    /// A registration: of an implementation.
    Implementation "implementation",
    /// That of a class, with its first implementation.
    Class "class",
    /// What a class asks of a front.
    Attachment "attachment",
    /// The directory of a class.
    ClassDir "class_dir",
    /// That of an implementation.
    ImplementationDir "implementation_dir",
    /// What is to happen to one class.
    Plan "plan",
    /// How the objects of one implementation get to the new one.
    Route "route",
    /// What happens to each field.
    Moves "moves",
    /// The moves of a route, in their order.
    Chain "chain",
    /// The instances that are switched.
    Kept "kept",
    /// A class of the transition.
    Member "member",
    /// The transition.
    Transition "transition",
    /// What goes back without a confirmation.
    Trial "trial",
    /// The work on one list of instances.
    Part "part",
    /// A helper of the updater.
    Hand "hand",
    /// What the thread works on.
    Job "job",
    /// The thread.
    Thread "thread",
    /// A grace period. Calls are recorded already.
    Grace "grace",
    /// A new object.
    Twin "twin",
    /// Where the prepared value of an instance goes.
    Place "place",
    /// Memory for values on their way into a container.
    Room "room",
    /// A prepared value of an instance. Its class is quiescent.
    Prepared "prepared",
}

/// How often each site has failed.
static FAULTS: [Atomic<u64>; SITES.len()] = [const { Atomic::new(0) }; SITES.len()];

/// Fails where the parameter `test_fail` has counted down to this step.
///
/// # Errors
///
/// `ENOMEM`. Does not sleep.
pub fn fault(site: Site) -> Result {
    if !fails() {
        return Ok(());
    }
    if let Some(faults) = FAULTS.get(site as usize) {
        faults.fetch_add(1, Relaxed);
    }
    Err(ENOMEM)
}

/// Visits the sites: the name, and how often it has failed. Any context.
pub fn for_each_fault_site(mut f: impl FnMut(&str, u64)) {
    for (name, faults) in SITES.iter().zip(&FAULTS) {
        f(name, faults.load(Relaxed));
    }
}

fn fails() -> bool {
    // SAFETY: A word that is changed by atomic operations here, and by root with a store.
    let left = unsafe { Atomic::from_ptr(&raw mut molt_test_fail) };
    let mut seen = left.load(Relaxed);
    while seen > 0 {
        match left.cmpxchg(seen, seen.wrapping_sub(1), Relaxed) {
            Ok(_) => return seen == 1,
            Err(now) => seen = now,
        }
    }
    false
}

fn held() -> i32 {
    // SAFETY: A word that root may change at any time.
    unsafe { (&raw const molt_test_hold).read_volatile() }
}

/// Whether the state of instances may be shown, byte for byte.
pub fn shows_state() -> bool {
    // SAFETY: As above.
    unsafe { (&raw const molt_test_state).read_volatile() }
}
