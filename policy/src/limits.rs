//! Limits in force: which of them cover an observation, and what was missed where none does.

use crate::taxonomy::Taxonomies;
use ambit_ledger::{Assigned, DataClass, Facts, Limits, Purpose};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The limits in force for an observation: the last entry, in the order of the ledger, that covers its
/// program and its class. Without any, nothing may be disclosed.
pub fn limits_in_force<'a>(
    entries: impl IntoIterator<Item = &'a Limits>,
    facts: &Facts,
    taxonomies: &Taxonomies,
) -> Option<&'a Limits> {
    let covers = |limits: &&Limits| {
        limits.program == facts.program && covers_class(limits, facts, taxonomies)
    };
    entries.into_iter().filter(covers).last()
}

fn covers_class(limits: &Limits, facts: &Facts, taxonomies: &Taxonomies) -> bool {
    limits
        .data_classes
        .iter()
        .any(|class| taxonomies.class_is_within(&facts.data_class, class))
}

/// Why no limits allow an observation to be disclosed under an agreement: what it has, what they are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "missed", rename_all = "kebab-case")]
pub enum NoLimits {
    /// There are none at all.
    #[serde(rename = "all")]
    None,
    /// None are for its program.
    Program {
        /// The observation's; absent where it names none.
        stated: Option<Assigned>,
        /// The programs that there are limits for; absent stands for observations that name none.
        limited: BTreeSet<Option<Assigned>>,
    },
    /// Those for its program are not for its class.
    Class {
        /// The observation's.
        stated: DataClass,
        /// The classes that there are limits for.
        limited: BTreeSet<DataClass>,
    },
    /// Those that cover it have no purpose in common with the agreement.
    Purpose {
        /// The agreement's.
        agreed: BTreeSet<Purpose>,
        /// The limits'.
        limited: BTreeSet<Purpose>,
    },
}

/// What was missed, program before class before purpose; `None` where limits do allow a purpose of the agreement.
#[must_use]
pub fn no_limits<'a>(
    entries: impl IntoIterator<Item = &'a Limits>,
    facts: &Facts,
    agreed: &BTreeSet<Purpose>,
    taxonomies: &Taxonomies,
) -> Option<NoLimits> {
    let entries: Vec<&Limits> = entries.into_iter().collect();
    if entries.is_empty() {
        return Some(NoLimits::None);
    }
    let of_program: Vec<&Limits> = entries
        .iter()
        .copied()
        .filter(|limits| limits.program == facts.program)
        .collect();
    if of_program.is_empty() {
        return Some(NoLimits::Program {
            stated: facts.program.clone(),
            limited: entries
                .iter()
                .map(|limits| limits.program.clone())
                .collect(),
        });
    }
    let covering = of_program
        .iter()
        .rev()
        .find(|limits| covers_class(limits, facts, taxonomies));
    let Some(covering) = covering else {
        let classes = of_program.iter().flat_map(|limits| &limits.data_classes);
        return Some(NoLimits::Class {
            stated: facts.data_class.clone(),
            limited: classes.cloned().collect(),
        });
    };
    let is_common = agreed.iter().any(|one| {
        covering.purposes.iter().any(|other| {
            taxonomies.purpose_is_within(one, other) || taxonomies.purpose_is_within(other, one)
        })
    });
    (!is_common).then(|| NoLimits::Purpose {
        agreed: agreed.clone(),
        limited: covering.purposes.clone(),
    })
}

impl std::fmt::Display for NoLimits {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn quoted<T: std::fmt::Display>(names: &BTreeSet<T>) -> String {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            quoted.join(", ")
        }
        let program = |program: &Option<Assigned>| {
            program.as_ref().map_or_else(
                || "no program".to_owned(),
                |name| format!("program `{name}`"),
            )
        };
        match self {
            Self::None => write!(
                formatter,
                "the owner has set no limits; signing an agreement sets them"
            ),
            Self::Program { stated, limited } => {
                let limited: Vec<String> = limited.iter().map(program).collect();
                write!(
                    formatter,
                    "it names {}, and the limits are for {}: name the program where it is collected, or sign an \
                     agreement about it",
                    program(stated),
                    limited.join(", ")
                )
            }
            Self::Class { stated, limited } => write!(
                formatter,
                "it is of class `{stated}`, and the limits for its program are for {}: correct the class where it is \
                 collected, or sign an agreement about it",
                quoted(limited)
            ),
            Self::Purpose { agreed, limited } => write!(
                formatter,
                "the agreement is for {}, and the limits that cover it are for {}: sign an agreement for one of these",
                quoted(agreed),
                quoted(limited)
            ),
        }
    }
}
