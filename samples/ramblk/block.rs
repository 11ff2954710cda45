// SPDX-License-Identifier: GPL-2.0

//! What all versions of the RAM disk have in common: blocks of 4096 bytes, which never change once
//! they are written and may be shared, and the table of what lies where. A block that is not there
//! is zeroes.

use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};
use molt::front::block::{GenDiskBuilder, PIECE};
use molt::Movable;

/// The table is in as many parts, each behind a lock of its own; neighbours are in different ones.
pub(crate) const SHARDS: usize = 16;

/// The content of a block, and a hash of it where somebody has made one; 0: nobody has.
#[derive(Movable)]
pub(crate) struct Content {
    pub(crate) hash: u64,
    pub(crate) bytes: Bytes,
}

/// A block's bytes.
pub(crate) type Bytes = KBox<[u8; PIECE]>;

/// A block that was written.
pub(crate) type Block = Arc<Content>;

/// A part of the table, as long as it had to be so far.
pub(crate) type Table = KVVec<Option<Block>>;

/// All parts.
pub(crate) type Shards = [Mutex<Table>; SHARDS];

/// An empty table.
pub(crate) fn empty() -> impl PinInit<Shards> {
    pin_init::pin_init_array_from_fn(|_| kernel::new_mutex!(KVVec::new(), "ramblk_table"))
}

/// A disk of so many MiB.
pub(crate) fn disk(mib: u64) -> Result<GenDiskBuilder> {
    let sectors = mib.checked_mul(2048).filter(|sectors| *sectors > 0);
    let disk = GenDiskBuilder::new().capacity_sectors(sectors.ok_or(EINVAL)?);
    disk.hw_queues(2)
}

/// Where a position on the disk is: the part of the table, the place in it, the byte in the block.
pub(crate) fn place(position: u64) -> Result<(usize, usize, usize)> {
    let position = usize::try_from(position).map_err(|_| EIO)?;
    let (block, offset) = (position / PIECE, position % PIECE);
    Ok((block % SHARDS, block / SHARDS, offset))
}

/// The place in a table for a block to be written. May sleep.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn entry(table: &mut Table, index: usize) -> Result<&mut Option<Block>> {
    while table.len() <= index {
        table.push(None, GFP_KERNEL)?;
    }
    table.get_mut(index).ok_or(EIO)
}

/// Fills `bytes` with what lies at `offset` of a block.
pub(crate) fn read(block: Option<&Block>, offset: usize, bytes: &mut [u8]) -> Result {
    match block {
        None => bytes.fill(0),
        Some(block) => {
            let end = offset.checked_add(bytes.len()).ok_or(EIO)?;
            bytes.copy_from_slice(block.bytes.get(offset..end).ok_or(EIO)?);
        }
    }
    Ok(())
}

/// What a block is with `bytes` at `offset`; the rest is as it was before. May sleep.
///
/// # Errors
///
/// `EIO`: this crosses the end of the block. `ENOMEM`.
pub(crate) fn written(before: Option<&Block>, offset: usize, bytes: &[u8]) -> Result<Bytes> {
    let end = offset.checked_add(bytes.len()).ok_or(EIO)?;
    let mut new = Bytes::init(pin_init::init_zeroed(), GFP_KERNEL)?;
    if let (Some(before), true) = (before, bytes.len() < PIECE) {
        new.copy_from_slice(&before.bytes[..]);
    }
    new.get_mut(offset..end).ok_or(EIO)?.copy_from_slice(bytes);
    Ok(new)
}
