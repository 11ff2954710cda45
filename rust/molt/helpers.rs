// SPDX-License-Identifier: GPL-2.0

//! The functions of `helpers.c`: what is a macro or an inline function in C.

use core::ffi::{c_int, c_void};

use kernel::bindings;
use kernel::ffi::c_char;

#[allow(
    improper_ctypes,
    reason = "on some configurations locks and lock classes are empty, which C allows"
)]
extern "C" {
    pub(crate) fn molt_task_describe(
        task: *mut bindings::task_struct,
        pid: *mut i32,
        comm: *mut c_char,
    );
    pub(crate) fn molt_find_tasks_in(
        module: *const bindings::module,
        found: unsafe extern "C" fn(*mut bindings::task_struct, *mut c_void),
        argument: *mut c_void,
    );
    pub(crate) fn molt_on_worker(run: unsafe extern "C" fn(*mut c_void), argument: *mut c_void);
    pub(crate) fn molt_module_statics(
        module: *const bindings::module,
        found: unsafe extern "C" fn(*const c_char, *mut c_void) -> bool,
        argument: *mut c_void,
    );
    pub(crate) fn molt_task_stack(pid: i32, text: *mut c_char, size: usize) -> usize;
    pub(crate) fn molt_trace_begin(
        id: u64,
        class: *const c_char,
        from: *const c_char,
        to: *const c_char,
    );
    pub(crate) fn molt_trace_end(id: u64, class: *const c_char, edge: *const c_char, error: c_int);
    pub(crate) fn molt_slots_init(
        size: u32,
        align: u32,
        make: unsafe extern "C" fn(*mut c_void),
    ) -> bool;
    pub(crate) fn molt_slots_destroy();
    pub(crate) fn molt_slot_alloc() -> *mut c_void;
    pub(crate) fn molt_slot_free(slot: *mut c_void);
    pub(crate) fn molt_object_alloc(size: usize) -> *mut c_void;
    pub(crate) fn molt_object_free(object: *mut c_void);
    pub(crate) fn molt_module_get(module: *mut bindings::module) -> bool;
    pub(crate) fn molt_module_put(module: *mut bindings::module);
    pub(crate) fn molt_modules_watch(
        live: unsafe extern "C" fn(module: *mut bindings::module),
    ) -> c_int;
    pub(crate) fn molt_modules_unwatch();
    pub(crate) fn molt_front_request(name: *const c_char);
    pub(crate) fn molt_module_is_live(module: *const bindings::module) -> bool;
    pub(crate) fn molt_module_is_signed(module: *const bindings::module) -> bool;
    pub(crate) fn molt_module_name(module: *const bindings::module) -> *const c_char;
    pub(crate) fn molt_module_srcversion(module: *const bindings::module) -> *const c_char;
    #[cfg(not(MODULE))]
    pub(crate) fn molt_calling_module() -> *const bindings::module;

    pub(crate) fn molt_domain_init(domain: *mut bindings::srcu_struct) -> c_int;
    pub(crate) fn molt_domain_destroy(domain: *mut bindings::srcu_struct);
    pub(crate) fn molt_domain_call(
        domain: *mut bindings::srcu_struct,
        head: *mut bindings::callback_head,
        func: unsafe extern "C" fn(*mut bindings::callback_head),
    );
    pub(crate) fn molt_wait_init(queue: *mut bindings::wait_queue_head);
    pub(crate) fn molt_wait_wake(queue: *mut bindings::wait_queue_head);
    pub(crate) fn molt_wait_wake_late(queue: *mut bindings::wait_queue_head);
    pub(crate) fn molt_wait_late_sync();
    pub(crate) fn molt_wait(
        queue: *mut bindings::wait_queue_head,
        condition: unsafe extern "C" fn(*mut c_void) -> bool,
        argument: *mut c_void,
        timeout_ns: u64,
    ) -> bool;
    pub(crate) fn molt_wait_idle(
        queue: *mut bindings::wait_queue_head,
        condition: unsafe extern "C" fn(*mut c_void) -> bool,
        argument: *mut c_void,
        timeout_ns: u64,
    );
    pub(crate) fn molt_wait_interruptible(
        queue: *mut bindings::wait_queue_head,
        condition: unsafe extern "C" fn(*mut c_void) -> bool,
        argument: *mut c_void,
    ) -> bool;
    pub(crate) fn molt_pin();
    pub(crate) fn molt_unpin();
    pub(crate) fn molt_moving(slot: *const c_void, is_set: bool) -> *const c_void;
    pub(crate) fn molt_raw_lock_init(
        lock: *mut bindings::raw_spinlock_t,
        name: *const kernel::ffi::c_char,
        key: *mut bindings::lock_class_key,
    );
    pub(crate) fn molt_raw_lock(lock: *mut bindings::raw_spinlock_t);
    pub(crate) fn molt_raw_trylock(lock: *mut bindings::raw_spinlock_t) -> bool;
    pub(crate) fn molt_raw_unlock(lock: *mut bindings::raw_spinlock_t);
    pub(crate) fn molt_raw_lock_assert_held(lock: *mut bindings::raw_spinlock_t);
    #[cfg(CONFIG_DEBUG_LOCK_ALLOC)]
    pub(crate) fn molt_lock_classify(lock: *mut bindings::spinlock_t, is_atomic: bool);
    pub(crate) fn molt_is_nmi() -> bool;
    pub(crate) fn molt_warn_nmi();
    pub(crate) fn molt_work_cancel(work: *mut bindings::work_struct);
    pub(crate) fn molt_online() -> u32;
    pub(crate) fn molt_noio_begin() -> u32;
    pub(crate) fn molt_noio_end(before: u32);
    pub(crate) fn molt_may_sleep() -> bool;
    pub(crate) fn molt_relax();
    pub(crate) fn molt_sleep_ns(ns: u64);
    pub(crate) fn molt_warn_misuse();
    pub(crate) fn molt_warn_trespass();
    pub(crate) fn molt_task_hash(task: *const c_void) -> u32;
    pub(crate) fn molt_workqueue_new(name: *const c_char) -> *mut bindings::workqueue_struct;
    pub(crate) fn molt_workqueue_destroy(queue: *mut bindings::workqueue_struct);
    pub(crate) fn molt_work_init(
        work: *mut bindings::work_struct,
        func: unsafe extern "C" fn(*mut bindings::work_struct),
    );
    pub(crate) fn molt_work_queue(
        queue: *mut bindings::workqueue_struct,
        work: *mut bindings::work_struct,
    );
    pub(crate) fn molt_work_flush(work: *mut bindings::work_struct);
    pub(crate) fn molt_processor() -> u32;
    pub(crate) static molt_require_signature: bool;
    pub(crate) static molt_test_hold: i32;
    pub(crate) static molt_test_state: bool;
    pub(crate) static molt_test_dawdle_us: i32;
    pub(crate) static molt_test_refuse: bool;
    pub(crate) static mut molt_test_fail: i32;
    pub(crate) fn molt_deaths_watch(updaters: *mut bindings::wait_queue_head) -> c_int;
    pub(crate) fn molt_deaths_unwatch();
    pub(crate) fn molt_has_oopsed() -> bool;
    pub(crate) fn molt_dead_describe(pid: *mut i32, comm: *mut c_char);
    pub(crate) fn molt_capable() -> bool;
    pub(crate) fn molt_capable_of_repair() -> bool;
    pub(crate) fn molt_rcu_barrier();
    pub(crate) fn molt_thread_run(
        run: unsafe extern "C" fn(*mut c_void),
        argument: *mut c_void,
        name: *const c_char,
    ) -> c_int;
    pub(crate) fn molt_wait_killable(
        queue: *mut bindings::wait_queue_head,
        condition: unsafe extern "C" fn(*mut c_void) -> bool,
        argument: *mut c_void,
    ) -> bool;
    #[allow(dead_code, reason = "called where the read side is not inlined")]
    pub(crate) fn molt_domain_enter(domain: *mut bindings::srcu_struct) -> *mut c_void;
    #[allow(dead_code, reason = "called where the read side is not inlined")]
    pub(crate) fn molt_domain_leave(domain: *mut bindings::srcu_struct, counters: *mut c_void);
}
