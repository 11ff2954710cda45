// SPDX-License-Identifier: GPL-2.0

//! The log: one line per edge of a transition, with fixed wording, all of them here.

use kernel::prelude::*;

use crate::error::{errno_name, Refusal};
use crate::explain::Line;
use crate::history::Entry;
use crate::implementation::Descriptor;
use crate::transition::{Member, Transition};

pub(crate) fn refused_registration(descriptor: &Descriptor, refusal: &Refusal) {
    pr_err!(
        "registration of {}@{} refused: {} {}\n",
        descriptor.name,
        descriptor.version,
        refusal.errno(),
        refusal.reason().as_str()
    );
}

pub(crate) fn refused_caller(refusal: &Refusal) {
    pr_err!(
        "caller refused: {} {}\n",
        refusal.errno(),
        refusal.reason().as_str()
    );
}

pub(crate) fn attached(class: &str, front: &str) {
    pr_info!("{class}: attached to the front {front}\n");
}

pub(crate) fn not_attached(class: &str, front: &str, error: Error) {
    let errno = errno_name(error);
    pr_err!("{class}: not attached to the front {front}: {errno}\n");
}

pub(crate) fn planned(line: &Line<'_>) {
    let (from, to) = (line.from.label(), line.to.label());
    let (path, step) = (line.path.as_str(), line.step.as_str());
    pr_info!("{from} to {to}: {path}: {step}\n");
}

pub(crate) fn begun(id: u64, member: &Member) {
    let (class, from, to) = (member.class().name(), member.from(), member.to());
    pr_info!("transition {id}: {class}: {from} to {to}: begun\n");
}

pub(crate) fn committed(entry: &Entry) {
    pr_info!(
        "transition {}: {}: committed: generation {}, {} instances, {} us, longest wait {} us\n",
        entry.id,
        entry.class.as_str(),
        entry.generation,
        entry.instances,
        entry.timing.total_ns / 1000,
        entry.longest_wait_ns / 1000
    );
}

pub(crate) fn aborted(entry: &Entry, reason: &str) {
    pr_info!(
        "transition {}: {}: aborted: {} {reason}\n",
        entry.id,
        entry.class.as_str(),
        entry.result
    );
}

pub(crate) fn reclaimed(id: u64, member: &Member) {
    let (class, from) = (member.class().name(), member.from());
    pr_info!("transition {id}: {class}: reclaimed: {from} released\n");
}

pub(crate) fn kept(id: u64, member: &Member) {
    let (class, from) = (member.class().name(), member.from());
    pr_warn!("transition {id}: {class}: {from} stays, for the calls that were abandoned\n");
}

pub(crate) fn outlasted(transition: &Transition) {
    let (id, subject) = (transition.id(), transition.subject());
    pr_info!(
        "transition {id}: {}: abandoned calls have ended\n",
        subject.as_str()
    );
}

pub(crate) fn repaired(transition: &Transition, what: &str) {
    let subject = transition.subject();
    pr_warn!("{}: {what}\n", subject.as_str());
}

pub(crate) fn unconfirmed(class: &str) {
    pr_warn!("{class}: the update was not confirmed in time: going back\n");
}

pub(crate) fn gave_up(class: &str) {
    pr_err!("{class}: cannot go back: the update stays, unconfirmed\n");
}

pub(crate) fn not_back(class: &str, refusal: &Refusal) {
    let (errno, reason) = (refusal.errno(), refusal.reason());
    pr_warn!("{class}: cannot go back yet: {errno} {}\n", reason.as_str());
}
