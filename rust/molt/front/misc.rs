// SPDX-License-Identifier: GPL-2.0

//! Misc devices whose driver can be replaced while its files are open.
//!
//! A driver implements [`MiscDevice`], whose methods are those of the kernel crate's trait of that
//! name, for the state of an open file. The front `molt_misc` owns the device and the open files,
//! each with a handle of its instance. What a method gets to see is the kernel's memory: user
//! memory is copied before and after the call, so that nobody can hold off an update by a page
//! that does not come.
//!
//! `EAGAIN` from `read_iter` and `write_iter` says that the call would block. Unless the file is
//! non-blocking, the front sleeps and calls again when the file's [`Waker`] was woken. A write or
//! an ioctl on the file wakes it, and so does whoever has a clone.

use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr::NonNull;

use kernel::bindings;
use kernel::device;
use kernel::error::code::{EFAULT, EINVAL, ENODEV, ENOTTY};
use kernel::fs::File;
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::MiscDeviceOptions;
use kernel::mm::virt::VmaNew;
use kernel::prelude::*;
use kernel::seq_file::SeqFile;
use kernel::sync::aref::{ARef, AlwaysRefCounted};
use kernel::transmute::{AsBytes, FromBytes};
use kernel::types::ForeignOwnable;

use super::{padded, Attachment, Waker};
use crate::container::relocate;
use crate::fingerprint::Fingerprint;
use crate::implementation::Implementation;
use crate::schema::{State, Type};
use crate::Movable;

/// The name of the front.
pub const FRONT: &str = "misc";

/// Longest name of a device, with the zero at its end.
const NAME_LEN: usize = 64;

/// What the front has to know of a device.
#[derive(Clone, Copy, PartialEq, Movable)]
pub struct Options {
    name: [u8; NAME_LEN],
}

impl Options {
    /// The device's name in `/dev`.
    ///
    /// # Errors
    ///
    /// `EINVAL`: there is none.
    pub fn name(&self) -> Result<&CStr> {
        CStr::from_bytes_until_nul(&self.name).map_err(|_| EINVAL)
    }
}

/// A driver of a misc device; `Self` is the state of one open file.
///
/// All methods run as calls of the class, in the task that uses the file, and may sleep for a
/// bounded time. Those that are left out are answered as by a driver without them. What they fail
/// with is what the system call fails with, but for `EAGAIN` of a read or a write: that waits,
/// unless the file is not to block.
#[vtable]
pub trait MiscDevice: State + Send + Sync {
    /// What `open` returns: `KBox<Self>` or `Pin<KBox<Self>>`.
    type Ptr: Pointer<Self>;

    /// Opens a file: makes the state, which then moves to memory of the framework.
    fn open(file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr>;

    /// The file was closed by its last owner. What the state owns is dropped after.
    fn release(device: Borrowed<'_, Self>, file: &File) {
        let _ = (device, file);
    }

    /// Reads. `EAGAIN`: there is nothing yet.
    fn read_iter(kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let _ = (kiocb, iov);
        Err(EINVAL)
    }

    /// Writes. `EAGAIN`: there is no room yet.
    fn write_iter(kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let _ = (kiocb, iov);
        Err(EINVAL)
    }

    /// Does what `cmd` says. The argument is a copy of the caller's, as large as `cmd` says.
    fn ioctl(
        device: Borrowed<'_, Self>,
        file: &File,
        cmd: u32,
        argument: &Argument,
    ) -> Result<isize> {
        let _ = (device, file, cmd, argument);
        Err(ENOTTY)
    }

    /// Which events there are: a mask of `POLLIN` and the like. The front waits for others.
    fn poll(device: Borrowed<'_, Self>, file: &File) -> u32 {
        let _ = (device, file);
        bindings::POLLIN | bindings::POLLOUT | bindings::POLLRDNORM | bindings::POLLWRNORM
    }

    /// Maps pages into a process, by `VmaNew::set_mixedmap` and `vm_insert_page`. They stay mapped
    /// whatever becomes of the state: the mapping holds references of its own.
    fn mmap(device: Borrowed<'_, Self>, file: &File, vma: &VmaNew) -> Result {
        let _ = (device, file, vma);
        Err(ENODEV)
    }

    /// Adds to `/proc/<pid>/fdinfo/<fd>`.
    fn show_fdinfo(device: Borrowed<'_, Self>, m: &SeqFile, file: &File) {
        let _ = (device, m, file);
    }
}

/// How a method sees the state.
type Borrowed<'a, T> = <<T as MiscDevice>::Ptr as ForeignOwnable>::Borrowed<'a>;

/// A box in which `open` returns the state.
///
/// # Safety
///
/// `into_foreign` gives a pointer to the `T`, in a box of `kmalloc`.
pub unsafe trait Pointer<T>: ForeignOwnable {}

// SAFETY: A box is such a pointer.
unsafe impl<T: 'static> Pointer<T> for KBox<T> {}
// SAFETY: As above.
unsafe impl<T: 'static> Pointer<T> for Pin<KBox<T>> {}

/// The state as a method of `T` sees it.
fn borrow<T: MiscDevice>(state: &T) -> Borrowed<'_, T> {
    let state = core::ptr::from_ref(state).cast_mut().cast();
    // SAFETY: To borrow a box takes a pointer to what is in it, which does not move.
    unsafe { <T::Ptr as ForeignOwnable>::borrow(state) }
}

// ---- what a method is given ------------------------------------------------------------

/// A read or a write that is being done. Stands in for the kernel crate's type of this name.
pub struct Kiocb<'a, P: ForeignOwnable + 'a> {
    device: P::Borrowed<'a>,
    position: &'a mut i64,
}

impl<'a, P: ForeignOwnable + 'a> Kiocb<'a, P> {
    /// The state of the open file.
    pub fn file(&self) -> P::Borrowed<'a>
    where
        P::Borrowed<'a>: Copy,
    {
        self.device
    }

    /// The file position, in bytes.
    pub fn ki_pos(&self) -> i64 {
        *self.position
    }

    /// The file position, to be changed.
    pub fn ki_pos_mut(&mut self) -> &mut i64 {
        self.position
    }
}

/// The argument of an ioctl: a number, and a copy of the memory that it points to.
///
/// What was written to it is copied to the caller after the call, where `cmd` is one that reads.
pub struct Argument {
    value: usize,
    bytes: KVec<Cell<u8>>,
    /// The caller's memory could not be read.
    is_faulty: bool,
    written: Cell<(usize, usize)>,
}

// SAFETY: Memory of the kernel's, lent for a call.
unsafe impl Movable for Argument {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("Argument").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Argument", Self::FINGERPRINT);
}

impl Argument {
    /// For the front. `is_faulty`: what is in `bytes` could not be read. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new(value: usize, bytes: &[u8], is_faulty: bool) -> Result<Self> {
        let mut cells = KVec::with_capacity(bytes.len(), GFP_KERNEL)?;
        for byte in bytes {
            cells.push(Cell::new(*byte), GFP_KERNEL)?;
        }
        Ok(Self {
            value,
            bytes: cells,
            is_faulty,
            written: Cell::new((usize::MAX, 0)),
        })
    }

    /// The argument as a number, for an ioctl that takes one.
    pub fn value(&self) -> usize {
        self.value
    }

    /// For the front: what a method has written, and where it begins.
    pub fn written(&self) -> (usize, impl Iterator<Item = u8> + '_) {
        let (first, end) = self.written.get();
        let cells = self.bytes.get(first..end).unwrap_or(&[]);
        (first, cells.iter().map(Cell::get))
    }

    /// A part of it.
    fn part(&self, first: usize, length: usize) -> Result<&[Cell<u8>]> {
        let end = first.checked_add(length).ok_or(EFAULT)?;
        self.bytes.get(first..end).ok_or(EFAULT)
    }
}

/// Points into an [`Argument`]. Stands in for the kernel crate's type of this name.
#[derive(Clone, Copy)]
pub struct UserPtr<'a> {
    argument: &'a Argument,
    offset: usize,
}

impl<'a> UserPtr<'a> {
    /// To its first byte.
    pub fn from_addr(argument: &'a Argument) -> Self {
        Self {
            argument,
            offset: 0,
        }
    }

    /// To a later one.
    pub fn wrapping_byte_add(self, add: usize) -> Self {
        Self {
            offset: self.offset.wrapping_add(add),
            ..self
        }
    }
}

/// A part of an [`Argument`]. Stands in for the kernel crate's type of this name.
pub struct UserSlice<'a> {
    first: UserPtr<'a>,
    length: usize,
}

impl<'a> UserSlice<'a> {
    /// `length` bytes from `first` on. They are looked at when they are used.
    pub fn new(first: UserPtr<'a>, length: usize) -> Self {
        Self { first, length }
    }

    /// To read it.
    pub fn reader(self) -> UserSliceReader<'a> {
        UserSliceReader(self)
    }

    /// To write it.
    pub fn writer(self) -> UserSliceWriter<'a> {
        UserSliceWriter(self)
    }

    /// The same bytes to read and to write.
    pub fn reader_writer(self) -> (UserSliceReader<'a>, UserSliceWriter<'a>) {
        let Self { first, length } = self;
        (
            Self::new(first, length).reader(),
            Self::new(first, length).writer(),
        )
    }

    /// The next bytes.
    fn take(&mut self, length: usize) -> Result<&'a [Cell<u8>]> {
        let rest = self.length.checked_sub(length).ok_or(EFAULT)?;
        let part = self.first.argument.part(self.first.offset, length)?;
        self.first = self.first.wrapping_byte_add(length);
        self.length = rest;
        Ok(part)
    }
}

/// Reads an [`Argument`]. Stands in for the kernel crate's type of this name.
pub struct UserSliceReader<'a>(UserSlice<'a>);

impl UserSliceReader<'_> {
    /// How many bytes are left.
    pub fn len(&self) -> usize {
        self.0.length
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.length == 0
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    ///
    /// `EFAULT`: there are not so many, or the caller's memory could not be read.
    pub fn read_slice(&mut self, out: &mut [u8]) -> Result {
        if self.0.first.argument.is_faulty {
            return Err(EFAULT);
        }
        let cells = self.0.take(out.len())?;
        for (out, cell) in out.iter_mut().zip(cells) {
            *out = cell.get();
        }
        Ok(())
    }

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// As [`UserSliceReader::read_slice`].
    pub fn read<T: FromBytes + AsBytes>(&mut self) -> Result<T> {
        let mut value = core::mem::MaybeUninit::<T>::zeroed();
        // SAFETY: Zeroes are bytes, and any bytes are a `T`.
        let bytes = unsafe {
            core::slice::from_raw_parts_mut(value.as_mut_ptr().cast::<u8>(), size_of::<T>())
        };
        self.read_slice(bytes)?;
        // SAFETY: As above.
        Ok(unsafe { value.assume_init() })
    }
}

/// Writes an [`Argument`]. Stands in for the kernel crate's type of this name.
pub struct UserSliceWriter<'a>(UserSlice<'a>);

impl UserSliceWriter<'_> {
    /// How many bytes there is room for.
    pub fn len(&self) -> usize {
        self.0.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.length == 0
    }

    /// Writes the next bytes. Whether they reach the caller is known after the call only.
    ///
    /// # Errors
    ///
    /// `EFAULT`: there is not so much room.
    pub fn write_slice(&mut self, data: &[u8]) -> Result {
        let argument = self.0.first.argument;
        let begin = self.0.first.offset;
        let cells = self.0.take(data.len())?;
        for (byte, cell) in data.iter().zip(cells) {
            cell.set(*byte);
        }
        let (first, end) = argument.written.get();
        let written = (first.min(begin), end.max(begin.wrapping_add(data.len())));
        argument.written.set(written);
        Ok(())
    }

    /// Writes a value.
    ///
    /// # Errors
    ///
    /// As [`UserSliceWriter::write_slice`].
    pub fn write<T: AsBytes>(&mut self, value: &T) -> Result {
        self.write_slice(value.as_bytes())
    }
}

// ---- the device ------------------------------------------------------------------------

/// The device of a front: of the kernel's own making, with no function of a driver in it, so
/// that a state may refer to it.
#[repr(transparent)]
pub struct Device(device::Device);

impl Device {
    /// # Safety
    ///
    /// The device was made by the misc devices of the kernel.
    pub unsafe fn of(device: &device::Device) -> &Self {
        // SAFETY: The representation is the same.
        unsafe { &*core::ptr::from_ref(device).cast() }
    }
}

impl AsRef<device::Device> for Device {
    fn as_ref(&self) -> &device::Device {
        &self.0
    }
}

// SAFETY: References are those of the device.
unsafe impl AlwaysRefCounted for Device {
    fn inc_ref(&self) {
        self.0.inc_ref();
    }

    unsafe fn dec_ref(device: NonNull<Self>) {
        // SAFETY: By the caller's promise.
        unsafe { device::Device::dec_ref(device.cast()) }
    }
}

// SAFETY: The kernel made it, and has the function that ends it.
unsafe impl Movable for ARef<Device> {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("ARef<misc::Device>").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("ARef<misc::Device>", Self::FINGERPRINT);
}

/// Marks a registration that a module keeps.
pub struct Kept {
    _attachment: Attachment,
}

/// Marks a registration as `open` sees it.
pub struct Opened {
    device: ARef<Device>,
    waker: Waker,
}

/// The registration of a misc device. Stands in for the kernel crate's type of this name; what a
/// module keeps is `MiscDeviceRegistration<T, Kept>`. The device itself stays with the class.
pub struct MiscDeviceRegistration<T, S = Opened> {
    inner: S,
    driver: PhantomData<fn(T)>,
}

impl<T: MiscDevice> MiscDeviceRegistration<T, Kept> {
    /// Asks for a device, from the init of the module with the driver. It is there when the module
    /// is inserted. A later version asks for the same. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENAMETOOLONG`: the name has more than 63 bytes. `ENOENT`: there is no module `molt_misc`.
    /// `EINVAL`: the class has a device of another name. `EAGAIN`: another implementation of the
    /// class is asking, in its init, or `molt_misc` is in its own. `ENODEV`: that module is going.
    /// `ENOMEM`.
    #[inline(always)]
    pub fn register(options: MiscDeviceOptions) -> impl PinInit<Self, Error> {
        let attach = move || -> Result<Self> {
            let name = padded::<NAME_LEN>(options.name)?;
            let options = super::Options::new(Options { name })?;
            Ok(Self {
                inner: Kept {
                    _attachment: Attachment::new::<T>(FRONT, options)?,
                },
                driver: PhantomData,
            })
        };
        // SAFETY: The place is written, or an error returned.
        unsafe {
            pin_init::pin_init_from_closure(move |place: *mut Self| {
                place.write(attach()?);
                Ok(())
            })
        }
    }
}

impl<T: MiscDevice> MiscDeviceRegistration<T> {
    /// The device.
    pub fn device(&self) -> &Device {
        &self.inner.device
    }

    /// The waker of the file that is being opened. The state may keep a clone.
    pub fn waker(&self) -> &Waker {
        &self.inner.waker
    }
}

// ---- the class -------------------------------------------------------------------------

/// What an instance is made of: a file that is being opened.
pub struct Opening {
    file: NonNull<bindings::file>,
    device: ARef<Device>,
    waker: Waker,
}

impl Opening {
    /// # Safety
    ///
    /// `file` stays valid until the instance is made.
    pub unsafe fn new(file: &File, device: ARef<Device>, waker: Waker) -> Self {
        Self {
            file: NonNull::from(file).cast(),
            device,
            waker,
        }
    }
}

// SAFETY: Of the kernel's; the file is only used while the instance is made.
unsafe impl Movable for Opening {
    const FINGERPRINT: u64 = Fingerprint::of::<Self>("Opening").finish();
    const TYPE: &'static Type = &Type::whole::<Self>("Opening", Self::FINGERPRINT);
}

/// An open file, as the front sees it.
#[molt::interface(name = "misc_device", context = sleepable, framework, create(opening: Opening))]
pub trait OpenFile {
    /// See [`MiscDevice::read_iter`].
    fn read_file(&self, position: &mut i64, iov: &mut IovIterDest<'_>) -> Result<usize>;
    /// See [`MiscDevice::write_iter`].
    fn write_file(&self, position: &mut i64, iov: &mut IovIterSource<'_>) -> Result<usize>;
    /// See [`MiscDevice::ioctl`].
    fn control(&self, file: &File, cmd: u32, argument: &mut Argument) -> Result<isize>;
    /// See [`MiscDevice::poll`].
    fn events(&self, file: &File) -> u32;
    /// See [`MiscDevice::mmap`].
    fn map(&self, file: &File, vma: &VmaNew) -> Result<()>;
    /// See [`MiscDevice::show_fdinfo`].
    fn show(&self, m: &SeqFile, file: &File);
    /// See [`MiscDevice::release`].
    fn close(&self, file: &File);
}

impl<T: MiscDevice> OpenFile for T {
    fn read_file(&self, position: &mut i64, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let device = borrow(self);
        T::read_iter(Kiocb { device, position }, iov)
    }

    fn write_file(&self, position: &mut i64, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let device = borrow(self);
        T::write_iter(Kiocb { device, position }, iov)
    }

    fn control(&self, file: &File, cmd: u32, argument: &mut Argument) -> Result<isize> {
        T::ioctl(borrow(self), file, cmd, argument)
    }

    fn events(&self, file: &File) -> u32 {
        T::poll(borrow(self), file)
    }

    fn map(&self, file: &File, vma: &VmaNew) -> Result<()> {
        T::mmap(borrow(self), file, vma)
    }

    fn show(&self, m: &SeqFile, file: &File) {
        T::show_fdinfo(borrow(self), m, file);
    }

    fn close(&self, file: &File) {
        T::release(borrow(self), file);
    }
}

impl<T: MiscDevice> Implementation<dyn OpenFile> for T {
    fn create(opening: Opening) -> impl PinInit<Self, Error> {
        let make = move |place: *mut Self| -> Result {
            let Opening {
                file,
                device,
                waker,
            } = opening;
            let registration = MiscDeviceRegistration {
                inner: Opened { device, waker },
                driver: PhantomData,
            };
            // SAFETY: The front keeps the file open meanwhile; positions are not shared yet.
            let file = unsafe { File::from_raw_file(file.as_ptr()) };
            let made = T::open(file, &registration)?.into_foreign().cast::<Self>();
            // SAFETY: A state in a box that is given away, which is freed without it.
            unsafe {
                relocate(made, place);
                drop(KBox::from_raw(made.cast::<core::mem::MaybeUninit<Self>>()));
            }
            Ok(())
        };
        // SAFETY: The place is written, or an error returned.
        unsafe { pin_init::pin_init_from_closure(make) }
    }

    fn closed(&self) {
        self.at_end();
    }
}
