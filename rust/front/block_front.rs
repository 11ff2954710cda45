// SPDX-License-Identifier: GPL-2.0

//! The front of disks: owns them with their queues and requests, so that the drivers behind them
//! can be replaced. What a driver implements is in `molt::front::block`.
//!
//! A request is one call of the class, or two where it is put off. While the class is updated a
//! request waits at the gate, in a worker of the block layer; it does not time out.

use core::ffi::c_void;
use core::ptr::{self, NonNull};

use kernel::error::code::{EINVAL, EIO, ENOENT};
use kernel::error::to_result;
use kernel::ffi::{c_char, c_int};
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{new_mutex, Arc, Mutex};
use molt::front::block::{Disk, Disposition, GenDiskBuilder, Request, Walk, FRONT};
use molt::front::{self, Front, Report};
use molt::{Class, Handle};

module! {
    type: Module,
    name: "molt_block",
    authors: ["The Molt developers"],
    description: "Dynamic update for kernel modules written in Rust: disks",
    license: "GPL",
    alias: ["molt-front-block"],
}

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
    fn molt_disk_remove(disk: *mut c_void) -> c_int;
    fn molt_request_walk(
        rq: *mut c_void,
        found: unsafe extern "C" fn(*mut c_void, u64, *mut c_void, usize) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
}

struct Module {
    _registration: front::Registration,
}

impl kernel::Module for Module {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let disks = Arc::pin_init(
            pin_init!(Disks {
                nodes <- new_mutex!(KVec::new(), "molt_block"),
            }),
            GFP_KERNEL,
        )?;
        Ok(Self {
            _registration: front::Registration::new(FRONT, disks, module)?,
        })
    }
}

/// All disks of this front.
#[pin_data]
struct Disks {
    #[pin]
    nodes: Mutex<KVec<KBox<Node>>>,
}

/// A disk.
struct Node {
    class_name: CString,
    options: GenDiskBuilder,
    handle: Handle<dyn Disk>,
    /// As block.c knows it; null until it is added.
    disk: *mut c_void,
}

// SAFETY: `disk` is used by one at a time, under the lock of `Disks`.
unsafe impl Send for Node {}
// SAFETY: As above.
unsafe impl Sync for Node {}

impl Node {
    fn new(class: &CStr, options: GenDiskBuilder) -> Result<KBox<Self>> {
        let geometry = options.geometry();
        let handle = Class::<dyn Disk>::open(class)?.create(geometry)?;
        let class_name = CString::try_from(class)?;
        let mut node = KBox::new(
            Self {
                class_name,
                options,
                handle,
                disk: ptr::null_mut(),
            },
            GFP_KERNEL,
        )?;
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
        let data = NonNull::from(&*node).as_ptr().cast();
        // SAFETY: The node stays where it is until the disk is removed.
        to_result(unsafe { molt_disk_add(&mut disk, options.name()?.as_char_ptr(), &raw, data) })?;
        node.disk = disk;
        Ok(node)
    }
}

impl Front for Disks {
    fn attach(&self, class: &CStr, options: &front::Options) -> Result {
        let mut nodes = self.nodes.lock();
        nodes.reserve(1, GFP_KERNEL)?;
        let node = Node::new(class, options.get::<GenDiskBuilder>()?)?;
        Ok(nodes.push(node, GFP_KERNEL)?)
    }

    fn join(&self, class: &CStr, options: &front::Options) -> Result {
        let options = options.get::<GenDiskBuilder>()?;
        let nodes = self.nodes.lock();
        let node = nodes.iter().find(|node| &*node.class_name == class);
        match node.ok_or(ENOENT)?.options == options {
            true => Ok(()),
            false => Err(EINVAL),
        }
    }

    fn detach(&self, class: &CStr) -> Result {
        let mut nodes = self.nodes.lock();
        let at = nodes.iter().position(|node| &*node.class_name == class);
        let at = at.ok_or(ENOENT)?;
        if let Some(node) = nodes.get(at) {
            // SAFETY: Added by `new`, and removed once: the node goes with it.
            to_result(unsafe { molt_disk_remove(node.disk) })?;
        }
        nodes.remove(at).map(drop).map_err(|_| ENOENT)
    }
}

// ---- requests --------------------------------------------------------------------------

/// # Safety
///
/// `data` is that of a disk, and `request` one that is being worked on.
unsafe fn with<R>(
    data: *mut c_void,
    request: *mut RawRequest,
    f: impl FnOnce(&Handle<dyn Disk>, &mut Request) -> R,
) -> R {
    // SAFETY: By the caller's promise. Only `disk` of a node is ever written, before the disk has
    // requests that are looked for.
    let (handle, raw) = unsafe { (&(*data.cast::<Node>()).handle, &*request) };
    const WALK: Walk = molt_request_walk;
    // SAFETY: As above.
    let mut request = unsafe { Request::new(raw.rq, raw.op, raw.position, raw.length, WALK) };
    f(handle, &mut request)
}

/// # Safety
///
/// Called by block.c, with the data of a disk and a request of it.
#[no_mangle]
unsafe extern "C" fn molt_disk_queue(data: *mut c_void, request: *mut RawRequest) -> i64 {
    // SAFETY: By the caller's promise.
    match unsafe { with(data, request, |handle, request| handle.queue(request)) } {
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
    match unsafe { with(data, request, |handle, request| handle.finish(request)) } {
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
    let (handle, page) = unsafe {
        (
            &(*data.cast::<Node>()).handle,
            core::slice::from_raw_parts_mut(page.cast::<u8>(), size),
        )
    };
    let mut fill = || -> Result<usize> {
        let mut report = Report::new(size)?;
        handle.report(&mut report)?;
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
