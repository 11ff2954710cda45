// SPDX-License-Identifier: GPL-2.0

//! A disk of block.c, and what it calls. Whoever includes this says by `super::Data` who serves
//! the requests: a [`Disk`], or a handle of one.

use core::ffi::c_void;
use core::ptr::{self, NonNull};

use kernel::error::code::EIO;
use kernel::error::to_result;
use kernel::ffi::{c_char, c_int};
use kernel::prelude::*;
use molt::front::block::{Disk, Disposition, GenDiskBuilder, Request, Walk};
use molt::front::Report;

use super::Data;

/// As in block.h.
#[repr(C)]
struct DiskOptions {
    capacity_sectors: u64,
    logical_block_size: u32,
    physical_block_size: u32,
    queue_depth: u32,
    hw_queues: u32,
    rotational: bool,
}

/// As in block.h.
#[repr(C)]
struct RawRequest {
    rq: *mut c_void,
    op: u32,
    length: u32,
    position: u64,
}

extern "C" {
    fn molt_disk_add(
        made: *mut *mut c_void,
        name: *const c_char,
        options: *const DiskOptions,
        data: *mut c_void,
    ) -> c_int;
    fn molt_disk_remove(disk: *mut c_void, forced: bool) -> c_int;
    fn molt_request_walk(
        rq: *mut c_void,
        found: unsafe extern "C" fn(*mut c_void, u64, *mut c_void, usize) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
}

/// A disk, with who serves it. To be removed before it is dropped.
///
/// # Invariants
///
/// `disk`, if any, was added with a pointer to `_data`, and not removed since.
pub(crate) struct Raw {
    disk: Option<NonNull<c_void>>,
    _data: Pin<KBox<Data>>,
}

// SAFETY: `disk` is used by whoever has the whole; what serves requests is called by all.
unsafe impl Send for Raw {}
// SAFETY: As above.
unsafe impl Sync for Raw {}

impl Raw {
    /// Makes a disk; from then on there are requests for `data`. Sleeps.
    ///
    /// # Errors
    ///
    /// `EINVAL`, `EEXIST`, `ENOMEM`: those of the block layer.
    pub(crate) fn new(
        name: &CStr,
        options: &GenDiskBuilder,
        data: Pin<KBox<Data>>,
    ) -> Result<Self> {
        let geometry = options.geometry();
        let (physical_block_size, queue_depth, hw_queues, rotational) = options.others();
        let raw = DiskOptions {
            capacity_sectors: geometry.capacity_sectors,
            logical_block_size: geometry.logical_block_size,
            physical_block_size,
            queue_depth,
            hw_queues,
            rotational,
        };
        let mut disk = ptr::null_mut();
        let served = ptr::from_ref(&*data).cast_mut().cast();
        // SAFETY: `data` is pinned in a box, which stays until the disk is removed.
        to_result(unsafe { molt_disk_add(&mut disk, name.as_char_ptr(), &raw, served) })?;
        // INVARIANT: It was added just now.
        Ok(Self {
            disk: NonNull::new(disk),
            _data: data,
        })
    }

    /// Ends the disk, once requests are done; `forced`: also one that is open. Sleeps.
    ///
    /// # Errors
    ///
    /// `EBUSY`, with the disk as it was: somebody has it open.
    pub(crate) fn remove(&mut self, forced: bool) -> Result {
        if let Some(disk) = self.disk {
            // SAFETY: By the type invariant.
            to_result(unsafe { molt_disk_remove(disk.as_ptr(), forced) })?;
            self.disk = None;
        }
        Ok(())
    }
}

/// # Safety
///
/// `data` is that of a disk, and `request` one that is being worked on.
unsafe fn with<R>(
    data: *mut c_void,
    request: *mut RawRequest,
    f: impl FnOnce(&Data, &mut Request) -> R,
) -> R {
    const WALK: Walk = molt_request_walk;
    // SAFETY: By the caller's promise: a disk has its data until it is removed.
    let (data, raw) = unsafe { (&*data.cast::<Data>(), &*request) };
    // SAFETY: As above.
    let mut request = unsafe { Request::new(raw.rq, raw.op, raw.position, raw.length, WALK) };
    f(data, &mut request)
}

/// # Safety
///
/// Called by block.c, with the data of a disk and a request of it.
#[no_mangle]
unsafe extern "C" fn molt_disk_queue(data: *mut c_void, request: *mut RawRequest) -> i64 {
    // SAFETY: By the caller's promise.
    match unsafe { with(data, request, |data, request| data.queue(request)) } {
        Ok(Disposition::Done) => 0,
        Ok(Disposition::After(delta)) => delta.as_nanos().max(1),
        Err(error) => error.to_errno().into(),
    }
}

/// # Safety
///
/// As above.
#[no_mangle]
unsafe extern "C" fn molt_disk_complete(data: *mut c_void, request: *mut RawRequest) -> c_int {
    // SAFETY: By the caller's promise.
    match unsafe { with(data, request, |data, request| data.finish(request)) } {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// Called by block.c, with the data of a disk and `size` bytes at `page`.
#[no_mangle]
unsafe extern "C" fn molt_disk_statistics(
    data: *mut c_void,
    page: *mut c_char,
    size: usize,
) -> isize {
    // SAFETY: By the caller's promise.
    let (data, page) = unsafe {
        (
            &*data.cast::<Data>(),
            core::slice::from_raw_parts_mut(page.cast::<u8>(), size),
        )
    };
    let mut fill = || -> Result<usize> {
        let mut report = Report::new(size)?;
        data.report(&mut report)?;
        let bytes = report.as_bytes();
        page.get_mut(..bytes.len())
            .ok_or(EIO)?
            .copy_from_slice(bytes);
        Ok(bytes.len())
    };
    match fill() {
        Ok(length) => isize::try_from(length).unwrap_or_default(),
        Err(error) => error.to_errno() as isize,
    }
}
