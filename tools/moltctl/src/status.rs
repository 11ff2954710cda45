// SPDX-License-Identifier: GPL-2.0

//! Status: the classes on one screen.

use serde::Serialize;

use crate::class::{flag, Class, Registered};
use crate::failure::Failure;
use crate::name::Name;
use crate::table::align;
use crate::tree::Tree;

/// All that is shown. The names of the fields are those of `status --json`.
#[derive(Serialize)]
pub struct Status {
    /// Whether all classes are held.
    hold: Option<bool>,
    classes: Vec<Class>,
}

impl Status {
    /// Reads what there is of one class, or of all.
    pub fn read(tree: &Tree, class: Option<&Name>) -> Result<Self, Failure> {
        let folders = match class {
            Some(class) => vec![tree.class(class)?],
            None => tree.classes()?,
        };
        Ok(Self {
            hold: flag(&tree.top("status")?, "hold"),
            classes: folders.iter().map(Class::read).collect(),
        })
    }

    /// For people: a line a class, in columns, and below it what belongs to it.
    pub fn show(&self) -> String {
        let mut text = String::new();
        if self.hold == Some(true) {
            text += "all classes are held: moltctl hold off\n";
        }
        if self.classes.is_empty() {
            text += "there are no classes\n";
        }
        let heads = align(&self.classes.iter().map(head).collect::<Vec<_>>());
        for (head, class) in heads.lines().zip(&self.classes) {
            text += head;
            text.push('\n');
            text += &below(class);
        }
        text
    }
}

fn head(class: &Class) -> Vec<String> {
    let shown = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let mut cells = vec![
        class.name.clone(),
        shown(&class.state),
        shown(&class.label()),
        "generation".to_owned(),
        number(class.generation),
        "instances".to_owned(),
        number(class.instances),
    ];
    cells.extend(notes(class));
    cells
}

/// What is not so of most classes at most times.
fn notes(class: &Class) -> Option<String> {
    let mut notes = Vec::new();
    if let (Some("lazy"), Some(progress)) = (class.state.as_deref(), &class.progress) {
        notes.push(format!(
            "{} of {} transferred",
            progress.done, progress.total
        ));
    }
    if class.hold == Some(true) {
        notes.push("held".to_owned());
    }
    if class.confirm == Some(true) {
        notes.push("awaits confirmation".to_owned());
    }
    let is_other = |label: &&String| Some(*label) != class.label().as_ref();
    if let Some(label) = class.default.as_ref().filter(is_other) {
        notes.push(format!("new instances: {label}"));
    }
    (!notes.is_empty()).then(|| notes.join(", "))
}

fn below(class: &Class) -> String {
    let rows: Vec<_> = class.implementations.iter().map(row).collect();
    let mut text = String::new();
    for line in align(&rows).lines() {
        text += "    ";
        text += line;
        text.push('\n');
    }
    if let Some(last) = &class.last_result {
        text += format!("    last result: {} {}", last.result, last.reason).trim_end();
        text.push('\n');
    }
    text
}

fn row(registered: &Registered) -> Vec<String> {
    let name = &registered.name;
    let label = match registered.version {
        Some(version) => format!("{name}@{version}"),
        None => name.clone(),
    };
    let instances = registered.instances.map(|number| number.to_string());
    vec![
        label,
        format!("module {}", registered.module.as_deref().unwrap_or("-")),
        "instances".to_owned(),
        instances.unwrap_or_else(|| "-".to_owned()),
    ]
}
