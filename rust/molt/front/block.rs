// SPDX-License-Identifier: GPL-2.0

//! Disks whose driver can be replaced while file systems are mounted on them.
//!
//! A driver implements [`Operations`], named after those of blk-mq, for the state of a disk. The
//! front `molt_block` owns the disk, its queue and its requests. A request that cannot be answered
//! at once stays with the front, which asks the driver again when its time has come; that may then
//! be another version.

use core::ffi::c_void;
use core::marker::PhantomData;

use kernel::error::code::{EINVAL, EIO};
use kernel::error::{from_result, to_result};
use kernel::ffi::c_int;
use kernel::fmt;
use kernel::prelude::*;
use kernel::time::Delta;

use super::{padded, Addition, Attachment, Report};
use crate::fingerprint::Fingerprint;
use crate::implementation::Implementation;
use crate::schema::{State, Type};
use crate::Movable;

/// The name of the front.
pub const FRONT: &str = "block";

/// Longest name of a disk, with the zero at its end.
const NAME_LEN: usize = 32;

/// What a driver never sees more than one of at a time, in bytes: no piece of a request crosses a
/// multiple of it.
pub const PIECE: usize = 4096;

/// A driver of a disk; `Self` is the disk's state.
///
/// All methods run as calls of the class, and may sleep for a bounded time. What they allocate is
/// allocated as with `GFP_NOIO`, since memory could be got by writing to this very disk.
pub trait Operations: State + Send + Sync {
    /// Makes the state of a disk, at its beginning.
    fn create(geometry: Geometry) -> impl PinInit<Self, Error>;

    /// Does what a request asks for, or says when to ask again.
    ///
    /// # Errors
    ///
    /// What fails the request, such as `EIO`, `ENOSPC` or `EOPNOTSUPP`. After `ENOMEM` it comes
    /// again, once others are done or a while has passed.
    fn queue_rq(&self, rq: &mut Request) -> Result<Disposition>;

    /// Does what a request asks for that was put off before, by this or by another version.
    ///
    /// # Errors
    ///
    /// What fails the request.
    fn complete(&self, rq: &mut Request) -> Result;

    /// Writes what `/sys/block/<disk>/statistics` shows: at most a page.
    ///
    /// # Errors
    ///
    /// Those of writing to `report`.
    fn statistics(&self, report: &mut Report) -> fmt::Result {
        let _ = report;
        Ok(())
    }
}

/// What becomes of a request.
#[derive(Movable)]
pub enum Disposition {
    /// It is done.
    Done,
    /// `complete` is to be called after this time.
    After(Delta),
}

/// How large a disk is.
#[derive(Clone, Copy, PartialEq, Movable)]
pub struct Geometry {
    /// In units of 512 bytes.
    pub capacity_sectors: u64,
    /// In bytes.
    pub logical_block_size: u32,
    /// What whoever makes the disk has to say to the driver.
    pub argument: u64,
}

/// What a request asks for. The numbers are those of `enum req_op`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Read.
    Read,
    /// Write.
    Write,
    /// Write back what is cached.
    Flush,
    /// Forget: what is read after may be anything.
    Discard,
    /// Write zeroes.
    WriteZeroes,
    /// Something else.
    Other(u32),
}

/// A request that is being worked on; positions and lengths are in bytes.
#[repr(C)]
pub struct Request {
    raw: *mut c_void,
    op: u32,
    length: u32,
    position: u64,
    /// Walks over its memory; in the text of the front, which is there for the length of the call.
    walk: Walk,
}

type Segment = unsafe extern "C" fn(*mut c_void, u64, *mut c_void, usize) -> c_int;

/// How the front shows the memory of a request.
pub type Walk = unsafe extern "C" fn(*mut c_void, Segment, *mut c_void) -> c_int;

// SAFETY: Lent for a call, and of the front's.
unsafe impl Movable for Request {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("block::Request").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("block::Request", Self::FINGERPRINT);
}

impl Request {
    /// # Safety
    ///
    /// `raw` is a request that is being worked on, of which the rest is true, and `walk` shows all
    /// of its memory in order.
    pub unsafe fn new(raw: *mut c_void, op: u32, position: u64, length: u32, walk: Walk) -> Self {
        Self {
            raw,
            op,
            length,
            position,
            walk,
        }
    }

    /// What it asks for.
    pub fn op(&self) -> Op {
        match self.op {
            0 => Op::Read,
            1 => Op::Write,
            2 => Op::Flush,
            3 => Op::Discard,
            9 => Op::WriteZeroes,
            other => Op::Other(other),
        }
    }

    /// Where it begins on the disk.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How long it is.
    pub fn length(&self) -> u64 {
        self.length.into()
    }

    /// Hands what is to be written to `f`, piece by piece, with the position on the disk.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it does not write. The first error of `f`.
    pub fn source(&mut self, mut f: impl FnMut(u64, &[u8]) -> Result) -> Result {
        if self.op() != Op::Write {
            return Err(EINVAL);
        }
        self.pieces(|position, piece| f(position, piece))
    }

    /// Hands what is to be filled to `f`, piece by piece, with the position on the disk.
    ///
    /// # Errors
    ///
    /// `EINVAL`: it does not read. The first error of `f`.
    pub fn dest(&mut self, f: impl FnMut(u64, &mut [u8]) -> Result) -> Result {
        if self.op() != Op::Read {
            return Err(EINVAL);
        }
        self.pieces(f)
    }

    fn pieces<F: FnMut(u64, &mut [u8]) -> Result>(&mut self, mut f: F) -> Result {
        // SAFETY: By the promise of `new`; the closure outlives the call.
        to_result(unsafe { (self.walk)(self.raw, each_piece::<F>, (&raw mut f).cast()) })
    }
}

/// # Safety
///
/// `f` is an `F`, and `bytes` are `length` bytes, which nobody else uses.
unsafe extern "C" fn each_piece<F: FnMut(u64, &mut [u8]) -> Result>(
    f: *mut c_void,
    mut position: u64,
    bytes: *mut c_void,
    length: usize,
) -> c_int {
    // SAFETY: By the caller's promise.
    let (f, mut rest) = unsafe {
        (
            &mut *f.cast::<F>(),
            core::slice::from_raw_parts_mut(bytes.cast::<u8>(), length),
        )
    };
    from_result(|| {
        while !rest.is_empty() {
            let inside = (position % PIECE as u64) as usize;
            let count = rest.len().min(PIECE.wrapping_sub(inside));
            let (piece, others) = rest.split_at_mut_checked(count).ok_or(EIO)?;
            f(position, piece)?;
            position = position.wrapping_add(count as u64);
            rest = others;
        }
        Ok(0)
    })
}

// ---- the disk --------------------------------------------------------------------------

/// What a disk is like. Stands in for the kernel crate's type of this name.
#[derive(Clone, Copy, PartialEq, Movable)]
pub struct GenDiskBuilder {
    name: [u8; NAME_LEN],
    geometry: Geometry,
    physical_block_size: u32,
    queue_depth: u32,
    hw_queues: u32,
    rotational: bool,
}

impl Default for GenDiskBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl GenDiskBuilder {
    /// A disk of no size, with blocks of a page, one queue and 64 requests.
    pub const fn new() -> Self {
        Self {
            name: [0; NAME_LEN],
            geometry: Geometry {
                capacity_sectors: 0,
                logical_block_size: PIECE as u32,
                argument: 0,
            },
            physical_block_size: PIECE as u32,
            queue_depth: 64,
            hw_queues: 1,
            rotational: false,
        }
    }

    /// Whether a block may have so many bytes.
    ///
    /// # Errors
    ///
    /// `EINVAL`: not a power of two from 512 to 4096.
    pub fn validate_block_size(size: u32) -> Result {
        match (512..=PIECE as u32).contains(&size) && size.is_power_of_two() {
            true => Ok(()),
            false => Err(EINVAL),
        }
    }

    /// The smallest unit of a request, in bytes.
    ///
    /// # Errors
    ///
    /// `EINVAL`: not a power of two from 512 to 4096.
    pub fn logical_block_size(mut self, size: u32) -> Result<Self> {
        Self::validate_block_size(size)?;
        self.geometry.logical_block_size = size;
        Ok(self)
    }

    /// The unit that a write does at once, in bytes.
    ///
    /// # Errors
    ///
    /// As for the other.
    pub fn physical_block_size(mut self, size: u32) -> Result<Self> {
        Self::validate_block_size(size)?;
        self.physical_block_size = size;
        Ok(self)
    }

    /// The disk's size, in units of 512 bytes.
    pub fn capacity_sectors(mut self, sectors: u64) -> Self {
        self.geometry.capacity_sectors = sectors;
        self
    }

    /// What the driver is told when it makes the state.
    pub fn argument(mut self, argument: u64) -> Self {
        self.geometry.argument = argument;
        self
    }

    /// Whether to seek takes time.
    pub fn rotational(mut self, rotational: bool) -> Self {
        self.rotational = rotational;
        self
    }

    /// How many requests of a queue can be under way, from 1 to 1024.
    ///
    /// # Errors
    ///
    /// `EINVAL`: out of this range.
    pub fn queue_depth(mut self, depth: u32) -> Result<Self> {
        if !(1..=1024).contains(&depth) {
            return Err(EINVAL);
        }
        self.queue_depth = depth;
        Ok(self)
    }

    /// How many queues there are, from 1 to 64.
    ///
    /// # Errors
    ///
    /// `EINVAL`: out of this range.
    pub fn hw_queues(mut self, queues: u32) -> Result<Self> {
        if !(1..=64).contains(&queues) {
            return Err(EINVAL);
        }
        self.hw_queues = queues;
        Ok(self)
    }

    /// Asks for the disk, or with an empty name for none but what others [`add`](Self::add), from
    /// the init of the module with the driver `T`. It is there when the module is inserted, and
    /// stays with the class. A later version asks for the same. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENAMETOOLONG`: the name has more than 31 bytes. `EINVAL`: the class has another disk.
    /// `ENOENT`: there is no module `molt_block`. `EAGAIN`: another implementation of the class is
    /// asking, in its init, or `molt_block` is in its own. `ENODEV`: that module is going.
    /// `ENOMEM`.
    #[inline(always)]
    pub fn build<T: Operations>(self, name: &CStr) -> Result<GenDisk<T>> {
        let options = super::Options::new(self.named(name)?)?;
        Ok(GenDisk {
            _attachment: Attachment::new::<T>(FRONT, options)?,
            driver: PhantomData,
        })
    }

    /// Makes a disk for a class that is attached to this front, besides the one that its driver
    /// may have asked for, on behalf of any module: the disk ends with what this returns. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENAMETOOLONG`, `EINVAL`: as above. `ENOENT`: there is no such class, or it has no disks.
    /// `EEXIST`: there is a disk of this name. `ENOMEM`, and what the driver's `create` returns.
    pub fn add(self, class: &CStr, name: &CStr) -> Result<AddedDisk> {
        let options = super::Options::new(self.named(name)?)?;
        Ok(AddedDisk {
            _addition: Addition::new(class, FRONT, &options)?,
        })
    }

    fn named(mut self, name: &CStr) -> Result<Self> {
        self.name = padded(name)?;
        Ok(self)
    }

    /// For the front: the name; [`None`]: no disk is asked for.
    pub fn name(&self) -> Option<&CStr> {
        let name = CStr::from_bytes_until_nul(&self.name).ok();
        name.filter(|name| !name.is_empty())
    }

    /// For the front: the size.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// For the front: unit of a write in bytes, requests of a queue, queues, whether it rotates.
    pub fn others(&self) -> (u32, u32, u32, bool) {
        (
            self.physical_block_size,
            self.queue_depth,
            self.hw_queues,
            self.rotational,
        )
    }
}

/// That a module has asked for a disk, which it keeps. The disk itself stays with the class.
pub struct GenDisk<T> {
    _attachment: Attachment,
    driver: PhantomData<fn(T)>,
}

/// A disk that was added to a class. Dropping it ends the disk, also where it is open: who has it
/// open gets errors then. The drop sleeps until its requests have ended.
pub struct AddedDisk {
    _addition: Addition,
}

// ---- the class -------------------------------------------------------------------------

/// A disk, as the front sees it.
#[molt::interface(
    name = "block_device",
    context = sleepable,
    framework,
    create(geometry: Geometry)
)]
pub trait Disk {
    /// See [`Operations::queue_rq`].
    fn queue(&self, rq: &mut Request) -> Result<Disposition>;
    /// See [`Operations::complete`].
    fn finish(&self, rq: &mut Request) -> Result<()>;
    /// See [`Operations::statistics`].
    fn report(&self, report: &mut Report) -> Result<()>;
}

impl<T: Operations> Disk for T {
    fn queue(&self, rq: &mut Request) -> Result<Disposition> {
        self.queue_rq(rq)
    }

    fn finish(&self, rq: &mut Request) -> Result<()> {
        self.complete(rq)
    }

    fn report(&self, report: &mut Report) -> Result<()> {
        self.statistics(report).map_err(|_| EIO)
    }
}

impl<T: Operations> Implementation<dyn Disk> for T {
    fn create(geometry: Geometry) -> impl PinInit<Self, Error> {
        <T as Operations>::create(geometry)
    }

    fn closed(&self) {
        self.at_end();
    }
}
