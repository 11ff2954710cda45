// SPDX-License-Identifier: GPL-2.0

//! Two states and the rules between them, as an author could have written them: the bytes
//! choose. Each is accepted, and then compared.

#![no_main]

use molt_fuzz::schema::builder::{Field, Kinded, Module, Said};
use molt_fuzz::schema::format::Schema;
use molt_fuzz::schema::types::*;
use molt_fuzz::{compare_both, input};

/// Few names, so that they meet.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// How deep types are nested.
const DEEPEST: usize = 4;

/// # Safety
///
/// As libFuzzer calls it.
#[no_mangle]
pub unsafe extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
    // SAFETY: By the caller's promise.
    let mut choices = Choices(unsafe { input(data, size) });
    let old = choices.module(1);
    let new = choices.module(2);
    let (old, new) = (old.bytes(), new.bytes());
    let schemas = (Schema::new(&old), Schema::new(&new));
    let (old, new) = (
        schemas.0.expect("it is whole"),
        schemas.1.expect("it is whole"),
    );
    compare_both(old, new);
    0
}

/// Bytes that decide.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    /// A number below `end`; zero when all are used up.
    fn below(&mut self, end: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % end
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.below(NAMES.len())]
    }

    fn module(&mut self, version: u32) -> Module {
        let fields = self.fields(0);
        let rules = (0..self.below(3))
            .map(|_| self.type_rule())
            .collect::<Vec<_>>();
        let module = Module::new("Sum", version, record("Sum", &fields).ruled(&rules));
        let sources = match self.below(3) {
            0 => None,
            count => Some(
                (0..count as u32)
                    .map(|version| ("Sum".to_owned(), version))
                    .collect(),
            ),
        };
        Module { sources, ..module }
    }

    /// Some of the names, in some order.
    fn fields(&mut self, depth: usize) -> Vec<Field> {
        let mut names = NAMES.to_vec();
        let count = self.below(NAMES.len() + 1);
        let mut fields = Vec::new();
        for _ in 0..count {
            let name = names.remove(self.below(names.len()));
            let kind = self.kind(depth + 1);
            let rules: Vec<_> = (0..self.below(3)).map(|_| self.field_rule()).collect();
            fields.push(field(name, kind, &rules));
        }
        fields
    }

    fn kind(&mut self, depth: usize) -> Kinded {
        let most = if depth < DEEPEST { 12 } else { 5 };
        match self.below(most) {
            0 => u32(),
            1 => u64(),
            2 => text(),
            3 => timer(),
            4 => whole("Nothing", 0),
            5 => vector(self.kind(depth + 1)),
            6 => boxed(self.kind(depth + 1)),
            7 => option(self.kind(depth + 1)),
            8 => lock(self.kind(depth + 1)),
            9 => array(self.below(4) as u32, self.kind(depth + 1)),
            10 => self.tagged(depth),
            _ => {
                let fields = self.fields(depth);
                let rules: Vec<_> = (0..self.below(2)).map(|_| self.type_rule()).collect();
                record("Inner", &fields).ruled(&rules)
            }
        }
    }

    fn tagged(&mut self, depth: usize) -> Kinded {
        let mut names = NAMES.to_vec();
        let count = 1 + self.below(3);
        let variants: Vec<_> = (0..count)
            .map(|_| {
                let name = names.remove(self.below(names.len()));
                let rules: Vec<_> = (0..self.below(2)).map(|_| renamed(self.name())).collect();
                (name, self.fields(depth + 1), rules)
            })
            .collect();
        let variants: Vec<_> = variants
            .iter()
            .map(|(n, f, r)| (*n, &f[..], &r[..]))
            .collect();
        tagged("Shape", &variants)
    }

    fn field_rule(&mut self) -> Said {
        let rule = match self.below(8) {
            0 => default(),
            1 => renamed(self.name()),
            2 => convert(self.kind(DEEPEST)),
            3 => convert(self.kind(DEEPEST)).named(self.name()),
            4 => keep(),
            5 => irreversible(),
            _ => rebuild(),
        };
        self.meant(rule)
    }

    fn type_rule(&mut self) -> Said {
        let rule = match self.below(4) {
            0 => irreversible(),
            1 => known(self.name(), self.kind(DEEPEST)),
            _ => dropped(self.name()),
        };
        self.meant(rule)
    }

    fn meant(&mut self, rule: Said) -> Said {
        let rule = match self.below(4) {
            0 => rule.back(),
            1 => rule.try_back().fallible(),
            _ => rule,
        };
        match self.below(3) {
            0 => rule.from("Sum", self.below(3) as u32),
            _ => rule,
        }
    }
}
