// SPDX-License-Identifier: GPL-2.0

//! Directories and files of sysfs: the functions of `sysfs.c`, with owners and lifetimes.

use core::ffi::c_void;
use core::fmt::{self, Write};
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use kernel::error::code::{EIO, ENOMEM};
use kernel::ffi::c_char;
use kernel::page::PAGE_SIZE;
use kernel::prelude::*;
use kernel::str::{as_char_ptr_in_const_context, CStr, CString};
use kernel::sync::Arc;

/// `struct molt_dir`.
#[repr(C)]
struct RawDir {
    _private: [u8; 0],
}

/// `struct kset`.
#[repr(C)]
struct RawSet {
    _private: [u8; 0],
}

type ShowFn = unsafe extern "C" fn(owner: *const c_void, page: *mut c_char) -> isize;
type StoreFn = unsafe extern "C" fn(
    owner: *const c_void,
    text: *const c_char,
    length: usize,
    position: i64,
) -> isize;

extern "C" {
    fn molt_set_new(parent: *mut RawDir, name: *const c_char) -> *mut RawSet;
    fn molt_set_remove(set: *mut RawSet);
    fn molt_dir_new(
        parent: *mut RawDir,
        set: *mut RawSet,
        name: *const c_char,
        files: *const RawFile,
        count: usize,
        owner: *const c_void,
    ) -> *mut RawDir;
    fn molt_dir_remove(dir: *mut RawDir);
    fn molt_dir_tell(dir: *mut RawDir, edge: *const c_char, transition: u64, result: *const c_char);
}

/// `struct molt_file`.
#[repr(C)]
struct RawFile {
    name: *const c_char,
    show: Option<ShowFn>,
    store: Option<StoreFn>,
}

/// A file of a directory that `T` owns.
///
/// # Invariants
///
/// The functions take a pointer to a `T` as their owner.
#[repr(transparent)]
pub(crate) struct File<T>(RawFile, PhantomData<fn(&T)>);

// SAFETY: Constant data.
unsafe impl<T> Sync for File<T> {}

impl<T: Shared> File<T> {
    /// A file that shows one value.
    pub(crate) const fn shown<S>(name: &'static CStr, _show: S) -> Self
    where
        S: Fn(&T, &mut Page) -> fmt::Result + Copy + 'static,
    {
        let name = as_char_ptr_in_const_context(name);
        // INVARIANT: `show` of this `T`.
        Self(
            RawFile {
                name,
                show: Some(show::<T, S>),
                store: None,
            },
            PhantomData,
        )
    }

    /// A file that shows one value, and takes another one.
    pub(crate) const fn both<S, W>(name: &'static CStr, _show: S, _store: W) -> Self
    where
        S: Fn(&T, &mut Page) -> fmt::Result + Copy + 'static,
        W: Fn(&T, Written<'_>) -> Result + Copy + 'static,
    {
        let name = as_char_ptr_in_const_context(name);
        // INVARIANT: `show` and `store` of this `T`.
        Self(
            RawFile {
                name,
                show: Some(show::<T, S>),
                store: Some(store::<T, W>),
            },
            PhantomData,
        )
    }

    /// A file that takes a request.
    pub(crate) const fn written<S>(name: &'static CStr, _store: S) -> Self
    where
        S: Fn(&T, Written<'_>) -> Result + Copy + 'static,
    {
        let name = as_char_ptr_in_const_context(name);
        // INVARIANT: `store` of this `T`.
        Self(
            RawFile {
                name,
                show: None,
                store: Some(store::<T, S>),
            },
            PhantomData,
        )
    }
}

/// What can own a directory: its files are used from any task.
pub(crate) trait Shared: Send + Sync + 'static {}
impl<T: Send + Sync + 'static> Shared for T {}

/// The value of a type that has only one: a function item, a closure that captures nothing.
pub(crate) fn only_value<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0, "a function that captures something") };
    // SAFETY: The type has no bytes, and a value of it was given to `File`'s constructor.
    unsafe { NonNull::<F>::dangling().read() }
}

/// # Safety
///
/// `owner` is a `T` and `page` a page, both for the length of the call.
unsafe extern "C" fn show<T: Shared, S>(owner: *const c_void, page: *mut c_char) -> isize
where
    S: Fn(&T, &mut Page) -> fmt::Result + Copy + 'static,
{
    // SAFETY: By the caller's promise.
    let owner = unsafe { &*owner.cast::<T>() };
    // SAFETY: As above.
    let bytes = unsafe { core::slice::from_raw_parts_mut(page.cast::<u8>(), PAGE_SIZE) };
    let mut page = Page { bytes, length: 0 };
    match only_value::<S>()(owner, &mut page) {
        Ok(()) => page.length as isize,
        Err(fmt::Error) => EIO.to_errno() as isize,
    }
}

/// # Safety
///
/// `owner` is a `T` and `text` `length` bytes, both for the length of the call.
unsafe extern "C" fn store<T: Shared, S>(
    owner: *const c_void,
    text: *const c_char,
    length: usize,
    position: i64,
) -> isize
where
    S: Fn(&T, Written<'_>) -> Result + Copy + 'static,
{
    // SAFETY: By the caller's promise.
    let owner = unsafe { &*owner.cast::<T>() };
    // SAFETY: As above.
    let text = unsafe { core::slice::from_raw_parts(text.cast::<u8>(), length) };
    match only_value::<S>()(owner, Written { text, position }) {
        Ok(()) => length as isize,
        Err(error) => error.to_errno() as isize,
    }
}

/// What a read of a file gets: at most a page.
pub(crate) struct Page {
    bytes: *mut [u8],
    length: usize,
}

impl Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: `show` made this from the page that it fills, which nobody else has.
        let bytes = unsafe { &mut *self.bytes };
        let end = self.length.checked_add(text.len()).ok_or(fmt::Error)?;
        bytes
            .get_mut(self.length..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// What was written to a file.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) position: i64,
}

/// Where a directory lies.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// `/sys/kernel`.
    Kernel,
    /// In a set: its directories send uevents.
    Set(&'a Set),
    /// In another directory.
    In(Parent<'a>),
}

/// A directory as the parent of another one.
#[derive(Clone, Copy)]
pub(crate) struct Parent<'a>(NonNull<RawDir>, PhantomData<&'a ()>);

/// A directory. Dropping it waits until none of its files is being read or written, so it
/// must not happen within a write to one of them. Whatever is in it is dropped before it.
///
/// # Invariants
///
/// `raw` was made with a pointer to what `owner` holds.
pub(crate) struct Dir<T: Shared> {
    raw: NonNull<RawDir>,
    owner: Arc<T>,
}

// SAFETY: Kobjects may be used from any task, and the owner too.
unsafe impl<T: Shared> Send for Dir<T> {}
// SAFETY: As above.
unsafe impl<T: Shared> Sync for Dir<T> {}

impl<T: Shared> Dir<T> {
    /// Makes a directory with its files. No other of this name may be there. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(
        place: Place<'_>,
        name: &CStr,
        files: &'static [File<T>],
        owner: Arc<T>,
    ) -> Result<Self> {
        let (parent, set) = match place {
            Place::Kernel => (ptr::null_mut(), ptr::null_mut()),
            Place::Set(set) => (ptr::null_mut(), set.0.as_ptr()),
            Place::In(parent) => (parent.0.as_ptr(), ptr::null_mut()),
        };
        // SAFETY: The files are static, and take a `T`; the owner lives for as long as this.
        let raw = unsafe {
            molt_dir_new(
                parent,
                set,
                name.as_char_ptr(),
                files.as_ptr().cast(),
                files.len(),
                (&raw const *owner).cast(),
            )
        };
        // INVARIANT: By the call above.
        Ok(Self {
            raw: NonNull::new(raw).ok_or(ENOMEM)?,
            owner,
        })
    }

    /// What its files belong to.
    pub(crate) fn owner(&self) -> &Arc<T> {
        &self.owner
    }

    /// This directory as the place of another one.
    pub(crate) fn inside(&self) -> Place<'_> {
        Place::In(self.parent())
    }

    fn parent(&self) -> Parent<'_> {
        Parent(self.raw, PhantomData)
    }

    /// Sends the uevent of a transition's edge, with its result where there is one, and wakes
    /// those who poll `state`. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn tell(&self, edge: &str, transition: u64, result: &str) -> Result {
        let edge = CString::try_from_fmt(fmt!("{edge}"))?;
        let result = CString::try_from_fmt(fmt!("{result}"))?;
        // SAFETY: The directory is there, and so are the texts.
        unsafe {
            molt_dir_tell(
                self.raw.as_ptr(),
                edge.as_char_ptr(),
                transition,
                result.as_char_ptr(),
            )
        }
        Ok(())
    }
}

impl<T: Shared> Drop for Dir<T> {
    fn drop(&mut self) {
        // SAFETY: Made in `new`, and removed once; the owner is dropped after.
        unsafe { molt_dir_remove(self.raw.as_ptr()) }
    }
}

/// A directory of directories that send uevents. They are dropped before it.
pub(crate) struct Set(NonNull<RawSet>);

// SAFETY: As for `Dir`.
unsafe impl Send for Set {}
// SAFETY: As above.
unsafe impl Sync for Set {}

impl Set {
    /// Makes a set in `parent`. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new<T: Shared>(parent: &Dir<T>, name: &CStr) -> Result<Self> {
        // SAFETY: The directory is there; the name is copied.
        let set = unsafe { molt_set_new(parent.raw.as_ptr(), name.as_char_ptr()) };
        NonNull::new(set).map(Self).ok_or(ENOMEM)
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        // SAFETY: Made in `new`, and removed once.
        unsafe { molt_set_remove(self.0.as_ptr()) }
    }
}
