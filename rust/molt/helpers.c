// SPDX-License-Identifier: GPL-2.0
/*
 * What the framework needs of the kernel that is a macro or an inline function of C, or has no
 * Rust abstraction. What is decided with it is decided in Rust.
 */

#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/kallsyms.h>
#include <linux/kdebug.h>
#include <linux/kmod.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/stacktrace.h>
#include <linux/wait.h>

#include "helpers.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Built in, parameters would be called after the folders that this is in. */
#ifndef MODULE
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "molt."

/* The module whose code calls this, which keeps it; NULL for what is built in. */
struct module *molt_calling_module(void)
{
	guard(rcu)();
	return __module_address(_RET_IP_);
}
EXPORT_SYMBOL_GPL(molt_calling_module);
#endif

/* The domain of a class. */

int molt_domain_init(struct srcu_struct *domain)
{
	return init_srcu_struct_fast(domain);
}

void molt_domain_destroy(struct srcu_struct *domain)
{
	/* Twice: an expedite callback may have posted itself again. */
	srcu_barrier(domain);
	srcu_barrier(domain);
	cleanup_srcu_struct(domain);
}

void *molt_domain_enter(struct srcu_struct *domain)
{
	return (void __force *)(uintptr_t)srcu_read_lock_fast(domain);
}

void molt_domain_leave(struct srcu_struct *domain, void *counters)
{
	srcu_read_unlock_fast(domain, (struct srcu_ctr __percpu __force *)(uintptr_t)counters);
}

static bool molt_expedite = true;
module_param_named(expedite, molt_expedite, bool, 0644);
MODULE_PARM_DESC(expedite,
		 "Hurry grace periods: transitions end sooner, other processors are interrupted");

void molt_domain_call(struct srcu_struct *domain, struct rcu_head *head, rcu_callback_t func)
{
	call_srcu(domain, head, func);
	/* A normal grace period of this flavour costs two of RCU; callers may be waiting soon. */
	if (READ_ONCE(molt_expedite))
		srcu_expedite_current(domain);
}

/* Waiting. */

void molt_wait_init(struct wait_queue_head *queue)
{
	init_waitqueue_head(queue);
}

void molt_wait_wake(struct wait_queue_head *queue)
{
	wake_up_all(queue);
}

/* The queue of updaters: whoever else waits is woken where that is possible right away. */
static struct wait_queue_head *molt_late_queue;

static void molt_wake_late(struct irq_work *work)
{
	wake_up_all(READ_ONCE(molt_late_queue));
}

static DEFINE_IRQ_WORK(molt_late_wake, molt_wake_late);

void molt_wait_wake_late(struct wait_queue_head *queue)
{
	WRITE_ONCE(molt_late_queue, queue);
	irq_work_queue(&molt_late_wake);
}

void molt_wait_late_sync(void)
{
	irq_work_sync(&molt_late_wake);
}

bool molt_wait(struct wait_queue_head *queue, bool (*condition)(void *), void *argument,
	       u64 timeout_ns)
{
	if (timeout_ns == U64_MAX) {
		wait_event(*queue, condition(argument));
		return true;
	}
	return !wait_event_hrtimeout(*queue, condition(argument), ns_to_ktime(timeout_ns));
}

void molt_wait_idle(struct wait_queue_head *queue, bool (*condition)(void *), void *argument,
		    u64 timeout_ns)
{
	u64 jiffies_left = timeout_ns == U64_MAX ? MAX_SCHEDULE_TIMEOUT :
						   nsecs_to_jiffies64(timeout_ns) + 1;

	wait_event_idle_timeout(*queue, condition(argument),
				min_t(u64, jiffies_left, MAX_SCHEDULE_TIMEOUT));
}

bool molt_wait_killable(struct wait_queue_head *queue, bool (*condition)(void *), void *argument)
{
	return !wait_event_killable(*queue, condition(argument));
}

bool molt_wait_interruptible(struct wait_queue_head *queue, bool (*condition)(void *),
			     void *argument)
{
	return !wait_event_interruptible(*queue, condition(argument));
}

bool molt_may_sleep(void)
{
	return preemptible() && !rcu_preempt_depth();
}

void molt_relax(void)
{
	if (molt_may_sleep())
		cond_resched();
	cpu_relax();
}

void molt_sleep_ns(u64 ns)
{
	u64 us = max_t(u64, div_u64(ns, NSEC_PER_USEC), 1);

	usleep_range(us, us + us / 8 + 1);
}

/* Processors. */

void molt_pin(void)
{
	preempt_disable();
}

void molt_unpin(void)
{
	preempt_enable();
}

static DEFINE_PER_CPU(const void *, molt_moving_slot);

const void *molt_moving(const void *slot, bool is_set)
{
	const void *before = this_cpu_read(molt_moving_slot);

	if (is_set)
		this_cpu_write(molt_moving_slot, slot);
	return before;
}

/* Raw spinlocks; see raw_lock.rs. */

void molt_raw_lock_init(raw_spinlock_t *lock, const char *name, struct lock_class_key *key)
{
#ifdef CONFIG_DEBUG_SPINLOCK
	__raw_spin_lock_init(lock, name, key, LD_WAIT_SPIN);
#else
	raw_spin_lock_init(lock);
#endif
}

void molt_raw_lock(raw_spinlock_t *lock)
{
	raw_spin_lock_irq_disable(lock);
}

bool molt_raw_trylock(raw_spinlock_t *lock)
{
	return raw_spin_trylock_irq_disable(lock);
}

void molt_raw_unlock(raw_spinlock_t *lock)
{
	raw_spin_unlock_irq_enable(lock);
}

void molt_raw_lock_assert_held(raw_spinlock_t *lock)
{
	lockdep_assert_held(lock);
}

/*
 * What lockdep is to think of the lock of a slot: where calls come from interrupts it is a raw one,
 * as on a kernel without PREEMPT_RT, which has no such classes.
 */
void molt_lock_classify(spinlock_t *lock, bool is_atomic)
{
#if defined(CONFIG_DEBUG_LOCK_ALLOC) && !defined(CONFIG_PREEMPT_RT)
	static struct lock_class_key sleepable, atomic;

	if (is_atomic)
		lockdep_init_map_type(&lock->dep_map, "molt_slot_atomic", &atomic, 0,
				      LD_WAIT_SPIN, LD_WAIT_INV, LD_LOCK_NORMAL);
	else
		lockdep_init_map_type(&lock->dep_map, "molt_slot", &sleepable, 0,
				      LD_WAIT_CONFIG, LD_WAIT_INV, LD_LOCK_NORMAL);
#endif
}

bool molt_is_nmi(void)
{
	return in_nmi();
}

void molt_warn_nmi(void)
{
	WARN_ONCE(1, "molt: a class was called from an NMI\n");
}

u32 molt_noio_begin(void)
{
	return memalloc_noio_save();
}

void molt_noio_end(u32 before)
{
	memalloc_noio_restore(before);
}

u32 molt_online(void)
{
	return num_online_cpus();
}

void molt_warn_misuse(void)
{
	WARN_ONCE(1, "molt: a sleepable class was called where sleeping is forbidden\n");
}

void molt_warn_trespass(void)
{
	pr_warn_once("molt: a transfer rule called a handle: rules must not call\n");
}

/* Tasks. */

u32 molt_task_hash(const void *task)
{
	return hash_ptr(task, 16);
}

void molt_task_describe(struct task_struct *task, s32 *pid, char comm[TASK_COMM_LEN])
{
	*pid = task_pid_nr(task);
	strscpy_pad(comm, task->comm, TASK_COMM_LEN);
}

/*
 * The first task that has died in the kernel since this module is there: with what it had on its
 * stack, a record perhaps, and without leaving what it was inside.
 */
static struct {
	bool is_there;
	s32 pid;
	char comm[TASK_COMM_LEN];
} molt_dead;

/* Oopses come one after the other: they hold a lock. */
static int molt_task_dies(struct notifier_block *notifier, unsigned long what, void *data)
{
	if (what != DIE_OOPS)
		return NOTIFY_DONE;
	/*
	 * Whoever moved an instance here had interrupts off, so it is the one that dies. Others may
	 * come to a gate on this processor again.
	 */
	this_cpu_write(molt_moving_slot, NULL);
	if (!molt_dead.is_there) {
		molt_task_describe(current, &molt_dead.pid, molt_dead.comm);
		/* Pairs with molt_has_oopsed(): who sees it, sees who it was. */
		smp_store_release(&molt_dead.is_there, true);
		/* An updater may be waiting for this very task, up to its deadline. */
		irq_work_queue(&molt_late_wake);
	}
	return NOTIFY_DONE;
}

static struct notifier_block molt_die_notifier = { .notifier_call = molt_task_dies };

int molt_deaths_watch(struct wait_queue_head *updaters)
{
	WRITE_ONCE(molt_late_queue, updaters);
	return register_die_notifier(&molt_die_notifier);
}

void molt_deaths_unwatch(void)
{
	unregister_die_notifier(&molt_die_notifier);
}

bool molt_has_oopsed(void)
{
	/* Pairs with molt_task_dies(). */
	return smp_load_acquire(&molt_dead.is_there);
}

void molt_dead_describe(s32 *pid, char comm[TASK_COMM_LEN])
{
	*pid = molt_dead.pid;
	strscpy_pad(comm, molt_dead.comm, TASK_COMM_LEN);
}

bool molt_capable(void)
{
	return capable(CAP_SYS_MODULE);
}

bool molt_capable_of_repair(void)
{
	return capable(CAP_SYS_ADMIN);
}

/*
 * Whether a task has a return address inside @module on its stack; @entries is for its stack.
 */
static bool molt_is_task_in(struct task_struct *task, const struct module *module,
			    unsigned long *entries)
{
	unsigned int count = stack_trace_save_tsk(task, entries, MOLT_STACK_ENTRIES, 0);

	for (unsigned int i = 0; i < count; i++) {
		if (within_module(entries[i], module))
			return true;
	}
	return false;
}

/*
 * Calls @found for each task with a return address inside @module on its stack. Best
 * effort: the stack of a running task may change meanwhile, and a tail call hides a frame.
 */
void molt_find_tasks_in(const struct module *module, molt_found_t found, void *argument)
{
	unsigned long *entries;
	struct task_struct *process, *task;

	/* What is built in has no text of its own to look for. */
	if (!module)
		return;

	entries = kcalloc(MOLT_STACK_ENTRIES, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return;

	rcu_read_lock();
	for_each_process(process) {
		/* for_each_thread() names a lock that modules do not get, where RCU is checked. */
		list_for_each_entry_rcu(task, &process->signal->thread_head, thread_node) {
			if (task != current && molt_is_task_in(task, module, entries))
				found(task, argument);
		}
	}
	rcu_read_unlock();

	kfree(entries);
}

struct molt_errand {
	struct work_struct work;
	void (*run)(void *argument);
	void *argument;
};

static void molt_errand_run(struct work_struct *work)
{
	struct molt_errand *errand = container_of(work, struct molt_errand, work);

	errand->run(errand->argument);
}

/* Runs @run on the stack of a worker, which has nothing else on it, and waits for it. */
void molt_on_worker(void (*run)(void *argument), void *argument)
{
	struct molt_errand errand = { .run = run, .argument = argument };

	INIT_WORK_ONSTACK(&errand.work, molt_errand_run);
	schedule_work(&errand.work);
	flush_work(&errand.work);
	destroy_work_on_stack(&errand.work);
}

/*
 * Calls @found for each variable of @module that can be written and stays, until it says that
 * this was enough. The kernel keeps their names with CONFIG_KALLSYMS_ALL only.
 */
void molt_module_statics(const struct module *module, molt_static_t found, void *argument)
{
#ifdef CONFIG_KALLSYMS
	const struct mod_kallsyms *symbols;
	unsigned int i;

	if (!module)
		return;

	rcu_read_lock();
	symbols = rcu_dereference(module->kallsyms);
	for (i = 1; symbols && i < symbols->num_symtab; i++) {
		typeof(symbols->symtab) symbol = &symbols->symtab[i];

		if (ELF_ST_TYPE(symbol->st_info) != STT_OBJECT || !symbol->st_size ||
		    !within_module_mem_type(symbol->st_value, module, MOD_DATA))
			continue;
		if (found(symbols->strtab + symbol->st_name, argument))
			break;
	}
	rcu_read_unlock();
#endif
}

/*
 * Writes the functions on a task's stack, innermost first, one in a line, by name and
 * without addresses. Returns how many bytes that were. Best effort, as above.
 */
size_t molt_task_stack(s32 pid, char *text, size_t size)
{
	unsigned long entries[MOLT_STACK_SHOWN];
	struct task_struct *task;
	unsigned int count, i;
	size_t length = 0;

	rcu_read_lock();
	task = pid_task(find_pid_ns(pid, &init_pid_ns), PIDTYPE_PID);
	if (!task || task == current) {
		rcu_read_unlock();
		return 0;
	}
	count = stack_trace_save_tsk(task, entries, MOLT_STACK_SHOWN, 0);
	rcu_read_unlock();

	/* The modules that these lie in may go meanwhile: then there is no name. */
	for (i = 0; i < count; i++) {
		char name[KSYM_SYMBOL_LEN];

		sprint_symbol_no_offset(name, entries[i]);
		if (!strncmp(name, "0x", 2))
			continue;
		length += scnprintf(text + length, size - length, "%s\n", name);
	}
	return length;
}

u32 molt_processor(void)
{
	return raw_smp_processor_id();
}

/* Modules. */

bool molt_module_get(struct module *module)
{
	return try_module_get(module);
}

void molt_module_put(struct module *module)
{
	module_put(module);
}

bool molt_module_is_live(const struct module *module)
{
	/* A built-in client has no module, and is always there. */
	return !module || READ_ONCE(module->state) == MODULE_STATE_LIVE;
}

bool molt_require_signature;
module_param_named(require_signature, molt_require_signature, bool, 0444);
MODULE_PARM_DESC(require_signature,
		 "Every class takes implementations of modules with a valid signature only");

bool molt_module_is_signed(const struct module *module)
{
	/* What is built in is as trusted as the kernel. */
	if (!module)
		return true;
#ifdef CONFIG_MODULE_SIG
	return module->sig_ok;
#else
	return false;
#endif
}

static void (*molt_module_live)(struct module *module);

static int molt_module_notify(struct notifier_block *block, unsigned long state, void *module)
{
	if (state == MODULE_STATE_LIVE)
		molt_module_live(module);
	return NOTIFY_OK;
}

static struct notifier_block molt_module_notifier = { .notifier_call = molt_module_notify };

int molt_modules_watch(void (*live)(struct module *module))
{
	molt_module_live = live;
	return register_module_notifier(&molt_module_notifier);
}

void molt_modules_unwatch(void)
{
	unregister_module_notifier(&molt_module_notifier);
}

/* Whether it was of any use is looked at by the caller. */
void molt_front_request(const char *name)
{
	request_module("%s", name);
}

const char *molt_module_name(const struct module *module)
{
	return module ? module->name : "built-in";
}

const char *molt_module_srcversion(const struct module *module)
{
	return module && module->srcversion ? module->srcversion : "";
}

void molt_rcu_barrier(void)
{
	rcu_barrier();
}

/* Tracepoints. */

void molt_trace_begin(u64 id, const char *class, const char *from, const char *to)
{
	trace_molt_begin(id, class, from, to);
}

void molt_trace_end(u64 id, const char *class, const char *edge, int error)
{
	if (!strcmp(edge, "abort"))
		trace_molt_abort(id, class, error);
	else if (!strcmp(edge, "commit"))
		trace_molt_commit(id, class, error);
	else
		trace_molt_end(id, class, error);
}

/* Threads and work of this module. */

struct molt_thread {
	void (*run)(void *argument);
	void *argument;
};

static int molt_thread_main(void *data)
{
	struct molt_thread thread = *(struct molt_thread *)data;
	unsigned int noio;

	kfree(data);
	/* An allocation that enters reclaim could wait for a call that waits for us. */
	noio = memalloc_noio_save();
	thread.run(thread.argument);
	memalloc_noio_restore(noio);
	module_put_and_kthread_exit(0);
}

int molt_thread_run(void (*run)(void *argument), void *argument, const char *name)
{
	struct molt_thread *thread = kmalloc(sizeof(*thread), GFP_KERNEL);
	struct task_struct *task;

	if (!thread)
		return -ENOMEM;
	thread->run = run;
	thread->argument = argument;
	__module_get(THIS_MODULE);
	task = kthread_run(molt_thread_main, thread, "molt/%s", name);
	if (IS_ERR(task)) {
		module_put(THIS_MODULE);
		kfree(thread);
		return PTR_ERR(task);
	}
	return 0;
}

struct workqueue_struct *molt_workqueue_new(const char *name)
{
	return alloc_workqueue("%s", WQ_UNBOUND | WQ_MEM_RECLAIM, 0, name);
}

void molt_workqueue_destroy(struct workqueue_struct *queue)
{
	destroy_workqueue(queue);
}

void molt_work_init(struct work_struct *work, work_func_t func)
{
	INIT_WORK(work, func);
}

void molt_work_queue(struct workqueue_struct *queue, struct work_struct *work)
{
	queue_work(queue, work);
}

void molt_work_flush(struct work_struct *work)
{
	flush_work(work);
}

void molt_work_cancel(struct work_struct *work)
{
	cancel_work_sync(work);
}

/*
 * Slots: of a cache of their own, so that one that is freed keeps what the constructor made,
 * and need not be zeroed.
 */

static struct kmem_cache *molt_slots;

bool molt_slots_init(unsigned int size, unsigned int align, void (*make)(void *slot))
{
	molt_slots = kmem_cache_create("molt_slot", size, align, 0, make);
	return molt_slots;
}

void molt_slots_destroy(void)
{
	kmem_cache_destroy(molt_slots);
}

void *molt_slot_alloc(void)
{
	return kmem_cache_alloc(molt_slots, GFP_KERNEL);
}

void molt_slot_free(void *slot)
{
	kmem_cache_free(molt_slots, slot);
}

/* Memory for objects. A size that is a power of two is aligned to itself. */

void *molt_object_alloc(size_t size)
{
	/* The shorter way for what is never too large. */
	return size <= PAGE_SIZE ? kzalloc(size, GFP_KERNEL) : kvzalloc(size, GFP_KERNEL);
}

void molt_object_free(void *object)
{
	kvfree(object);
}

/* Parameters for tests; see testing.rs. */

int molt_test_hold;
module_param_named(test_hold, molt_test_hold, int, 0600);
MODULE_PARM_DESC(test_hold,
		 "Hold transitions: 1 tracking, 2 blocking, 3 transferring, 4 prepared");

int molt_test_dawdle_us;
module_param_named(test_dawdle_us, molt_test_dawdle_us, int, 0600);
MODULE_PARM_DESC(test_dawdle_us, "Lengthen each closure of a window by so many microseconds");

bool molt_test_refuse;
module_param_named(test_refuse, molt_test_refuse, bool, 0600);
MODULE_PARM_DESC(test_refuse, "Refuse transitions at their commit point");

int molt_test_fail;
module_param_named(test_fail, molt_test_fail, int, 0600);
MODULE_PARM_DESC(test_fail,
		 "Fail an allocation of transitions: 1 the next one, 2 the one after it; "
		 "counts down to 0");

bool molt_test_state;
module_param_named(test_state, molt_test_state, bool, 0600);
MODULE_PARM_DESC(test_state, "Show the bytes of states in debugfs");
