//! Facts from files and from the command line.

use super::files::ContentError;
use super::input::{FileKind, read_text};
use crate::collect::{FactsError, FactsFile, fact_members, is_flag};
use crate::config::Home;
use crate::failure::{Failure, FailureKind};
use crate::platform::shell_option;
use clap::Args;
use std::path::PathBuf;
use toml::{Table, Value};

/// Facts beside those in the home's facts file.
#[derive(Clone, Debug, Default, Args)]
pub struct FactsOptions {
    /// A file of facts, on top of those in the home's facts.toml
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
    /// One fact, on top of all others: `serial=42`, `trade_secret=true`. One that has parts takes all of them:
    /// `part.assigner=did:web:them.example --fact part.value=PLATE-05`,
    /// `export_control.determined=true --fact export_control.itar=false --fact export_control.eccn=EAR99`
    #[arg(long = "fact", value_name = "KEY=VALUE", value_parser = pair)]
    pub fact: Vec<(String, String)>,
}

/// What is said of facts: that which maps and columns may override, and that which overrides all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GivenFacts {
    pub(super) base: FactsFile,
    pub(super) overrides: FactsFile,
}

/// Why a fact on the command line cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FactOptionError {
    /// No `=` in it.
    #[error("`{0}` is not KEY=VALUE, such as serial=42")]
    NoValue(String),
    /// More than two parts.
    #[error("`{0}` has more dots than any fact: one at most, such as part.value=PLATE-05")]
    TooDeep(String),
    /// The same twice, or a part of what is also given as a whole.
    #[error("the fact `{0}` is given twice")]
    Repeated(String),
    /// A text where a fact has parts.
    #[error(
        "the fact `{key}` has parts, so that `{key}={text}` says too little: give {}",
        parts_of(key)
    )]
    Whole {
        /// Which fact.
        key: String,
        /// What was given.
        text: String,
    },
    /// A word where `true` or `false` is wanted.
    #[error("`{key}` is `true` or `false`, not `{text}`")]
    NotBoolean {
        /// Which fact.
        key: String,
        /// What was given.
        text: String,
    },
    /// Not the facts that there are.
    #[error("the facts on the command line cannot be used")]
    Facts(#[source] FactsError),
}

/// How a fact that has parts is given.
fn parts_of(key: &str) -> String {
    let parts = fact_members(key).iter();
    let parts =
        parts.map(|(part, example)| shell_option("--fact", &format!("{key}.{part}={example}")));
    parts.collect::<Vec<_>>().join(" ")
}

/// Reads `KEY=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), FactOptionError> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| FactOptionError::NoValue(text.to_owned()))
}

impl FactsOptions {
    /// Reads the home's facts file and what is named here. Whoever observes owns what it observes, so the
    /// owner is this node's organization where nobody names one.
    pub(super) fn read(&self, home: &Home) -> Result<GivenFacts, Failure> {
        let settings = home.settings()?;
        let mut base = FactsFile {
            owner: Some(settings.organization.id),
            ..FactsFile::default()
        };
        let path = home.facts_path();
        if let Some(text) = home.read(&path)? {
            let facts = FactsFile::parse(&text).map_err(ContentError::of(&path))?;
            base = base.overlaid(&facts);
        }
        if let Some(path) = &self.facts {
            let text = read_text(path, FileKind::Facts)?;
            let facts = FactsFile::parse(&text).map_err(ContentError::of(path))?;
            base = base.overlaid(&facts);
        }
        let overrides = overrides(&self.fact, &base)
            .map_err(|error| Failure::new(FailureKind::Usage, &error))?;
        Ok(GivenFacts { base, overrides })
    }
}

/// Makes facts of `KEY=VALUE` pairs. A part, lot, order or program whose assigner is not given has the one
/// that `base` names.
fn overrides(pairs: &[(String, String)], base: &FactsFile) -> Result<FactsFile, FactOptionError> {
    let mut table = Table::new();
    for (key, text) in pairs {
        let repeated = || FactOptionError::Repeated(key.clone());
        let value = value(key, text)?;
        let (name, part) = match key.split_once('.') {
            None => (key.as_str(), None),
            Some((_, part)) if part.contains('.') => {
                return Err(FactOptionError::TooDeep(key.clone()));
            }
            Some((name, part)) => (name, Some(part)),
        };
        let Some(part) = part else {
            if table.contains_key(name) {
                return Err(repeated());
            }
            if !fact_members(name).is_empty() {
                return Err(FactOptionError::Whole {
                    key: key.clone(),
                    text: text.clone(),
                });
            }
            if table.insert(name.to_owned(), value).is_some() {
                return Err(repeated());
            }
            continue;
        };
        let whole = table
            .entry(name)
            .or_insert_with(|| Value::Table(Table::new()));
        let parts = whole.as_table_mut().ok_or_else(repeated)?;
        if parts.insert(part.to_owned(), value).is_some() {
            return Err(repeated());
        }
    }
    for (name, assigner) in base.assigners() {
        if let Some(Value::Table(parts)) = table.get_mut(name) {
            parts
                .entry("assigner")
                .or_insert_with(|| Value::String(assigner.to_string()));
        }
    }
    table
        .try_into()
        .map_err(|error| FactOptionError::Facts(FactsError::Toml(error)))
}

fn value(key: &str, text: &str) -> Result<Value, FactOptionError> {
    if !is_flag(key) {
        return Ok(Value::String(text.to_owned()));
    }
    text.parse()
        .map(Value::Boolean)
        .map_err(|_| FactOptionError::NotBoolean {
            key: key.to_owned(),
            text: text.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::one_line;

    fn facts(texts: &[&str]) -> Result<FactsFile, FactOptionError> {
        let pairs: Vec<_> = texts.iter().map(|text| pair(text).unwrap()).collect();
        let base = FactsFile::parse("part = { assigner = \"did:web:a.example\", value = \"1\" }");
        overrides(&pairs, &base.unwrap())
    }

    #[test]
    fn keys_are_read_by_their_kind() {
        let facts = facts(&[
            "serial=42",
            "trade_secret=true",
            "part.value=PLATE=05",
            "export_control.determined=true",
            "export_control.itar=false",
            "export_control.eccn=EAR99",
        ])
        .unwrap();
        assert_eq!(facts.serial.unwrap().as_str(), "42");
        assert_eq!(facts.trade_secret, Some(true));
        let part = facts.part.unwrap();
        assert_eq!(part.value.as_str(), "PLATE=05");
        assert_eq!(part.assigner.as_str(), "did:web:a.example");
        let export_control = facts.export_control.unwrap();
        assert!(export_control.determined && !export_control.itar);
        assert_eq!(export_control.eccn.unwrap().as_str(), "EAR99");
    }

    #[test]
    fn each_example_in_the_help_can_be_given_alone() {
        let command = FactsOptions::augment_args(clap::Command::new("ambit"));
        let option = command
            .get_arguments()
            .find(|option| option.get_id() == "fact");
        let help = option.unwrap().get_help().unwrap().to_string();
        let examples: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
        assert_eq!(examples.len(), 4, "{help}");
        for example in examples {
            let pairs = example.split(" --fact ").map(|text| pair(text).unwrap());
            let pairs: Vec<_> = pairs.collect();
            let read = overrides(&pairs, &FactsFile::default());
            assert!(read.is_ok(), "{example}: {read:?}");
        }
    }

    #[test]
    fn what_is_no_fact_is_refused_by_name() {
        assert!(matches!(pair("serial"), Err(FactOptionError::NoValue(_))));
        assert!(matches!(pair("=1"), Err(FactOptionError::NoValue(_))));
        let error = facts(&["sauce=1"]).unwrap_err();
        let line = one_line(&error);
        assert!(
            line.contains("unknown field `sauce`") && line.contains("`source`"),
            "{line}"
        );
        let error = facts(&["lot.value=7"]).unwrap_err();
        assert!(one_line(&error).contains("missing field `assigner`"));
        assert!(matches!(
            facts(&["trade_secret=maybe"]),
            Err(FactOptionError::NotBoolean { .. })
        ));
        for (fact, told) in [
            (
                "part=X",
                "give --fact part.assigner=did:web:them.example --fact part.value=1001-A",
            ),
            (
                "export_control=none",
                "give --fact export_control.determined=true --fact",
            ),
        ] {
            let error = facts(&[fact]).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains(fact), "{error}");
        }
        assert!(matches!(
            facts(&["a.b.c=1"]),
            Err(FactOptionError::TooDeep(_))
        ));
    }

    #[test]
    fn a_fact_is_given_once() {
        for texts in [
            ["serial=1", "serial=2"],
            ["part.value=1", "part=2"],
            ["part.value=1", "part.value=2"],
        ] {
            assert!(
                matches!(facts(&texts), Err(FactOptionError::Repeated(_))),
                "{texts:?}"
            );
        }
    }
}
