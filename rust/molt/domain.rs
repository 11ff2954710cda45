// SPDX-License-Identifier: GPL-2.0

//! Domains: the read-side critical sections of a class's calls, and their grace periods.
//!
//! The protocol reaches this by way of [`primitives`](crate::primitives), as all of the kernel.

use core::cell::UnsafeCell;
use core::ffi::c_void;

use kernel::bindings;
use kernel::prelude::*;
use kernel::types::Opaque;

use crate::helpers::{molt_domain_call, molt_domain_destroy, molt_domain_init};
use crate::primitives::{Acquire, Arc, Atomic, Relaxed, Release};
use crate::record::Records;
use crate::testing::{fault, Site};

/// A domain of a class: an SRCU-fast domain.
///
/// # Invariants
///
/// Does not move after [`Domain::settle`].
#[repr(C)]
pub(crate) struct Domain {
    srcu: Opaque<bindings::srcu_struct>,
    settled: UnsafeCell<bool>,
    /// Grace periods that were begun and have not ended.
    pending: Atomic<u32>,
}

// SAFETY: `settled` is written once, before the domain is shared.
unsafe impl Send for Domain {}
// SAFETY: As above; SRCU is made for sharing.
unsafe impl Sync for Domain {}

/// What [`Domain::enter`] hands to [`Domain::leave`].
#[derive(Clone, Copy)]
pub(crate) struct Reader(*mut c_void);

// Where the read side may be inlined: the conditions of SRCU-fast's per-CPU increments. User
// Mode Linux has the instructions, but the segment that makes them per-CPU only where somebody
// has set it (`uml_percpu_segment`: the benchmarks do).
// Elsewhere the kernel's own inline functions run, seen by the kernel's checkers.
macro_rules! inlined_read_side {
    ($($item:item)*) => { $(
        #[cfg(all(
            CONFIG_X86_64,
            any(not(CONFIG_UML), uml_percpu_segment),
            CONFIG_SMP,
            CONFIG_TREE_SRCU,
            not(CONFIG_NEED_SRCU_NMI_SAFE),
            not(CONFIG_PROVE_RCU),
            not(CONFIG_DEBUG_LOCK_ALLOC)
        ))]
        $item
    )* };
}
macro_rules! called_read_side {
    ($($item:item)*) => { $(
        #[cfg(not(all(
            CONFIG_X86_64,
            any(not(CONFIG_UML), uml_percpu_segment),
            CONFIG_SMP,
            CONFIG_TREE_SRCU,
            not(CONFIG_NEED_SRCU_NMI_SAFE),
            not(CONFIG_PROVE_RCU),
            not(CONFIG_DEBUG_LOCK_ALLOC)
        )))]
        $item
    )* };
}

inlined_read_side! {
    use crate::gate::Gate;

    const _: () = {
        assert!(core::mem::offset_of!(bindings::srcu_struct, srcu_ctrp) == 0);
        assert!(core::mem::offset_of!(bindings::srcu_ctr, srcu_locks) == 0);
        assert!(core::mem::offset_of!(bindings::srcu_ctr, srcu_unlocks) == 8);
    };

    impl Domain {
        /// Enters the domain; any context in which RCU is watching, but NMI.
        ///
        /// One increment of a per-CPU counter: a single instruction, so that the grace
        /// period, which waits for regions without preemption, sees all of it or nothing.
        /// `add` and not `inc`, which leaves the carry flag alone and is one step more in
        /// many processors for that.
        #[inline(always)]
        pub(crate) fn enter(&self) -> Reader {
            let counters: *mut c_void;
            // SAFETY: By the type invariant the domain is an initialised `srcu_struct`,
            // whose first word is a per-CPU address; with the per-CPU segment it names
            // this CPU's counters, of which `srcu_locks` is the first. No `nomem`: the
            // critical section must not leak out.
            unsafe {
                core::arch::asm!(
                    "mov {counters}, [{domain}]",
                    "add qword ptr gs:[{counters}], 1",
                    domain = in(reg) self.srcu.get(),
                    counters = out(reg) counters,
                    options(nostack),
                );
            }
            Reader(counters)
        }

        /// Leaves the domain. The counters are those of `enter`: a grace period may have
        /// flipped the domain's meanwhile.
        #[inline(always)]
        pub(crate) fn leave(&self, reader: Reader) {
            // SAFETY: `reader` came from `enter`; `srcu_unlocks` lies behind `srcu_locks`.
            unsafe {
                core::arch::asm!(
                    "add qword ptr gs:[{counters} + 8], 1",
                    counters = in(reg) reader.0,
                    options(nostack),
                );
            }
        }
    }

    /// Whether the stamp of a slot is that of `gate`, which lies in a [`Gate`]. Both loads are
    /// acquire loads.
    #[inline(always)]
    pub(crate) fn same_stamp(slot: &Atomic<u64>, gate: &Atomic<u64>) -> bool {
        const STAMP: usize = core::mem::offset_of!(Gate, stamp);

        // SAFETY: Both words are valid. A plain load is an acquire load on x86, and the
        // memory clobber keeps the compiler from moving later loads up. The address of the
        // whole gate is in a register already, so that of the stamp is not computed.
        unsafe {
            core::arch::asm!(
                "cmp {stamp}, [{gate} + {offset}]",
                "jne {differs}",
                stamp = in(reg) slot.as_ptr().read_volatile(),
                gate = in(reg) gate.as_ptr().wrapping_byte_sub(STAMP),
                offset = const STAMP,
                differs = label { return false },
                options(nostack),
            );
        }
        true
    }

    /// The stamp of a slot or of a gate, by an acquire load.
    #[inline(always)]
    pub(crate) fn stamp_of(stamp: &Atomic<u64>) -> u64 {
        let value: u64;
        // SAFETY: The word is valid; the rest is as above.
        unsafe {
            core::arch::asm!(
                "mov {value}, [{stamp}]",
                stamp = in(reg) stamp.as_ptr(),
                value = out(reg) value,
                options(nostack, preserves_flags),
            );
        }
        value
    }
}

called_read_side! {
    use crate::helpers::{molt_domain_enter, molt_domain_leave};

    impl Domain {
        /// Enters the domain; any context in which RCU is watching, but NMI.
        pub(crate) fn enter(&self) -> Reader {
            // SAFETY: By the type invariant the domain is initialised.
            Reader(unsafe { molt_domain_enter(self.srcu.get()) })
        }

        /// Leaves the domain.
        pub(crate) fn leave(&self, reader: Reader) {
            // SAFETY: `reader` came from `enter`.
            unsafe { molt_domain_leave(self.srcu.get(), reader.0) }
        }
    }

    /// Whether the stamp of a slot is that of its gate. Both loads are acquire loads.
    #[inline(always)]
    pub(crate) fn same_stamp(slot: &Atomic<u64>, gate: &Atomic<u64>) -> bool {
        slot.load(Acquire) == gate.load(Acquire)
    }

    /// The stamp of a slot or of a gate, by an acquire load.
    #[inline(always)]
    pub(crate) fn stamp_of(stamp: &Atomic<u64>) -> u64 {
        stamp.load(Acquire)
    }
}

impl Domain {
    pub(crate) fn new() -> Self {
        Self {
            srcu: Opaque::zeroed(),
            settled: UnsafeCell::new(false),
            pending: Atomic::new(0),
        }
    }

    /// Initialises the domain where it stays. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn settle(&self) -> Result {
        // SAFETY: Nobody uses the domain yet, and it does not move from now on.
        unsafe {
            kernel::error::to_result(molt_domain_init(self.srcu.get()))?;
            *self.settled.get() = true;
        }
        Ok(())
    }

    /// Whether a grace period that somebody gave up waiting for still runs.
    pub(crate) fn has_pending(&self) -> bool {
        self.pending.load(Relaxed) != 0
    }

    /// Waits until everybody who is inside now has left. Sleeps.
    pub(crate) fn synchronize(&self) {
        // SAFETY: The domain is initialised.
        unsafe { bindings::synchronize_srcu_expedited(self.srcu.get()) }
    }

    /// Waits until no callback of this domain is outstanding. Sleeps.
    pub(crate) fn barrier(&self) {
        // SAFETY: The domain is initialised.
        unsafe { bindings::srcu_barrier(self.srcu.get()) }
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        if *self.settled.get_mut() {
            // SAFETY: Initialised, and nobody is inside: the last reference is gone.
            unsafe { molt_domain_destroy(self.srcu.get()) }
        }
    }
}

/// The heap part of a grace period: lives until the callback has run, however long that is.
#[repr(C)]
struct Pending {
    head: Opaque<bindings::callback_head>,
    /// Alive until the callback has run: dropping a domain waits for its callbacks.
    domain: *const Domain,
    records: Arc<Records>,
    ended: Arc<Atomic<u32>>,
}

/// One grace period of a domain.
///
/// Dropping it does not end it. Its callback's text is in this module, which a client keeps
/// loaded and whose exit waits for the callbacks of each domain.
pub(crate) struct GracePeriod {
    ended: Arc<Atomic<u32>>,
}

impl GracePeriod {
    /// Begins a grace period of `domain`; its end wakes the updaters. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn begin(domain: &Domain, records: &Arc<Records>) -> Result<Self> {
        fault(Site::Grace)?;
        let ended = Arc::new(Atomic::new(0u32), GFP_KERNEL)?;
        let pending = KBox::new(
            Pending {
                head: Opaque::zeroed(),
                domain,
                records: records.clone(),
                ended: ended.clone(),
            },
            GFP_KERNEL,
        )?;
        domain.pending.fetch_add(1, Relaxed);
        let pending = KBox::into_raw(pending);
        // SAFETY: `pending` is alive until the callback takes it back; `head` is its first
        // field (`repr(C)`).
        unsafe { molt_domain_call(domain.srcu.get(), pending.cast(), grace_period_ended) };
        Ok(Self { ended })
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Acquire) != 0
    }
}

/// Runs with bottom halves off: marks the end and wakes.
///
/// # Safety
///
/// `head` is that of a `Pending` which `begin` gave away.
unsafe extern "C" fn grace_period_ended(head: *mut bindings::callback_head) {
    // SAFETY: `head` is the first field of the `Pending` that `begin` gave away.
    let pending = unsafe { KBox::from_raw(head.cast::<Pending>()) };
    // SAFETY: The domain waits for this callback before it goes.
    unsafe { (*pending.domain).pending.fetch_sub(1, Relaxed) };
    pending.ended.store(1, Release);
    pending.records.wake_updaters();
}
