// SPDX-License-Identifier: GPL-2.0

//! Journeys: a state is made, moved to the newer version and back, and compared.

use core::fmt;

use kernel::prelude::Error;
use kernel::sync::Arc;
use molt::implementation::Registered;
use molt::round_trip::Trip;

use crate::memory::{self, Room};
use crate::sample::{self, Source};
use crate::value::{self, Difference, Value};

/// Most allocations of one `prepare` that are made to fail, one after the other.
const FAILURES: u64 = 1000;

/// What went wrong.
pub(crate) enum Fault {
    /// The state was refused, as its author wants it: the errno and the field.
    Refused(Error, String),
    /// There was no state: its author's `create` has failed.
    Created(Error),
    /// Something that must not be.
    Wrong(String),
}

impl From<String> for Fault {
    fn from(wrong: String) -> Self {
        Self::Wrong(wrong)
    }
}

type Result<T = ()> = core::result::Result<T, Fault>;

/// An errno in words.
pub(crate) struct Errno(pub(crate) Error);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::io::Error::from_raw_os_error(-self.0.to_errno()).fmt(f)
    }
}

/// A pair of versions, and the ways between them.
pub(crate) struct Journey {
    pub(crate) old: Arc<Registered>,
    pub(crate) new: Arc<Registered>,
    pub(crate) forth: Trip,
    /// [`None`]: there is no way back.
    pub(crate) back: Option<Trip>,
    /// Allocations that were made to fail.
    pub(crate) failures: u64,
}

/// Which state goes on the journey.
#[derive(Clone, Copy)]
pub(crate) struct Choice {
    pub(crate) round: u64,
    /// It has other values than those with which it was made.
    pub(crate) is_filled: bool,
}

impl Journey {
    /// One state there and back; where it is not what it was. All that it takes is given back.
    pub(crate) fn run(&mut self, choice: Choice) -> Result<Vec<Difference>> {
        let before = memory::live();
        let result = self.there_and_back(choice);
        let wrong = memory::complaints();
        if let Some(wrong) = wrong.first() {
            return Err(wrong.clone().into());
        }
        let after = memory::live();
        if before != after && !matches!(result, Err(Fault::Wrong(_))) {
            return Err(lost(before, after).into());
        }
        result
    }

    fn there_and_back(&mut self, choice: Choice) -> Result<Vec<Difference>> {
        let place = room_for(&self.old);
        create(&self.old, &place, choice)?;
        let before = read(&self.old, &place);
        let middle = room_for(&self.new);
        let crossed = cross(&mut self.forth, &self.old, &place, &middle);
        self.failures += crossed?;
        let Some(back) = &mut self.back else {
            // SAFETY: The state was made just now.
            unsafe { self.new.drop_state(middle.first()) };
            return Ok(Vec::new());
        };
        let end = room_for(&self.old);
        self.failures += cross(back, &self.new, &middle, &end)?;
        let after = read(&self.old, &end);
        // SAFETY: As above.
        unsafe { self.old.drop_state(end.first()) };
        let mut differences = Vec::new();
        value::compare("", &before, &after, &mut differences);
        Ok(differences)
    }
}

fn lost((count, bytes): (usize, usize), (count_after, bytes_after): (usize, usize)) -> String {
    format!(
        "memory is lost: {count} allocations before, {count_after} afterwards; \
         {bytes} bytes, then {bytes_after}"
    )
}

fn room_for(implementation: &Registered) -> Room {
    let schema = implementation.schema();
    Room::new(schema.state().size(), schema.state().align())
}

fn read(implementation: &Registered, place: &Room) -> Value {
    // SAFETY: Callers have made a state there.
    unsafe { value::fields(implementation.fields(), place.first()) }
}

/// Makes a state by its author's `create`.
fn create(implementation: &Registered, place: &Room, choice: Choice) -> Result {
    let mut source = Source::new(choice.round);
    let kind = implementation.arguments();
    let arguments = Room::new(kind.size, kind.align);
    // SAFETY: There is memory for both; the arguments are given away.
    let created = unsafe {
        sample::make(kind, arguments.first(), &mut source);
        implementation.create(arguments.first(), place.first())
    };
    created.map_err(Fault::Created)?;
    if choice.is_filled {
        // SAFETY: There is a state now.
        unsafe { sample::fill(implementation.fields(), place.first(), &mut source) };
    }
    Ok(())
}

/// Moves a state from one room to the other; a state that is refused is dropped. Returns how many
/// allocations were made to fail on the way.
fn cross(trip: &mut Trip, from: &Registered, old: &Room, new: &Room) -> Result<u64> {
    let refused = refuse(trip, from, old);
    if let Err(Fault::Refused(..)) = refused {
        // SAFETY: It is what it was before.
        unsafe { from.drop_state(old.first()) };
    }
    let failures = refused?;
    // SAFETY: There is a state in the old room, and memory for one in the new room.
    unsafe {
        trip.prepare(old.first())
            .map_err(|_| "a state is refused that was not refused before".to_owned())?;
        memory::set_atomic(true);
        trip.commit(old.first(), new.first());
        memory::set_atomic(false);
        trip.finish(old.first());
    }
    old.poison();
    Ok(failures)
}

/// Prepares the move and takes it back: with an allocation that fails, the first, the second and
/// so on, until none is left that could. The state has to stay what it was.
fn refuse(trip: &mut Trip, from: &Registered, old: &Room) -> Result<u64> {
    let (value, bytes, live) = (read(from, old), old.bytes(), memory::live());
    for number in 0..FAILURES {
        memory::fail_at(Some(number));
        // SAFETY: There is a state of this version.
        let prepared = unsafe { trip.prepare(old.first()) };
        let has_failed = memory::has_failed();
        memory::fail_at(None);
        if prepared.is_ok() {
            trip.undo();
        }
        if bytes != old.bytes() || value != read(from, old) {
            return Err("a move that was not made changes the old state"
                .to_owned()
                .into());
        }
        if live != memory::live() {
            let lost = lost(live, memory::live());
            return Err(format!("of a move that was not made, {lost}").into());
        }
        match prepared {
            Err((error, field)) if !has_failed => {
                return Err(Fault::Refused(error, field.as_str().to_owned()))
            }
            Ok(()) if !has_failed => return Ok(number),
            _ => {}
        }
    }
    Err("a move takes more than a thousand allocations"
        .to_owned()
        .into())
}
