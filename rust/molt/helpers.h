/* SPDX-License-Identifier: GPL-2.0 */
/* What helpers.c offers; the Rust side declares the same in the file that uses it. */

#ifndef _MOLT_HELPERS_H
#define _MOLT_HELPERS_H

#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/* Depth to which stacks are searched for frames of a module. */
#define MOLT_STACK_ENTRIES 64

/* How many frames of a blocker are shown. */
#define MOLT_STACK_SHOWN 12

struct module;
struct srcu_struct;

int molt_domain_init(struct srcu_struct *domain);
void molt_domain_destroy(struct srcu_struct *domain);
void *molt_domain_enter(struct srcu_struct *domain);
void molt_domain_leave(struct srcu_struct *domain, void *counters);
void molt_domain_call(struct srcu_struct *domain, struct rcu_head *head, rcu_callback_t func);

void molt_wait_init(struct wait_queue_head *queue);
void molt_wait_wake(struct wait_queue_head *queue);
void molt_wait_wake_late(struct wait_queue_head *queue);
void molt_wait_late_sync(void);
bool molt_wait(struct wait_queue_head *queue, bool (*condition)(void *), void *argument,
	       u64 timeout_ns);
void molt_wait_idle(struct wait_queue_head *queue, bool (*condition)(void *), void *argument,
		    u64 timeout_ns);
bool molt_wait_killable(struct wait_queue_head *queue, bool (*condition)(void *), void *argument);
bool molt_wait_interruptible(struct wait_queue_head *queue, bool (*condition)(void *),
			     void *argument);

void molt_pin(void);
void molt_unpin(void);
const void *molt_moving(const void *slot, bool is_set);
void molt_raw_lock_init(raw_spinlock_t *lock, const char *name, struct lock_class_key *key);
void molt_raw_lock(raw_spinlock_t *lock);
bool molt_raw_trylock(raw_spinlock_t *lock);
void molt_raw_unlock(raw_spinlock_t *lock);
void molt_raw_lock_assert_held(raw_spinlock_t *lock);
void molt_lock_classify(spinlock_t *lock, bool is_atomic);
bool molt_is_nmi(void);
void molt_warn_nmi(void);
u32 molt_online(void);
u32 molt_noio_begin(void);
void molt_noio_end(u32 before);
bool molt_may_sleep(void);
void molt_relax(void);
void molt_sleep_ns(u64 ns);
void molt_warn_misuse(void);
void molt_warn_trespass(void);

u32 molt_task_hash(const void *task);
void molt_task_describe(struct task_struct *task, s32 *pid, char comm[TASK_COMM_LEN]);
int molt_deaths_watch(struct wait_queue_head *updaters);
void molt_deaths_unwatch(void);
bool molt_has_oopsed(void);
void molt_dead_describe(s32 *pid, char comm[TASK_COMM_LEN]);
bool molt_capable(void);
bool molt_capable_of_repair(void);
u32 molt_processor(void);
size_t molt_task_stack(s32 pid, char *text, size_t size);
void molt_trace_begin(u64 id, const char *class, const char *from, const char *to);
void molt_trace_end(u64 id, const char *class, const char *edge, int error);
typedef bool (*molt_static_t)(const char *symbol, void *argument);
void molt_module_statics(const struct module *module, molt_static_t found, void *argument);
typedef void (*molt_found_t)(struct task_struct *task, void *argument);
void molt_find_tasks_in(const struct module *module, molt_found_t found, void *argument);

bool molt_module_get(struct module *module);
void molt_module_put(struct module *module);
int molt_modules_watch(void (*live)(struct module *module));
void molt_modules_unwatch(void);
void molt_front_request(const char *name);
bool molt_module_is_live(const struct module *module);
extern bool molt_require_signature;
bool molt_module_is_signed(const struct module *module);
const char *molt_module_name(const struct module *module);
const char *molt_module_srcversion(const struct module *module);
void molt_rcu_barrier(void);

int molt_thread_run(void (*run)(void *argument), void *argument, const char *name);
struct workqueue_struct *molt_workqueue_new(const char *name);
void molt_workqueue_destroy(struct workqueue_struct *queue);
void molt_work_init(struct work_struct *work, work_func_t func);
void molt_work_queue(struct workqueue_struct *queue, struct work_struct *work);
void molt_work_flush(struct work_struct *work);
void molt_work_cancel(struct work_struct *work);
void molt_on_worker(void (*run)(void *argument), void *argument);

bool molt_slots_init(unsigned int size, unsigned int align, void (*make)(void *slot));
void molt_slots_destroy(void);
void *molt_slot_alloc(void);
void molt_slot_free(void *slot);
void *molt_object_alloc(size_t size);
void molt_object_free(void *object);

#endif /* _MOLT_HELPERS_H */
