// SPDX-License-Identifier: GPL-2.0

//! Explanations: what an update between two versions would do to each field, for readers.

use kernel::fmt::Write;
use kernel::prelude::*;
use kernel::sync::Arc;

use crate::class::Class;
use crate::errand;
use crate::implementation::{Pin, Registered};
use crate::moves::PATH_LEN;
use crate::schema::compare::{compare, Op, Path, Sink, Step, Why};
use crate::text::Text;
use crate::transfer::{self, Rules};

/// What happens to one field.
pub struct Line<'a> {
    /// The implementation whose state it is.
    pub from: &'a Registered,
    /// The implementation that takes over.
    pub to: &'a Registered,
    /// The field, as in `inner.table[].key`; `-`: the state itself.
    pub path: Text<PATH_LEN>,
    /// What happens to it, or why nothing can.
    pub step: Text<160>,
}

impl Class {
    /// Visits the fields of the default's state, for each other implementation that could take
    /// over. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn for_each_step(&self, mut f: impl FnMut(&Line<'_>)) -> Result {
        let mut all = KVec::new();
        let mut result = Ok(());
        self.for_each_implementation(|one| {
            // One that is still in its init, or going, is no choice.
            if !one.is_live() {
                return;
            }
            if let Ok(pin) = Pin::new(one) {
                let pushed = all.push(pin, GFP_KERNEL);
                result = result.and(pushed.map_err(Error::from));
            }
        });
        result?;
        let Some(default) = self.default_implementation() else {
            return Ok(());
        };
        let is_default = |one: &&Pin| Arc::ptr_eq(one, &default);
        let Some(from) = all.iter().find(is_default) else {
            return Ok(());
        };
        for to in all.iter().filter(|one| !is_default(one)) {
            steps(from, to, &mut f);
        }
        Ok(())
    }
}

/// Visits the fields of a state of `from` on its way to `to`. Both are pinned. Sleeps.
fn steps(from: &Registered, to: &Registered, f: &mut dyn FnMut(&Line<'_>)) {
    errand::run(|| steps_here(from, to, f));
}

/// The same, where there is stack for it.
pub(crate) fn steps_here(from: &Registered, to: &Registered, f: &mut dyn FnMut(&Line<'_>)) {
    let mut teller = Teller { from, to, f };
    match transfer::rules(from, to) {
        Ok(Rules::Table(_)) => teller.whole("by functions of its author"),
        Ok(Rules::Schemas { is_back }) => {
            let _ = compare(from.schema(), to.schema(), is_back, &mut teller);
        }
        Err(refusal) => teller.whole(refusal.reason().as_str()),
    }
}

struct Teller<'a> {
    from: &'a Registered,
    to: &'a Registered,
    f: &'a mut dyn FnMut(&Line<'_>),
}

/// The comparison has come to its end; all has been told.
struct Told;

impl Teller<'_> {
    fn whole(&mut self, step: &str) {
        self.tell(Text::from("-"), Text::from(step));
    }

    fn tell(&mut self, path: Text<PATH_LEN>, step: Text<160>) {
        (self.f)(&Line {
            from: self.from,
            to: self.to,
            path,
            step,
        });
    }

    fn line(&mut self, path: &Path<'_>, step: core::fmt::Arguments<'_>) {
        let (mut field, mut what) = (Text::new(), Text::new());
        // What does not fit is cut.
        let _ = match path.is_root() {
            true => field.write_str("-"),
            false => field.write_fmt(format_args!("{path}")),
        };
        let _ = what.write_fmt(step);
        self.tell(field, what);
    }
}

impl Sink for Teller<'_> {
    type Error = Told;

    fn op(&mut self, _path: &Path<'_>, _op: Op) -> Result<usize, Told> {
        Ok(0)
    }

    fn close(&mut self, _at: usize) {}

    fn step(&mut self, path: &Path<'_>, step: Step<'_>) -> Result<(), Told> {
        self.line(path, format_args!("{step}"));
        Ok(())
    }

    fn refuse(&mut self, path: &Path<'_>, why: Why<'_>) -> Told {
        self.line(path, format_args!("refused: {why}"));
        Told
    }
}
