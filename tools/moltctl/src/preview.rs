// SPDX-License-Identifier: GPL-2.0

//! Preview: what an update from one module to another would do to each field.

use serde::Serialize;

use crate::module::Module;
use crate::schema::compare::{compare, Op, Path, Sink, Step, Why};
use crate::schema::format::{Kind, Schema};

/// A way from one version to another.
#[derive(Serialize)]
pub struct Preview {
    pub from: String,
    pub to: String,
    /// Field by field, or as a whole.
    pub steps: Vec<Told>,
    /// Whether an instance can refuse; nothing where nobody can know.
    pub can_fail: Option<bool>,
    /// The first field that can.
    pub fallible: Option<String>,
    /// Variables of the module that is left, which would begin again without anybody having
    /// said that they may.
    pub statics: Vec<String>,
    /// Why it is refused.
    pub refused: Option<String>,
}

/// What happens to a field.
#[derive(Serialize)]
pub struct Told {
    /// Where it is; `-` is the state itself.
    pub path: String,
    pub step: String,
}

/// Which rules lead from one version to another, as the kernel chooses.
enum Rules {
    /// Functions of an author.
    Functions,
    Schemas {
        is_back: bool,
    },
    Nobodys,
}

impl Preview {
    /// From one module to another. `is_at_once`: all state is to be moved before calls go on.
    pub fn new(from: (&Module, Schema<'_>), to: &Schema<'_>, is_at_once: bool) -> Self {
        let (module, old) = from;
        let mut this = Self {
            from: label(&old),
            to: label(to),
            steps: Vec::new(),
            can_fail: None,
            fallible: None,
            statics: lost(module, &old, to),
            refused: None,
        };
        match rules(&old, to) {
            Rules::Functions => {
                this.tell(
                    "-",
                    "by functions of its author, which cannot be looked into",
                );
            }
            Rules::Schemas { is_back } => this.compare(&old, to, is_back),
            Rules::Nobodys => {
                let (from, to) = (&this.from, &this.to);
                let why = format!(
                    "neither {to} nor {from} says how a state of {from} becomes one of {to}"
                );
                this.refused = Some(why);
            }
        }
        this.judge(old.is_atomic() || to.is_atomic(), is_at_once);
        this
    }

    fn compare(&mut self, old: &Schema<'_>, new: &Schema<'_>, is_back: bool) {
        let mut teller = Teller {
            preview: self,
            old,
            ops: 0,
        };
        if let Err(refused) = compare(*old, *new, is_back, &mut teller) {
            self.refused = Some(refused);
            return;
        }
        self.can_fail = Some(self.fallible.is_some());
    }

    /// Adds the reasons that come from elsewhere than the fields.
    fn judge(&mut self, is_atomic: bool, is_at_once: bool) {
        if self.refused.is_some() {
            return;
        }
        let why = match (is_atomic, is_at_once) {
            (true, _) => Some("in a class of atomic context"),
            (false, false) => Some("with this policy"),
            (false, true) => None,
        };
        if let (Some(why), Some(field)) = (why, &self.fallible) {
            let why = format!("the transfer can fail, which it must not {why}: field `{field}`");
            self.refused = Some(why);
        } else if let Some(name) = self.statics.first() {
            let (from, to) = (&self.from, &self.to);
            let why = format!(
                "static `{name}` of {from} would begin again: {to} has to say \
                 `statics: [reset({name})]`"
            );
            self.refused = Some(why);
        }
    }

    fn tell(&mut self, path: &str, step: impl ToString) {
        self.steps.push(Told {
            path: path.to_owned(),
            step: step.to_string(),
        });
    }
}

/// As in `Sum@2`.
pub fn label(schema: &Schema<'_>) -> String {
    format!("{}@{}", schema.name(), schema.version())
}

fn rules(from: &Schema<'_>, to: &Schema<'_>) -> Rules {
    if from.has_transfers() || to.has_transfers() {
        return Rules::Functions;
    }
    let is_forth = to.covers(from.name(), from.version());
    match is_forth || from.covers(to.name(), to.version()) {
        true => Rules::Schemas { is_back: !is_forth },
        false => Rules::Nobodys,
    }
}

/// Variables of `module` of which neither end says that they may begin again.
fn lost(module: &Module, from: &Schema<'_>, to: &Schema<'_>) -> Vec<String> {
    let is_said = |name: &String| {
        [from, to]
            .iter()
            .any(|end| end.resets().any(|one| one == name))
    };
    let lost = module.statics.iter().filter(|name| !is_said(name));
    lost.cloned().collect()
}

struct Teller<'a> {
    preview: &'a mut Preview,
    old: &'a Schema<'a>,
    ops: usize,
}

fn shown(path: &Path<'_>) -> String {
    match path.is_root() {
        true => "-".to_owned(),
        false => path.to_string(),
    }
}

impl Sink for Teller<'_> {
    type Error = String;

    fn op(&mut self, path: &Path<'_>, op: Op) -> Result<usize, String> {
        let can_fail = match op {
            Op::Make { by, .. } | Op::Convert { by, .. } => by.can_fail,
            // It takes memory for the new elements.
            Op::Each { old, .. } => {
                !matches!(self.old.type_at(old).kind(), Kind::Array | Kind::Lock)
            }
            _ => false,
        };
        if can_fail && self.preview.fallible.is_none() {
            self.preview.fallible = Some(shown(path));
        }
        self.ops = self.ops.saturating_add(1);
        Ok(self.ops)
    }

    fn close(&mut self, _at: usize) {}

    fn step(&mut self, path: &Path<'_>, step: Step<'_>) -> Result<(), String> {
        self.preview.tell(&shown(path), step);
        Ok(())
    }

    fn refuse(&mut self, path: &Path<'_>, why: Why<'_>) -> String {
        let path = shown(path);
        self.preview.tell(&path, format_args!("refused: {why}"));
        match path.as_str() {
            "-" => format!("the state {why}"),
            path => format!("field `{path}`: {why}"),
        }
    }
}
