// SPDX-License-Identifier: GPL-2.0

//! Storing blocks of one content once. A hash says where to look; whether two blocks are the same
//! is decided by their bytes.

use kernel::fmt::{self, Write};
use kernel::prelude::*;
use kernel::rbtree::RBTree;
use kernel::sync::{Arc, Mutex};
use molt::front::Report;
use molt::Movable;

use super::block::{entry, place, read, written, Block, Bytes, Content, Shards};

/// A block, and how many places of the table refer to it.
#[derive(Movable)]
struct Known {
    block: Block,
    uses: u64,
}

/// The blocks by their hash. One whose hash another one has is not in it, and has 0 for a hash.
#[derive(Movable)]
pub(crate) struct Index {
    blocks: RBTree<u64, Known>,
    /// Blocks of zeroes that were written.
    zeroes: u64,
    /// Places that hold what another one holds, too.
    duplicates: u64,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            blocks: RBTree::new(),
            zeroes: 0,
            duplicates: 0,
        }
    }

    fn is_known(&self, block: &Block) -> bool {
        let known = self.blocks.get(&block.hash);
        known.is_some_and(|known| Arc::ptr_eq(&known.block, block))
    }

    /// The block for these bytes; [`None`]: they are zeroes. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    fn take(&mut self, bytes: Bytes) -> Result<Option<Block>> {
        if bytes.iter().all(|byte| *byte == 0) {
            self.zeroes += 1;
            return Ok(None);
        }
        let hash = hash(&bytes[..]);
        if let Some(known) = self.blocks.get_mut(&hash) {
            if known.block.bytes[..] == bytes[..] {
                known.uses += 1;
                self.duplicates += 1;
                return Ok(Some(known.block.clone()));
            }
            let other = Content { hash: 0, bytes };
            return Ok(Some(Arc::new(other, GFP_KERNEL)?));
        }
        let block = Arc::new(Content { hash, bytes }, GFP_KERNEL)?;
        let known = Known {
            block: block.clone(),
            uses: 1,
        };
        self.blocks.try_create_and_insert(hash, known, GFP_KERNEL)?;
        Ok(Some(block))
    }

    /// A place does not refer to `block` any more.
    fn release(&mut self, block: &Block) {
        if !self.is_known(block) {
            return;
        }
        if let Some(known) = self.blocks.get_mut(&block.hash) {
            known.uses -= 1;
            match known.uses {
                0 => drop(self.blocks.remove(&block.hash)),
                _ => self.duplicates -= 1,
            }
        }
    }

    /// Puts `bytes` at a place. On an error nothing has changed. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn store(&mut self, entry: &mut Option<Block>, bytes: Bytes) -> Result {
        let block = self.take(bytes)?;
        self.forget(entry);
        *entry = block;
        Ok(())
    }

    /// Empties a place.
    pub(crate) fn forget(&mut self, entry: &mut Option<Block>) {
        if let Some(block) = entry.take() {
            self.release(&block);
        }
    }

    /// Takes in a block that another version has written. Where there is no memory for it, it
    /// stays what it is. May sleep.
    pub(crate) fn adopt(&mut self, entry: &mut Option<Block>) {
        let Some(block) = entry.as_ref().filter(|block| !self.is_known(block)) else {
            return;
        };
        if let Ok(bytes) = written(None, 0, &block.bytes[..]) {
            let _ = self.store(entry, bytes);
        }
    }

    /// Writes what there is of it.
    pub(crate) fn report(&self, report: &mut Report) -> fmt::Result {
        writeln!(report, "contents {}", self.blocks.iter().count())?;
        writeln!(report, "duplicates {}", self.duplicates)?;
        writeln!(report, "zeroes {}", self.zeroes)
    }
}

/// Fills `bytes` with what lies at a position of the disk. What another version has written there
/// is taken in. May sleep.
pub(crate) fn read_at(
    table: &Shards,
    index: &Mutex<Index>,
    position: u64,
    bytes: &mut [u8],
) -> Result {
    let (shard, place, offset) = place(position)?;
    let mut table = table.get(shard).ok_or(EIO)?.lock();
    match table.get_mut(place) {
        None => read(None, offset, bytes),
        Some(entry) => {
            index.lock().adopt(entry);
            read(entry.as_ref(), offset, bytes)
        }
    }
}

/// Puts `bytes` at a position of the disk. May sleep.
pub(crate) fn write_at(
    table: &Shards,
    index: &Mutex<Index>,
    position: u64,
    bytes: &[u8],
) -> Result {
    let (shard, place, offset) = place(position)?;
    let mut table = table.get(shard).ok_or(EIO)?.lock();
    let entry = entry(&mut table, place)?;
    let bytes = written(entry.as_ref(), offset, bytes)?;
    index.lock().store(entry, bytes)
}

/// FNV-1a over words of 8 bytes; never 0.
fn hash(bytes: &[u8]) -> u64 {
    let hash = bytes
        .chunks_exact(8)
        .fold(0xcbf2_9ce4_8422_2325, |hash, word| {
            let word = word.try_into().map_or(0, u64::from_le_bytes);
            (hash ^ word).wrapping_mul(0x0100_0000_01b3)
        });
    // What the last words did to the upper bits goes to the lower ones.
    (hash ^ (hash >> 29)).max(1)
}
