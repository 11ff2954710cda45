// SPDX-License-Identifier: GPL-2.0

//! Orders: a request that was understood is carried out, with the modules that it needs.

use kernel::error::code::{EINTR, ENOENT};
use kernel::prelude::*;
use molt::class::Last;
use molt::error::{Refusal, REASON_LEN};
use molt::plan::{self, check, Request, Target, Verb};
use molt::text::Text;

use crate::control::Control;
use crate::loader;
use crate::request::{Options, Policy};

/// What an order came to.
pub(crate) enum Outcome {
    /// It could be done: `check=1`.
    Checked(Text<REASON_LEN>),
    /// The transition has done what its policy promises, or has failed.
    Ended(Last),
    /// The writer is being killed.
    Killed,
}

/// The request that the words mean.
pub(crate) fn asked<'a>(verb: Verb, targets: &'a [Target<'a>], options: &Options) -> Request<'a> {
    let mut request = Request::new(targets);
    request.verb = verb;
    request.policy = match options.policy {
        None | Some(Policy::Eager) => plan::Policy::Eager,
        Some(Policy::Lazy) => plan::Policy::Lazy,
        Some(Policy::Background) => plan::Policy::Background,
    };
    request.deadline_ms = options.deadline_ms.unwrap_or(request.deadline_ms);
    request.pause_ms = options.pause_ms.unwrap_or(request.pause_ms);
    request.complete_ms = options.complete_ms;
    request.confirm_ms = options.confirm_ms;
    request
}

/// Checks a request, or has it done and waits for it.
///
/// # Errors
///
/// As for [`molt::transition::begin`]; nothing has begun then.
pub(crate) fn carry_out(
    control: &Control,
    request: &Request<'_>,
    is_check: bool,
) -> Result<Outcome, Refusal> {
    if is_check {
        let checked = with_modules(request.targets, || check(request))?;
        return Ok(Outcome::Checked(checked));
    }
    let job = with_modules(request.targets, || control.jobs().begin(request))?;
    Ok(job.wait().map_or(Outcome::Killed, Outcome::Ended))
}

/// Does something with implementations; where one is not registered its module is requested,
/// and the same done once more.
pub(crate) fn with_modules<R>(
    targets: &[Target<'_>],
    mut act: impl FnMut() -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let refused = match act() {
        Err(refused) if refused.error == ENOENT => refused,
        result => return result,
    };
    let is_missing = |target: &&Target<'_>| {
        target
            .class
            .find(target.implementation, target.version)
            .is_none()
    };
    let mut is_any = false;
    for target in targets.iter().filter(is_missing) {
        is_any = true;
        let (name, version) = (target.implementation, target.version);
        match loader::implementation(target.class.name(), name, version) {
            Err(killed) if killed.error == EINTR => return Err(killed),
            // Where modprobe found nothing, that the implementation is missing says more.
            _ => {}
        }
    }
    match is_any {
        true => act(),
        false => Err(refused),
    }
}
