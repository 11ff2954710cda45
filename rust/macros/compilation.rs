// SPDX-License-Identifier: GPL-2.0

//! What the layout of types depends on besides the source: the compiler and the kernel.

use proc_macro2::Span;
use std::{env, fs, path::Path};
use syn::{Error, Result};

/// The compiler and the kernel release of this compilation.
///
/// Rust promises no layout across compilers, and the kernel none across releases, so both are
/// part of an interface's fingerprint.
pub(crate) struct Compilation {
    pub(crate) compiler: String,
    pub(crate) release: String,
}

impl Compilation {
    /// Asks the kernel tree for which Kbuild is compiling.
    ///
    /// A kernel's metadata only loads into the compiler that made it, so the compiler named in
    /// its configuration is the one that runs.
    pub(crate) fn current() -> Result<Self> {
        let tree = env::var("OBJTREE").map_err(|_| {
            refusal("OBJTREE is not set, so the kernel is not known; build through Kbuild")
        })?;
        let config = read(&tree, "include/config/auto.conf")?;
        let compiler = config
            .lines()
            .find_map(|line| line.strip_prefix("CONFIG_RUSTC_VERSION_TEXT="))
            .ok_or_else(|| refusal(&format!("the kernel in {tree} is configured without Rust")))?;
        Ok(Self {
            compiler: compiler.trim_matches('"').to_owned(),
            release: read(&tree, "include/config/kernel.release")?
                .trim()
                .to_owned(),
        })
    }
}

fn read(tree: &str, file: &str) -> Result<String> {
    let path = Path::new(tree).join(file);
    fs::read_to_string(&path).map_err(|error| {
        refusal(&format!(
            "cannot read {}: {error}; OBJTREE must be a configured kernel tree",
            path.display()
        ))
    })
}

fn refusal(message: &str) -> Error {
    Error::new(Span::call_site(), message)
}
