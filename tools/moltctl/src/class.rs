// SPDX-License-Identifier: GPL-2.0

//! Class: what its files say of it at one time. What a release does not tell is left out.

use serde::Serialize;

use crate::folder::Folder;
use crate::name::{Implementation, Name};
use crate::tree::names;

/// A class. The names of the fields are those of `status --json`.
#[derive(Serialize)]
pub struct Class {
    pub name: String,
    pub state: Option<String>,
    pub interface: Option<String>,
    pub context: Option<String>,
    pub implementation: Option<String>,
    pub version: Option<u64>,
    pub generation: Option<u64>,
    pub instances: Option<u64>,
    pub progress: Option<Progress>,
    pub hold: Option<bool>,
    /// Whether the last update is to be confirmed, where the release tells.
    pub confirm: Option<bool>,
    pub default: Option<String>,
    pub rate: Option<u64>,
    pub holders: Option<Vec<String>>,
    pub waited_calls: Option<u64>,
    pub longest_wait_us: Option<u64>,
    pub transitions_ok: Option<u64>,
    pub transitions_failed: Option<u64>,
    pub last_result: Option<Outcome>,
    pub implementations: Vec<Registered>,
}

/// How far a transfer is, in instances.
#[derive(Serialize)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
}

/// How a request went: `ok` or an errno's name, and one line more.
#[derive(Serialize)]
pub struct Outcome {
    pub result: String,
    pub reason: String,
}

/// An implementation that is registered.
#[derive(Serialize)]
pub struct Registered {
    pub name: String,
    pub version: Option<u32>,
    pub module: Option<String>,
    pub srcversion: Option<String>,
    pub instances: Option<u64>,
}

impl Class {
    /// Reads the files.
    pub fn read(folder: &Folder) -> Self {
        Self {
            name: folder.subject().to_owned(),
            state: folder.look("state"),
            interface: folder.look("interface"),
            context: folder.look("context"),
            implementation: present(folder, "implementation"),
            version: folder.number("version"),
            generation: folder.number("generation"),
            instances: folder.number("instances"),
            progress: progress(folder),
            hold: flag(folder, "hold"),
            confirm: flag(folder, "confirm"),
            default: present(folder, "default"),
            rate: folder.number("rate"),
            holders: folder
                .look("holders")
                .map(|line| line.split_whitespace().map(str::to_owned).collect()),
            waited_calls: folder.number("waited_calls"),
            longest_wait_us: folder.number("longest_wait_us"),
            transitions_ok: folder.number("transitions_ok"),
            transitions_failed: folder.number("transitions_failed"),
            last_result: outcome(folder),
            implementations: implementations(folder),
        }
    }

    /// What serves the class, as `Sum@2`.
    pub fn label(&self) -> Option<String> {
        let name = self.implementation.as_ref()?;
        Some(
            self.version
                .map_or_else(|| name.clone(), |version| format!("{name}@{version}")),
        )
    }
}

/// How far the running or last transfer is.
pub fn progress(folder: &Folder) -> Option<Progress> {
    let line = folder.look("progress")?;
    let (done, total) = line.split_once(' ')?;
    Some(Progress {
        done: done.parse().ok()?,
        total: total.parse().ok()?,
    })
}

/// A file that says 0, or 1 or more. Also one of the top folder.
pub fn flag(folder: &Folder, file: &str) -> Option<bool> {
    folder.number(file).map(|number| number != 0)
}

fn present(folder: &Folder, file: &str) -> Option<String> {
    folder.look(file).filter(|text| !text.is_empty())
}

fn outcome(folder: &Folder) -> Option<Outcome> {
    let last = present(folder, "last_result")?;
    let (result, reason) = last.split_once(' ').unwrap_or((&last, ""));
    Some(Outcome {
        result: result.to_owned(),
        reason: reason.to_owned(),
    })
}

fn implementations(folder: &Folder) -> Vec<Registered> {
    let path = folder.path().join("implementations");
    let found = names::<Implementation>(&path).into_iter();
    found
        .map(|implementation| {
            let own = Folder::new(&implementation, path.join(implementation.to_string()));
            let Implementation { name, version } = implementation;
            Registered {
                name: Name::to_string(&name),
                version,
                module: present(&own, "module"),
                srcversion: present(&own, "srcversion"),
                instances: own.number("instances"),
            }
        })
        .collect()
}
