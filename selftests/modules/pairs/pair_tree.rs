// SPDX-License-Identifier: GPL-2.0

//! A pair: the values of a tree have changed.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use kernel::rbtree::RBTree;

mod base;

base::pair! { { tree: RBTree<u32, [u32; 2]>, } }
