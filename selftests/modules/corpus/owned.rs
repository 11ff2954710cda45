// SPDX-License-Identifier: GPL-2.0

//! What the kernel's own types own: moved as it is, while the struct around it changes.

use crate::case::prelude::*;
use kernel::bitmap::BitmapVec;
use kernel::id_pool::IdPool;
use kernel::list::{impl_list_arc_safe, impl_list_item, List, ListArc, ListLinks};
use kernel::rbtree::RBTree;
use kernel::str::CString;
use kernel::sync::Refcount;
use kernel::xarray::{AllocKind, XArray};

/// What is in the lists.
#[derive(Movable)]
#[pin_data]
pub(crate) struct Entry {
    value: Counted,
    #[pin]
    links: ListLinks,
}

impl_list_arc_safe! { impl ListArcSafe<0> for Entry { untracked; } }
impl_list_item! { impl ListItem<0> for Entry { using ListLinks { self.links }; } }

impl Entry {
    fn new(value: Counted) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            value,
            links <- ListLinks::new(),
        })
    }
}

type Array = Pin<KBox<XArray<KBox<Counted>>>>;

fn make_array(ledger: &Arc<Ledger>, seed: u64) -> Result<Array> {
    let array: Array = KBox::pin_init(XArray::new(AllocKind::Alloc), GFP_KERNEL)?;
    for index in 0..200 {
        let value = KBox::new(Counted::new(ledger, seed + index)?, GFP_KERNEL)?;
        let stored = array.lock().store(index as usize * 7, value, GFP_KERNEL);
        stored.map_err(Error::from)?;
    }
    Ok(array)
}

fn check_array(array: &Array, check: &mut Check) {
    let guard = array.lock();
    for index in 0..200 {
        match guard.get(index as usize * 7) {
            Some(value) => check.counted(value, check.seed + index),
            None => check.is(false),
        }
    }
    drop(guard);
    // The tree of nodes can still grow and shrink.
    let (last, zero) = (1 << 20, array.lock().remove(0));
    let Some(zero) = zero else {
        return check.is(false);
    };
    let is_stored = array.lock().store(last, zero, GFP_KERNEL).is_ok();
    let Some(zero) = array.lock().remove(last) else {
        return check.is(false);
    };
    check.is(is_stored && array.lock().store(0, zero, GFP_KERNEL).is_ok());
}

macro_rules! version {
    ($version:ident, $($more:ident)?) => {
        pub(crate) mod $version {
            use super::*;

            #[derive(Movable)]
            pub(crate) struct Shape {
                $(#[state(default = 2)] $more: u8,)?
                text: CString,
                shared: Arc<Counted>,
                sharing: Arc<Counted>,
                tree: RBTree<u32, Counted>,
                list: List<Entry>,
                array: Array,
                bits: BitmapVec,
                numbers: IdPool,
                references: Refcount,
                bytes: KBox<[u8; 5]>,
                vast: KVVec<Counted>,
                virtual_box: VBox<Counted>,
            }

            impl Case for Shape {
                fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self> {
                    let new = |number| Counted::new(ledger, number);
                    let shared = Arc::new(new(seed)?, GFP_KERNEL)?;
                    let (mut tree, mut list) = (RBTree::new(), List::new());
                    for index in (0..50).rev() {
                        let number = seed + u64::from(index);
                        tree.try_create_and_insert(index, new(number)?, GFP_KERNEL)?;
                        list.push_front(ListArc::pin_init(Entry::new(new(number)?), GFP_KERNEL)?);
                    }
                    let mut bits = BitmapVec::new(500, GFP_KERNEL)?;
                    bits.set_bit(499);
                    let mut vast = KVVec::new();
                    for index in 0..10 {
                        vast.push(new(seed + index)?, GFP_KERNEL)?;
                    }
                    let mut numbers = IdPool::with_capacity(200, GFP_KERNEL)?;
                    let _zero = numbers.find_unused_id(0).map(|id| id.acquire());
                    Ok(Self {
                        $($more: 2,)?
                        text: CString::try_from_fmt(fmt!("seed {seed}"))?,
                        sharing: shared.clone(),
                        shared,
                        tree,
                        list,
                        array: make_array(ledger, seed)?,
                        bits,
                        numbers,
                        references: Refcount::new(3),
                        bytes: KBox::new(*b"bytes", GFP_KERNEL)?,
                        vast,
                        virtual_box: VBox::new(new(seed)?, GFP_KERNEL)?,
                    })
                }

                fn check(&self, check: &mut Check) {
                    let seed = check.seed;
                    $(check.is(self.$more == 2);)?
                    let text = CString::try_from_fmt(fmt!("seed {seed}"));
                    check.is(text.is_ok_and(|text| text.to_bytes() == self.text.to_bytes()));
                    check.is(Arc::ptr_eq(&self.shared, &self.sharing));
                    check.counted(&self.shared, seed);
                    check.is(self.tree.iter().count() == 50 && self.list.iter().count() == 50);
                    for (index, value) in self.tree.iter() {
                        check.is(self.tree.get(index).is_some());
                        check.counted(value, seed + u64::from(*index));
                    }
                    for (number, entry) in (seed..).zip(self.list.iter()) {
                        check.counted(&entry.value, number);
                    }
                    check_array(&self.array, check);
                    check.is(self.bits.len() == 500 && self.bits.last_bit() == Some(499));
                    check.is(self.numbers.capacity() >= 200);
                    check.is(
                        self.references.as_atomic().load(Relaxed) == 3 && *self.bytes == *b"bytes",
                    );
                    for (number, value) in (seed..).zip(&self.vast) {
                        check.counted(value, number);
                    }
                    check.counted(&self.virtual_box, seed);
                }
            }
        }
    };
}

version!(v1,);
version!(v2, more);
