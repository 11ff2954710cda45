// SPDX-License-Identifier: GPL-2.0

//! Source text in one form, however it was spaced or broken into lines.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// Writes `tokens`, a type or a signature, as rustfmt would in one line.
///
/// The compiler's own way of printing tokens keeps some of the author's spaces.
pub(crate) fn of(tokens: &impl ToTokens) -> String {
    let mut words = Vec::new();
    collect(tokens.to_token_stream(), &mut words);

    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|index| words.get(index));
        if previous.is_some_and(|previous| is_apart(previous, word)) {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Splits into words and operators; `::`, `->` and lifetimes are one each.
fn collect(tokens: TokenStream, words: &mut Vec<String>) {
    let mut is_joint = false;
    for token in tokens {
        let mut was_joint = std::mem::take(&mut is_joint);
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                words.push(open.to_owned());
                collect(group.stream(), words);
                words.push(close.to_owned());
            }
            TokenTree::Punct(punct) => {
                let last = words.last().map_or("", |word| word);
                was_joint &= matches!((last, punct.as_char()), (":", ':') | ("-" | "=", '>'));
                is_joint = punct.spacing() == Spacing::Joint;
                append(words, was_joint, &punct.to_string());
            }
            TokenTree::Ident(ident) => {
                was_joint &= words.last().is_some_and(|word| word == "'");
                append(words, was_joint, &ident.to_string());
            }
            TokenTree::Literal(literal) => words.push(literal.to_string()),
        }
    }
    words.retain(|word| !word.is_empty());
}

fn append(words: &mut Vec<String>, to_last: bool, text: &str) {
    match words.last_mut() {
        Some(last) if to_last => last.push_str(text),
        _ => words.push(text.to_owned()),
    }
}

/// Whether a space belongs between two words.
fn is_apart(left: &str, right: &str) -> bool {
    const AROUND: [&str; 5] = ["->", "=>", "=", "+", "{"];
    let is_word = |word: &str| word.starts_with(|c: char| c.is_alphanumeric() || c == '_');

    AROUND.contains(&left)
        || AROUND.contains(&right)
        || matches!(left, "," | ";" | ":")
        || right == "}"
        || ((is_word(left) || left.starts_with('\'')) && (is_word(right)))
        || (is_word(left) && right.starts_with('\''))
        || (matches!(left, "mut" | "const" | "dyn" | "impl") && !matches!(right, "," | ">"))
}
