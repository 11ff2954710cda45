// SPDX-License-Identifier: GPL-2.0

//! Trace: the tracepoints of a transition's edges. `trace.h` declares them.

use kernel::ffi::c_char;

use crate::helpers::{molt_trace_begin, molt_trace_end};
use crate::registry::Edge;
use crate::text::NAME_LEN;
use crate::transition::Transition;

/// A text with a NUL at its end.
struct Terminated([u8; NAME_LEN + 24]);

impl Terminated {
    fn new(text: &str) -> Self {
        let mut bytes = [0; NAME_LEN + 24];
        let end = bytes.len().wrapping_sub(1);
        for (place, byte) in bytes.iter_mut().take(end).zip(text.bytes()) {
            *place = byte;
        }
        Self(bytes)
    }

    fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }
}

/// A transition has come to an edge.
pub(crate) fn reached(transition: &Transition, edge: Edge) {
    let id = transition.id();
    let word = Terminated::new(edge.name());
    let error = transition.outcome().and_then(|last| last.error);
    let error = error.map_or(0, |error| error.to_errno());
    for member in transition.members() {
        let class = Terminated::new(member.class().name());
        if edge == Edge::Begin {
            let (from, to) = (Terminated::new(member.from()), Terminated::new(member.to()));
            // SAFETY: All are C strings.
            unsafe { molt_trace_begin(id, class.as_ptr(), from.as_ptr(), to.as_ptr()) };
        } else {
            // SAFETY: As above.
            unsafe { molt_trace_end(id, class.as_ptr(), word.as_ptr(), error) };
        }
    }
}
