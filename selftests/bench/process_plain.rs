// SPDX-License-Identifier: GPL-2.0

//! The tracker of processes without Molt: an `Arc` for each process, and direct calls.

use kernel::prelude::*;

#[path = "../../samples/process/counters.rs"]
mod counters;
#[path = "../../samples/process/files.rs"]
mod files;
#[path = "../../samples/process/process.rs"]
mod process;
#[path = "../../samples/process/shared.rs"]
mod shared;
#[path = "../../samples/process/table.rs"]
mod table;
#[path = "../../samples/process/tracker.rs"]
mod tracker;

/// What stands for a process.
mod object {
    use kernel::prelude::*;
    use kernel::sync::{Arc, ArcBorrow};
    use molt::Implementation;

    use super::process::Process;
    use super::shared::Shared;

    pub(crate) type Callee = Shared;
    pub(crate) type Object = Arc<Shared>;

    pub(crate) struct Maker;

    impl Maker {
        pub(crate) fn new() -> Result<Self> {
            Ok(Self)
        }

        #[inline(always)]
        pub(crate) fn make(&self, _pid: u32, is_new: bool) -> Result<Object> {
            let state = <Shared as Implementation<dyn Process>>::create(is_new);
            Arc::pin_init(state, GFP_KERNEL)
        }
    }

    pub(crate) fn another(object: ArcBorrow<'_, Shared>) -> Object {
        object.into()
    }

    pub(crate) fn end(object: Object) {
        drop(object);
    }
}

module! {
    type: Module,
    name: "molt_process_plain",
    authors: ["The Molt developers"],
    description: "Molt benchmark: tracks processes without Molt",
    license: "GPL",
}

#[pin_data]
struct Module {
    #[pin]
    _tracking: files::Tracking,
}

impl kernel::InPlaceModule for Module {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self { _tracking <- files::Tracking::new(c"molt_process_plain") })
    }
}
