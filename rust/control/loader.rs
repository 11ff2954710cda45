// SPDX-License-Identifier: GPL-2.0

//! Loader: brings modules in by name. No lock is held: a module's init registers.

use kernel::error::code::{EINTR, ENAMETOOLONG, ENOENT};
use kernel::error::Error;
use kernel::ffi::{c_char, c_int};
use kernel::prelude::*;
use kernel::str::{CStr, CString};
use molt::error::{Refusal, REASON_LEN};
use molt::registry;
use molt::text::Text;

use crate::request::Load;

extern "C" {
    fn molt_load(name: *const c_char) -> c_int;
}

/// Does what is written to `load`. Sleeps until modprobe has ended.
///
/// # Errors
///
/// * `ENOENT`: there is no such module, its init failed, or it brought something else.
/// * `EINTR`: the writer is being killed; modprobe goes on.
/// * `ENOMEM`.
pub(crate) fn load(load: &Load<'_>) -> Result<Text<REASON_LEN>, Refusal> {
    match *load {
        Load::Module(name) => {
            request(&CString::try_from_fmt(fmt!("{name}"))?)?;
            Ok(Text::format(fmt!("module {name} is loaded")))
        }
        Load::Implementation {
            class,
            name,
            version,
        } => {
            let alias = CString::try_from_fmt(fmt!("molt:{class}:{name}@{version}"))?;
            request(&alias)?;
            // That modprobe was content proves nothing.
            registry::find(class)
                .and_then(|class| class.find(name, Some(version)))
                .map(|found| Text::format(fmt!("module {} is loaded", found.module_name())))
                .ok_or_else(|| {
                    Refusal::new(ENOENT, fmt!("no module brought {class}: {name}@{version}"))
                })
        }
    }
}

/// Requests the module of an implementation. The caller looks whether it is there.
///
/// # Errors
///
/// As [`load`].
pub(crate) fn implementation(class: &str, name: &str, version: Option<u32>) -> Result<(), Refusal> {
    request(&match version {
        Some(version) => CString::try_from_fmt(fmt!("molt:{class}:{name}@{version}"))?,
        None => CString::try_from_fmt(fmt!("molt:{class}:{name}"))?,
    })
}

fn request(name: &CStr) -> Result<(), Refusal> {
    // SAFETY: The name is a C string, and only read.
    let status = unsafe { molt_load(name.as_char_ptr()) };
    let text = name.to_str().unwrap_or_default();
    if status == 0 {
        return Ok(());
    }
    if status > 0 {
        let code = status >> 8;
        return Err(Refusal::new(
            ENOENT,
            fmt!("no module `{text}` (modprobe: status {code})"),
        ));
    }
    let error = Error::from_errno(status);
    Err(if error == EINTR {
        Refusal::new(EINTR, fmt!("killed while waiting for module `{text}`"))
    } else if error == ENAMETOOLONG {
        Refusal::new(
            ENOENT,
            fmt!("`{text}` is too long for modprobe: load its module by name"),
        )
    } else {
        Refusal::new(error, fmt!("modprobe cannot be run for `{text}`"))
    })
}
