// SPDX-License-Identifier: GPL-2.0

//! Folder: a directory of the control surface, with one value per file.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::errno::Errno;
use crate::failure::Failure;
use crate::line::Line;

/// A directory, and what messages about it begin with.
pub struct Folder {
    subject: String,
    path: PathBuf,
}

impl Folder {
    /// The directory at `path`.
    pub fn new(subject: impl ToString, path: PathBuf) -> Self {
        Self {
            subject: subject.to_string(),
            path,
        }
    }

    /// What messages about it begin with.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a file says, without the end of the line; nothing where it cannot be read, which
    /// is so of files that other releases have.
    pub fn look(&self, file: &str) -> Option<String> {
        fs::read(self.path.join(file))
            .ok()
            .map(|bytes| text(&bytes))
    }

    /// The same as a number.
    pub fn number(&self, file: &str) -> Option<u64> {
        self.look(file)?.parse().ok()
    }

    /// What a file says that has to be there.
    pub fn read(&self, file: &str) -> Result<String, Failure> {
        fs::read(self.path.join(file))
            .map(|bytes| text(&bytes))
            .map_err(|error| self.no_file(file, Errno::from(&error)))
    }

    /// Opens a file to read it again and again.
    pub fn open(&self, file: &str) -> Result<File, Failure> {
        File::open(self.path.join(file)).map_err(|error| self.no_file(file, Errno::from(&error)))
    }

    /// Makes a request and returns what came of it, as `answers` says in its `last_result`.
    ///
    /// The request is one write, which is never repeated: the kernel takes each write for a
    /// request of its own, also after the first was interrupted.
    pub fn request(&self, file: &str, line: &Line, answers: &Self) -> Result<String, Failure> {
        let bytes = format!("{line}\n").into_bytes();
        let mut opened = OpenOptions::new()
            .write(true)
            .open(self.path.join(file))
            .map_err(|error| self.no_file(file, Errno::from(&error)))?;
        match opened.write(&bytes) {
            Ok(count) if count == bytes.len() => Ok(answers.said()),
            Ok(_) => Err(Failure::Own(format!(
                "{}: the kernel took a part of the line only",
                self.subject
            ))),
            Err(error) => {
                let errno = Errno::from(&error);
                let reason = answers.reason(errno);
                Err(Failure::refused(&self.subject, errno, reason))
            }
        }
    }

    /// The last result, without an `ok`.
    fn said(&self) -> String {
        let last = self.look("last_result").unwrap_or_default();
        match last.strip_prefix("ok") {
            Some(rest) if rest.is_empty() || rest.starts_with(' ') => rest.trim().to_owned(),
            _ => last,
        }
    }

    /// Why a request ended with `errno`. Not all refusals are noted, and a later request may
    /// have been: so the name has to fit.
    fn reason(&self, errno: Errno) -> String {
        let last = self.look("last_result").unwrap_or_default();
        match last.split_once(' ') {
            Some((name, reason)) if name == errno.name() => reason.to_owned(),
            _ => errno.to_string(),
        }
    }

    fn no_file(&self, file: &str, errno: Errno) -> Failure {
        let (errno, reason) = match errno {
            Errno::ENOENT if !self.path.is_dir() => {
                (Errno::ENODEV, "it has been removed".to_owned())
            }
            Errno::ENOENT => (
                Errno::EOPNOTSUPP,
                format!("the molt_control.ko that is loaded has no file `{file}`"),
            ),
            errno => (errno, format!("{file}: {errno}")),
        };
        Failure::refused(&self.subject, errno, reason)
    }
}

/// A file's text in one line. What is not text is shown as such.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
