// SPDX-License-Identifier: GPL-2.0

//! Control: what all writes share, and the files of `/sys/kernel/molt` itself.

use core::fmt::{self, Write};

use kernel::error::code::{EINTR, EINVAL, ENOENT};
use kernel::prelude::*;
use kernel::sync::Mutex;
use molt::class::Last;
use molt::error::{Refusal, REASON_LEN};
use molt::plan::{Target, Verb};
use molt::registry;
use molt::text::Text;

use crate::jobs::Jobs;
use crate::loader;
use crate::order::{self, asked, Outcome};
use crate::request::{self, Malformed};
use crate::sysfs::{File, Page, Written};

/// What all writes share.
#[pin_data]
pub(crate) struct Control {
    #[pin]
    jobs: Jobs,
    /// The result of the last request that named no class that there is.
    #[pin]
    last: Mutex<Last>,
}

impl Control {
    /// The files of the top directory.
    pub(crate) const FILES: &'static [File<Self>] = &[
        File::<Self>::shown(c"last_result", |control, page| {
            show_last(page, &control.last.lock())
        }),
        File::<Self>::both(
            c"hold",
            |_, page| writeln!(page, "{}", u8::from(registry::is_held())),
            |control, written| control.answer(written, control.hold(written)),
        ),
        File::<Self>::written(c"load", |control, written| {
            control.answer(written, control.load(written))
        }),
        File::<Self>::written(c"transaction", |control, written| {
            control.answer(written, control.transaction(written))
        }),
    ];

    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            jobs <- Jobs::new(),
            last <- kernel::new_mutex!(Last::none(), "molt_last"),
        })
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Notes the result of a request that named no class that there is. May sleep.
    pub(crate) fn set_last(&self, last: Last) {
        *self.last.lock() = last;
    }

    /// Notes what a request came to.
    fn answer(&self, written: Written<'_>, result: Result<Last, Refusal>) -> Result {
        let mut last = self.last.lock();
        match result {
            Ok(now) => {
                *last = now;
                now.error.map_or(Ok(()), Err)
            }
            Err(refusal) => {
                if !is_rest(written, &last) {
                    *last = Last::refused(&refusal, 0);
                }
                Err(refusal.error)
            }
        }
    }

    fn load(&self, written: Written<'_>) -> Result<Last, Refusal> {
        let load = request::load(written.text, written.position).map_err(refusal)?;
        loader::load(&load).map(done)
    }

    fn hold(&self, written: Written<'_>) -> Result<Last, Refusal> {
        let is_held = request::flag(written.text, written.position).map_err(refusal)?;
        registry::set_held(is_held);
        let now = if is_held { "held" } else { "not held" };
        Ok(done(Text::format(fmt!("transitions are {now}"))))
    }

    /// Updates several classes together; returns when the policy's promise is kept.
    fn transaction(&self, written: Written<'_>) -> Result<Last, Refusal> {
        let words = request::transaction(written.text, written.position).map_err(refusal)?;
        let mut classes = KVec::new();
        for (name, to) in words.targets() {
            let class = registry::find(name)
                .ok_or_else(|| Refusal::new(ENOENT, fmt!("there is no class `{name}`")))?;
            classes.push((class, to), GFP_KERNEL)?;
        }
        let mut targets = KVec::new();
        for (class, to) in &classes {
            let target = Target {
                class,
                implementation: to.name,
                version: to.version,
                expect: None,
            };
            targets.push(target, GFP_KERNEL)?;
        }
        let request = asked(Verb::Update, &targets, &words.options);
        match order::carry_out(self, &request, words.options.is_check)? {
            Outcome::Checked(what) => Ok(done(what)),
            Outcome::Ended(last) => Ok(last),
            Outcome::Killed => Err(Refusal::new(EINTR, fmt!("the writer was killed"))),
        }
    }
}

/// Whether a refused write is what user space still had of one that was malformed: the
/// answer to that one says more.
pub(crate) fn is_rest(written: Written<'_>, last: &Last) -> bool {
    written.position != 0 && last.error == Some(EINVAL)
}

/// The result of a request that went well without a transition.
pub(crate) fn done(reason: Text<REASON_LEN>) -> Last {
    Last {
        reason,
        ..Last::none()
    }
}

/// The answer to what is not a request: `EINVAL`, with the word that was wrong.
pub(crate) fn refusal(malformed: Malformed<'_>) -> Refusal {
    let mut reason = Text::new();
    // Fails where something was cut, which is as it should be.
    let _ = malformed.describe(&mut reason);
    Refusal::with(EINVAL, reason)
}

/// Shows a result: `ok` or an errno's name, and the reason, in one line.
pub(crate) fn show_last(page: &mut Page, last: &Last) -> fmt::Result {
    page.write_str(last.result())?;
    match last.reason.as_str() {
        "" => {}
        reason => write!(page, " {reason}")?,
    }
    page.write_str("\n")
}
