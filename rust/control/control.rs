// SPDX-License-Identifier: GPL-2.0

//! Control: what all writes share, and the files of `/sys/kernel/molt` itself.

use core::fmt::{self, Write};

use kernel::error::code::EINVAL;
use kernel::prelude::*;
use kernel::sync::Mutex;
use molt::class::Last;
use molt::error::{Refusal, REASON_LEN};
use molt::text::Text;

use crate::jobs::Jobs;
use crate::loader;
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
        File::<Self>::written(c"load", Self::load),
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

    fn load(&self, written: Written<'_>) -> Result {
        let result = request::load(written.text, written.position)
            .map_err(refusal)
            .and_then(|load| loader::load(&load));
        let mut last = self.last.lock();
        match &result {
            Ok(reason) => *last = done(*reason),
            Err(_) if is_rest(written, &last) => {}
            Err(refusal) => *last = Last::refused(refusal, 0),
        }
        drop(last);
        result.map(|_| ()).map_err(|refusal| refusal.error)
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
    page.write_str(last.result)?;
    match last.reason.as_str() {
        "" => {}
        reason => write!(page, " {reason}")?,
    }
    page.write_str("\n")
}
