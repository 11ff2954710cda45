// SPDX-License-Identifier: GPL-2.0

//! Plans: what the kernel would do to each field of a class's states.

use crate::name::{Implementation, Name};
use crate::table::{Row, Table};
use crate::tree::Tree;

/// What an update of a class would do, field by field; nothing where this kernel does not tell.
pub fn show(tree: &Tree, class: &Name, to: &Implementation) -> String {
    let Ok(table) = tree.table("plans") else {
        return String::new();
    };
    let table = table.of_class(&class.to_string());
    let Some(wanted) = meant(&table, to) else {
        return String::new();
    };
    let of = |row: &Row<'_>| row.get("to") == Some(&wanted);
    let lines = table.rows().filter(of).filter_map(|row| {
        let path = row.get("path").unwrap_or("-");
        Some(vec![format!("    {path}"), row.get("step")?.to_owned()])
    });
    crate::table::align(&lines.collect::<Vec<_>>())
}

/// The implementation that the kernel takes: without a version the highest.
fn meant(table: &Table, to: &Implementation) -> Option<String> {
    let named = table.rows().filter_map(|row| row.get("to")?.parse().ok());
    let named = named.filter(|one: &Implementation| one.name == to.name);
    let found = named.filter(|one| to.version.is_none() || one.version == to.version);
    found.max().map(|one| one.to_string())
}
