// SPDX-License-Identifier: GPL-2.0

//! The trial of an update that has to be confirmed: without a word in time its classes go
//! back to what they were.
//!
//! ```text
//!   commit --> pending --+-- confirm -----------------> confirmed
//!                        +-- another update commits --> superseded
//!                        +-- confirm_ms are over -----> goes back, again and again until it
//!                                                       commits or is superseded
//! ```
//!
//! Where the way back is not possible, the update is refused beforehand. The implementations
//! before, and those that the way back leads over, stay pinned meanwhile: it is there for as long
//! as it may be needed. Whoever ends the trial gives these pins up, before that is said to anybody.
//! The transition's own thread judges, so nothing has to be had for it later.

use kernel::error::code::{EALREADY, ENOENT, EPROTO};
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed};
use kernel::sync::{Arc, Mutex};

use crate::class::Class;
use crate::error::Refusal;
use crate::implementation::{Pin, Registered};
use crate::plan::{Plan, Request, Target};
use crate::primitives::{now_ns, sleep_ns};
use crate::registry::framework;
use crate::route;
use crate::testing::{fault, Site};
use crate::text::Name;
use crate::transfer;
use crate::transition::finish_sweep;

const PENDING: u32 = 0;
const CONFIRMED: u32 = 1;
const SUPERSEDED: u32 = 2;
const GOING_BACK: u32 = 3;

/// How long to wait before going back is tried again, in nanoseconds.
const AGAIN_NS: u64 = 250_000_000;

/// How often going back is tried.
const MOST_TRIES: u32 = 240;

struct Way {
    class: Arc<Class>,
    back: Pin,
    /// How instances get there; keeps the versions between.
    _route: route::Way,
    /// The generation that is on trial.
    generation: u64,
}

impl Way {
    /// Whether the class is at the generation that is on trial.
    fn is_current(&self) -> bool {
        self.class.generation() == self.generation
    }

    /// Whether somebody has removed the class, or led it elsewhere and not back.
    fn is_changed(&self) -> bool {
        match self.class.default_implementation() {
            Some(default) => !self.is_current() && !Arc::ptr_eq(&default, &self.back),
            None => true,
        }
    }

    /// Whether somebody has taken the class back by hand: what was before serves all of it.
    fn is_done(&self) -> bool {
        let mut others = 0i64;
        self.class.for_each_implementation(|one| {
            if !Arc::ptr_eq(one, &self.back) {
                others = others.saturating_add(self.class.instances_of(one));
            }
        });
        let default = self.class.default_implementation();
        others == 0 && default.is_some_and(|one| Arc::ptr_eq(&one, &self.back))
    }
}

/// The trial of one transition.
#[pin_data]
pub(crate) struct Trial {
    verdict: Atomic<u32>,
    /// From the commit on, in nanoseconds.
    length_ns: u64,
    end_ns: Atomic<u64>,
    /// Of the first class.
    name: Name,
    /// Those of whoever decides.
    #[pin]
    ways: Mutex<KVec<Way>>,
}

impl Trial {
    /// The trial of a request, if it asks for one.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub(crate) fn of(request: &Request<'_>, plan: &Plan) -> Result<Option<Arc<Self>>, Refusal> {
        let trial = request.confirm_ms.map(|ms| Self::new(plan, ms));
        trial.transpose()
    }

    /// # Errors
    ///
    /// * `EPROTO`: there is no transfer back, or it can fail in a class of atomic context.
    /// * `EKEYREJECTED`: the class requires a signature, which the way back lacks.
    /// * `ENOENT`: a module is going. `ENOMEM`.
    fn new(plan: &Plan, confirm_ms: u64) -> Result<Arc<Self>, Refusal> {
        let mut ways = KVec::new();
        for planned in &plan.0 {
            fault(Site::Trial)?;
            let class = &planned.class;
            let way = Way {
                class: class.clone(),
                _route: way_back(class, &planned.routes.to, &planned.from)?,
                back: Pin::new(&planned.from)?,
                generation: class.generation().wrapping_add(1),
            };
            ways.push(way, GFP_KERNEL)?;
        }
        let name = Name::from(ways.first().map_or("", |way: &Way| way.class.name()));
        let trial = pin_init!(Self {
            verdict: Atomic::new(PENDING),
            length_ns: confirm_ms.saturating_mul(1_000_000),
            end_ns: Atomic::new(u64::MAX),
            name,
            ways <- kernel::new_mutex!(ways, "molt_trial"),
        });
        Ok(Arc::pin_init(trial, GFP_KERNEL)?)
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.verdict.load(Relaxed) == PENDING
    }

    /// Whether what `class` is at now is on this trial. May sleep.
    fn is_of(&self, class: &Class) -> bool {
        let ways = self.ways.lock();
        let mut ways = ways.iter();
        ways.any(|way| core::ptr::eq(&*way.class, class) && way.is_current())
    }

    fn is_going_back(&self) -> bool {
        self.verdict.load(Relaxed) == GOING_BACK
    }

    /// Returns the ways back to who comes first. Sleeps.
    fn decide(&self, verdict: u32) -> Option<KVec<Way>> {
        let is_first = self.verdict.cmpxchg(PENDING, verdict, Full).is_ok();
        framework().records.wake_updaters();
        is_first.then(|| core::mem::replace(&mut *self.ways.lock(), KVec::new()))
    }

    /// Ends the trial, and gives its pins up. Returns whether it was not decided yet. Sleeps.
    fn end(&self, verdict: u32) -> bool {
        let ways = self.decide(verdict);
        ways.inspect(|ways| self.forget(ways)).is_some()
    }

    /// The update has committed at this moment: its time counts from here.
    pub(crate) fn begin(&self) {
        let end_ns = now_ns().saturating_add(self.length_ns);
        self.end_ns.store(end_ns, Relaxed);
    }

    /// Another update has committed, or the class is being removed. Sleeps.
    pub(crate) fn supersede(&self) {
        self.end(SUPERSEDED);
    }

    /// Waits for the verdict; goes back without one. Sleeps.
    pub(crate) fn judge(&self) {
        while self.is_pending() {
            let left_ns = self.end_ns.load(Relaxed).saturating_sub(now_ns());
            if left_ns == 0 {
                break;
            }
            let is_over = || !self.is_pending();
            framework().records.drain.wait_idle(is_over, left_ns);
        }
        // From here on a confirmation comes too late.
        if let Some(ways) = self.decide(GOING_BACK) {
            crate::log::unconfirmed(self.name.as_str());
            self.insist(&ways);
            self.forget(&ways);
        }
    }

    /// Goes back, however often that is refused; until another update has come first.
    fn insist(&self, ways: &[Way]) {
        let name = self.name.as_str();
        for _ in 0..MOST_TRIES {
            match Self::go_back(ways) {
                Ok(()) => return,
                Err(_) if ways.iter().any(Way::is_changed) => return,
                Err(refusal) => crate::log::not_back(name, &refusal),
            }
            sleep_ns(AGAIN_NS);
        }
        crate::log::gave_up(name);
    }

    fn go_back(ways: &[Way]) -> Result<(), Refusal> {
        // One that somebody has taken back lazily is back when all its instances are.
        for way in ways {
            finish_sweep(&way.class)?;
        }
        let mut targets = KVec::new();
        for way in ways.iter().filter(|way| !way.is_done()) {
            let target = Target {
                class: &way.class,
                implementation: way.back.name(),
                version: Some(way.back.version()),
                expect: Some(way.generation),
            };
            targets.push(target, GFP_KERNEL)?;
        }
        if targets.is_empty() {
            return Ok(());
        }
        let transition = crate::transition::begin(&Request::new(&targets))?;
        let last = transition.wait()?;
        match last.error {
            None => Ok(()),
            Some(error) => Err(Refusal::with(error, last.reason)),
        }
    }

    /// Takes the trial off its classes.
    fn forget(&self, ways: &[Way]) {
        for way in ways {
            let mut inner = way.class.inner().lock();
            let is_own = |trial: &Arc<Self>| core::ptr::eq(&**trial, self);
            let own = match inner.trial.as_ref().is_some_and(is_own) {
                true => inner.trial.take(),
                false => None,
            };
            drop(inner);
            drop(own);
        }
    }
}

/// How a class can go back.
fn way_back(class: &Class, to: &Registered, back: &Registered) -> Result<route::Way, Refusal> {
    class.check_signature(back)?;
    let way = transfer::find(class, to, back)?;
    match way.can_fail() && class.gate().is_atomic() {
        true => Err(Refusal::new(
            EPROTO,
            fmt!(
                "the way back to {} can fail, which it must not in a class of atomic context",
                back.label()
            ),
        )),
        false => Ok(way),
    }
}

impl Class {
    /// Keeps the last update of this class, and of those that were updated together with it.
    /// May sleep.
    ///
    /// # Errors
    ///
    /// * `ENOENT`: none waits for it.
    /// * `EALREADY`: its time is over, and the class is going back.
    pub fn confirm(&self) -> Result<(), Refusal> {
        let name = self.name();
        if self.trial().is_some_and(|trial| trial.end(CONFIRMED)) {
            return Ok(());
        }
        let last = self.inner().lock().trial.clone();
        match last {
            Some(trial) if trial.is_going_back() => Err(Refusal::new(
                EALREADY,
                fmt!("{name} is going back: the time is over"),
            )),
            // One that has just been confirmed or superseded has yet to be taken off the class.
            _ => Err(Refusal::new(
                ENOENT,
                fmt!("no update of {name} waits for a confirmation"),
            )),
        }
    }

    /// Whether the last update waits for a confirmation; no longer once it is going back. May
    /// sleep.
    pub fn is_on_trial(&self) -> bool {
        self.trial().is_some_and(|trial| trial.is_pending())
    }

    /// The trial of its generation. That of a transition which has committed here and may have to
    /// in other classes yet, which nothing prevents any more, is not the class's own so far.
    fn trial(&self) -> Option<Arc<Trial>> {
        let inner = self.inner().lock();
        let running = inner.transition.as_ref().and_then(|one| one.trial());
        let trials = [running.cloned(), inner.trial.clone()];
        drop(inner);
        trials.into_iter().flatten().find(|trial| trial.is_of(self))
    }
}
