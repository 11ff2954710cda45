// SPDX-License-Identifier: GPL-2.0
/*
 * The symbols that clients of the framework link against. Their list is made from the
 * framework's object; Rust symbols have no C types here, and need none.
 */

#include <linux/export.h>
#include <linux/module.h>

#define EXPORT_SYMBOL_RUST_GPL(sym) extern int sym; EXPORT_SYMBOL_GPL(sym)

/* Named after a hash of the framework's metadata: another build has another one. */
#define MOLT_ABI(sym) extern const char sym; const char sym; EXPORT_SYMBOL_GPL(sym)

#include "exports_generated.h"
