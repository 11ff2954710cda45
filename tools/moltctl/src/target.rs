// SPDX-License-Identifier: GPL-2.0

//! Targets: what an update is to move, and to which implementation.

use crate::failure::Failure;
use crate::name::{Implementation, Name};

/// What is to be moved.
#[derive(Debug, PartialEq, Eq)]
pub enum Targets {
    /// One class.
    One(Name, Implementation),
    /// Several classes at one point in time.
    Several(Vec<(Name, Implementation)>),
}

impl Targets {
    /// From `CLASS IMPL[@V]`, or from any number of `CLASS=IMPL[@V]`.
    pub fn parse(words: &[String]) -> Result<Self, Failure> {
        if let [class, implementation] = words {
            if !class.contains('=') && !implementation.contains('=') {
                let (class, implementation) = pair(class, implementation)?;
                return Ok(Self::One(class, implementation));
            }
        }
        let mut pairs = words
            .iter()
            .map(|word| assignment(word))
            .collect::<Result<Vec<_>, _>>()?;
        match pairs.pop() {
            // Alone it is an ordinary update, which has more options.
            Some((class, implementation)) if pairs.is_empty() => {
                Ok(Self::One(class, implementation))
            }
            Some(last) => {
                pairs.push(last);
                Ok(Self::Several(pairs))
            }
            None => Err(Failure::Usage("no class is named".to_owned())),
        }
    }
}

fn assignment(word: &str) -> Result<(Name, Implementation), Failure> {
    let (class, implementation) = word.split_once('=').ok_or_else(|| {
        Failure::Usage(format!(
            "`{}`: write CLASS IMPL[@V], or CLASS=IMPL[@V] for each class",
            word.escape_debug()
        ))
    })?;
    pair(class, implementation)
}

fn pair(class: &str, implementation: &str) -> Result<(Name, Implementation), Failure> {
    let wrong = |word: &str, problem: String| {
        Failure::Usage(format!("`{}`: {problem}", word.escape_debug()))
    };
    Ok((
        class.parse().map_err(|problem| wrong(class, problem))?,
        implementation
            .parse()
            .map_err(|problem| wrong(implementation, problem))?,
    ))
}
