// SPDX-License-Identifier: GPL-2.0

//! Builds moves from what the comparison of two schemas says.

use kernel::error::code::{EIO, EPROTO};
use kernel::fmt::{self, Write};
use kernel::prelude::*;

use super::flat::Copied;
use super::{Act, Holder, Moves, Side, PATH_LEN};
use crate::error::{Refusal, REASON_LEN};
use crate::fingerprint::Fingerprint;
use crate::lock::LOCKS;
use crate::schema::compare::{By, Op, Path, Sink, Step, Why};
use crate::schema::{Kind, Make, Shell};
use crate::text::Text;

pub(super) struct Builder<'a> {
    old: &'a Side,
    new: &'a Side,
    pub(super) moves: Moves,
    /// From what to what, for messages.
    label: Text<128>,
    /// The first act that one to come may become part of.
    first: usize,
    /// What the operations that come are in, from the outermost.
    frames: KVec<Frame>,
    /// The numbers that locks have so far, a bit for each.
    locks: u32,
}

/// The number of what is no act.
const FLAT: usize = usize::MAX;

/// What operations are in.
#[derive(Clone, Copy)]
struct Frame {
    /// Where it lies in the old and in the new value.
    base: (usize, usize),
    /// It is part of the state itself.
    is_flat: bool,
}

impl<'a> Builder<'a> {
    /// `label`: from what to what.
    pub(super) fn new(old: &'a Side, new: &'a Side, label: fmt::Arguments<'_>) -> Self {
        Self {
            old,
            new,
            moves: Moves::none(),
            label: Text::format(label),
            first: 0,
            frames: KVec::new(),
            locks: 0,
        }
    }
}

impl Builder<'_> {
    fn frame(&self) -> Frame {
        let last = self.frames.last().copied();
        last.unwrap_or(Frame {
            base: (0, 0),
            is_flat: true,
        })
    }

    fn places(&self, from: u32, to: u32) -> (usize, usize) {
        let base = self.frame().base;
        (
            base.0.wrapping_add(from as usize),
            base.1.wrapping_add(to as usize),
        )
    }

    /// What is in a lock lies in the same value; what is in another container does not.
    fn enter(&mut self, op: Op) -> Result<(), Refusal> {
        let inside = match op {
            Op::Each {
                from, to, old, new, ..
            } if self.is_lock(old) => {
                let (from, to) = self.places(from, to);
                let offsets = (
                    self.old.schema.type_at(old).length(),
                    self.new.schema.type_at(new).length(),
                );
                Frame {
                    base: (from.wrapping_add(offsets.0), to.wrapping_add(offsets.1)),
                    ..self.frame()
                }
            }
            Op::Each { .. } | Op::Match { .. } | Op::Arm { .. } => Frame {
                base: (0, 0),
                is_flat: false,
            },
            _ => return Ok(()),
        };
        Ok(self.frames.push(inside, GFP_KERNEL)?)
    }

    /// Places and shells of a lock that is part of the state itself.
    fn flat_lock(&self, op: Op) -> Option<Result<(usize, usize, Shell, Shell), Refusal>> {
        let Op::Each {
            from, to, old, new, ..
        } = op
        else {
            return None;
        };
        if !self.is_lock(old) || !self.frame().is_flat {
            return None;
        }
        let (from, to) = self.places(from, to);
        let shells = self.old.shell(old).zip(self.new.shell(new));
        let shells = shells.ok_or_else(|| Refusal::from(EIO));
        Some(shells.map(|(old, new)| (from, to, old, new)))
    }

    /// A number for the lock at `path`. By where it is: lockdep remembers for ever in which order
    /// two numbers were taken, and in another version there may be more locks or fewer.
    fn number(&mut self, path: &Path<'_>) -> usize {
        let path: Text<PATH_LEN> = Text::format(format_args!("{path}"));
        let first = Fingerprint::new().text(path.as_str()).finish() as usize % LOCKS;
        let mut numbers = (0..LOCKS).map(|step| first.wrapping_add(step) % LOCKS);
        let number = numbers.find(|number| self.locks & (1 << number) == 0);
        let number = number.unwrap_or(first);
        self.locks |= 1 << number;
        number
    }

    fn is_lock(&self, old: u32) -> bool {
        self.old.schema.type_at(old).kind() == Kind::Lock
    }

    /// The function of a rule.
    fn make(&self, by: By) -> Result<Make, Refusal> {
        let side = if by.is_new { self.new } else { self.old };
        let functions = side.rules.get(by.rule as usize);
        let make = functions.map(|functions| match by.is_back {
            true => functions.back,
            false => functions.forth,
        });
        // The schema was checked against its functions when it was registered.
        make.filter(|make| !matches!(make, Make::Nothing))
            .ok_or_else(|| EIO.into())
    }

    fn holder(&mut self, old: u32, new: u32) -> Result<usize, Refusal> {
        let (from, to) = (self.old.schema.type_at(old), self.new.schema.type_at(new));
        let strides = (
            from.element().map_or(0, |element| element.size()),
            to.element().map_or(0, |element| element.size()),
        );
        let holder = Holder {
            kind: from.kind(),
            old: self.old.shell(old),
            new: self.new.shell(new),
            strides,
            align: to.element().map_or(1, |element| element.align()),
            count: from.length(),
        };
        // Where elements lie in memory of their own, this is who knows where.
        if from.kind() != Kind::Array && (holder.old.is_none() || holder.new.is_none()) {
            return Err(EIO.into());
        }
        self.moves.holders.push(holder, GFP_KERNEL)?;
        Ok(self.moves.holders.len().wrapping_sub(1))
    }

    /// Notes that the act to come has something to prepare, which perhaps can fail.
    fn note(&mut self, path: &Path<'_>, can_fail: bool) -> Result<(), Refusal> {
        let at = self.moves.acts.len();
        let path = Text::format(format_args!("{path}"));
        if can_fail && !self.moves.can_fail {
            self.moves.can_fail = true;
            self.moves.fallible = path;
        }
        self.moves.prepares = true;
        Ok(self.moves.paths.push((at, path), GFP_KERNEL)?)
    }

    fn act(&mut self, path: &Path<'_>, op: Op) -> Result<Act, Refusal> {
        Ok(match op {
            Op::Copy { from, to, length } => {
                let (from, to) = self.places(from, to);
                let length = length as usize;
                Act::Copy(Copied { from, to, length })
            }
            Op::Make { to, by, kind } => {
                if by.can_fail {
                    self.note(path, true)?;
                }
                let new = self.new.schema.type_at(kind);
                Act::Make {
                    to: self.places(0, to).1,
                    make: self.make(by)?,
                    size: new.size(),
                    align: new.align(),
                    drop: self.new.drop_of(kind),
                }
            }
            Op::Convert {
                from,
                to,
                by,
                old,
                new,
            } => {
                if by.can_fail {
                    self.note(path, true)?;
                    self.moves.finishes = true;
                }
                let kind = self.new.schema.type_at(new);
                let (from, to) = self.places(from, to);
                Act::Convert {
                    from,
                    to,
                    make: self.make(by)?,
                    size: kind.size(),
                    align: kind.align(),
                    drop_old: self.old.drop_of(old),
                    drop: self.new.drop_of(new),
                }
            }
            Op::Drop { from, kind } => {
                self.moves.finishes = true;
                Act::Drop {
                    from: self.places(from, 0).0,
                    drop: self.old.drop_of(kind).ok_or(EIO)?,
                }
            }
            Op::Each {
                from, to, old, new, ..
            } => self.each(path, self.places(from, to), (old, new))?,
            Op::Match {
                from, to, old, new, ..
            } => {
                let (from, to) = self.places(from, to);
                Act::Match {
                    from,
                    to,
                    sizes: (old as usize, new as usize),
                    body: 0,
                }
            }
            Op::Arm { old, new, .. } => Act::Arm { old, new, body: 0 },
        })
    }

    fn each(
        &mut self,
        path: &Path<'_>,
        (from, to): (usize, usize),
        (old, new): (u32, u32),
    ) -> Result<Act, Refusal> {
        let kind = self.old.schema.type_at(old).kind();
        if kind == Kind::Lock {
            // One that is held is a refusal, where there can be one.
            self.note(path, false)?;
            let (old, new) = self.old.shell(old).zip(self.new.shell(new)).ok_or(EIO)?;
            return Ok(Act::Relock {
                from,
                to,
                old,
                new,
                number: self.number(path),
            });
        }
        if kind != Kind::Array {
            self.note(path, true)?;
            self.moves.finishes = true;
        }
        Ok(Act::Each {
            from,
            to,
            holder: self.holder(old, new)?,
            body: 0,
        })
    }

    /// Adds an act; one that needs no container and no room goes the short way.
    fn add(&mut self, act: Act) -> Result<(), Refusal> {
        let is_flat = self.frame().is_flat;
        let flat = &mut self.moves.flat;
        match act {
            Act::Copy(copied) if is_flat => flat.copy(copied)?,
            Act::Make {
                to,
                make: Make::New(make),
                ..
            } if is_flat => flat.make(to, make)?,
            Act::Convert {
                from,
                to,
                make: Make::From(make),
                ..
            } if is_flat => flat.convert(from, to, make)?,
            Act::Copy(copied) => self.copy(copied)?,
            act => self.moves.acts.push(act, GFP_KERNEL)?,
        }
        Ok(())
    }

    /// Makes `copied` part of the one before it, or adds it.
    fn copy(&mut self, copied: Copied) -> Result<(), Refusal> {
        let at = self.moves.acts.len().wrapping_sub(1);
        let last = match self.moves.acts.get_mut(at) {
            Some(Act::Copy(last)) if at >= self.first => Some(last),
            _ => None,
        };
        if !last.is_some_and(|last| last.joins(&copied)) {
            self.moves.acts.push(Act::Copy(copied), GFP_KERNEL)?;
        }
        Ok(())
    }
}

impl Sink for Builder<'_> {
    type Error = Refusal;

    fn op(&mut self, path: &Path<'_>, op: Op) -> Result<usize, Refusal> {
        if let Some(lock) = self.flat_lock(op) {
            let (from, to, old, new) = lock?;
            let number = self.number(path);
            let flat = &mut self.moves.flat;
            flat.relock(path, (from, to), (old, new), number)?;
            self.enter(op)?;
            return Ok(FLAT);
        }
        let act = self.act(path, op)?;
        self.add(act)?;
        self.enter(op)?;
        Ok(self.moves.acts.len().wrapping_sub(1))
    }

    fn close(&mut self, at: usize) {
        let count = self.moves.acts.len().wrapping_sub(at).wrapping_sub(1);
        if let Some(Act::Each { body, .. } | Act::Match { body, .. } | Act::Arm { body, .. }) =
            self.moves.acts.get_mut(at)
        {
            *body = count;
        }
        self.frames.pop();
        // What comes now is not in that body.
        self.first = self.moves.acts.len();
    }

    fn step(&mut self, _path: &Path<'_>, _step: Step<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn refuse(&mut self, path: &Path<'_>, why: Why<'_>) -> Refusal {
        let label = self.label.as_str();
        let mut reason = Text::<REASON_LEN>::new();
        // What does not fit is cut.
        let _ = match path.is_root() {
            true => reason.write_fmt(format_args!("{label}: the state {why}")),
            false => reason.write_fmt(format_args!("{label}: field `{path}`: {why}")),
        };
        Refusal::with(EPROTO, reason)
    }
}
