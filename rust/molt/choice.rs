// SPDX-License-Identifier: GPL-2.0

//! Choice: several implementations of a class side by side. Which instances a switch moves
//! to one of them, and which one makes new instances.

use core::ptr;

use kernel::error::code::{EALREADY, EINVAL, ENOENT};
use kernel::prelude::*;
use kernel::sync::Arc;

use crate::class::Class;
use crate::error::Refusal;
use crate::implementation::Registered;
use crate::kept::Kept;
use crate::plan::{already, check_rights, check_unchanged, find, free_class};
use crate::registry::framework;
use crate::slot::Slot;

/// Which instances are switched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// The one with this number.
    Instance(u64),
    /// Those that were made with this key.
    Key(u64),
    /// So many more.
    Count(u64),
    /// As many more as it takes until so much percent of all are served so; 1 to 100.
    Percent(u64),
}

impl Choice {
    /// # Errors
    ///
    /// `EINVAL`: out of range.
    pub(crate) fn check(self) -> Result<(), Refusal> {
        match self {
            Self::Percent(percent) if !(1..=100).contains(&percent) => {
                Err(Refusal::new(EINVAL, fmt!("percent={percent}: 1 to 100")))
            }
            Self::Count(0) => Err(Refusal::new(EINVAL, fmt!("count=0: at least 1"))),
            _ => Ok(()),
        }
    }
}

/// Whether the object of `slot`, which is kept or under the lock of its list, is one of
/// `implementation`.
fn is_served_by(slot: &Slot, implementation: &Registered) -> bool {
    slot.own(|_| {
        // SAFETY: Under the slot's lock its object stays.
        let header = unsafe { slot.object().as_ref() };
        header.is_some_and(|header| ptr::eq(header.implementation, implementation))
    })
}

/// Whether one of the slots is served by `implementation`.
pub(crate) fn is_among(kept: &Kept, implementation: &Registered) -> bool {
    kept.iter().any(|slot| is_served_by(slot, implementation))
}

/// Keeps the instances that `choice` means and that `to` does not serve yet. Sleeps.
///
/// # Errors
///
/// * `ENOENT`: there is no such instance.
/// * `EALREADY`: all of them are served by `to`.
/// * `ENOMEM`.
pub(crate) fn keep(class: &Class, to: &Registered, choice: Choice) -> Result<Kept, Refusal> {
    let mut met = 0u64;
    let mut kept = Kept::of(class, |slot| {
        let is_meant = match choice {
            Choice::Instance(id) => slot.id() == id,
            Choice::Key(key) => slot.key() == Some(key),
            Choice::Count(_) | Choice::Percent(_) => true,
        };
        met = met.wrapping_add(is_meant.into());
        is_meant && !is_served_by(slot, to)
    })?;
    if met == 0 {
        return Err(Refusal::new(
            ENOENT,
            fmt!("{} has no such instance", class.name()),
        ));
    }
    let most = match choice {
        Choice::Instance(_) | Choice::Key(_) => u64::MAX,
        Choice::Count(count) => count,
        Choice::Percent(percent) => {
            let all = u64::try_from(class.instances()).unwrap_or_default();
            let wanted = all.saturating_mul(percent).div_ceil(100);
            let served = class.instances_of(to);
            wanted.saturating_sub(u64::try_from(served).unwrap_or_default())
        }
    };
    kept.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    match kept.len() {
        0 => Err(Refusal::new(
            EALREADY,
            fmt!("so many are served by {} already", to.label()),
        )),
        _ => Ok(kept),
    }
}

/// Makes an implementation the one that new instances of a class get. Those that there are
/// stay as they are, and so does the generation. Gates no call. May sleep; where a sweep is under
/// way until that is done, which it hastens.
///
/// # Errors
///
/// * `EPERM`, `EIO`, `EBUSY`, `ENOENT`, `EAGAIN`, `EKEYREJECTED`: as for
///   [`begin`](crate::transition::begin).
/// * `EALREADY`: it is that already.
/// * `EINTR`: the caller is being killed while the sweep is completed.
pub fn set_default(
    class: &Arc<Class>,
    name: &str,
    version: Option<u32>,
) -> Result<Arc<Registered>, Refusal> {
    check_rights()?;
    crate::transition::finish_sweep(class)?;
    let (_, changes) = free_class(class)?;
    let pin = find(class, name, version)?;
    let to = (*pin).clone();
    let from = framework().exclusively(|| replace_default(class, &to, changes))?;
    // The pin of the new one becomes the default's; the one before loses it.
    pin.keep();
    from.unpin(1);
    Ok(to)
}

/// Returns the default before, if nothing has been changed since it was looked.
fn replace_default(
    class: &Class,
    to: &Arc<Registered>,
    changes: u64,
) -> Result<Arc<Registered>, Refusal> {
    let mut inner = class.inner().lock();
    check_unchanged(class, &inner, changes)?;
    let from = match &inner.default {
        Some(default) if Arc::ptr_eq(default, to) => return Err(already(class, to)),
        Some(default) => default.clone(),
        None => return Err(class.is_busy()),
    };
    // Nobody plans a transition meanwhile, who would not know of an instance of the one before
    // that is just being made.
    class.lists().set_factory(&**to);
    inner.default = Some(to.clone());
    inner.changes = inner.changes.wrapping_add(1);
    Ok(from)
}

impl Class {
    /// The refusal of whatever a running transition excludes.
    pub(crate) fn is_busy(&self) -> Refusal {
        Refusal::new(
            kernel::error::code::EBUSY,
            fmt!("a transition of {} is running", self.name()),
        )
    }
}
