//! What this node's settings say otherwise than the record that the members signed.
//!
//! Everyone judges by the record. A person who changes the settings and hears nothing believes that they count.

use crate::node::Node;
use crate::partnership::{Partnership, passed};
use ambit_ledger::{Card, Claim, PartnershipTerms, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
        let (card, claims) = (self.own_card(terms.declared_at), self.own_claims());
        terms
            .member(&card.organization)
            .map_or_else(Vec::new, |signed| {
                let signed = (&*signed.card, &signed.claims);
                differences_between(signed, (&card, &claims))
            })
    }
}

/// What a member states of itself: its card and its claims.
type Stated<'a> = (&'a Card, &'a BTreeSet<Claim>);

fn differences_between(
    (signed, signed_claims): Stated<'_>,
    (set, set_claims): Stated<'_>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    // Told apart as what they are: two texts may be the same and say something else.
    let mut compare = |what: &str, is_same: bool, signed: String, set: String| {
        if !is_same {
            found.push(Difference {
                what: what.to_owned(),
                signed,
                set,
            });
        }
    };
    let [one, other] = [&signed.name, &set.name].map(ToString::to_string);
    compare("name", signed.name == set.name, one, other);
    let [one, other] = [&signed.seat, &set.seat].map(ToString::to_string);
    compare("seat", signed.seat == set.seat, one, other);
    let [one, other] = [&signed.hosting, &set.hosting].map(listed);
    compare("hosting", signed.hosting == set.hosting, one, other);
    let [one, other] = [&signed.personnel, &set.personnel].map(listed);
    compare("personnel", signed.personnel == set.personnel, one, other);
    let [one, other] = [&signed.addresses, &set.addresses].map(listed);
    compare("addresses", signed.addresses == set.addresses, one, other);
    let [one, other] = [signed_claims, set_claims].map(|claims| listed(claims.iter().map(stated)));
    compare("claims", signed_claims == set_claims, one, other);
    found
}

fn stated(claim: &Claim) -> String {
    let number = claim.number.as_ref().map(|number| format!(" {number}"));
    let grants = claim
        .authorization
        .as_ref()
        .map(|_| " with an authorization");
    format!(
        "{}{}{} by {} until {}",
        claim.what,
        number.unwrap_or_default(),
        grants.unwrap_or_default(),
        claim.issuer,
        claim.not_after
    )
}

fn listed(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}
