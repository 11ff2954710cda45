// SPDX-License-Identifier: GPL-2.0

//! The arguments of `#[molt::interface(...)]`.

use crate::creation::Creation;
use syn::{
    parenthesized,
    parse::{Parse, ParseStream},
    Error, Ident, LitStr, Result, Token,
};

/// As many characters as a kernel module's name can have, so that a name can become part of one.
const NAME_MAX: usize = 55;

pub(crate) struct Attribute {
    pub(crate) name: LitStr,
    /// A variant of `molt::interface::Context`.
    pub(crate) context: Ident,
    pub(crate) creation: Creation,
    /// It is one of the framework's own, which needs no proof of its build.
    pub(crate) is_own: bool,
}

impl Parse for Attribute {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut name, mut context, mut creation, mut own) = (None, None, None, None);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            let is_new = match key.to_string().as_str() {
                "name" => name.replace(parse_name(input)?).is_none(),
                "context" => context.replace(parse_context(input)?).is_none(),
                "create" => creation.replace(parse_creation(input)?).is_none(),
                "framework" => own.replace(()).is_none(),
                _ => return Err(unknown(&key)),
            };
            if !is_new {
                let message = format!("`{key}` is given twice\nhelp: remove one of the two");
                return Err(Error::new(key.span(), message));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Self {
            name: name.ok_or_else(|| missing(input, "name = \"...\""))?,
            context: context.ok_or_else(|| missing(input, "context = sleepable` or `atomic"))?,
            creation: creation.unwrap_or_default(),
            is_own: own.is_some(),
        })
    }
}

fn unknown(key: &Ident) -> Error {
    Error::new(
        key.span(),
        format!(
            "an interface has no `{key}`\n\
             help: it has `name = \"...\"`, `context = sleepable` or `atomic`, and \
             `create(argument: Type, ...)`"
        ),
    )
}

fn missing(input: ParseStream<'_>, what: &str) -> Error {
    let message = format!(
        "the interface lacks `{what}`\n\
         help: write `#[molt::interface(name = \"...\", context = sleepable, create(...))]`"
    );
    Error::new(input.span(), message)
}

fn parse_name(input: ParseStream<'_>) -> Result<LitStr> {
    input.parse::<Token![=]>()?;
    let name: LitStr = input.parse()?;
    check_name("an interface", &name)?;
    Ok(name)
}

fn parse_context(input: ParseStream<'_>) -> Result<Ident> {
    input.parse::<Token![=]>()?;
    let context: Ident = input.parse()?;
    let variant = match context.to_string().as_str() {
        "sleepable" => "Sleepable",
        "atomic" => "Atomic",
        _ => {
            return Err(Error::new(
                context.span(),
                format!(
                    "`{context}` is not a context\n\
                     help: write `sleepable` if methods are called where a task may sleep, \
                     `atomic` if also from interrupts or under spin locks"
                ),
            ))
        }
    };
    Ok(Ident::new(variant, context.span()))
}

fn parse_creation(input: ParseStream<'_>) -> Result<Creation> {
    let arguments;
    parenthesized!(arguments in input);
    arguments.parse()
}

/// Refuses a name that cannot stand in a module alias and in a path of sysfs alike.
pub(crate) fn check_name(what: &str, name: &LitStr) -> Result<()> {
    let text = name.value();
    let is_fit = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    if (1..=NAME_MAX).contains(&text.len()) && text.chars().all(is_fit) {
        return Ok(());
    }
    Err(Error::new(
        name.span(),
        format!(
            "`{text}` cannot name {what}: it becomes part of a module alias and of a path in \
             sysfs\nhelp: use 1 to {NAME_MAX} characters out of a-z, 0-9, `_` and `-`"
        ),
    ))
}
