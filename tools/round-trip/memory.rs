// SPDX-License-Identifier: GPL-2.0

//! The kernel's memory, counted: what is allocated and not freed, what is freed twice, and what
//! is allocated where nobody may sleep. An allocation can be made to fail.

use std::alloc::Layout;
use std::collections::BTreeMap;
use std::ptr;
use std::sync::{Mutex, MutexGuard};

use kernel::bindings;
use kernel::ffi::{c_int, c_void};

/// What stands for memory without a size.
const NOTHING: *mut c_void = ptr::without_provenance_mut(16);

/// Larger ones fail, as they would in the kernel.
const LARGEST: usize = 1 << 26;

/// What is in memory that was freed. It is never used again, so nothing else is found there.
const FREED: u8 = 0x6b;

/// What is in memory that nobody has written to.
pub(crate) const UNWRITTEN: u8 = 0xa5;

/// Bit of the flags: the allocation may sleep.
const MAY_SLEEP: u32 = 1 << bindings::___GFP_DIRECT_RECLAIM_BIT;

struct Memory {
    live: BTreeMap<usize, usize>,
    /// How many allocations succeed before one fails.
    until_failure: Option<u64>,
    has_failed: bool,
    /// Nobody may sleep now.
    is_atomic: bool,
    complaints: Vec<String>,
}

static MEMORY: Mutex<Memory> = Mutex::new(Memory {
    live: BTreeMap::new(),
    until_failure: None,
    has_failed: false,
    is_atomic: false,
    complaints: Vec::new(),
});

fn memory() -> MutexGuard<'static, Memory> {
    // What it counts is right after a panic, too.
    MEMORY
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// How many allocations there are, and their bytes.
pub(crate) fn live() -> (usize, usize) {
    let memory = memory();
    (memory.live.len(), memory.live.values().sum())
}

/// Lets allocation number `number` from here on fail, once; [`None`]: none.
pub(crate) fn fail_at(number: Option<u64>) {
    let mut memory = memory();
    memory.until_failure = number;
    memory.has_failed = false;
}

/// Whether the allocation that was to fail was asked for.
pub(crate) fn has_failed() -> bool {
    memory().has_failed
}

/// Says whether what runs now may sleep.
pub(crate) fn set_atomic(is_atomic: bool) {
    memory().is_atomic = is_atomic;
}

/// Notes that something sleeps.
pub(crate) fn sleeps(what: &str) {
    let mut memory = memory();
    if memory.is_atomic {
        let complaint = format!("{what} may sleep, but interrupts are off");
        memory.complaints.push(complaint);
    }
}

/// What was wrong since the last time.
pub(crate) fn complaints() -> Vec<String> {
    std::mem::take(&mut memory().complaints)
}

fn allocate(size: usize, align: usize, flags: u32) -> *mut c_void {
    if flags & MAY_SLEEP != 0 {
        sleeps("an allocation");
    }
    let mut memory = memory();
    match memory.until_failure {
        Some(0) => {
            memory.until_failure = None;
            memory.has_failed = true;
            return ptr::null_mut();
        }
        Some(more) => memory.until_failure = Some(more - 1),
        None => {}
    }
    let Ok(layout) = Layout::from_size_align(size, align.max(16)) else {
        return ptr::null_mut();
    };
    if size > LARGEST {
        return ptr::null_mut();
    }
    // SAFETY: The size is not zero.
    let place = unsafe { std::alloc::alloc(layout) };
    let content = match flags & bindings::__GFP_ZERO {
        0 => UNWRITTEN,
        _ => 0,
    };
    // SAFETY: Just allocated.
    unsafe { place.write_bytes(content, size) };
    memory.live.insert(place.addr(), size);
    place.cast()
}

/// Makes any further access of memory that was freed an error.
///
/// # Safety
///
/// There is memory of this size, which nobody uses any more.
#[cfg(sanitized)]
unsafe fn close(place: *const c_void, size: usize) {
    extern "C" {
        fn __asan_poison_memory_region(place: *const c_void, size: usize);
    }
    // SAFETY: By the caller's promise.
    unsafe { __asan_poison_memory_region(place, size) }
}

/// Nobody would notice.
///
/// # Safety
///
/// None.
#[cfg(not(sanitized))]
unsafe fn close(_place: *const c_void, _size: usize) {}

/// The size of what was there.
fn release(place: *const c_void) -> Option<usize> {
    let mut memory = memory();
    let size = memory.live.remove(&place.addr());
    match size {
        // SAFETY: It was allocated with this size, and is never given back.
        Some(size) => unsafe {
            place.cast_mut().cast::<u8>().write_bytes(FREED, size);
            close(place, size);
        },
        None => memory.complaints.push(format!(
            "memory at {place:p} is freed twice, or was never allocated"
        )),
    }
    size
}

fn size_of(place: *const c_void) -> usize {
    memory().live.get(&place.addr()).copied().unwrap_or(0)
}

fn reallocate(place: *const c_void, size: usize, align: usize, flags: u32) -> *mut c_void {
    let is_memory = !place.is_null() && place != NOTHING;
    if size == 0 {
        if is_memory {
            release(place);
        }
        return NOTHING;
    }
    let new = allocate(size, align, flags);
    if is_memory && !new.is_null() {
        let common = size.min(size_of(place));
        // SAFETY: Both have so many bytes, and they are apart.
        unsafe { ptr::copy_nonoverlapping(place.cast::<u8>(), new.cast::<u8>(), common) };
        release(place);
    }
    new
}

macro_rules! reallocators {
    ($($name:ident),*) => {$(
        #[no_mangle]
        extern "C" fn $name(
            place: *const c_void,
            size: usize,
            align: usize,
            flags: u32,
            _node: c_int,
        ) -> *mut c_void {
            reallocate(place, size, align, flags)
        }
    )*};
}

reallocators!(
    rust_helper_krealloc_node_align,
    rust_helper_kvrealloc_node_align,
    rust_helper_vrealloc_node_align,
    krealloc_node_align_noprof,
    kvrealloc_node_align_noprof,
    vrealloc_node_align_noprof
);

macro_rules! freers {
    ($($name:ident),*) => {$(
        #[no_mangle]
        extern "C" fn $name(place: *const c_void) {
            reallocate(place, 0, 1, 0);
        }
    )*};
}

freers!(kfree, vfree, kvfree, molt_object_free);

#[no_mangle]
extern "C" fn molt_object_alloc(size: usize) -> *mut c_void {
    reallocate(ptr::null(), size, 64, bindings::__GFP_ZERO)
}

/// Memory for a state. Not the kernel's, so not counted.
pub(crate) struct Room {
    layout: Layout,
    place: *mut u8,
}

impl Room {
    pub(crate) fn new(size: usize, align: usize) -> Self {
        let layout = Layout::from_size_align(size.max(1), align).expect("a type has a layout");
        // SAFETY: The size is not zero.
        let place = unsafe { std::alloc::alloc(layout) };
        assert!(!place.is_null(), "no memory");
        // SAFETY: Just allocated.
        unsafe { place.write_bytes(UNWRITTEN, layout.size()) };
        Self { layout, place }
    }

    pub(crate) fn first(&self) -> *mut () {
        self.place.cast()
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // SAFETY: So many were written at the beginning.
        unsafe { std::slice::from_raw_parts(self.place, self.layout.size()) }.to_vec()
    }

    /// Nobody can take what was there for a state any more.
    pub(crate) fn poison(&self) {
        // SAFETY: By the type's construction.
        unsafe { self.place.write_bytes(FREED, self.layout.size()) };
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: Allocated in `new`.
        unsafe { std::alloc::dealloc(self.place, self.layout) };
    }
}
