// SPDX-License-Identifier: GPL-2.0

//! Check: whether a module could take over from another one, by their files alone.

use std::path::Path;

use serde::Serialize;

use crate::arguments::{Check, Policy};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::interface;
use crate::module::Module;
use crate::output;
use crate::preview::{Preview, Told};
use crate::table::align;

/// All that the files tell.
#[derive(Serialize)]
struct Verdict {
    class: String,
    interface: String,
    context: &'static str,
    /// What callers would have to follow.
    interface_changes: Vec<String>,
    update: Preview,
    back: Preview,
}

/// Whether arguments of `check` are two files.
pub fn is_files(targets: &[String]) -> bool {
    targets.len() == 2 && targets.iter().all(|target| target.ends_with(".ko"))
}

/// Compares the files and says what comes of it.
pub fn run(asked: &Check) -> Result<(), Failure> {
    let (old, new) = match asked.update.targets.as_slice() {
        [old, new] => (Module::read(old.as_ref())?, Module::read(new.as_ref())?),
        _ => return Err(Failure::Usage("check takes two files".to_owned())),
    };
    if asked.update.expect.is_some() || !asked.update.options.is_policy_alone() {
        let problem = "files have no generation and no deadline: only --policy goes with them";
        return Err(Failure::Usage(problem.to_owned()));
    }
    let policy = asked.update.options.policy.unwrap_or(Policy::Eager);
    let verdict = Verdict::new(&old, &new, matches!(policy, Policy::Eager))?;
    match asked.json {
        true => output::json(&verdict)?,
        false => output::print(&verdict.show())?,
    }
    match verdict.refusal(asked.back) {
        Some(reason) => {
            let subject = asked.update.targets.last().map_or("", |new| file_name(new));
            Err(Failure::refused(subject, Errno::EPROTO, reason))
        }
        None => Ok(()),
    }
}

fn file_name(path: &str) -> &str {
    let name = Path::new(path).file_name();
    name.and_then(|name| name.to_str()).unwrap_or(path)
}

impl Verdict {
    fn new(old: &Module, new: &Module, is_at_once: bool) -> Result<Self, Failure> {
        // Both were checked when they were read.
        let (from, to) = (old.schema(), new.schema());
        let (from, to) = (from.map_err(Failure::Own)?, to.map_err(Failure::Own)?);
        Ok(Self {
            class: from.class().to_owned(),
            interface: from.interface().to_owned(),
            context: interface::context(&from),
            interface_changes: interface::changes(&from, &to),
            update: Preview::new((old, from), &to, is_at_once),
            back: Preview::new((new, to), &from, is_at_once),
        })
    }

    /// Why it is refused.
    fn refusal(&self, is_back_needed: bool) -> Option<String> {
        let interface = self.interface_changes.first();
        let back = self.back.refused.as_ref().filter(|_| is_back_needed);
        interface
            .cloned()
            .or_else(|| self.update.refused.clone())
            .or_else(|| back.map(|reason| format!("no way back: {reason}")))
    }

    fn show(&self) -> String {
        let mut text = format!("interface {} of class {}: ", self.interface, self.class);
        match self.interface_changes.as_slice() {
            [] => text += "the same\n",
            changes => {
                text += "callers cannot go on\n";
                for change in changes {
                    text += &format!("    {change}\n");
                }
            }
        }
        text += &self.update.show("update");
        text += &self.back.show("back");
        text
    }
}

impl Preview {
    fn show(&self, what: &str) -> String {
        let verdict = match (&self.refused, self.can_fail, &self.fallible) {
            (Some(reason), ..) => format!("refused: {reason}"),
            (None, Some(false), _) => "cannot fail: any policy".to_owned(),
            (None, _, Some(field)) => format!("can fail at `{field}`: policy eager only"),
            (None, ..) => "nobody can know whether it can fail: policy eager is safe".to_owned(),
        };
        let line = |told: &Told| vec![format!("    {}", told.path), told.step.clone()];
        let lines: Vec<_> = self.steps.iter().map(line).collect();
        let mut text = format!(
            "{what} {} to {}: {verdict}\n{}",
            self.from,
            self.to,
            align(&lines)
        );
        for name in &self.statics {
            text += &format!("    static `{name}` begins again\n");
        }
        text
    }
}
