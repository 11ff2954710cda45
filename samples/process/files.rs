// SPDX-License-Identifier: GPL-2.0

//! The tracker's files in debugfs: the accounts, all processes, and a limit for one of them.

use core::fmt::{Display, Formatter};

use kernel::debugfs::{Dir, File};
use kernel::error::code::{E2BIG, EINVAL, ESRCH};
use kernel::fmt;
use kernel::prelude::*;
use kernel::str::CStr;
use kernel::sync::Arc;
use kernel::uaccess::UserSliceReader;

use super::object::Object;
use super::process::{Process, Report, AGES};
use super::table;
use super::tracker::{self, Tracker, ACCOUNTS};

/// The probes and the files, for as long as the module is there.
#[pin_data(PinnedDrop)]
pub(crate) struct Tracking {
    tracker: Arc<Tracker>,
    #[pin]
    accounts: File<Arc<Tracker>>,
    #[pin]
    processes: File<Arc<Tracker>>,
    #[pin]
    limit: File<Arc<Tracker>>,
    _dir: Dir,
}

impl Tracking {
    /// `name` is the folder's in debugfs. May sleep.
    pub(crate) fn new(name: &'static CStr) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(move || {
            let tracker = tracker::begin()?;
            let dir = Dir::new(name);
            Ok(try_pin_init!(Self {
                accounts <- dir.read_callback_file(c"accounts", tracker.clone(), &show_accounts),
                processes <- dir.read_callback_file(c"processes", tracker.clone(), &show_processes),
                limit <- dir.write_callback_file(c"limit", tracker.clone(), &set_limit),
                tracker,
                _dir: dir,
            }))
        })
    }
}

#[pinned_drop]
impl PinnedDrop for Tracking {
    fn drop(self: Pin<&mut Self>) {
        let live = tracker::finish();
        for (name, account) in ACCOUNTS {
            pr_info!("{name} {}\n", self.tracker.accounts.get(account));
        }
        pr_info!("live {live}\n");
    }
}

fn show_accounts(tracker: &Arc<Tracker>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (name, account) in ACCOUNTS {
        writeln!(f, "{name} {}", tracker.accounts.get(account))?;
    }
    writeln!(f, "live {}", each().count())
}

/// The processes that there are, with their instances.
fn each() -> impl Iterator<Item = (u32, Object)> {
    core::iter::successors(table::first_from(0), |(pid, _)| table::first_from(pid + 1))
}

fn show_processes(_tracker: &Arc<Tracker>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "pid children threads execs refused limit age_ms execs_by_age"
    )?;
    for (pid, process) in each() {
        show(pid, &process.report(), f)?;
    }
    Ok(())
}

fn show(pid: u32, report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "{pid} {} {} {} {} {} {} {}",
        report.children,
        report.threads,
        report.execs,
        report.refused,
        Known(report.limit),
        Known(report.age_ms),
        Known(report.ages.map(Ages)),
    )
}

/// `-` for what is not known, or not set.
struct Known<T>(Option<T>);

impl<T: Display> Display for Known<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// The counts, with commas in between.
struct Ages([u32; AGES]);

impl Display for Ages {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        let [first, rest @ ..] = &self.0;
        write!(f, "{first}")?;
        rest.iter().try_for_each(|count| write!(f, ",{count}"))
    }
}

/// Longest line that is taken.
const MOST: usize = 32;

/// `PID CHILDREN`: a process may have so many; `PID -`: any number.
fn set_limit(_tracker: &Arc<Tracker>, reader: &mut UserSliceReader) -> Result {
    let mut bytes = [0; MOST];
    let length = reader.len();
    let bytes = bytes.get_mut(..length).ok_or(E2BIG)?;
    reader.read_slice(bytes)?;
    let line = core::str::from_utf8(bytes).map_err(|_| EINVAL)?.trim();
    let (pid, limit) = line.split_once(' ').ok_or(EINVAL)?;
    let limit = match limit {
        "-" => None,
        number => Some(number.parse().map_err(|_| EINVAL)?),
    };
    let pid = pid.parse().map_err(|_| EINVAL)?;
    let (found, process) = table::first_from(pid).ok_or(ESRCH)?;
    if found != pid {
        return Err(ESRCH);
    }
    process.set_limit(limit);
    Ok(())
}
