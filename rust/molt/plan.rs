// SPDX-License-Identifier: GPL-2.0

//! Plans: what a request comes down to, and everything that is refused before anything is
//! touched.

use kernel::error::code::{EAGAIN, EALREADY, EBUSY, EINVAL, EIO, ENOENT, EPERM, ESTALE};
use kernel::prelude::*;
use kernel::sync::Arc;

use crate::class::Class;
use crate::error::Refusal;
use crate::helpers::{molt_capable, molt_has_oopsed};
use crate::implementation::Registered;
use crate::transfer;

/// Longest life of an attempt, in milliseconds.
pub const MOST_DEADLINE_MS: u64 = 60_000;

/// What is asked for.
pub struct Request<'a> {
    /// The class.
    pub class: &'a Arc<Class>,
    /// Name of the implementation.
    pub implementation: &'a str,
    /// Its version; `None`: the highest that is registered.
    pub version: Option<u32>,
    /// Life of the attempt, in milliseconds, 1 to [`MOST_DEADLINE_MS`].
    pub deadline_ms: u64,
    /// How long the gate may stay closed in one try, in milliseconds, 1 to
    /// [`MOST_DEADLINE_MS`].
    pub pause_ms: u64,
    /// The generation that the class must have.
    pub expect: Option<u64>,
}

impl<'a> Request<'a> {
    /// A request with the usual limits.
    pub fn new(class: &'a Arc<Class>, implementation: &'a str) -> Self {
        Self {
            class,
            implementation,
            version: None,
            deadline_ms: 2_000,
            pause_ms: 20,
            expect: None,
        }
    }
}

/// Checks a request without beginning anything. May sleep.
///
/// # Errors
///
/// As for [`begin`](crate::update::begin).
pub fn check(request: &Request<'_>) -> Result<(), Refusal> {
    plan(request)?.release();
    Ok(())
}

/// What a request comes down to: it pins the modules of both ends, one of which `table` lies
/// in. Whoever gets one gives the pins up, by `release` or one by one.
pub(crate) struct Plan {
    pub(crate) from: Arc<Registered>,
    pub(crate) to: Arc<Registered>,
    pub(crate) table: &'static transfer::Table,
}

impl Plan {
    /// Gives both pins up.
    pub(crate) fn release(&self) {
        self.to.unpin(1);
        self.from.unpin(1);
    }
}

/// Everything that can be refused before anything is touched.
pub(crate) fn plan(request: &Request<'_>) -> Result<Plan, Refusal> {
    let class = request.class;
    // SAFETY: Always safe to call.
    if !unsafe { molt_capable() } {
        return Err(Refusal::new(EPERM, fmt!("needs CAP_SYS_MODULE")));
    }
    // SAFETY: Always safe to call.
    if unsafe { molt_has_oopsed() } {
        return Err(Refusal::new(
            EIO,
            fmt!("the kernel has oopsed: a dead task may be inside a call"),
        ));
    }
    if !(1..=MOST_DEADLINE_MS).contains(&request.deadline_ms) {
        return Err(Refusal::new(
            EINVAL,
            fmt!("deadline_ms={}", request.deadline_ms),
        ));
    }
    if !(1..=MOST_DEADLINE_MS).contains(&request.pause_ms) {
        return Err(Refusal::new(EINVAL, fmt!("pause_ms={}", request.pause_ms)));
    }
    if class.transition().is_some() {
        return Err(Refusal::new(
            EBUSY,
            fmt!("a transition of {} is running", class.name()),
        ));
    }
    if request
        .expect
        .is_some_and(|expected| expected != class.generation())
    {
        return Err(Refusal::new(
            ESTALE,
            fmt!(
                "{} is at generation {}, not {}",
                class.name(),
                class.generation(),
                request.expect.unwrap_or_default()
            ),
        ));
    }
    let name = request.implementation;
    let to = class
        .find(name, request.version)
        .ok_or_else(|| match request.version {
            Some(version) => Refusal::new(ENOENT, fmt!("no implementation `{name}@{version}`")),
            None => Refusal::new(ENOENT, fmt!("no implementation `{name}`")),
        })?;
    let from = class
        .default_implementation()
        .ok_or_else(|| Refusal::new(ENOENT, fmt!("{} has no implementation", class.name())))?;
    if Arc::ptr_eq(&from, &to) {
        return Err(Refusal::new(
            EALREADY,
            fmt!("{} is served by {} already", class.name(), to.label()),
        ));
    }
    if !to.is_live() {
        return Err(Refusal::new(
            EAGAIN,
            fmt!("module {} is still in its init", to.module_name()),
        ));
    }
    // From here on the modules' rodata is looked at.
    pin(&to)?;
    if let Err(refusal) = pin(&from) {
        to.unpin(1);
        return Err(refusal);
    }
    match transfer::find(&from, &to) {
        Ok(table) => Ok(Plan { from, to, table }),
        Err(refusal) => {
            to.unpin(1);
            from.unpin(1);
            Err(refusal)
        }
    }
}

fn pin(implementation: &Registered) -> Result<(), Refusal> {
    implementation.pin().map_err(|_| {
        Refusal::new(
            ENOENT,
            fmt!("module {} is going", implementation.module_name()),
        )
    })
}
