// SPDX-License-Identifier: GPL-2.0

//! `#[state(...)]` on fields, on variants and on types: what an author says of a change.

use crate::text;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned, ToTokens};
use syn::{
    bracketed,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    spanned::Spanned,
    Attribute, Error, Expr, Field, Ident, LitInt, LitStr, Path, Result, Token, Type,
};

/// What can stand on a field, for messages.
const ON_FIELDS: &str = "`default`, `default = value`, `renamed = \"...\"`, \
     `convert(Type => function)`, `try_convert(Type => function)`, `rebuild = function`, \
     `try_rebuild = function`, `keep`, `irreversible`, and `versions = \"Name@1\"` beside one of \
     them";

/// What can stand on a variant, for messages.
const ON_VARIANTS: &str = "`renamed = \"...\"`, and for its fields `dropped(field)`, \
     `dropped(field: Type = value)`, `irreversible`, and `versions = \"Name@1\"` beside one of \
     them";

/// What can stand on an enum, for messages.
const ON_ENUMS: &str = "`irreversible`, and `versions = \"Name@1\"` beside it";

/// What can stand on a type, for messages.
const ON_TYPES: &str = "`dropped(field)`, `dropped(field: Type = value)`, `irreversible`, and \
     `versions = \"Name@1\"` beside one of them";

/// What can stand on a state besides, for messages.
const ON_STATES: &str = "`name = \"...\"`, `version = N`, `from = \"Name@1\"`, `closed`";

/// `name@version`.
#[derive(PartialEq)]
pub(crate) struct Version {
    name: String,
    version: u32,
}

impl ToTokens for Version {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { name, version } = self;
        tokens.extend(quote!((#name, #version)));
    }
}

/// A function for a conversion: whether it may fail, and its path.
struct Function {
    can_fail: bool,
    path: Path,
}

enum Rule {
    Default(Option<Expr>),
    Renamed(LitStr),
    Convert {
        name: String,
        from: Type,
        forth: Function,
        back: Option<Function>,
    },
    Rebuild(Function),
    Keep,
    Irreversible,
    Dropped {
        name: String,
        known: Option<(Type, Expr)>,
    },
}

/// Where rules stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Field,
    Variant,
    /// A struct inside of a state.
    Part,
    /// An enum inside of a state.
    Enum,
    /// A state.
    State,
}

/// A rule, with its first word and the number of its attribute.
struct Written {
    rule: Rule,
    key: Ident,
    group: usize,
}

/// What stands on one thing, in all its attributes.
#[derive(Default)]
pub(crate) struct Rules {
    rules: Vec<Written>,
    /// The versions of each attribute.
    versions: Vec<Vec<Version>>,
    pub(crate) name: Option<LitStr>,
    pub(crate) version: Option<u32>,
    pub(crate) from: Option<Vec<Version>>,
    pub(crate) closed: Option<()>,
}

impl Rules {
    /// Reads the attributes of a field, a variant or a type.
    pub(crate) fn of(attributes: &[Attribute], place: Place) -> Result<Self> {
        let mut all = Self::default();
        let is_state = |attribute: &&Attribute| attribute.path().is_ident("state");
        for attribute in attributes.iter().filter(is_state) {
            let before = all.rules.len();
            all.versions.push(Vec::new());
            attribute.parse_args_with(|input: ParseStream<'_>| all.parse(input, place))?;
            let has_versions = all.versions.last().is_some_and(|last| !last.is_empty());
            if has_versions && all.rules.len() == before {
                return Err(Error::new_spanned(
                    attribute,
                    "`versions` says for which versions a rule is, and here is none\n\
                     help: put it beside the rule",
                ));
            }
        }
        all.check()?;
        Ok(all)
    }

    /// Refuses rules of which one would not be followed.
    fn check(&self) -> Result<()> {
        for (index, one) in self.rules.iter().enumerate() {
            for before in self.rules.iter().take(index) {
                let why = match self.meet(one, before) {
                    true => one.rule.conflict(&before.rule),
                    false => None,
                };
                if let Some(why) = why {
                    return Err(Error::new(
                        one.key.span(),
                        format!(
                            "`{}` beside `{}`: {why}\nhelp: remove one of the two, or write each \
                             into an attribute of its own, with the `versions` that it is for",
                            one.key, before.key
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether both are for some version.
    fn meet(&self, one: &Written, other: &Written) -> bool {
        let of = |one: &Written| self.versions.get(one.group).map_or(&[][..], Vec::as_slice);
        let (one, other) = (of(one), of(other));
        one.is_empty() || other.is_empty() || one.iter().any(|version| other.contains(version))
    }

    fn parse(&mut self, input: ParseStream<'_>, place: Place) -> Result<()> {
        let group = self.versions.len().saturating_sub(1);
        while !input.is_empty() {
            let key: Ident = input.call(Ident::parse_any)?;
            let word = key.to_string();
            if word == "versions" {
                let versions = parse_versions(input)?;
                if let Some(last) = self.versions.last_mut() {
                    last.extend(versions);
                }
            } else if !self.parse_state(&key, input, place)? {
                let rule = parse_rule(&key, input, place)?;
                self.rules.push(Written { rule, key, group });
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    /// What a state says of itself; `false`: it is something else.
    fn parse_state(&mut self, key: &Ident, input: ParseStream<'_>, place: Place) -> Result<bool> {
        if place != Place::State {
            return Ok(false);
        }
        let is_new = match key.to_string().as_str() {
            "name" => self.name.replace(parse_name(input)?).is_none(),
            "version" => self.version.replace(parse_version(input)?).is_none(),
            "from" => self.from.replace(parse_versions(input)?).is_none(),
            "closed" => self.closed.replace(()).is_none(),
            _ => return Ok(false),
        };
        match is_new {
            true => Ok(true),
            false => Err(Error::new(
                key.span(),
                format!("`{key}` is given twice\nhelp: remove one of the two"),
            )),
        }
    }

    /// Whether a rule makes the field again.
    pub(crate) fn rebuilds(&self) -> bool {
        self.rules
            .iter()
            .any(|one| matches!(one.rule, Rule::Rebuild(_)))
    }

    /// The `molt::schema::Rule`s. `kind`: the type of the field that they stand on.
    pub(crate) fn tokens(&self, kind: Option<&Type>) -> Result<TokenStream> {
        self.some(kind, |_| true)
    }

    /// Of a variant: those for itself.
    pub(crate) fn of_itself(&self) -> Result<TokenStream> {
        self.some(None, |rule| matches!(rule, Rule::Renamed(_)))
    }

    /// Of a variant: those for its fields.
    pub(crate) fn of_inside(&self) -> Result<TokenStream> {
        self.some(None, |rule| !matches!(rule, Rule::Renamed(_)))
    }

    fn some(&self, kind: Option<&Type>, is_one: fn(&Rule) -> bool) -> Result<TokenStream> {
        let chosen = self.rules.iter().filter(|one| is_one(&one.rule));
        let rules = chosen.map(|one| {
            let versions = self.versions.get(one.group).map_or(&[][..], Vec::as_slice);
            one.check_lock(kind)?;
            Ok(one.rule.tokens(kind, versions))
        });
        let rules = rules.collect::<Result<Vec<_>>>()?;
        Ok(quote!(&[#(#rules),*]))
    }
}

impl Written {
    /// A lock cannot be moved once it is made, so it is made where nothing can fail any more.
    fn check_lock(&self, kind: Option<&Type>) -> Result<()> {
        let can_fail = match &self.rule {
            Rule::Convert { forth, .. } | Rule::Rebuild(forth) => forth.can_fail,
            _ => false,
        };
        match kind {
            Some(kind) if can_fail && is_lock(kind) => Err(Error::new(
                self.key.span(),
                format!(
                    "`{}` on a lock: it is made in its place, when nothing can fail any more\n\
                     help: put a struct into the lock, with the rule on its field",
                    self.key
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn parse_rule(key: &Ident, input: ParseStream<'_>, place: Place) -> Result<Rule> {
    let word = key.to_string();
    let is_field = place == Place::Field;
    let is_type = place != Place::Field;
    match word.as_str() {
        "default" if is_field => {
            let value = input.parse::<Option<Token![=]>>()?;
            Ok(Rule::Default(value.map(|_| input.parse()).transpose()?))
        }
        "renamed" if is_field || place == Place::Variant => {
            input.parse::<Token![=]>()?;
            parse_renamed(input)
        }
        "convert" | "try_convert" if is_field => parse_conversion(word == "try_convert", input),
        "rebuild" | "try_rebuild" if is_field => {
            input.parse::<Token![=]>()?;
            Ok(Rule::Rebuild(Function {
                can_fail: word == "try_rebuild",
                path: input.parse()?,
            }))
        }
        "keep" if is_field => Ok(Rule::Keep),
        "irreversible" if is_field || is_type => Ok(Rule::Irreversible),
        "dropped" if is_type && place != Place::Enum => parse_dropped(input),
        _ => {
            let (what, known) = match place {
                Place::Field => ("a field", ON_FIELDS.to_owned()),
                Place::Variant => ("a variant", ON_VARIANTS.to_owned()),
                Place::Part => ("a type", ON_TYPES.to_owned()),
                Place::Enum => ("an enum", ON_ENUMS.to_owned()),
                Place::State => ("a state", format!("{ON_STATES}, {ON_TYPES}")),
            };
            Err(Error::new(
                key.span(),
                format!("{what} has no `{key}` in `#[state(...)]`\nhelp: known are {known}"),
            ))
        }
    }
}

/// `[name:] Type => function [, back = function] [, try_back = function]`.
fn parse_conversion(can_fail: bool, input: ParseStream<'_>) -> Result<Rule> {
    let inside;
    parenthesized!(inside in input);
    let is_name = inside.peek(Ident::peek_any) && inside.peek2(Token![:]);
    let name = match inside.peek(LitInt) || is_name && !inside.peek2(Token![::]) {
        true => {
            let name = parse_member(&inside)?;
            inside.parse::<Token![:]>()?;
            name
        }
        false => String::new(),
    };
    let from = inside.parse()?;
    inside.parse::<Token![=>]>()?;
    let path = inside.parse()?;
    let mut back = None;
    while !inside.is_empty() {
        inside.parse::<Token![,]>()?;
        if inside.is_empty() {
            break;
        }
        let key: Ident = inside.parse()?;
        if key != "back" && key != "try_back" || back.is_some() {
            return Err(Error::new(
                key.span(),
                "a conversion ends with one `back = function` or `try_back = function`\n\
                 help: `convert(Type => forth, back = back)`",
            ));
        }
        inside.parse::<Token![=]>()?;
        back = Some(Function {
            can_fail: key == "try_back",
            path: inside.parse()?,
        });
    }
    Ok(Rule::Convert {
        name,
        from,
        forth: Function { can_fail, path },
        back,
    })
}

/// The name of a field; in a tuple struct it is a number.
fn parse_member(input: ParseStream<'_>) -> Result<String> {
    if input.peek(LitInt) {
        return Ok(input.parse::<LitInt>()?.base10_digits().to_owned());
    }
    Ok(input.call(Ident::parse_any)?.unraw().to_string())
}

/// `"field"` or `"Variant"`.
fn parse_renamed(input: ParseStream<'_>) -> Result<Rule> {
    let name: LitStr = input.parse()?;
    let value = name.value();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = value.starts_with(|first: char| first == '_' || first.is_alphabetic())
        && value
            .chars()
            .all(|letter| letter == '_' || letter.is_alphanumeric());
    match is_number || is_name {
        true => Ok(Rule::Renamed(name)),
        false => Err(Error::new(
            name.span(),
            format!(
                "`{value}` is no name of a field or a variant\n\
                 help: write the one that it had, as in `renamed = \"total\"`; fields of tuple \
                 structs are numbers"
            ),
        )),
    }
}

/// `field` or `field: Type = value`.
fn parse_dropped(input: ParseStream<'_>) -> Result<Rule> {
    let inside;
    parenthesized!(inside in input);
    let name = parse_member(&inside)?;
    if inside.is_empty() {
        return Ok(Rule::Dropped { name, known: None });
    }
    inside.parse::<Token![:]>()?;
    let kind = inside.parse()?;
    inside.parse::<Token![=]>()?;
    let value = inside.parse()?;
    Ok(Rule::Dropped {
        name,
        known: Some((kind, value)),
    })
}

/// `= "Name@1"` or `= ["Name@1", "Name@2"]`.
fn parse_versions(input: ParseStream<'_>) -> Result<Vec<Version>> {
    input.parse::<Token![=]>()?;
    if !input.peek(syn::token::Bracket) {
        return Ok(vec![input.parse()?]);
    }
    let inside;
    bracketed!(inside in input);
    let all = Punctuated::<Version, Token![,]>::parse_terminated(&inside)?;
    match all.is_empty() {
        true => Err(inside.error("no version is named\nhelp: write `\"Name@1\"`")),
        false => Ok(all.into_iter().collect()),
    }
}

impl Parse for Version {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let text: LitStr = input.parse()?;
        let value = text.value();
        let parts = value.split_once('@');
        let known = parts.and_then(|(name, version)| Some((name, version.parse().ok()?)));
        match known {
            Some((name, version)) if syn::parse_str::<Ident>(name).is_ok() => Ok(Self {
                name: name.to_owned(),
                version,
            }),
            _ => Err(Error::new(
                text.span(),
                format!(
                    "`{value}` is not a version of an implementation\n\
                     help: write its name and its number, as in `\"Sum@1\"`"
                ),
            )),
        }
    }
}

fn parse_name(input: ParseStream<'_>) -> Result<LitStr> {
    input.parse::<Token![=]>()?;
    let name: LitStr = input.parse()?;
    match syn::parse_str::<Ident>(&name.value()) {
        Ok(_) if name.value().is_ascii() => Ok(name),
        _ => Err(Error::new(
            name.span(),
            format!(
                "`{}` cannot name a state: it is written `name@version` in sysfs and in aliases\n\
                 help: use a name that a type could have",
                name.value()
            ),
        )),
    }
}

fn parse_version(input: ParseStream<'_>) -> Result<u32> {
    input.parse::<Token![=]>()?;
    input.parse::<LitInt>()?.base10_parse()
}

impl Rule {
    /// Why one of them would not be followed, if so.
    fn conflict(&self, other: &Self) -> Option<&'static str> {
        use core::mem::discriminant;
        let has = |is_one: fn(&Self) -> bool| is_one(self) || is_one(other);
        let is_same = match (self, other) {
            (Self::Dropped { name: one, .. }, Self::Dropped { name, .. }) => one == name,
            _ => discriminant(self) == discriminant(other),
        };
        if is_same {
            return Some("only the first would be followed");
        }
        if has(|rule| matches!(rule, Self::Rebuild(_)))
            && !has(|rule| matches!(rule, Self::Irreversible))
        {
            return Some("what is made again has nothing from the other version");
        }
        let keeps = has(|rule| matches!(rule, Self::Keep));
        if keeps && has(|rule| matches!(rule, Self::Convert { .. })) {
            return Some("what is converted is not kept");
        }
        None
    }

    /// The `molt::schema::Rule`.
    fn tokens(&self, kind: Option<&Type>, versions: &[Version]) -> TokenStream {
        let mut name = String::new();
        let mut known = quote!(::core::option::Option::None);
        let (mut forth, mut back) = (nothing(), nothing());
        let verb = match self {
            Self::Default(value) => {
                forth = kind.map_or_else(nothing, |kind| make(kind, value.as_ref()));
                quote!(Default)
            }
            Self::Renamed(old) => {
                name = old.value();
                quote!(Renamed)
            }
            Self::Convert {
                name: old,
                from,
                forth: function,
                back: other,
            } => {
                name = old.clone();
                known = described(from);
                if let Some(kind) = kind {
                    forth = conversion(from, kind, function);
                    if let Some(other) = other {
                        back = conversion(kind, from, other);
                    }
                }
                quote!(Convert)
            }
            Self::Rebuild(function) => {
                forth = kind.map_or_else(nothing, |kind| remake(kind, function));
                quote!(Rebuild)
            }
            Self::Keep => quote!(Keep),
            Self::Irreversible => quote!(Irreversible),
            Self::Dropped {
                name: old,
                known: value,
            } => {
                name = old.clone();
                if let Some((from, value)) = value {
                    known = described(from);
                    back = make(from, Some(value));
                }
                quote!(Dropped)
            }
        };
        quote! {
            ::molt::schema::Rule {
                verb: ::molt::schema::Verb::#verb,
                name: #name,
                kind: #known,
                versions: &[#(#versions),*],
                functions: ::molt::schema::RuleFunctions { forth: #forth, back: #back },
            }
        }
    }
}

fn described(kind: &Type) -> TokenStream {
    quote_spanned! {at(kind)=>
        ::core::option::Option::Some(<#kind as ::molt::container::Stateful>::TYPE)
    }
}

fn nothing() -> TokenStream {
    quote!(::molt::schema::Make::Nothing)
}

/// The last name of a path type.
fn last(kind: &Type) -> String {
    match kind {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.map_or(String::new(), |last| last.ident.to_string())
        }
        // As it comes out of a macro of the author's.
        Type::Group(group) => self::last(&group.elem),
        _ => String::new(),
    }
}

/// Where the compiler is to look for what is wrong with code about `tokens`. Names in that code are
/// the macro's own, even where the tokens come out of a macro of the author's.
fn at(tokens: &impl Spanned) -> Span {
    tokens.span().resolved_at(Span::call_site())
}

/// Whether a type is a lock by its name. A rule makes and takes what is in it.
fn is_lock(kind: &Type) -> bool {
    matches!(
        last(kind).as_str(),
        "Mutex" | "SpinLock" | "SpinLockIrq" | "Lock"
    )
}

/// What a rule's function takes or makes for a field of type `kind`.
fn value_of(kind: &Type) -> TokenStream {
    match is_lock(kind) {
        true => quote_spanned!(at(kind)=> <#kind as ::molt::container::Relock>::Value),
        false => kind.to_token_stream(),
    }
}

/// Takes the value of a `kind` out of `old`.
fn take(kind: &Type) -> TokenStream {
    match is_lock(kind) {
        true => quote_spanned!(at(kind)=> <#kind as ::molt::container::Relock>::take(old)),
        false => quote_spanned!(at(kind)=> old.cast::<#kind>().read()),
    }
}

/// Makes a `kind` with `value` in `place`.
fn put(kind: &Type, value: &TokenStream) -> TokenStream {
    let text = kind.to_token_stream().to_string();
    match is_lock(kind) {
        true => quote_spanned! {at(kind)=>
            <#kind as ::molt::container::Relock>::put(place, #value, #text)
        },
        false => quote_spanned!(at(kind)=> place.cast::<#kind>().write(#value)),
    }
}

/// Writes `value`, or the default, into a place for `kind`.
fn make(kind: &Type, value: Option<&Expr>) -> TokenStream {
    let (inside, write) = (value_of(kind), put(kind, &quote!(value)));
    let value = match value {
        Some(value) => value.to_token_stream(),
        None if last(kind) == "Atomic" => quote_spanned! {at(kind)=>
            <#kind>::new(::core::default::Default::default())
        },
        None => quote_spanned!(at(kind)=> ::core::default::Default::default()),
    };
    quote! {
        ::molt::schema::Make::New(|place: *mut ()| {
            let value: #inside = #value;
            // SAFETY: Whoever calls has memory for the field there.
            unsafe { #write }
        })
    }
}

/// Makes a `to` of a `from`.
fn conversion(from: &Type, to: &Type, function: &Function) -> TokenStream {
    let (path, result) = (&function.path, value_of(to));
    match function.can_fail {
        false => {
            let (argument, old) = (value_of(from), take(from));
            let write = put(to, &quote!(convert(old)));
            quote_spanned! {at(path)=>
                ::molt::schema::Make::From(|old: *mut (), place: *mut ()| {
                    let convert: fn(#argument) -> #result = #path;
                    // SAFETY: Whoever calls gives the old value away, and has memory for the new.
                    unsafe {
                        let old = #old;
                        #write
                    }
                })
            }
        }
        true => {
            let write = put(to, &quote!(convert(&*old.cast::<#from>())?));
            quote_spanned! {at(path)=>
                ::molt::schema::Make::TryFrom(|old: *const (), place: *mut ()| {
                    let convert: fn(&#from) -> ::kernel::error::Result<#result> = #path;
                    // SAFETY: Whoever calls lends the old value, and has memory for the new.
                    unsafe { #write };
                    ::core::result::Result::Ok(())
                })
            }
        }
    }
}

/// Makes a `kind` of nothing, by a function.
fn remake(kind: &Type, function: &Function) -> TokenStream {
    let (path, result) = (&function.path, value_of(kind));
    match function.can_fail {
        false => {
            let write = put(kind, &quote!(rebuild()));
            quote_spanned! {at(path)=>
                ::molt::schema::Make::New(|place: *mut ()| {
                    let rebuild: fn() -> #result = #path;
                    // SAFETY: Whoever calls has memory for the field there.
                    unsafe { #write }
                })
            }
        }
        true => {
            let write = put(kind, &quote!(rebuild()?));
            quote_spanned! {at(path)=>
                ::molt::schema::Make::TryNew(|place: *mut ()| {
                    let rebuild: fn() -> ::kernel::error::Result<#result> = #path;
                    // SAFETY: As above.
                    unsafe { #write };
                    ::core::result::Result::Ok(())
                })
            }
        }
    }
}

/// The `molt::schema::Part` of a field. `owner`: what implements the description of its type;
/// `offset`: where it lies.
pub(crate) fn part(
    field: &Field,
    name: &str,
    rules: &Rules,
    owner: &TokenStream,
    offset: &TokenStream,
) -> Result<TokenStream> {
    let kind = &field.ty;
    let type_name = text::of(kind);
    let list = rules.tokens(Some(kind))?;
    let described = match rules.rebuilds() {
        true => quote! {
            &::molt::schema::Type::new::<#kind>(#type_name, 0, ::molt::schema::Kind::Remade)
        },
        false => quote_spanned!(at(kind)=> <#kind as #owner>::TYPE),
    };
    Ok(quote! {
        ::molt::schema::Part {
            name: #name,
            type_name: #type_name,
            kind: #described,
            offset: #offset,
            tag: 0,
            rules: #list,
        }
    })
}
