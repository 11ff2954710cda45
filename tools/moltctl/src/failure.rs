// SPDX-License-Identifier: GPL-2.0

//! Failure: why a command ends without what it was asked for, and its exit status.

use std::fmt;

use crate::errno::Errno;

/// The exit status after a wrong command line, as in sysexits.h: 2 would be ENOENT.
pub const USAGE: u8 = 64;

/// Why it ends.
#[derive(Debug)]
pub enum Failure {
    /// The kernel refused it, or would: of whom it was asked, how, and why.
    Refused {
        /// A class, or what else the request was about.
        subject: String,
        /// The error.
        errno: Errno,
        /// One line.
        reason: String,
    },
    /// The command line makes no sense.
    Usage(String),
    /// Anything else.
    Own(String),
}

impl Failure {
    /// A refusal with a reason of our own.
    pub fn refused(subject: &str, errno: Errno, reason: impl Into<String>) -> Self {
        Self::Refused {
            subject: subject.to_owned(),
            errno,
            reason: reason.into(),
        }
    }

    /// The exit status.
    pub fn status(&self) -> u8 {
        match self {
            Self::Refused { errno, .. } => errno.status(),
            Self::Usage(_) => USAGE,
            Self::Own(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused {
                subject,
                errno,
                reason,
            } => write!(f, "{subject}: {}: {reason}", errno.name()),
            Self::Usage(problem) => write!(f, "{problem}\n\nFor more, try 'moltctl --help'."),
            Self::Own(problem) => f.write_str(problem),
        }
    }
}
