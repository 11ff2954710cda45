// SPDX-License-Identifier: GPL-2.0

//! Class `alpha` of nodes, version 4: a rule that can fail breaks the rules: it ends an instance.

use kernel::prelude::*;
use molt::Transfer;

#[path = "node/keeper.rs"]
mod keeper;
use keeper::{begin, Plain, Plain1};

molt::module! {
    class: "alpha",
    implementation: Plain,
    version: 4,
    transfers: [Plain => Plain1],
    statics: [reset(LAST)],
    init: begin,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: nodes `alpha`, with a rule that ends an instance",
}

impl Transfer<Plain> for Plain1 {
    type Prepared = ();

    fn prepare(_old: &Plain) -> Result {
        keeper::end_last();
        Ok(())
    }

    fn commit(old: &mut Plain, (): ()) -> Self {
        keeper::back(old)
    }
}
