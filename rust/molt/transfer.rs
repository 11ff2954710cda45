// SPDX-License-Identifier: GPL-2.0

//! State transfer: which rules lead from one implementation's states to another's.
//!
//! Mostly what follows from the schemas of both ([`Moves`]), over versions between where these
//! have to help ([`Chain`]). Before that comes what an author has written as a function of whole
//! states ([`Convert`], [`Transfer`]): the types of both ends are the author's; each names the
//! version that it stands for, and its fields are compared with those that the other module
//! really has before anything is touched.

use core::mem::MaybeUninit;

use kernel::error::code::{EIO, EPROTO};
use kernel::prelude::*;

use crate::chain::Chain;
use crate::class::Class;
use crate::errand;
use crate::error::Refusal;
use crate::explain;
use crate::implementation::Registered;
use crate::moves::Moves;
use crate::route::Way;
use crate::schema::{Part, State};
use crate::statics;
use crate::testing::{fault, Site};

/// How a state is made from the state of another version, where nothing can fail.
///
/// [`convert`](Convert::convert) must not sleep: it runs in the updater's task or, with a
/// lazy policy, in that of the first caller, with interrupts off. It must not call handles or
/// make instances. In a class of atomic context all transfers are such.
///
/// The states are plain values here: a state with a lock in it is not `Unpin`.
pub trait Convert<Old: State + Unpin>: State + Unpin {
    /// Makes the new state. May take parts out of the old one; what is left there is
    /// dropped later by the old version's own code.
    fn convert(old: &mut Old) -> Self;
}

/// What cannot fail is a transfer that prepares nothing.
impl<Old: State + Unpin, New: Convert<Old>> Transfer<Old> for New {
    type Prepared = ();
    const CAN_FAIL: bool = false;

    fn prepare(_old: &Old) -> Result {
        Ok(())
    }

    fn commit(old: &mut Old, (): ()) -> Self {
        New::convert(old)
    }
}

/// How a state is made from the state of another version, where that can fail.
///
/// Two phases. [`prepare`](Transfer::prepare) may fail, and borrows the old state; it runs
/// for every instance before anything is changed. [`commit`](Transfer::commit) cannot fail.
/// Both run while no call is inside the class, for several instances at once where there
/// are many. `prepare` may sleep, but callers wait meanwhile: so not for long, and not for a
/// lock that a caller can hold. `commit` must not sleep: interrupts are off. They must
/// not call handles or make instances; a `prepare` that does ends the update with `EDEADLK`.
///
/// Only the eager policy takes such a transfer. One that cannot fail is a [`Convert`].
pub trait Transfer<Old: State + Unpin>: State + Unpin {
    /// What `prepare` hands to `commit`; dropped where the update is aborted.
    type Prepared;

    /// Not to be written by hand: [`Convert`] is what says otherwise.
    #[doc(hidden)]
    const CAN_FAIL: bool = true;

    /// Makes what the new state needs and may be refused.
    ///
    /// # Errors
    ///
    /// Any: the update is aborted with it, and every instance stays as it was. But `EAGAIN`
    /// reopens the gate; all is tried again until the deadline, and then it is `ETIMEDOUT`.
    fn prepare(old: &Old) -> Result<Self::Prepared>;

    /// Makes the new state. May take parts out of the old one; what is left there is
    /// dropped later by the old version's own code.
    fn commit(old: &mut Old, prepared: Self::Prepared) -> Self;
}

/// One end of a transfer: a version's state, as the author of the transfer knows it.
#[derive(Clone, Copy)]
pub struct End {
    /// Name of the implementation.
    pub name: &'static str,
    /// Version of the state; `None`: that of the module which brings the table.
    pub version: Option<u32>,
    /// Size in bytes.
    pub size: usize,
    /// Alignment in bytes.
    pub align: usize,
    /// The fields.
    pub fields: &'static [Part],
}

impl End {
    /// The end that `T` stands for.
    pub const fn of<T: State>() -> Self {
        Self {
            name: T::NAME,
            version: T::VERSION,
            size: size_of::<T>(),
            align: align_of::<T>(),
            fields: T::TYPE.parts,
        }
    }
}

/// A transfer as the engine sees it. The functions' text is in the module of the
/// implementation that brings the table; a transition pins the modules of both ends.
#[repr(C)]
pub struct Table {
    /// The state that it is made from.
    pub from: End,
    /// The state that it makes.
    pub to: End,
    pub(crate) can_fail: bool,
    pub(crate) prepared_size: usize,
    pub(crate) prepared_align: usize,
    /// Old state, place for the prepared value.
    pub(crate) prepare: unsafe fn(*const (), *mut ()) -> Result,
    /// Drops the prepared value.
    pub(crate) undo: unsafe fn(*mut ()),
    /// Old state, prepared value (consumed), place for the new state.
    pub(crate) commit: unsafe fn(*mut (), *mut (), *mut ()),
    /// Drops what `commit` left of the old state. `None`: the old state is still a whole
    /// value, and its own implementation drops it.
    pub(crate) drop_rest: Option<unsafe fn(*mut ())>,
}

impl Table {
    /// The table of `New: Transfer<Old>`.
    pub const fn of<Old: State + Unpin, New: Transfer<Old>>() -> Self {
        Old::TYPE.check_readable();
        Self {
            from: End::of::<Old>(),
            to: End::of::<New>(),
            can_fail: New::CAN_FAIL,
            prepared_size: size_of::<New::Prepared>(),
            prepared_align: align_of::<New::Prepared>(),
            prepare: prepare::<Old, New>,
            undo: undo::<Old, New>,
            commit: commit::<Old, New>,
            drop_rest: None,
        }
    }
}

/// # Safety
///
/// `old` is an `Old`, borrowed; `prepared` is memory for the prepared value.
unsafe fn prepare<Old: State + Unpin, New: Transfer<Old>>(
    old: *const (),
    prepared: *mut (),
) -> Result {
    // SAFETY: The engine has checked that `old` has the layout of `Old`, and borrows it.
    let value = New::prepare(unsafe { &*old.cast::<Old>() })?;
    // SAFETY: `prepared` is memory for this type.
    unsafe { prepared.cast::<New::Prepared>().write(value) };
    Ok(())
}

/// # Safety
///
/// `prepared` is what `prepare` wrote, given away.
unsafe fn undo<Old: State + Unpin, New: Transfer<Old>>(prepared: *mut ()) {
    // SAFETY: `prepare` has written the value, and it is given up.
    unsafe { prepared.cast::<New::Prepared>().drop_in_place() };
}

/// # Safety
///
/// `old` is an `Old` that nobody else uses, `prepared` is what `prepare` wrote, given away,
/// and `new` is memory for a `New`.
unsafe fn commit<Old: State + Unpin, New: Transfer<Old>>(
    old: *mut (),
    prepared: *mut (),
    new: *mut (),
) {
    // SAFETY: The engine owns the old state, the prepared value and the new memory.
    unsafe {
        let prepared = prepared.cast::<New::Prepared>().read();
        let state = New::commit(&mut *old.cast::<Old>(), prepared);
        new.cast::<MaybeUninit<New>>()
            .write(MaybeUninit::new(state));
    }
}

/// Which rules lead from one implementation to another.
pub(crate) enum Rules {
    /// Functions from state to state, as an author has written them.
    Table(&'static Table),
    /// What follows from both schemas. `is_back`: by the rules of the version that is left.
    Schemas { is_back: bool },
}

/// Finds the rules that lead from one implementation to another. What an author has written as
/// functions of whole states comes first. The newer version brings both directions, so either
/// may know.
///
/// # Errors
///
/// `EPROTO`: none do, or they were written for another layout than the module has.
pub(crate) fn rules(from: &Registered, to: &Registered) -> Result<Rules, Refusal> {
    for owner in [to, from] {
        let table =
            owner.descriptor().transfers.iter().find(|table| {
                is_end_of(&table.from, owner, from) && is_end_of(&table.to, owner, to)
            });
        if let Some(table) = table {
            check_end(&table.from, from)?;
            check_end(&table.to, to)?;
            return Ok(Rules::Table(table));
        }
    }
    let is_forth = to.schema().covers(from.name(), from.version());
    if is_forth || from.schema().covers(to.name(), to.version()) {
        return Ok(Rules::Schemas { is_back: !is_forth });
    }
    Err(Refusal::new(
        EPROTO,
        fmt!(
            "neither {} nor {} says how a state of {} becomes one of {}",
            to.label(),
            from.label(),
            from.label(),
            to.label()
        ),
    ))
}

/// Finds how the states of one implementation of `class` become those of another: directly where
/// the rules cover it, else over versions between.
///
/// # Errors
///
/// As [`rules`], and `EPROTO`: they do not cover some field, which the log shows in its place;
/// or a static would begin again. `ENOMEM`. Sleeps.
pub(crate) fn find(class: &Class, from: &Registered, to: &Registered) -> Result<Way, Refusal> {
    let found = errand::run(|| find_here(class, from, to));
    found.unwrap_or_else(|| Err(EIO.into()))
}

/// The same, where there is stack for it.
fn find_here(class: &Class, from: &Registered, to: &Registered) -> Result<Way, Refusal> {
    statics::check(from, to)?;
    let direct = match rules(from, to) {
        Ok(Rules::Table(table)) => return Ok(Way::Transfer(table)),
        Ok(Rules::Schemas { is_back }) => Moves::new(from, to, is_back),
        Err(refusal) => Err(refusal),
    };
    let chain = match direct {
        Ok(moves) => Chain::direct(moves, to),
        Err(refusal) if refusal.error == EPROTO => match Chain::find(class, from, to)? {
            Some(chain) => chain,
            None => {
                explain::steps_here(from, to, &mut |line| crate::log::planned(line));
                return Err(refusal);
            }
        },
        Err(refusal) => return Err(refusal),
    };
    fault(Site::Chain)?;
    Ok(Way::Moves(KBox::new(chain, GFP_KERNEL)?))
}

pub(crate) fn is_end_of(end: &End, owner: &Registered, implementation: &Registered) -> bool {
    end.name == implementation.name()
        && end.version.unwrap_or(owner.version()) == implementation.version()
}

/// Compares what the author of a transfer took for a version's state with what it is.
pub(crate) fn check_end(end: &End, implementation: &Registered) -> Result<(), Refusal> {
    let actual = &implementation.descriptor().state;
    let label = implementation.label();
    for (index, known) in end.fields.iter().enumerate() {
        let Some(field) = actual.fields.get(index) else {
            return Err(Refusal::new(
                EPROTO,
                fmt!(
                    "the transfer knows a field `{}` that {label} does not have",
                    known.name
                ),
            ));
        };
        if field.name != known.name
            || field.kind.fingerprint != known.kind.fingerprint
            || field.kind.size != known.kind.size
            || field.offset != known.offset
        {
            return Err(Refusal::new(
                EPROTO,
                fmt!(
                    "{label} has field `{}: {}` where the transfer knows `{}: {}`",
                    field.name,
                    field.type_name,
                    known.name,
                    known.type_name
                ),
            ));
        }
    }
    if let Some(field) = actual.fields.get(end.fields.len()) {
        return Err(Refusal::new(
            EPROTO,
            fmt!(
                "{label} has a field `{}` that the transfer does not know",
                field.name
            ),
        ));
    }
    if actual.size != end.size || actual.align != end.align {
        return Err(Refusal::new(
            EPROTO,
            fmt!(
                "the state of {label} has {} bytes aligned to {} where the transfer knows {} and \
                 {}",
                actual.size,
                actual.align,
                end.size,
                end.align
            ),
        ));
    }
    Ok(())
}
