// SPDX-License-Identifier: GPL-2.0

//! Plans: what an update would do to each field, as the kernel would log it.

use core::fmt;

use molt::implementation::Registered;
use molt::schema::compare::{compare, Op, Path, Sink, Step, Why};

/// What happens to one field.
struct Line {
    path: String,
    step: String,
    /// Its value does not come from the other version.
    begins: bool,
}

/// What happens to all of them.
#[derive(Default)]
pub(crate) struct Plan {
    lines: Vec<Line>,
}

impl Plan {
    /// From one version to another. What is refused is in its last line.
    pub(crate) fn new(from: &Registered, to: &Registered, is_back: bool) -> Self {
        let mut plan = Self::default();
        // The refusal is told.
        let _ = compare(from.schema(), to.schema(), is_back, &mut plan);
        plan
    }

    fn add(&mut self, path: &Path<'_>, step: fmt::Arguments<'_>, begins: bool) {
        let path = match path.is_root() {
            true => "-".to_owned(),
            false => path.to_string(),
        };
        self.lines.push(Line {
            path,
            step: step.to_string(),
            begins,
        });
    }

    /// Whether the value of the field at `path`, as in `inner.table[3].key`, begins again.
    pub(crate) fn begins(&self, path: &str) -> bool {
        let path = without_indices(path);
        let is_in = |line: &&Line| {
            let rest = path.strip_prefix(line.path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        // What is said of a part comes before what is said of the whole.
        let longest = self
            .lines
            .iter()
            .filter(is_in)
            .max_by_key(|line| line.path.len());
        longest.is_some_and(|line| line.begins)
    }

    /// The fields that begin again.
    pub(crate) fn beginners(&self) -> impl Iterator<Item = &str> {
        let beginners = self.lines.iter().filter(|line| line.begins);
        beginners.map(|line| line.path.as_str())
    }
}

/// `inner.table[].key` of `inner.table[3].key`.
fn without_indices(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| {
        path + "[" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.lines.iter().map(|line| line.path.len()).max();
        for line in &self.lines {
            let (path, width) = (&line.path, width.unwrap_or(0));
            writeln!(f, "    {path:width$}  {}", line.step)?;
        }
        Ok(())
    }
}

impl Sink for Plan {
    type Error = ();

    fn op(&mut self, _path: &Path<'_>, _op: Op) -> Result<usize, ()> {
        Ok(0)
    }

    fn close(&mut self, _at: usize) {}

    fn step(&mut self, path: &Path<'_>, step: Step<'_>) -> Result<(), ()> {
        let begins = matches!(step, Step::Default | Step::Rebuilt);
        self.add(path, format_args!("{step}"), begins);
        Ok(())
    }

    fn refuse(&mut self, path: &Path<'_>, why: Why<'_>) {
        self.add(path, format_args!("refused: {why}"), false);
    }
}
