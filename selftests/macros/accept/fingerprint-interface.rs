// SPDX-License-Identifier: GPL-2.0

//! What changes the fingerprint of an interface, and what does not.

use molt::interface::Interface;

macro_rules! variant {
    ($module:ident, $name:literal, $context:ident, $create:ty, {$($methods:tt)*}) => {
        mod $module {
            /// One of several.
            #[molt::interface(name = $name, context = $context, create(start: $create))]
            pub trait Variant {
                $($methods)*
            }
        }
    };
}

variant!(base, "v", sleepable, u64, {
    fn a(&self, n: u64, m: u64);
    fn b(&self);
});
variant!(same, "v", sleepable, u64, {
    fn a(&self, n: ::core::primitive::u64, m: u64) -> ();
    fn b(&self) {}
});
variant!(name, "w", sleepable, u64, {
    fn a(&self, n: u64, m: u64);
    fn b(&self);
});
variant!(context, "v", atomic, u64, {
    fn a(&self, n: u64, m: u64);
    fn b(&self);
});
variant!(create, "v", sleepable, u32, {
    fn a(&self, n: u64, m: u64);
    fn b(&self);
});
variant!(arguments, "v", sleepable, u64, {
    fn a(&self, m: u64, n: u64);
    fn b(&self);
});
variant!(kind, "v", sleepable, u64, {
    fn a(&self, n: u64, m: i64);
    fn b(&self);
});
variant!(result, "v", sleepable, u64, {
    fn a(&self, n: u64, m: u64);
    fn b(&self) -> bool;
});
variant!(lent, "v", sleepable, u64, {
    fn a(&self, n: &u64, m: u64);
    fn b(&self);
});
variant!(lent_mut, "v", sleepable, u64, {
    fn a(&self, n: &mut u64, m: u64);
    fn b(&self);
});
variant!(optional, "v", sleepable, u64, {
    fn a(&self, n: Option<&u64>, m: u64);
    fn b(&self);
});
variant!(order, "v", sleepable, u64, {
    fn b(&self);
    fn a(&self, n: u64, m: u64);
});
variant!(fewer, "v", sleepable, u64, {
    fn a(&self, n: u64, m: u64);
});
variant!(renamed, "v", sleepable, u64, {
    fn a(&self, n: u64, m: u64);
    fn c(&self);
});

macro_rules! fingerprints {
    ($($module:ident),*) => {
        [$(<dyn $module::Variant as Interface>::DESCRIPTION.fingerprint),*]
    };
}

/// All that must differ.
pub const ALL: [u64; 13] = fingerprints!(
    base, name, context, create, arguments, kind, result, lent, lent_mut, optional, order, fewer,
    renamed
);

const _: () = {
    let [base, same] = fingerprints!(base, same);
    assert!(base == same);

    let mut i = 0;
    while i < ALL.len() {
        let mut j = i + 1;
        while j < ALL.len() {
            assert!(ALL[i] != ALL[j]);
            j += 1;
        }
        i += 1;
    }
};
