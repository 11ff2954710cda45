// SPDX-License-Identifier: GPL-2.0

//! Class: the files of `/sys/kernel/molt/classes/<class>`.

use core::fmt::Write;

use kernel::error::code::{EALREADY, EINTR, ENOENT};
use kernel::prelude::*;
use kernel::sync::Arc;
use molt::class::{Class as Framed, Last};
use molt::error::{Refusal, REASON_LEN};
use molt::implementation::Registered;
use molt::plan::{check, Request};
use molt::registry;
use molt::text::Text;

use crate::control::{done, is_rest, refusal, show_last, Control};
use crate::loader;
use crate::request::{self, Update};
use crate::sysfs::{File, Written};

/// A class, as its files see it.
pub(crate) struct Class {
    class: Arc<Framed>,
    control: Arc<Control>,
}

impl Class {
    /// The files of its directory.
    pub(crate) const FILES: &'static [File<Self>] = &[
        File::<Self>::shown(c"interface", |this, page| {
            writeln!(page, "{}", this.class.interface().name())
        }),
        File::<Self>::shown(c"context", |this, page| {
            writeln!(page, "{}", this.class.interface().context())
        }),
        File::<Self>::shown(c"implementation", |this, page| {
            match this.class.default_implementation() {
                Some(default) => writeln!(page, "{}", default.name()),
                None => writeln!(page),
            }
        }),
        File::<Self>::shown(c"version", |this, page| {
            match this.class.default_implementation() {
                Some(default) => writeln!(page, "{}", default.version()),
                None => writeln!(page),
            }
        }),
        File::<Self>::shown(c"generation", |this, page| {
            writeln!(page, "{}", this.class.generation())
        }),
        File::<Self>::shown(c"instances", |this, page| {
            writeln!(page, "{}", this.class.instances())
        }),
        File::<Self>::shown(c"state", |this, page| {
            writeln!(page, "{}", this.class.state())
        }),
        File::<Self>::shown(c"last_result", |this, page| {
            show_last(page, &this.class.last())
        }),
        File::<Self>::shown(c"waited_calls", |this, page| {
            writeln!(page, "{}", this.class.gate().traffic().waited)
        }),
        File::<Self>::shown(c"longest_wait_us", |this, page| {
            writeln!(page, "{}", this.class.longest_wait_ns() / 1000)
        }),
        File::<Self>::shown(c"transitions_ok", |this, page| {
            writeln!(page, "{}", this.class.transitions().0)
        }),
        File::<Self>::shown(c"transitions_failed", |this, page| {
            writeln!(page, "{}", this.class.transitions().1)
        }),
        File::<Self>::written(c"update", |this, written| {
            this.answer(written, this.update(written))
        }),
        File::<Self>::written(c"abort", |this, written| {
            this.answer(written, this.abort(written))
        }),
        File::<Self>::written(c"remove", |this, written| {
            this.answer(written, this.remove(written))
        }),
    ];

    pub(crate) fn new(class: Arc<Framed>, control: Arc<Control>) -> Self {
        Self { class, control }
    }

    /// The class itself.
    pub(crate) fn framed(&self) -> &Arc<Framed> {
        &self.class
    }

    /// Notes a refusal. What a transition came to is noted by itself, and passed on.
    fn answer(&self, written: Written<'_>, result: Result<Result, Refusal>) -> Result {
        result.unwrap_or_else(|refusal| {
            if !is_rest(written, &self.class.last()) {
                self.class.set_last(Last::refused(&refusal, 0));
            }
            Err(refusal.error)
        })
    }

    /// Updates the class; returns when the transition has ended.
    fn update(&self, written: Written<'_>) -> Result<Result, Refusal> {
        let words = request::update(written.text, written.position).map_err(refusal)?;
        let request = self.request(&words);
        if words.is_check {
            self.with_module(&request, || check(&request))?;
            self.class.set_last(done(self.checked(&request)));
            return Ok(Ok(()));
        }
        let job = self.with_module(&request, || self.control.jobs().begin(&request))?;
        Ok(job.wait().and_then(|last| last.error.map_or(Ok(()), Err)))
    }

    fn checked(&self, request: &Request<'_>) -> Text<REASON_LEN> {
        let (name, generation) = (self.class.name(), self.class.generation());
        match self.class.find(request.implementation, request.version) {
            Some(to) => Text::format(fmt!(
                "check: {name} can be updated to {}, from generation {generation}",
                to.label()
            )),
            None => Text::new(),
        }
    }

    fn request<'a>(&'a self, words: &Update<'a>) -> Request<'a> {
        let mut request = Request::new(&self.class, words.implementation);
        request.version = words.version;
        request.deadline_ms = words.deadline_ms.unwrap_or(request.deadline_ms);
        request.pause_ms = words.pause_ms.unwrap_or(request.pause_ms);
        request.expect = words.expect;
        request
    }

    /// Does something with an implementation; where it is not registered its module is
    /// requested, and the same done once more.
    fn with_module<R>(
        &self,
        request: &Request<'_>,
        mut act: impl FnMut() -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let (name, version) = (request.implementation, request.version);
        let refused = match act() {
            Err(refused) if refused.error == ENOENT => refused,
            result => return result,
        };
        if self.class.find(name, version).is_some() {
            return Err(refused);
        }
        match loader::implementation(self.class.name(), name, version) {
            Err(killed) if killed.error == EINTR => Err(killed),
            // Where modprobe found nothing, that the implementation is missing says more.
            _ => act(),
        }
    }

    /// Aborts the running transition; returns when it has ended.
    fn abort(&self, written: Written<'_>) -> Result<Result, Refusal> {
        request::order(written.text, written.position).map_err(refusal)?;
        let name = self.class.name();
        let transition = self
            .class
            .transition()
            .ok_or_else(|| Refusal::new(ENOENT, fmt!("no transition of {name} is running")))?;
        let id = transition.id();
        if transition.abort().is_err() {
            return Err(Refusal::new(
                EALREADY,
                fmt!("transition {id} has committed"),
            ));
        }
        Ok(transition.wait().map(|_| ()))
    }

    /// Removes the class; its directory goes shortly after this write.
    fn remove(&self, written: Written<'_>) -> Result<Result, Refusal> {
        request::order(written.text, written.position).map_err(refusal)?;
        let name = self.class.name();
        registry::remove(&self.class)?;
        self.control
            .set_last(done(Text::format(fmt!("class {name} is removed"))));
        Ok(Ok(()))
    }
}

/// The files of `implementations/<name@version>`.
pub(crate) const IMPLEMENTATION_FILES: &[File<Named>] = &[
    File::<Named>::shown(c"version", |this, page| {
        writeln!(page, "{}", this.0.version())
    }),
    File::<Named>::shown(c"module", |this, page| {
        writeln!(page, "{}", this.0.module_name())
    }),
    File::<Named>::shown(c"srcversion", |this, page| {
        writeln!(page, "{}", this.0.srcversion())
    }),
    File::<Named>::shown(c"instances", |this, page| {
        writeln!(page, "{}", this.0.instances())
    }),
];

/// An implementation, as its files see it: what it keeps of itself, not of its module.
pub(crate) struct Named(pub(crate) Arc<Registered>);
