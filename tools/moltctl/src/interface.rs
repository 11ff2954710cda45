// SPDX-License-Identifier: GPL-2.0

//! Interface: what callers see of two modules, method by method.

use crate::schema::format::{Method, Schema, Word};

/// What has changed; nothing where callers can go on.
pub fn changes(old: &Schema<'_>, new: &Schema<'_>) -> Vec<String> {
    let mut changes = Vec::new();
    if old.class() != new.class() {
        changes.push(format!("class was `{}`, is `{}`", old.class(), new.class()));
    }
    if old.fingerprint() == new.fingerprint() {
        return changes;
    }
    if old.interface() != new.interface() {
        let (was, is) = (old.interface(), new.interface());
        changes.push(format!("interface was `{was}`, is `{is}`"));
    }
    if old.is_atomic() != new.is_atomic() {
        let (was, is) = (context(old), context(new));
        changes.push(format!("context was {was}, is {is}"));
    }
    methods(old, new, &mut changes);
    if changes.is_empty() {
        changes.push("compiled for another kernel or by another compiler".to_owned());
    }
    changes
}

/// Where the methods may be called from.
pub fn context(schema: &Schema<'_>) -> &'static str {
    match schema.is_atomic() {
        true => "atomic",
        false => "sleepable",
    }
}

fn methods(old: &Schema<'_>, new: &Schema<'_>, changes: &mut Vec<String>) {
    let (old, new) = (all(old), all(new));
    let find = |among: &[(String, Method<'_>)], label: &str| {
        let mut places = among.iter();
        places.position(|(other, _)| other == label)
    };
    for (label, method) in &old {
        let now = find(&new, label).and_then(|index| new.get(index));
        match now {
            None => changes.push(format!("{label} is gone")),
            Some((_, now)) if now.fingerprint() != method.fingerprint() => {
                changes.extend(words(label, method, now));
            }
            Some(_) => {}
        }
    }
    let added = new.iter().filter(|(label, _)| find(&old, label).is_none());
    changes.extend(added.map(|(label, _)| format!("{label} is new")));
    let labels = |all: &[(String, Method<'_>)]| {
        let labels = all.iter().map(|(label, _)| label.clone());
        labels.collect::<Vec<_>>()
    };
    if changes.is_empty() && labels(&old) != labels(&new) {
        changes.push("the methods stand in another order".to_owned());
    }
}

/// The creation and the methods, with what they are called here.
fn all<'a>(schema: &Schema<'a>) -> Vec<(String, Method<'a>)> {
    let label = |(index, method): (usize, Method<'a>)| match index {
        0 => ("creation".to_owned(), method),
        _ => (format!("method `{}`", method.name()), method),
    };
    schema.methods().enumerate().map(label).collect()
}

fn words(label: &str, old: &Method<'_>, new: &Method<'_>) -> Vec<String> {
    let (was, is): (Vec<_>, Vec<_>) = (old.words().collect(), new.words().collect());
    let called = |word: &Word<'_>| match word.name() {
        "" => format!("{label}: the result"),
        name => format!("{label}: argument `{name}`"),
    };
    let find = |among: &[Word<'_>], word: &Word<'_>| {
        let mut places = among.iter();
        places.position(|other| other.name() == word.name())
    };
    let mut changes = Vec::new();
    for word in &was {
        let what = called(word);
        let Some(now) = find(&is, word).and_then(|index| is.get(index)) else {
            changes.push(format!("{what} is gone"));
            continue;
        };
        let (before, after) = (word.type_name(), now.type_name());
        if before != after {
            changes.push(format!("{what} was {before}, is {after}"));
        } else if word.fingerprint() != now.fingerprint() {
            changes.push(format!("{what}, {after}, is another type of that name"));
        }
    }
    let added = is.iter().filter(|word| find(&was, word).is_none());
    changes.extend(added.map(|word| format!("{}, {}, is new", called(word), word.type_name())));
    if changes.is_empty() {
        changes.push(format!("{label} is laid out in another way"));
    }
    changes
}
