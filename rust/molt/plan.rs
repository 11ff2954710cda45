// SPDX-License-Identifier: GPL-2.0

//! Plans: what a request comes down to, and everything that is refused before anything is
//! touched.

use kernel::error::code::{EAGAIN, EALREADY, EBUSY, EINVAL, EIO, ENOENT, EPERM, EPROTO, ESTALE};
use kernel::prelude::*;
use kernel::sync::Arc;

use crate::blocker::Who;
use crate::choice::{self, Choice};
use crate::class::{Class, Inner};
use crate::error::{Refusal, REASON_LEN};
use crate::helpers::{molt_capable, molt_capable_of_repair};
use crate::implementation::{Pin, Registered};
use crate::kept::Kept;
use crate::registry::framework;
use crate::repair;
use crate::route::{Route, Routes, Way};
use crate::testing::{fault, Site};
use crate::text::Text;
use crate::transfer;
use crate::trial::Trial;

/// Longest life of an attempt, in milliseconds.
pub const MOST_DEADLINE_MS: u64 = 60_000;

/// Longest time that a sweep may be given, or a confirmation, in milliseconds.
pub const MOST_WAIT_MS: u64 = 600_000;

/// When the objects are moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// All before the update returns; in classes of sleepable context before the commit.
    Eager,
    /// After the commit, each before the first call of its instance.
    Lazy,
    /// As lazy, and a worker moves those that nobody calls.
    Background,
}

impl Policy {
    /// The word for it in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eager => "eager",
            Self::Lazy => "lazy",
            Self::Background => "background",
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// The class, and all its instances, to another implementation.
    Update,
    /// Some instances; new ones go on being made by the default.
    Switch(Choice),
    /// As an update, from an implementation that is known to be damaged: calls that do not
    /// end by the deadline are abandoned, and states are rebuilt as far as they can be saved.
    Repair,
}

impl Verb {
    /// The word for it in the history.
    pub fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Switch(_) => "switch",
            Self::Repair => "repair",
        }
    }
}

/// A class, and what it shall be served by.
pub struct Target<'a> {
    /// The class.
    pub class: &'a Arc<Class>,
    /// Name of the implementation.
    pub implementation: &'a str,
    /// Its version; `None`: the highest that is registered.
    pub version: Option<u32>,
    /// The generation that the class must have.
    pub expect: Option<u64>,
}

/// A request: all its targets change together, or none does.
pub struct Request<'a> {
    /// One for each class; a switch has one.
    pub targets: &'a [Target<'a>],
    /// What to do with them.
    pub verb: Verb,
    /// When the objects are moved.
    pub policy: Policy,
    /// Life of the attempt, in milliseconds, 1 to [`MOST_DEADLINE_MS`].
    pub deadline_ms: u64,
    /// How long the gate may stay closed in one try, in milliseconds, 1 to
    /// [`MOST_DEADLINE_MS`].
    pub pause_ms: u64,
    /// How many milliseconds after the commit what is not moved yet is moved at full speed,
    /// whatever the class's rate and with the lazy policy, too; 1 to [`MOST_WAIT_MS`]. `None`:
    /// never.
    pub complete_ms: Option<u64>,
    /// In how many milliseconds the update has to be confirmed, or the classes go back, 1 to
    /// [`MOST_WAIT_MS`]. `None`: it stands.
    pub confirm_ms: Option<u64>,
}

impl<'a> Request<'a> {
    /// An eager update with the usual limits.
    pub fn new(targets: &'a [Target<'a>]) -> Self {
        Self {
            targets,
            verb: Verb::Update,
            policy: Policy::Eager,
            deadline_ms: 2_000,
            pause_ms: 20,
            complete_ms: None,
            confirm_ms: None,
        }
    }
}

/// Checks a request without beginning anything: what it would move, and the memory for it.
/// May sleep.
///
/// # Errors
///
/// As for [`begin`](crate::transition::begin).
pub fn check(request: &Request<'_>) -> Result<Text<REASON_LEN>, Refusal> {
    check_rights()?;
    check_limits(request)?;
    let plan = plan(request)?;
    // That there is a way back shows where one is made.
    Trial::of(request, &plan)?;
    Ok(plan.describe())
}

/// One class of a plan.
pub(crate) struct Planned {
    pub(crate) class: Arc<Class>,
    /// The default.
    pub(crate) from: Pin,
    pub(crate) routes: KBox<Routes>,
    /// The instances, where they are not all.
    pub(crate) kept: Option<Kept>,
    /// How often the class had changed when this was planned.
    pub(crate) changes: u64,
}

/// What a request comes down to. Pins the modules of both ends of each route, in one of which
/// the route's table lies.
pub(crate) struct Plan(pub(crate) KVec<Planned>);

impl Plan {
    fn describe(&self) -> Text<REASON_LEN> {
        let mut instances = 0u64;
        let mut bytes = 0u64;
        for planned in &self.0 {
            let count = planned.instances();
            let size =
                planned.routes.to.object_size() as u64 + planned.routes.prepared_layout().0 as u64;
            instances = instances.saturating_add(count);
            bytes = bytes.saturating_add(count.saturating_mul(size));
        }
        match self.0.as_slice() {
            [only] => Text::format(fmt!(
                "check: {} can go to {}{}, from generation {}: {instances} instances, {bytes} \
                 bytes",
                only.class.name(),
                only.routes.to.label(),
                only.routes.between().as_str(),
                only.class.generation()
            )),
            all => Text::format(fmt!(
                "check: {} classes can go together: {instances} instances, {bytes} bytes",
                all.len()
            )),
        }
    }
}

impl Planned {
    /// How many instances have to be moved, at present.
    fn instances(&self) -> u64 {
        match &self.kept {
            Some(kept) => kept.len() as u64,
            None => {
                let others = self.routes.iter().filter(|route| route.is_move());
                let all = others.map(|route| self.class.instances_of(&route.from));
                all.sum::<i64>() as u64
            }
        }
    }
}

/// Everything else that can be refused before anything is touched.
pub(crate) fn plan(request: &Request<'_>) -> Result<Plan, Refusal> {
    let mut all = KVec::new();
    for (index, target) in request.targets.iter().enumerate() {
        let before = request.targets.iter().take(index);
        if before
            .into_iter()
            .any(|other| Arc::ptr_eq(other.class, target.class))
        {
            return Err(Refusal::new(
                EINVAL,
                fmt!("{} is named twice", target.class.name()),
            ));
        }
        fault(Site::Plan)?;
        all.push(plan_one(request, target)?, GFP_KERNEL)?;
    }
    if all.is_empty() {
        return Err(Refusal::new(EINVAL, fmt!("no class is named")));
    }
    Ok(Plan(all))
}

/// Whether the caller may begin transitions at all.
pub(crate) fn check_rights() -> Result<(), Refusal> {
    // SAFETY: Always safe to call.
    if !unsafe { molt_capable() } {
        return Err(Refusal::new(EPERM, fmt!("needs CAP_SYS_MODULE")));
    }
    check_oops()?;
    check_all_held()
}

fn check_all_held() -> Result<(), Refusal> {
    match framework().is_held() {
        true => Err(Refusal::new(EBUSY, fmt!("all transitions are held"))),
        false => Ok(()),
    }
}

/// Whether a transition of the class may begin.
fn check_hold(class: &Class) -> Result<(), Refusal> {
    check_all_held()?;
    let name = class.name();
    match class.is_held() {
        true => Err(Refusal::new(EBUSY, fmt!("transitions of {name} are held"))),
        false => Ok(()),
    }
}

/// Whether what `free_class` has seen, with so many changes, is still so. A hold is asked for
/// again: since then a sweep may have been waited for.
pub(crate) fn check_unchanged(class: &Class, inner: &Inner, changes: u64) -> Result<(), Refusal> {
    match inner.changes != changes || inner.transition.is_some() || inner.is_retired {
        true => Err(class.is_busy()),
        false => check_hold(class),
    }
}

/// # Errors
///
/// `EIO`: a task has died in the kernel. It may be inside a call, which nobody can wait for.
pub(crate) fn check_oops() -> Result<(), Refusal> {
    match Who::dead() {
        Some(who) => Err(Refusal::new(
            EIO,
            fmt!("the kernel has oopsed: {who} has died, inside a call perhaps"),
        )),
        None => Ok(()),
    }
}

pub(crate) fn check_limits(request: &Request<'_>) -> Result<(), Refusal> {
    let limits = [
        ("deadline_ms", Some(request.deadline_ms), MOST_DEADLINE_MS),
        ("pause_ms", Some(request.pause_ms), MOST_DEADLINE_MS),
        ("complete_ms", request.complete_ms, MOST_WAIT_MS),
        ("confirm_ms", request.confirm_ms, MOST_WAIT_MS),
    ];
    for (name, value, most) in limits {
        if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
            return Err(Refusal::new(EINVAL, fmt!("{name}={value}: 1 to {most}")));
        }
    }
    let is_plain = request.policy == Policy::Eager && request.confirm_ms.is_none();
    if request.verb != Verb::Update && !is_plain {
        return Err(Refusal::new(
            EINVAL,
            fmt!("a {} is eager, and not on trial", request.verb.name()),
        ));
    }
    match request.verb {
        Verb::Switch(choice) => choice.check(),
        // SAFETY: Always safe to call.
        Verb::Repair if !unsafe { molt_capable_of_repair() } => Err(Refusal::new(
            EPERM,
            fmt!("a repair needs CAP_SYS_ADMIN, too"),
        )),
        Verb::Update | Verb::Repair => Ok(()),
    }
}

fn plan_one(request: &Request<'_>, target: &Target<'_>) -> Result<Planned, Refusal> {
    let class = target.class;
    let (from, changes) = free_class(class)?;
    let expected = target.expect.unwrap_or(class.generation());
    if expected != class.generation() {
        let (name, at) = (class.name(), class.generation());
        return Err(Refusal::new(
            ESTALE,
            fmt!("{name} is at generation {at}, not {expected}"),
        ));
    }
    let to = find(class, target.implementation, target.version)?;
    let kept = match request.verb {
        Verb::Update | Verb::Repair => None,
        Verb::Switch(choice) => Some(choice::keep(class, &to, choice)?),
    };
    let routes = routes(class, &from, to, request.verb, kept.as_ref())?;
    if kept.is_none() && !routes.iter().any(Route::is_move) {
        return Err(already(class, &routes.to));
    }
    check_policy(request, class, &routes)?;
    Ok(Planned {
        class: class.clone(),
        from,
        routes,
        kept,
        changes,
    })
}

/// A class is served so already.
pub(crate) fn already(class: &Class, by: &Registered) -> Refusal {
    Refusal::new(
        EALREADY,
        fmt!("{} is served by {} already", class.name(), by.label()),
    )
}

/// The default of a class that may be changed now, pinned, and how often it has changed.
pub(crate) fn free_class(class: &Class) -> Result<(Pin, u64), Refusal> {
    check_hold(class)?;
    let inner = class.inner().lock();
    if inner.transition.is_some() {
        return Err(class.is_busy());
    }
    match &inner.default {
        Some(default) => Ok((pin_live(default)?, inner.changes)),
        None => Err(Refusal::new(
            ENOENT,
            fmt!("{} has no implementation", class.name()),
        )),
    }
}

/// An implementation of the class, whose module has finished its init, pinned.
pub(crate) fn find(class: &Class, name: &str, version: Option<u32>) -> Result<Pin, Refusal> {
    let pinned = class.with_found(name, version, |found| found.map(pin_live));
    let pin = pinned.ok_or_else(|| match version {
        Some(version) => Refusal::new(ENOENT, fmt!("no implementation `{name}@{version}`")),
        None => Refusal::new(ENOENT, fmt!("no implementation `{name}`")),
    })??;
    class.check_signature(&pin)?;
    Ok(pin)
}

/// Pins an implementation whose module has finished its init: one that fails frees the module
/// whatever its pins are. Under the class's lock, which a registration that ends has to take.
fn pin_live(implementation: &Arc<Registered>) -> Result<Pin, Refusal> {
    match implementation.is_live() {
        true => Pin::new(implementation),
        false => Err(Refusal::new(
            EAGAIN,
            fmt!(
                "module {} is still in its init",
                implementation.module_name()
            ),
        )),
    }
}

/// How each object that there is, or that the default may still make, gets to `to`.
fn routes(
    class: &Class,
    default: &Arc<Registered>,
    to: Pin,
    verb: Verb,
    kept: Option<&Kept>,
) -> Result<KBox<Routes>, Refusal> {
    let mut from = KVec::new();
    let mut result = Ok(());
    class.for_each_implementation(|one| {
        let is_needed = match kept {
            Some(kept) => choice::is_among(kept, one),
            None => Arc::ptr_eq(one, default) || class.instances_of(one) > 0,
        };
        if is_needed {
            // Under the lock, as above.
            let pushed = Pin::new(one).and_then(|pin| Ok(from.push(pin, GFP_KERNEL)?));
            if let (true, Err(refusal)) = (result.is_ok(), pushed) {
                result = Err(refusal);
            }
        }
    });
    result?;
    let mut routes = KVec::new();
    for one in from {
        let way = match verb {
            _ if Arc::ptr_eq(&one, &to) => Way::Stay,
            Verb::Repair => Way::Repair(repair::find(&one, &to)?),
            _ => transfer::find(class, &one, &to)?,
        };
        fault(Site::Route)?;
        routes.push(Route::new(one, way), GFP_KERNEL)?;
    }
    // Those who are switched get the stamp that all others have.
    let open = class.gate().open_stamp();
    let stamp = match kept {
        Some(_) => open,
        None => open.wrapping_add(1),
    };
    Ok(KBox::new(Routes::new(to, routes, stamp), GFP_KERNEL)?)
}

/// Refuses transfers that can fail where they must not.
fn check_policy(request: &Request<'_>, class: &Class, routes: &Routes) -> Result<(), Refusal> {
    let why = if class.gate().is_atomic() {
        "in a class of atomic context"
    } else if request.policy != Policy::Eager {
        "with this policy"
    } else {
        return Ok(());
    };
    match routes.iter().find(|route| route.can_fail()) {
        Some(route) => Err(Refusal::new(
            EPROTO,
            fmt!(
                "the transfer from {} to {} can fail, which it must not {why}: {}",
                route.from.label(),
                routes.to.label(),
                route.way_out().as_str()
            ),
        )),
        None => Ok(()),
    }
}
