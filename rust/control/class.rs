// SPDX-License-Identifier: GPL-2.0

//! Class: the files of `/sys/kernel/molt/classes/<class>`.

use core::fmt::{self, Write};

use kernel::error::code::{EALREADY, EINTR, ENOENT};
use kernel::prelude::*;
use kernel::sync::Arc;
use molt::choice::{self, Choice};
use molt::class::{Class as Framed, Last};
use molt::error::{Refusal, REASON_LEN};
use molt::implementation::Registered;
use molt::plan::{Target, Verb};
use molt::registry;
use molt::text::Text;
use molt::transition::Stage;

use crate::control::{done, is_rest, refusal, show_last, Control};
use crate::order::{self, asked, Outcome};
use crate::request::{self, Implementation, Options};
use crate::sysfs::{File, Page, Written};

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
        File::<Self>::shown(c"progress", |this, page| {
            let (done, total) = this.class.progress();
            writeln!(page, "{done} {total}")
        }),
        File::<Self>::shown(c"holders", Self::show_holders),
        File::<Self>::both(
            c"default",
            |this, page| match this.class.default_implementation() {
                Some(default) => writeln!(page, "{}@{}", default.name(), default.version()),
                None => writeln!(page),
            },
            |this, written| this.answer(written, this.set_default(written)),
        ),
        File::<Self>::both(
            c"hold",
            |this, page| writeln!(page, "{}", u8::from(this.class.is_held())),
            |this, written| this.answer(written, this.hold(written)),
        ),
        File::<Self>::both(
            c"require_signature",
            |this, page| writeln!(page, "{}", u8::from(this.class.requires_signature())),
            |this, written| this.answer(written, this.require_signature(written)),
        ),
        File::<Self>::both(
            c"rate",
            |this, page| writeln!(page, "{}", this.class.rate()),
            |this, written| this.answer(written, this.set_rate(written)),
        ),
        File::<Self>::both(
            c"confirm",
            |this, page| writeln!(page, "{}", u8::from(this.class.is_on_trial())),
            |this, written| this.answer(written, this.confirm(written)),
        ),
        File::<Self>::written(c"update", |this, written| {
            this.answer(written, this.update(written))
        }),
        File::<Self>::written(c"switch", |this, written| {
            this.answer(written, this.switch(written))
        }),
        File::<Self>::written(c"repair", |this, written| {
            this.answer(written, this.repair(written))
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

    /// Notes what was done without a transition.
    fn did(&self, what: Text<REASON_LEN>) -> Result<Result, Refusal> {
        self.class.set_last(done(what));
        Ok(Ok(()))
    }

    fn show_holders(&self, page: &mut Page) -> fmt::Result {
        let mut separator = "";
        self.class.for_each_holder(|holder| {
            // What does not fit into a page is left out.
            let _ = write!(page, "{separator}{}", holder.module_name());
            separator = " ";
        });
        writeln!(page)
    }

    /// Updates the class; returns when the policy's promise is kept.
    fn update(&self, written: Written<'_>) -> Result<Result, Refusal> {
        let words = request::update(written.text, written.position).map_err(refusal)?;
        self.change(Verb::Update, words.to, &words.options)
    }

    /// Switches some instances; returns when the transition has ended.
    fn switch(&self, written: Written<'_>) -> Result<Result, Refusal> {
        let words = request::switch(written.text, written.position).map_err(refusal)?;
        let choice = match words.choice {
            request::Choice::Instance(id) => Choice::Instance(id),
            request::Choice::Key(key) => Choice::Key(key),
            request::Choice::Count(count) => Choice::Count(count),
            request::Choice::Percent(percent) => Choice::Percent(percent),
        };
        self.change(Verb::Switch(choice), words.to, &words.options)
    }

    /// Repairs the class; returns when the transition has ended.
    fn repair(&self, written: Written<'_>) -> Result<Result, Refusal> {
        let words = request::repair(written.text, written.position).map_err(refusal)?;
        self.change(Verb::Repair, words.to, &words.options)
    }

    fn change(
        &self,
        verb: Verb,
        to: Implementation<'_>,
        options: &Options,
    ) -> Result<Result, Refusal> {
        let targets = [Target {
            class: &self.class,
            implementation: to.name,
            version: to.version,
            expect: options.expect,
        }];
        let request = asked(verb, &targets, options);
        match order::carry_out(&self.control, &request, options.is_check)? {
            Outcome::Checked(what) => self.did(what),
            Outcome::Ended(last) => Ok(last.error.map_or(Ok(()), Err)),
            Outcome::Killed => Ok(Err(EINTR)),
        }
    }

    fn set_default(&self, written: Written<'_>) -> Result<Result, Refusal> {
        let words =
            request::only_implementation(written.text, written.position).map_err(refusal)?;
        let target = Target {
            class: &self.class,
            implementation: words.name,
            version: words.version,
            expect: None,
        };
        let set = || choice::set_default(&self.class, words.name, words.version);
        let to = order::with_modules(core::slice::from_ref(&target), set)?;
        self.did(Text::format(fmt!(
            "new instances of {} are made by {}",
            self.class.name(),
            to.label()
        )))
    }

    fn hold(&self, written: Written<'_>) -> Result<Result, Refusal> {
        let is_held = request::flag(written.text, written.position).map_err(refusal)?;
        self.class.set_held(is_held);
        Ok(Ok(()))
    }

    fn require_signature(&self, written: Written<'_>) -> Result<Result, Refusal> {
        match request::flag(written.text, written.position).map_err(refusal)? {
            true => self.class.require_signature()?,
            false if self.class.requires_signature() => {
                return Err(Refusal::new(
                    EPERM,
                    fmt!("{} requires signatures for good", self.class.name()),
                ))
            }
            false => {}
        }
        Ok(Ok(()))
    }

    fn set_rate(&self, written: Written<'_>) -> Result<Result, Refusal> {
        let rate = request::amount(written.text, written.position).map_err(refusal)?;
        self.class.set_rate(rate);
        Ok(Ok(()))
    }

    /// Keeps the last update.
    fn confirm(&self, written: Written<'_>) -> Result<Result, Refusal> {
        request::order(written.text, written.position).map_err(refusal)?;
        self.class.confirm()?;
        self.did(Text::format(fmt!(
            "the update of {} is confirmed",
            self.class.name()
        )))
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
        Ok(transition.wait_for(Stage::Ended).map(|_| ()))
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
        writeln!(page, "{}", this.implementation.version())
    }),
    File::<Named>::shown(c"module", |this, page| {
        writeln!(page, "{}", this.implementation.module_name())
    }),
    File::<Named>::shown(c"srcversion", |this, page| {
        writeln!(page, "{}", this.implementation.srcversion())
    }),
    File::<Named>::shown(c"signed", |this, page| {
        writeln!(page, "{}", u8::from(this.implementation.is_signed()))
    }),
    File::<Named>::shown(c"instances", |this, page| {
        writeln!(page, "{}", this.class.instances_of(&this.implementation))
    }),
];

/// An implementation, as its files see it: what it keeps of itself, not of its module.
pub(crate) struct Named {
    pub(crate) class: Arc<Framed>,
    pub(crate) implementation: Arc<Registered>,
}
