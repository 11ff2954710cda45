// SPDX-License-Identifier: GPL-2.0

//! Statics: what a module keeps outside of its instances, where no schema sees it.
//!
//! The new module has statics of its own, which begin again. That is what an author wants of a
//! counter for a log message, and what loses data everywhere else; so an update is refused until
//! somebody says `statics: [reset(NAME)]`. Read from the symbols that the kernel keeps of a
//! module; where it keeps none of data (no `CONFIG_KALLSYMS_ALL`), nothing can be said.

use core::ffi::c_void;

use kernel::error::code::EPROTO;
use kernel::ffi::c_char;
use kernel::prelude::*;

use crate::error::Refusal;
use crate::helpers::molt_module_statics;
use crate::implementation::{copy_text, Registered};
use crate::schema::statics::{is_generated, name_of};
use crate::text::Text;

/// Longest symbol that is looked at, in bytes.
const SYMBOL_LEN: usize = 512;

struct Search<'a> {
    from: &'a Registered,
    to: &'a Registered,
    found: Text<64>,
}

/// Refuses a transfer after which a static would begin again without anybody having said so.
///
/// # Errors
///
/// `EPROTO`, with its name. Does not sleep.
pub(crate) fn check(from: &Registered, to: &Registered) -> Result<(), Refusal> {
    let mut search = Search {
        from,
        to,
        found: Text::new(),
    };
    // SAFETY: Both ends are pinned, so the module is there; `look_at` gets what it expects.
    unsafe { molt_module_statics(from.module(), look_at, (&raw mut search).cast()) };
    match search.found.as_str() {
        "" => Ok(()),
        name => Err(Refusal::new(
            EPROTO,
            fmt!(
                "static `{name}` of {} would begin again: {} has to say `statics: [reset({name})]`",
                from.label(),
                to.label()
            ),
        )),
    }
}

/// Looks at a writable static; `true`: that was enough.
///
/// # Safety
///
/// `symbol` is a C string, and `argument` a [`Search`], for the length of the call.
unsafe extern "C" fn look_at(symbol: *const c_char, argument: *mut c_void) -> bool {
    // SAFETY: By the caller's promise.
    let (symbol, search) = unsafe {
        (
            copy_text::<SYMBOL_LEN>(symbol),
            &mut *argument.cast::<Search<'_>>(),
        )
    };
    let symbol = symbol.as_str();
    let Some(name) = name_of(symbol).filter(|_| !is_generated(symbol)) else {
        return false;
    };
    let ends = [search.to, search.from];
    if ends
        .iter()
        .any(|end| end.schema().resets().any(|reset| reset == name))
    {
        return false;
    }
    search.found = Text::from(name);
    true
}
