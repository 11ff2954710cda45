// SPDX-License-Identifier: GPL-2.0

//! Holders: which modules made instances that still have a handle.
//!
//! A module that made one holds a handle of it, or has given it away; either way it is the
//! one to ask why a class cannot be removed.

use kernel::bindings;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Arc;

use crate::helpers::molt_module_name;
use crate::implementation::copy_text;
use crate::text::Name;

/// A module that has opened a class.
pub struct Holder {
    module_name: Name,
    instances: Atomic<i64>,
}

impl Holder {
    /// # Safety
    ///
    /// `module` is null, for code that is built in, or one whose code is running.
    pub(crate) unsafe fn name_of(module: *const bindings::module) -> Name {
        // SAFETY: By the caller's promise the name is there, for the length of this call.
        unsafe { copy_text(molt_module_name(module)) }
    }

    pub(crate) fn new(module_name: Name) -> Result<Arc<Self>> {
        Ok(Arc::new(
            Self {
                module_name,
                instances: Atomic::new(0),
            },
            GFP_KERNEL,
        )?)
    }

    /// The module's name; `built-in` for code that is no module.
    pub fn module_name(&self) -> &str {
        self.module_name.as_str()
    }

    /// Instances that it made, with those that wait for their end.
    pub fn instances(&self) -> i64 {
        self.instances.load(Relaxed)
    }

    pub(crate) fn count(&self, change: i64) {
        self.instances.fetch_add(change, Relaxed);
    }
}
