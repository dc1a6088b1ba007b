//! The path to an element inside its submodel, `a.b[0].c` (IDTA-01002, "IdShortPath Serialization").
//! A path that was parsed is written back exactly; it says nothing about whether the element exists.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::identifier::{IdShort, IdShortError};

/// The most steps a path may have; deeper than any JSON file this crate reads can nest.
const STEPS_MAX: usize = 128;

/// The path to an element, from its submodel down: names separated by `.`, positions in lists as `[0]`.
/// It always begins with a name, for a submodel is no list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdShortPath {
    first: IdShort,
    rest: Vec<IdShortPathStep>,
}

/// One step of an [`IdShortPath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdShortPathStep {
    /// Into a collection, the statements of an entity or the annotations of a relationship, by name.
    Name(IdShort),
    /// Into a list, by position counted from zero.
    Index(usize),
}

impl IdShortPath {
    /// The path to an element directly in the submodel.
    #[must_use]
    pub fn new(first: IdShort) -> Self {
        Self {
            first,
            rest: Vec::new(),
        }
    }

    /// Reads a path in the form `a.b[0].c`.
    ///
    /// # Errors
    /// When the text is empty, a name or index is not one, or there are more than 128 steps.
    pub fn parse(text: &str) -> Result<Self, IdShortPathError> {
        let refuse = |problem| IdShortPathError {
            path: text.to_owned(),
            problem,
        };
        let mut path: Option<Self> = None;
        for segment in text.split('.') {
            let (name, indexes) = match segment.split_once('[') {
                Some((name, indexes)) => (name, Some(indexes)),
                None => (segment, None),
            };
            let name = IdShort::parse(name).map_err(|cause| refuse(Problem::Name(cause)))?;
            let reached = match path.take() {
                None => Self::new(name),
                Some(parent) => parent.join(IdShortPathStep::Name(name)),
            };
            let reached = match indexes {
                None => reached,
                Some(indexes) => reached
                    .join_indexes(indexes)
                    .ok_or_else(|| refuse(Problem::Index))?,
            };
            if reached.rest.len() >= STEPS_MAX {
                return Err(refuse(Problem::TooDeep));
            }
            path = Some(reached);
        }
        path.ok_or_else(|| refuse(Problem::Name(IdShortError::Empty)))
    }

    /// This path and one step further.
    #[must_use]
    pub fn join(mut self, step: IdShortPathStep) -> Self {
        self.rest.push(step);
        self
    }

    /// The name the path begins with.
    #[must_use]
    pub fn first(&self) -> &IdShort {
        &self.first
    }

    /// The steps after the first name.
    #[must_use]
    pub fn rest(&self) -> &[IdShortPathStep] {
        &self.rest
    }

    /// Adds the indexes of `0][1]`: what follows the first `[` of a segment.
    fn join_indexes(mut self, text: &str) -> Option<Self> {
        for index in text.strip_suffix(']')?.split("][") {
            let number = index.parse::<usize>().ok()?;
            // `+1` and `01` would be written back differently, so two spellings would name one element.
            if number.to_string() != index {
                return None;
            }
            self.rest.push(IdShortPathStep::Index(number));
        }
        Some(self)
    }
}

impl fmt::Display for IdShortPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.first)?;
        for step in &self.rest {
            match step {
                IdShortPathStep::Name(name) => write!(formatter, ".{name}")?,
                IdShortPathStep::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for IdShortPath {
    type Err = IdShortPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for IdShortPath {
    type Error = IdShortPathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<IdShortPath> for String {
    fn from(path: IdShortPath) -> Self {
        path.to_string()
    }
}

/// Why a text is no [`IdShortPath`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("failed to read the path `{path}`; write it as `name.name[0].name`")]
pub struct IdShortPathError {
    /// The text given.
    path: String,
    #[source]
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum Problem {
    #[error("a step between the dots is no name")]
    Name(#[source] IdShortError),
    #[error(
        "a position in a list is written as a whole number from 0 in brackets, directly after the name"
    )]
    Index,
    #[error("it has more than 128 steps")]
    TooDeep,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_step() -> impl Strategy<Value = IdShortPathStep> {
        prop_oneof![
            "[a-zA-Z][a-zA-Z0-9_-]{0,9}"
                .prop_map(|name| IdShortPathStep::Name(IdShort::parse(&name).unwrap())),
            any::<usize>().prop_map(IdShortPathStep::Index),
        ]
    }

    proptest! {
        #[test]
        fn a_path_reads_back_as_it_was_written(
            first in "[a-zA-Z][a-zA-Z0-9_-]{0,9}",
            steps in proptest::collection::vec(any_step(), 0..12),
        ) {
            let path = steps.into_iter().fold(IdShortPath::new(IdShort::parse(&first).unwrap()), IdShortPath::join);
            prop_assert_eq!(IdShortPath::parse(&path.to_string()).unwrap(), path);
        }

        #[test]
        fn whatever_is_read_is_written_back_the_same(text in "[ab.\\[\\]01+]{0,12}") {
            if let Ok(path) = IdShortPath::parse(&text) {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }

    #[test]
    fn forms_that_are_read_and_forms_that_are_not() {
        let path = IdShortPath::parse("a.b[0].c").unwrap();
        assert_eq!(path.first().as_str(), "a");
        assert_eq!(path.rest().len(), 3);
        assert_eq!(path.rest()[1], IdShortPathStep::Index(0));
        assert!(IdShortPath::parse("list[0][12]").is_ok());
        for rejected in [
            "", ".", "a.", ".a", "a..b", "[0]", "a[", "a[]", "a[0", "a[0]b", "a[-1]", "a[01]",
            "a[+1]", "a]0[", "a b", "a[0].[1]",
        ] {
            assert!(IdShortPath::parse(rejected).is_err(), "{rejected}");
        }
        assert!(IdShortPath::parse(&vec!["a"; 129].join(".")).is_err());
        assert!(IdShortPath::parse(&vec!["a"; 128].join(".")).is_ok());
    }
}
