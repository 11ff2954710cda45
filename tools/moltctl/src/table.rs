// SPDX-License-Identifier: GPL-2.0

//! Table: rows with named columns, as debugfs has them, and as people read them.

use serde_json::{Map, Value};

/// What stands for nothing.
const NOTHING: &str = "-";

/// Columns that hold text, also where it looks like a number.
const TEXTS: &[&str] = &["class", "from", "to", "result", "policy", "kind", "comm"];

/// Rows below names of columns.
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// From lines of words, the first of which names the columns. The last column has what is
    /// left of a line.
    pub fn parse(text: &str) -> Self {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        let mut lines = text.lines();
        let columns: Vec<String> = lines.next().map(words).unwrap_or_default();
        let row = |line: &str| {
            let mut cells: Vec<String> = words(line);
            let last = columns.len().saturating_sub(1);
            if cells.len() > columns.len() {
                let rest = cells.split_off(last).join(" ");
                cells.push(rest);
            }
            cells
        };
        // A remark of the kernel is no row.
        let rows = lines.filter(|line| !line.starts_with('#')).map(row);
        Self {
            rows: rows.collect(),
            columns,
        }
    }

    /// The rows of one class only.
    pub fn of_class(mut self, class: &str) -> Self {
        let place = self.place("class");
        self.rows.retain(|row| {
            place.and_then(|place| row.get(place)).map(String::as_str) == Some(class)
        });
        self
    }

    /// The rows, oldest first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self, cells })
    }

    /// Those of the `wanted` columns that there are, for people.
    pub fn show(&self, wanted: &[&str]) -> String {
        let places: Vec<usize> = wanted.iter().filter_map(|name| self.place(name)).collect();
        let pick = |row: &Vec<String>| {
            let cell = |place: &usize| row.get(*place).cloned().unwrap_or_default();
            places.iter().map(cell).collect()
        };
        let mut lines = vec![pick(&self.columns)];
        lines.extend(self.rows.iter().map(pick));
        align(&lines)
    }

    /// All rows, each as an object.
    pub fn json(&self) -> Value {
        self.rows().map(|row| row.json()).collect()
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }
}

/// One row.
pub struct Row<'a> {
    table: &'a Table,
    cells: &'a [String],
}

impl<'a> Row<'a> {
    /// What it has in a column, if anything.
    pub fn get(&self, column: &str) -> Option<&'a str> {
        let cell = self.cells.get(self.table.place(column)?)?;
        Some(cell.as_str()).filter(|cell| *cell != NOTHING)
    }

    fn json(&self) -> Value {
        let names = self.table.columns.iter();
        let pairs = names.map(|name| (name.clone(), value(name, self.get(name))));
        Value::Object(Map::from_iter(pairs))
    }
}

fn value(column: &str, cell: Option<&str>) -> Value {
    let number = |cell: &str| cell.parse::<u64>().ok();
    match cell {
        None => Value::Null,
        Some(cell) if TEXTS.contains(&column) => cell.into(),
        Some(cell) => number(cell).map_or_else(|| cell.into(), Value::from),
    }
}

/// Lines with their cells below one another; numbers end in one place.
pub fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(String::len).max().unwrap_or_default()
    };
    let is_numeric = |column: usize| {
        // The first line may be that of the names.
        let cells = lines.iter().skip(1).filter_map(|line| line.get(column));
        cells.fold(lines.len() > 1, |so_far, cell| so_far && is_number(cell))
    };
    let formats: Vec<_> = (0..columns).map(|c| (width(c), is_numeric(c))).collect();
    let mut text = String::new();
    for line in lines {
        let padded =
            line.iter()
                .zip(&formats)
                .map(|(cell, &(width, is_numeric))| match is_numeric {
                    true => format!("{cell:>width$}"),
                    false => format!("{cell:<width$}"),
                });
        text += padded.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn is_number(cell: &str) -> bool {
    cell == NOTHING || cell.bytes().all(|byte| byte.is_ascii_digit())
}
