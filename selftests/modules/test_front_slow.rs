// SPDX-License-Identifier: GPL-2.0

//! A front of the name that `debugfs_front` has, whose init takes `init_ms` milliseconds after the
//! registration, and fails. Nobody may be attached to it.

#![deny(unsafe_code)]

use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::time::{delay::fsleep, Delta};
use molt::front::{self, Front};

module! {
    type: Slow,
    name: "test_front_slow",
    authors: ["The Molt developers"],
    description: "Molt test: a front whose init fails in the end",
    license: "GPL",
    params: {
        init_ms: u32 {
            default: 1000,
            description: "How long the init takes",
        },
    },
}

struct Slow;

impl kernel::Module for Slow {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let files = Arc::new(Files, GFP_KERNEL)?;
        let _registration = front::Registration::new("debugfs", files, module)?;
        fsleep(Delta::from_millis(
            module_parameters::init_ms.value().into(),
        ));
        Err(ENODEV)
    }
}

struct Files;

impl Front for Files {
    fn attach(&self, _class: &CStr, _options: &front::Options) -> Result {
        pr_err!("molt-test: used before its init had ended\n");
        Ok(())
    }

    fn detach(&self, _class: &CStr) -> Result {
        Ok(())
    }
}
