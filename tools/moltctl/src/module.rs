// SPDX-License-Identifier: GPL-2.0

//! Module: a .ko file, which is read and not loaded.

use std::fs;
use std::path::Path;

use object::elf::{SHF_ALLOC, SHF_WRITE};
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind};

use crate::errno::Errno;
use crate::failure::Failure;
use crate::schema::format::Schema;
use crate::schema::statics::{is_generated, name_of};

/// Where the schema is.
const SECTION: &str = ".molt.schema";

/// Sections whose variables are not state. Those of the first kind are written only while the
/// module is loaded, and belong to that; initialisation is over; the kernel does not look into
/// the copies of each CPU either.
const PASSED_OVER: [&str; 3] = [".data..ro_after_init", ".init", ".data..percpu"];

/// What is of interest in a file.
pub struct Module {
    /// The bytes of the schema.
    schema: Vec<u8>,
    /// Variables that can be written, without those of macros, by name.
    pub statics: Vec<String>,
}

impl Module {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let subject = path.display().to_string();
        let refuse = |errno, reason: String| Failure::refused(&subject, errno, reason);
        let bytes = fs::read(path).map_err(|error| {
            let errno = Errno::from(&error);
            refuse(errno, errno.to_string())
        })?;
        let module = Self::parse(&bytes).map_err(|reason| refuse(Errno::EINVAL, reason))?;
        // Checked here, where the name of the file is known.
        module
            .schema()
            .map_err(|reason| refuse(Errno::EINVAL, reason))?;
        Ok(module)
    }

    /// Reads what is in a file. The schema has not been checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let no_module = |error| format!("it is no module: {error}");
        let file = ElfFile64::<Endianness>::parse(bytes).map_err(no_module)?;
        let section = file
            .section_by_name(SECTION)
            .ok_or(format!("it is no module of Molt: it has no `{SECTION}`"))?;
        Ok(Self {
            schema: section.data().map_err(no_module)?.to_vec(),
            statics: statics(&file),
        })
    }

    /// Checks the schema.
    pub fn schema(&self) -> Result<Schema<'_>, String> {
        Schema::new(&self.schema).map_err(|fault| format!("its schema: {fault}"))
    }
}

fn statics(file: &ElfFile64<'_, Endianness>) -> Vec<String> {
    let is_kept = |symbol: &object::read::elf::ElfSymbol64<'_, '_, Endianness>| {
        let section = symbol.section_index();
        let section = section.and_then(|index| file.section_by_index(index).ok());
        symbol.kind() == SymbolKind::Data
            && symbol.size() > 0
            && section.is_some_and(|section| is_written(&section))
    };
    let symbols = file.symbols().filter(is_kept);
    let names = symbols.filter_map(|symbol| {
        let symbol = symbol.name().ok()?;
        Some(
            name_of(symbol)
                .filter(|_| !is_generated(symbol))?
                .to_owned(),
        )
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names.dedup();
    names
}

fn is_written<'data>(section: &impl ObjectSection<'data>) -> bool {
    let wanted = u64::from(SHF_WRITE | SHF_ALLOC);
    let is_passed_over = |name: &str| PASSED_OVER.iter().any(|begin| name.starts_with(begin));
    matches!(section.flags(), SectionFlags::Elf { sh_flags } if sh_flags & wanted == wanted)
        && section.name().is_ok_and(|name| !is_passed_over(name))
}
