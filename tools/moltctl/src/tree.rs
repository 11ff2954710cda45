// SPDX-License-Identifier: GPL-2.0

//! Tree: where the control surface is in the file system.

use std::fs;
use std::path::{Path, PathBuf};

use crate::errno::Errno;
use crate::failure::Failure;
use crate::folder::{text, Folder};
use crate::name::Name;
use crate::table::Table;

/// The files of Molt below `/sys/kernel`, or below a stand-in for it.
pub struct Tree {
    molt: PathBuf,
    debug: PathBuf,
}

impl Tree {
    /// The files below `root`.
    pub fn new(root: &Path) -> Self {
        Self {
            molt: root.join("molt"),
            debug: root.join("debug/molt"),
        }
    }

    /// What concerns no class; messages about it begin with `subject`.
    pub fn top(&self, subject: &str) -> Result<Folder, Failure> {
        if self.molt.is_dir() {
            return Ok(Folder::new(subject, self.molt.clone()));
        }
        Err(Failure::refused(
            subject,
            Errno::ENODEV,
            "molt_control.ko is not loaded: modprobe molt_control",
        ))
    }

    /// A class.
    pub fn class(&self, class: &Name) -> Result<Folder, Failure> {
        let path = self.top(&class.to_string())?.path().join("classes");
        let folder = Folder::new(class, path.join(class));
        if folder.path().is_dir() {
            return Ok(folder);
        }
        Err(Failure::refused(
            folder.subject(),
            Errno::ENOENT,
            "there is no such class",
        ))
    }

    /// The classes that there are, in order.
    pub fn classes(&self) -> Result<Vec<Folder>, Failure> {
        let path = self.top("status")?.path().join("classes");
        let folder = |class: Name| Folder::new(&class, path.join(&class));
        Ok(names(&path).into_iter().map(folder).collect())
    }

    /// A table of debugfs.
    pub fn table(&self, name: &str) -> Result<Table, Failure> {
        let path = self.debug.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Table::parse(&text(&bytes))),
            Err(error) => {
                let errno = Errno::from(&error);
                let reason = match errno {
                    Errno::ENOENT => format!(
                        "{} is not there: it takes molt_control.ko, and debugfs mounted",
                        path.display()
                    ),
                    errno => format!("{}: {errno}", path.display()),
                };
                Err(Failure::refused(name, errno, reason))
            }
        }
    }
}

/// The entries of a directory that are names, in order.
pub fn names<N: std::str::FromStr + Ord>(path: &Path) -> Vec<N> {
    let mut names: Vec<N> = fs::read_dir(path)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    names.sort();
    names
}
