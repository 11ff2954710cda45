// SPDX-License-Identifier: GPL-2.0

//! Waiting for a class to be idle.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, Write};
use std::time::{Duration, Instant};

use rustix::event::{poll, PollFd, PollFlags};

use crate::class::progress;
use crate::errno::Errno;
use crate::failure::Failure;
use crate::folder::{text, Folder};

/// How long a change may go unseen where the kernel does not tell of it.
const REREAD: Duration = Duration::from_millis(250);

/// Returns when the class's state is idle, at the latest after `timeout`.
pub fn wait(folder: &Folder, timeout: Option<Duration>) -> Result<(), Failure> {
    let begin = Instant::now();
    let mut file = folder.open("state")?;
    let mut shown = Shown::default();
    loop {
        let state = read(&mut file).map_err(|error| {
            let errno = Errno::from(&error);
            Failure::refused(folder.subject(), errno, format!("state: {errno}"))
        })?;
        if state == "idle" {
            return Ok(());
        }
        shown.tell(folder, &state);
        let left = timeout.map_or(REREAD, |most| most.saturating_sub(begin.elapsed()));
        if left.is_zero() {
            return Err(Failure::refused(
                folder.subject(),
                Errno::ETIMEDOUT,
                format!("its state is still {state}"),
            ));
        }
        changed(&file, left.min(REREAD))?;
    }
}

/// Reading from the beginning is what a later poll(2) compares with.
fn read(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(text(&bytes))
}

/// Returns when the file may say something else, at the latest after `most`.
fn changed(file: &File, most: Duration) -> Result<(), Failure> {
    // Rounded up: a poll of 0 ms would be a busy loop.
    let most = i32::try_from(most.as_millis()).unwrap_or(i32::MAX).max(1);
    let mut polled = [PollFd::new(file, PollFlags::PRI | PollFlags::ERR)];
    match poll(&mut polled, most) {
        // This is no request: whatever woke us, the file is read again.
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(Failure::Own(format!("poll: {error}"))),
    }
}

/// What a person at a terminal has seen already.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn tell(&mut self, folder: &Folder, state: &str) {
        if !io::stderr().is_terminal() {
            return;
        }
        let line = match progress(folder) {
            Some(so_far) => format!("{state}, {} of {}", so_far.done, so_far.total),
            None => state.to_owned(),
        };
        if line != self.0 {
            // It only helps to be patient.
            let _ = writeln!(io::stderr(), "moltctl: {}: {line}", folder.subject());
            self.0 = line;
        }
    }
}
