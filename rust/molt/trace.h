/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints of a transition's edges: events/molt/ in tracefs. */

#undef TRACE_SYSTEM
#define TRACE_SYSTEM molt

#if !defined(_MOLT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _MOLT_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(molt_begin,
	TP_PROTO(u64 id, const char *class, const char *from, const char *to),
	TP_ARGS(id, class, from, to),
	TP_STRUCT__entry(
		__field(u64, id)
		__string(class, class)
		__string(from, from)
		__string(to, to)
	),
	TP_fast_assign(
		__entry->id = id;
		__assign_str(class);
		__assign_str(from);
		__assign_str(to);
	),
	TP_printk("transition=%llu class=%s from=%s to=%s", __entry->id,
		  __get_str(class), __get_str(from), __get_str(to))
);

DECLARE_EVENT_CLASS(molt_edge,
	TP_PROTO(u64 id, const char *class, int error),
	TP_ARGS(id, class, error),
	TP_STRUCT__entry(
		__field(u64, id)
		__string(class, class)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->id = id;
		__assign_str(class);
		__entry->error = error;
	),
	TP_printk("transition=%llu class=%s error=%d", __entry->id, __get_str(class),
		  __entry->error)
);

DEFINE_EVENT(molt_edge, molt_commit,
	TP_PROTO(u64 id, const char *class, int error), TP_ARGS(id, class, error));
DEFINE_EVENT(molt_edge, molt_abort,
	TP_PROTO(u64 id, const char *class, int error), TP_ARGS(id, class, error));
DEFINE_EVENT(molt_edge, molt_end,
	TP_PROTO(u64 id, const char *class, int error), TP_ARGS(id, class, error));

#endif /* _MOLT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
