// SPDX-License-Identifier: GPL-2.0

//! The front of misc devices: owns the devices and their open files, so that the drivers behind
//! them can be replaced. What a driver implements is in `molt::front::misc`.
//!
//! A file keeps its module loaded, as with any driver: it is this one. Each open file has a
//! handle of an instance, and every system call on it is one call of the class, or several where
//! it sleeps in between.

use core::ptr;

use kernel::bindings;
use kernel::error::code::{EAGAIN, EBUSY, EFAULT, EINVAL, ENODEV, ENOENT};
use kernel::error::to_result;
use kernel::fs::{File, Kiocb};
use kernel::ioctl::{_IOC_DIR, _IOC_SIZE};
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration};
use kernel::mm::virt::VmaNew;
use kernel::prelude::*;
use kernel::seq_file::SeqFile;
use kernel::str::CString;
use kernel::sync::aref::ARef;
use kernel::sync::{new_mutex, Arc, Mutex};
use kernel::types::Opaque;
use kernel::uaccess::{UserPtr, UserSlice};
use molt::front::misc::{Argument, Device, OpenFile, Opening, Options, FRONT};
use molt::front::{self, Front, Waker};
use molt::{Class, Handle};

module! {
    type: Module,
    name: "molt_misc",
    authors: ["The Molt developers"],
    description: "Dynamic update for kernel modules written in Rust: misc devices",
    license: "GPL",
    alias: ["molt-front-misc"],
}

/// Most bytes of a read or a write that one call of the class sees, as the memory for the copy is
/// not to be chosen by a user. More is done as a short read or write.
const MOST: usize = 1 << 20;

#[allow(
    improper_ctypes,
    reason = "on some configurations lock classes are empty, which C allows"
)]
extern "C" {
    fn molt_misc_iter_is_user(iter: *const bindings::iov_iter) -> bool;
    fn molt_misc_iter_of(
        iter: *mut bindings::iov_iter,
        vector: *mut bindings::kvec,
        bytes: *mut u8,
        length: usize,
        is_source: bool,
    );
    fn molt_misc_fault_in(iter: *const bindings::iov_iter, length: usize, to_write: bool) -> bool;
    fn molt_misc_may_wait(kiocb: *const bindings::kiocb) -> bool;
    fn molt_misc_poll_wait(
        file: *mut bindings::file,
        queue: *mut bindings::wait_queue_head,
        table: *mut bindings::poll_table_struct,
    );
}

struct Module {
    _registration: front::Registration,
}

impl kernel::Module for Module {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let devices = Arc::pin_init(
            pin_init!(Devices {
                nodes <- new_mutex!(KVec::new(), "molt_misc"),
            }),
            GFP_KERNEL,
        )?;
        Ok(Self {
            _registration: front::Registration::new(FRONT, devices, module)?,
        })
    }
}

// ---- devices ---------------------------------------------------------------------------

/// All devices of this front.
#[pin_data]
struct Devices {
    #[pin]
    nodes: Mutex<KVec<Pin<KBox<Node>>>>,
}

/// A device.
///
/// # Invariants
///
/// `misc` is registered from [`Node::register`] on until the drop.
#[repr(C)]
#[pin_data(PinnedDrop)]
struct Node {
    /// First: `open` is given a pointer to it.
    misc: Opaque<bindings::miscdevice>,
    /// What `misc` refers to.
    name: CString,
    class_name: CString,
    options: Options,
    files: Arc<Files>,
    #[pin]
    _pin: core::marker::PhantomPinned,
}

// SAFETY: What is in `misc` is the kernel's to lock.
unsafe impl Send for Node {}
// SAFETY: As above.
unsafe impl Sync for Node {}

/// What a device and its open files share.
#[pin_data]
struct Files {
    class: Class<dyn OpenFile>,
    #[pin]
    count: Mutex<Count>,
}

struct Count {
    open: usize,
    /// The device is going: no file is opened any more.
    is_going: bool,
}

impl Files {
    /// Counts a file that is being opened.
    fn open(self: &Arc<Self>) -> Result<Counted> {
        let mut count = self.count.lock();
        if count.is_going {
            return Err(ENODEV);
        }
        count.open = count.open.wrapping_add(1);
        drop(count);
        Ok(Counted(self.clone()))
    }

    /// Lets no more in, if nobody is.
    fn end(&self) -> Result {
        let mut count = self.count.lock();
        if count.open > 0 || count.is_going {
            return Err(EBUSY);
        }
        count.is_going = true;
        Ok(())
    }
}

/// An open file, as its device counts it.
struct Counted(Arc<Files>);

impl Drop for Counted {
    fn drop(&mut self) {
        let mut count = self.0.count.lock();
        count.open = count.open.wrapping_sub(1);
    }
}

impl Node {
    fn new(class: &CStr, options: Options) -> Result<Pin<KBox<Self>>> {
        let files = Arc::pin_init(
            try_pin_init!(Files {
                class: Class::open(class)?,
                count <- new_mutex!(
                    Count {
                        open: 0,
                        is_going: false,
                    },
                    "molt_misc_files"
                ),
            }),
            GFP_KERNEL,
        )?;
        let name = CString::try_from(options.name()?)?;
        let class_name = CString::try_from(class)?;
        let node = KBox::pin_init(
            pin_init!(Self {
                misc: Opaque::zeroed(),
                name,
                class_name,
                options,
                files,
                _pin: core::marker::PhantomPinned,
            }),
            GFP_KERNEL,
        )?;
        node.register()?;
        Ok(node)
    }

    fn register(&self) -> Result {
        let misc = self.misc.get();
        let mut raw = RAW;
        raw.name = self.name.as_char_ptr();
        raw.fops = &OPERATIONS.0;
        // SAFETY: The node is pinned, and `misc` nobody else's yet.
        to_result(unsafe {
            misc.write(raw);
            bindings::misc_register(misc)
        })
        .inspect_err(|_| {
            // SAFETY: As above. What was not registered is not deregistered.
            unsafe { (*misc).fops = ptr::null() }
        })
    }
}

#[pinned_drop]
impl PinnedDrop for Node {
    fn drop(self: Pin<&mut Self>) {
        let misc = self.misc.get();
        // SAFETY: By the type invariant; and nobody opens it meanwhile, or no more after.
        unsafe {
            if !(*misc).fops.is_null() {
                bindings::misc_deregister(misc);
            }
        }
    }
}

impl Front for Devices {
    fn attach(&self, class: &CStr, options: &front::Options) -> Result {
        let node = Node::new(class, options.get::<Options>()?)?;
        self.nodes.lock().push(node, GFP_KERNEL)?;
        Ok(())
    }

    fn join(&self, class: &CStr, options: &front::Options) -> Result {
        let options = options.get::<Options>()?;
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
            node.files.end()?;
        }
        let node = nodes.remove(at).map_err(|_| ENOENT)?;
        // An `open` holds the lock that the end of a device waits for.
        drop(nodes);
        drop(node);
        Ok(())
    }
}

// ---- files -----------------------------------------------------------------------------

/// An open file.
struct Open {
    handle: Handle<dyn OpenFile>,
    waker: Waker,
    _counted: Counted,
}

impl Open {
    /// Runs a call until it does not block, or may not.
    fn until_ready(
        &self,
        may_wait: bool,
        mut call: impl FnMut(&Handle<dyn OpenFile>) -> Result<usize>,
    ) -> Result<usize> {
        loop {
            let seen = self.waker.events();
            let result = call(&self.handle);
            if result != Err(EAGAIN) || !may_wait {
                return result;
            }
            self.waker.wait(seen)?;
        }
    }
}

#[vtable]
impl MiscDevice for Open {
    type Ptr = KBox<Self>;

    fn open(file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
        // SAFETY: `misc` is the first field of a node, which stays for the length of this call.
        let node = unsafe { &*ptr::from_ref(misc).cast::<Node>() };
        let counted = node.files.open()?;
        let waker = Waker::new()?;
        // SAFETY: The device is one of the kernel's misc devices.
        let device = ARef::from(unsafe { Device::of(misc.device()) });
        // SAFETY: The file stays open for the length of this call.
        let opening = unsafe { Opening::new(file, device, waker.clone()) };
        let open = Self {
            handle: node.files.class.create(opening)?,
            waker,
            _counted: counted,
        };
        Ok(KBox::new(open, GFP_KERNEL)?)
    }

    fn release(open: KBox<Self>, file: &File) {
        open.handle.close(file);
    }

    fn read_iter(mut kiocb: Kiocb<'_, KBox<Self>>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let open = kiocb.file();
        let (may_wait, is_user) = manner(&kiocb, iov.as_raw());
        let position = kiocb.ki_pos_mut();
        if !is_user {
            return open.until_ready(may_wait, |handle| handle.read_file(position, iov));
        }
        let length = iov.len().min(MOST);
        fault_in(iov.as_raw(), length, true)?;
        let mut buffer = Buffer::new(length)?;
        let mut moved = *position;
        let count = open.until_ready(may_wait, |handle| {
            moved = *position;
            handle.read_file(&mut moved, buffer.dest())
        })?;
        let filled = buffer.used();
        let bytes = buffer.bytes.get(..filled).ok_or(EFAULT)?;
        match iov.copy_to_iter(bytes) {
            copied if copied == filled => {
                *position = moved;
                Ok(count)
            }
            0 => Err(EFAULT),
            // What the user did not get is not counted.
            copied => {
                let short = i64::try_from(copied).map_err(|_| EFAULT)?;
                *position = position.wrapping_add(short);
                Ok(copied)
            }
        }
    }

    fn write_iter(mut kiocb: Kiocb<'_, KBox<Self>>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let open = kiocb.file();
        let (may_wait, is_user) = manner(&kiocb, iov.as_raw());
        let position = kiocb.ki_pos_mut();
        let written = match is_user {
            false => open.until_ready(may_wait, |handle| handle.write_file(position, iov)),
            true => {
                let length = iov.len().min(MOST);
                fault_in(iov.as_raw(), length, false)?;
                let mut buffer = Buffer::new(length)?;
                let copied = iov.copy_from_iter(&mut buffer.bytes);
                if copied == 0 && length > 0 {
                    return Err(EFAULT);
                }
                buffer.bytes.truncate(copied);
                open.until_ready(may_wait, |handle| {
                    handle.write_file(position, buffer.source())
                })
            }
        };
        open.waker.wake();
        written
    }

    fn ioctl(open: &Self, file: &File, cmd: u32, arg: usize) -> Result<isize> {
        let is_copied = |direction| _IOC_DIR(cmd) & direction != 0;
        let user = UserPtr::from_addr(arg);
        let mut bytes = KVec::<u8>::new();
        let mut is_faulty = false;
        if _IOC_DIR(cmd) != 0 {
            bytes.resize(_IOC_SIZE(cmd), 0, GFP_KERNEL)?;
            if is_copied(bindings::_IOC_WRITE) {
                // A driver that does not know `cmd` does not look at the memory.
                let mut reader = UserSlice::new(user, bytes.len()).reader();
                is_faulty = reader.read_slice(&mut bytes).is_err();
            }
        }
        let mut argument = Argument::new(arg, &bytes, is_faulty)?;
        let result = open.handle.control(file, cmd, &mut argument);
        open.waker.wake();
        if is_copied(bindings::_IOC_READ) {
            let (first, written) = argument.written();
            bytes.clear();
            for byte in written {
                bytes.push(byte, GFP_KERNEL)?;
            }
            if !bytes.is_empty() {
                let user = user.wrapping_byte_add(first);
                let mut writer = UserSlice::new(user, bytes.len()).writer();
                writer.write_slice(&bytes)?;
            }
        }
        result
    }

    fn mmap(open: &Self, file: &File, vma: &VmaNew) -> Result {
        open.handle.map(file, vma)
    }

    fn show_fdinfo(open: &Self, m: &SeqFile, file: &File) {
        open.handle.show(m, file);
    }
}

/// What the kernel crate makes of the above, which lacks `poll`.
const RAW: bindings::miscdevice = MiscDeviceOptions { name: c"" }.into_raw::<Open>();

struct Operations(bindings::file_operations);

// SAFETY: Constant, but for what belongs to the kernel.
unsafe impl Sync for Operations {}

static OPERATIONS: Operations = Operations(bindings::file_operations {
    poll: Some(poll),
    // SAFETY: A table in the constants of this module.
    ..unsafe { *RAW.fops }
});

/// # Safety
///
/// Called by the kernel, for a file of a device of this front.
unsafe extern "C" fn poll(
    file: *mut bindings::file,
    table: *mut bindings::poll_table_struct,
) -> bindings::__poll_t {
    // SAFETY: `open` has put this there, and `release` has not run.
    let open = unsafe { &*(*file).private_data.cast::<Open>() };
    // SAFETY: The queue stays until `release`, and the file is valid.
    unsafe {
        molt_misc_poll_wait(file, open.waker.queue(), table);
        open.handle.events(File::from_raw_file(file))
    }
}

/// Memory of the kernel's in place of a user's.
struct Buffer {
    bytes: KVVec<u8>,
    iter: Opaque<bindings::iov_iter>,
    vector: Opaque<bindings::kvec>,
}

impl Buffer {
    /// Zeroes: what a driver skips is not to be what was there before. On the account of whose
    /// read or write it is, who may wait with it for as long as the driver has nothing.
    fn new(length: usize) -> Result<Self> {
        let mut bytes = KVVec::new();
        bytes.resize(length, 0, GFP_KERNEL_ACCOUNT)?;
        Ok(Self {
            bytes,
            iter: Opaque::uninit(),
            vector: Opaque::uninit(),
        })
    }

    fn point(&mut self, is_source: bool) -> *mut bindings::iov_iter {
        // SAFETY: All of it lies in `self`, which the caller keeps where it is.
        unsafe {
            molt_misc_iter_of(
                self.iter.get(),
                self.vector.get(),
                self.bytes.as_mut_ptr(),
                self.bytes.len(),
                is_source,
            );
        }
        self.iter.get()
    }

    fn dest(&mut self) -> &mut IovIterDest<'_> {
        // SAFETY: Valid while `self` is borrowed.
        unsafe { IovIterDest::from_raw(self.point(false)) }
    }

    fn source(&mut self) -> &mut IovIterSource<'_> {
        // SAFETY: As above.
        unsafe { IovIterSource::from_raw(self.point(true)) }
    }

    /// How much was read into it, since `dest` was called.
    fn used(&self) -> usize {
        // SAFETY: As above.
        let left = unsafe { IovIterDest::from_raw(self.iter.get()) }.len();
        self.bytes.len().saturating_sub(left)
    }
}

/// Whether a read or a write may wait, and whether it is of a user's memory.
fn manner(kiocb: &Kiocb<'_, KBox<Open>>, iter: *const bindings::iov_iter) -> (bool, bool) {
    // SAFETY: The kiocb and the iterator are valid.
    unsafe {
        (
            molt_misc_may_wait(kiocb.as_raw()),
            molt_misc_iter_is_user(iter),
        )
    }
}

/// Has a user's memory brought in before the call.
fn fault_in(iter: *const bindings::iov_iter, length: usize, to_write: bool) -> Result {
    // SAFETY: The iterator is valid.
    match length == 0 || unsafe { molt_misc_fault_in(iter, length, to_write) } {
        true => Ok(()),
        false => Err(EFAULT),
    }
}
