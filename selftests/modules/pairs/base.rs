// SPDX-License-Identifier: GPL-2.0

//! Pairs of states of which the second cannot take over the first, or not give it back. All have
//! the old half in common, `pair_old`; each new one is a module in this folder that changes one
//! thing, and drops what else there is.

use molt::Movable;

#[allow(dead_code, reason = "a pair needs its trait only")]
#[path = "../corpus/interface.rs"]
pub(crate) mod interface;

/// Three levels.
#[derive(Movable)]
pub(crate) struct Outer {
    pub(crate) middle: Middle,
}

#[derive(Movable)]
pub(crate) struct Middle {
    pub(crate) inner: [Inner; 2],
}

#[derive(Movable)]
pub(crate) struct Inner {
    pub(crate) value: u64,
}

#[derive(Movable)]
pub(crate) struct Generic<T> {
    pub(crate) value: T,
}

/// With a tag that the language fixes.
#[derive(Movable)]
#[repr(u8)]
pub(crate) enum Kind {
    Number(u32),
    Nothing,
}

/// Without one.
#[derive(Movable)]
pub(crate) enum Choice {
    Number(u32),
    Nothing,
}

pub(crate) const OUTER: Outer = Outer {
    middle: Middle {
        inner: [Inner { value: 1 }, Inner { value: 2 }],
    },
};

/// Declares a new half with these fields besides `total`, or without it.
#[allow(unused_macros, reason = "the old half has no use for it")]
macro_rules! pair {
    ($(#[$attribute:meta])* { $($fields:tt)* }) => {
        $crate::base::pair! { @ [$(#[$attribute])*] total: u64, $($fields)* }
    };
    (without total $(#[$attribute:meta])* { $($fields:tt)* }) => {
        $crate::base::pair! { @ [$(#[$attribute])*] $($fields)* }
    };
    (@ [$(#[$attribute:meta])*] $($fields:tt)*) => {
        molt::module! {
            class: "pairs",
            implementation: Pair,
            version: 2,
            license: "GPL",
            authors: ["The Molt developers"],
            description: "Molt test: the new half of a pair of states",
        }

        #[derive(molt::State)]
        $(#[$attribute])*
        #[state(
            dropped(width: u64 = 0),
            dropped(outer: $crate::base::Outer = $crate::base::OUTER),
            dropped(option: Option<u32> = None),
            dropped(kind: $crate::base::Kind = $crate::base::Kind::Nothing),
            dropped(choice: $crate::base::Choice = $crate::base::Choice::Nothing),
            dropped(list: [u32; 4] = [0; 4]),
            dropped(generic: $crate::base::Generic<u32> = $crate::base::Generic { value: 0 }),
            dropped(
                reads: kernel::sync::atomic::Atomic<u32> = kernel::sync::atomic::Atomic::new(0)
            ),
            dropped(handle: Option<molt::Handle<dyn $crate::base::interface::Corpus>> = None),
            dropped(vector: kernel::alloc::KVec<$crate::base::Inner> = Default::default()),
            dropped(tree: kernel::rbtree::RBTree<u32, u32> = kernel::rbtree::RBTree::new()),
            dropped(vast: kernel::alloc::KVVec<u32> = kernel::alloc::KVVec::new()),
            dropped(lock: kernel::sync::Mutex<u32> = 0),
            dropped(pair: (u32, $crate::base::Inner) = (0, $crate::base::Inner { value: 0 })),
            dropped(first: u16 = 0),
            dropped(second: u16 = 0),
            dropped(shared),
            dropped(name)
        )]
        struct Pair {
            $($fields)*
        }

        impl molt::Implementation<dyn $crate::base::interface::Corpus> for Pair {
            fn create(
                _: (kernel::sync::Arc<$crate::base::interface::Ledger>, u64),
            ) -> impl pin_init::PinInit<Self, kernel::error::Error> {
                Err::<Self, _>(kernel::error::code::EOPNOTSUPP)
            }
        }

        impl $crate::base::interface::Corpus for Pair {
            fn check(&self, _case: u32, _trips: u32) -> Option<$crate::base::interface::Seen> {
                None
            }

            fn name(&self, _case: u32) -> Option<kernel::str::CString> {
                None
            }
        }
    };
}
#[allow(unused_imports, reason = "the old half has no use for it")]
pub(crate) use pair;
