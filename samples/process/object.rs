// SPDX-License-Identifier: GPL-2.0

//! What stands for a process in the tracker: an instance of the class `process`.

use kernel::prelude::*;
use kernel::types::ForeignOwnable;
use molt::{Class, Handle};

use super::process::Process;

/// What is called.
pub(crate) type Callee = Handle<dyn Process>;

/// An instance.
pub(crate) type Object = Handle<dyn Process>;

/// What makes them.
pub(crate) struct Maker(Class<dyn Process>);

impl Maker {
    /// # Errors
    ///
    /// `ENOENT`: nobody serves the class.
    pub(crate) fn new() -> Result<Self> {
        Class::<dyn Process>::open(c"process").map(Self)
    }

    /// Its key is the number of the process. May sleep.
    #[inline(always)]
    pub(crate) fn make(&self, pid: u32, is_new: bool) -> Result<Object> {
        self.0.create_with_key(pid.into(), is_new)
    }
}

/// One more of what somebody else holds.
pub(crate) fn another(object: <Object as ForeignOwnable>::Borrowed<'_>) -> Object {
    object.clone()
}

/// Gives one up, and ends it where it is the last. May sleep.
pub(crate) fn end(object: Object) {
    object.end();
}
