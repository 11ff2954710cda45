// SPDX-License-Identifier: GPL-2.0

//! History: the transitions that the kernel remembers.

use crate::failure::Failure;
use crate::folder::Folder;
use crate::name::{Implementation, Name};
use crate::table::{Row, Table};
use crate::tree::Tree;

/// What people are shown; `--json` has all columns.
const SHOWN: &[&str] = &[
    "id",
    "class",
    "kind",
    "policy",
    "from",
    "to",
    "result",
    "generation",
    "instances",
    "total_us",
    "longest_wait_us",
    "pid",
    "comm",
];

/// The transitions of one class, or of all, oldest first.
pub fn read(tree: &Tree, class: Option<&Name>) -> Result<Table, Failure> {
    let table = tree.table("history")?;
    Ok(match class {
        Some(class) => table.of_class(&class.to_string()),
        None => table,
    })
}

/// For people.
pub fn show(table: &Table) -> String {
    table.show(SHOWN)
}

/// What the class had before its last committed update.
pub fn previous(
    tree: &Tree,
    class: &Name,
    folder: &Folder,
    generation: &str,
) -> Result<Implementation, Failure> {
    let advice = format!("say where to: moltctl update {class} IMPL@V");
    let unknown = |problem: &str| Failure::Own(format!("{class}: {problem}; {advice}"));
    let table = read(tree, Some(class)).map_err(|failure| match failure {
        Failure::Refused { errno, reason, .. } => {
            Failure::refused(folder.subject(), errno, format!("{reason}; {advice}"))
        }
        other => other,
    })?;
    let last = table.rows().rev().find(is_committed_update);
    let last = last.ok_or_else(|| unknown("the history has no committed update of it"))?;
    // A class may have been removed and have come again, which the history does not tell.
    if last.get("generation") != Some(generation) {
        return Err(unknown("the history does not lead to its generation"));
    }
    last.get("from")
        .and_then(|from| from.parse().ok())
        .ok_or_else(|| unknown("the history does not say what it had before"))
}

fn is_committed_update(row: &Row<'_>) -> bool {
    // Without that column there are only updates.
    let is_update = row.get("kind").is_none_or(|kind| kind == "update");
    is_update && row.get("result") == Some("ok")
}
