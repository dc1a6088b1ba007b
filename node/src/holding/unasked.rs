//! Why no layer was asked: what of the observation, or of the agreement, no limits of the owner cover.

use ambit_ledger::{
    Assigned, DataClass, Facts, Limits, OrganizationId, PartnershipTerms, Purpose, Time,
};
use ambit_policy::Taxonomies;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};

/// Why no layer was asked about an observation for a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Unasked {
    /// It is another organization's, and this node passes nothing on.
    NotOwn {
        /// Whose it is.
        origin: OrganizationId,
    },
    /// The agreement is over.
    Ended {
        /// Since when.
        ended: Time,
    },
    /// The owner has set no limits yet.
    NoLimits,
    /// No limits are for its program.
    Program {
        /// The observation's; absent where it has none.
        observed: Option<Assigned>,
        /// Those that there are limits for.
        limited: BTreeSet<Assigned>,
    },
    /// No limits for its program are for its class.
    DataClass {
        /// The observation's.
        observed: DataClass,
        /// Those that there are limits for, with everything within them.
        limited: BTreeSet<DataClass>,
    },
    /// The limits for it and the agreement have no purpose in common.
    Purpose {
        /// The agreement's.
        agreed: BTreeSet<Purpose>,
        /// Those of the limits.
        limited: BTreeSet<Purpose>,
    },
}

impl Unasked {
    /// Why the owner's limits leave nothing to ask.
    pub(super) fn by_limits(
        limits: &[Limits],
        terms: &PartnershipTerms,
        facts: &Facts,
        taxonomies: &Taxonomies,
    ) -> Self {
        if limits.is_empty() {
            return Self::NoLimits;
        }
        let of_program = || {
            limits
                .iter()
                .filter(|limits| limits.program == facts.program)
        };
        if of_program().next().is_none() {
            return Self::Program {
                observed: facts.program.clone(),
                limited: limits
                    .iter()
                    .filter_map(|limits| limits.program.clone())
                    .collect(),
            };
        }
        let mut covering = of_program().filter(|limits| {
            let mut classes = limits.data_classes.iter();
            classes.any(|class| taxonomies.class_is_within(&facts.data_class, class))
        });
        match covering.next_back() {
            None => Self::DataClass {
                observed: facts.data_class.clone(),
                limited: of_program()
                    .flat_map(|limits| limits.data_classes.iter().cloned())
                    .collect(),
            },
            Some(limits) => Self::Purpose {
                agreed: terms.purposes.clone(),
                limited: limits.purposes.clone(),
            },
        }
    }
}

impl Display for Unasked {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotOwn { origin } => write!(
                formatter,
                "it is held from `{origin}`, and this node passes nothing on, so no layer was asked"
            ),
            Self::Ended { ended } => write!(
                formatter,
                "the agreement ended at {ended}, so no layer was asked; nothing is disclosed under it any more"
            ),
            Self::NoLimits => write!(
                formatter,
                "the owner has set no limits, so no layer was asked; signing an agreement sets them"
            ),
            Self::Program { observed, limited } => {
                let observed = observed.as_ref().map_or_else(
                    || "it has no program".to_owned(),
                    |program| format!("its program is {}", program_text(program)),
                );
                write!(
                    formatter,
                    "{observed}, and there are limits for {} alone, so no layer was asked; observe it with a program \
                     that was agreed on, or agree on its own",
                    list(limited.iter().map(program_text))
                )
            }
            Self::DataClass { observed, limited } => write!(
                formatter,
                "its class is `{observed}`, and the limits of its program are for {} and what lies within, so no layer \
                 was asked; observe it with a class that was agreed on, or agree on its own",
                list(limited.iter().map(|class| format!("`{class}`")))
            ),
            Self::Purpose { agreed, limited } => write!(
                formatter,
                "the agreement is for {}, and the limits are for {}, so no layer was asked; agree on a purpose that the \
                 limits allow",
                list(agreed.iter().map(|purpose| format!("`{purpose}`"))),
                list(limited.iter().map(|purpose| format!("`{purpose}`")))
            ),
        }
    }
}

fn program_text(program: &Assigned) -> String {
    format!("`{}` of `{}`", program.value, program.assigner)
}

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set<T: std::str::FromStr + Ord>(names: &[&str]) -> BTreeSet<T>
    where
        T::Err: std::fmt::Debug,
    {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn each_reason_names_both_values_and_how_to_mend_it() {
        let program = Assigned {
            assigner: "did:web:a.example".parse().unwrap(),
            value: "F-ONE".parse().unwrap(),
        };
        let reasons = [
            (
                Unasked::Program {
                    observed: None,
                    limited: [program].into(),
                },
                [
                    "it has no program",
                    "`F-ONE` of `did:web:a.example`",
                    "agree",
                ],
            ),
            (
                Unasked::DataClass {
                    observed: "toolpath".parse().unwrap(),
                    limited: set(&["quality"]),
                },
                ["`toolpath`", "`quality`", "agree"],
            ),
            (
                Unasked::Purpose {
                    agreed: set(&["urn:a"]),
                    limited: set(&["urn:b"]),
                },
                ["`urn:a`", "`urn:b`", "agree on a purpose"],
            ),
        ];
        for (reason, parts) in reasons {
            let text = reason.to_string();
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        }
    }
}
