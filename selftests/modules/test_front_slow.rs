// SPDX-License-Identifier: GPL-2.0

//! A front of the name that `debugfs_front` has, whose init takes `init_ms` milliseconds after the
//! registration, and fails if `fail` is set. Its exit takes `exit_ms` before the registration ends.
//! Nobody may be attached to it meanwhile.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::time::{delay::fsleep, Delta};
use molt::front::{self, Front};

module! {
    type: Slow,
    name: "test_front_slow",
    authors: ["The Molt developers"],
    description: "Molt test: a front whose init and exit take their time",
    license: "GPL",
    params: {
        init_ms: u32 {
            default: 1000,
            description: "How long the init takes",
        },
        fail: bool {
            default: true,
            description: "Whether the init fails in the end",
        },
        exit_ms: u32 {
            default: 0,
            description: "How long the exit takes",
        },
    },
}

struct Slow {
    _registration: front::Registration,
}

fn take(ms: u32) {
    fsleep(Delta::from_millis(ms.into()));
}

impl kernel::Module for Slow {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let files = Arc::new(Files, GFP_KERNEL)?;
        let registration = front::Registration::new("debugfs", files, module)?;
        take(module_parameters::init_ms.value());
        match module_parameters::fail.value() {
            true => Err(ENODEV),
            false => Ok(Self {
                _registration: registration,
            }),
        }
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        take(module_parameters::exit_ms.value());
    }
}

struct Files;

impl Front for Files {
    fn attach(&self, _class: &CStr, _options: &front::Options) -> Result {
        pr_err!("molt-test: used in its init or exit\n");
        Ok(())
    }

    fn detach(&self, _class: &CStr) -> Result {
        Ok(())
    }
}
