// SPDX-License-Identifier: GPL-2.0

//! Class `alpha` of nodes, version 5: a rule that cannot fail breaks the rules: it ends an
//! instance.

use molt::Convert;

#[path = "node/keeper.rs"]
mod keeper;
use keeper::{begin, Plain, Plain1};

molt::module! {
    class: "alpha",
    implementation: Plain,
    version: 5,
    transfers: [Plain => Plain1],
    statics: [reset(LAST)],
    init: begin,
    license: "GPL",
    authors: ["The Molt developers"],
    description: "Molt test: nodes `alpha`, with a rule that ends one when nothing can fail",
}

impl Convert<Plain> for Plain1 {
    fn convert(old: &mut Plain) -> Self {
        keeper::end_last();
        keeper::back(old)
    }
}
