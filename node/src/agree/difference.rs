//! What this node's settings say otherwise than the record that the members signed.
//!
//! Everyone judges by the record. A person who changes the settings and hears nothing believes that they count.

use crate::node::Node;
use crate::partnership::{Partnership, passed};
use ambit_ledger::{Member, PartnershipTerms, Time};
use serde::{Deserialize, Serialize};

/// What to do about differences, for people.
pub const DIFFERENCE_HINT: &str = "the members go by what they signed: set node.toml back, or declare the agreement \
                                   anew, under another name, with the card that `ambit key card` writes now";

/// One thing that the settings say otherwise than the record in an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What: `hosting`, for one.
    pub what: String,
    /// As the members signed it.
    pub signed: String,
    /// As this node's settings have it.
    pub set: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} is {} in the agreement, {} in node.toml",
            self.what, self.signed, self.set
        )
    }
}

impl Node {
    /// How the settings differ from this node's record in an agreement that binds it now, or still may.
    pub(crate) fn differences(&self, partnership: &Partnership, now: Time) -> Vec<Difference> {
        let terms = partnership.terms();
        let has_signed = partnership
            .signatures()
            .contains_key(&self.settings().organization.id);
        if !has_signed || partnership.declined().is_some() || passed(terms, now).is_some() {
            return Vec::new();
        }
        self.differences_in(terms)
    }

    /// How the settings differ from this node's record in these terms.
    pub(super) fn differences_in(&self, terms: &PartnershipTerms) -> Vec<Difference> {
        let set = self.member();
        terms
            .member(&set.organization)
            .map_or_else(Vec::new, |signed| differences_between(signed, &set))
    }
}

fn differences_between(signed: &Member, set: &Member) -> Vec<Difference> {
    let sides = [signed, set].map(|member| {
        [
            ("name", member.name.to_string()),
            ("seat", member.seat.to_string()),
            ("hosting", listed(&member.hosting)),
            ("personnel", listed(&member.personnel)),
            ("addresses", listed(&member.addresses)),
            (
                "claims",
                listed(member.claims.iter().map(|claim| {
                    let number = claim.number.as_ref().map(|number| format!(" {number}"));
                    format!(
                        "{}{} by {} until {}",
                        claim.what,
                        number.unwrap_or_default(),
                        claim.issuer,
                        claim.not_after
                    )
                })),
            ),
        ]
    });
    let [signed, set] = sides;
    signed
        .into_iter()
        .zip(set)
        .filter(|((_, signed), (_, set))| signed != set)
        .map(|((what, signed), (_, set))| Difference {
            what: what.to_owned(),
            signed,
            set,
        })
        .collect()
}

fn listed(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}
