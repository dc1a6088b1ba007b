//! Declarations: the TOML in which a declarer writes an agreement down, and the terms made of it.
//!
//! Pure: the cards that a declaration names are read elsewhere. This module must never make terms that the
//! policy check does not pass.

use ambit_ledger::{
    Assigned, AtEnd, DataClass, Delivery, DerivedTerms, Digest, ErasureExtent, Fingerprint, Member,
    Name, OrganizationId, PartnershipId, PartnershipTerms, Purpose, Salt, Time,
};
use ambit_policy::{Profile, RENDERER, Taxonomies, TermsError, check_terms, render};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A declaration as it was written. Its shape is checked, its terms are not yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    partnership: PartnershipId,
    title: Name,
    program: Identifier,
    #[serde(default)]
    parts: Vec<Identifier>,
    data_classes: BTreeSet<DataClass>,
    purposes: BTreeSet<Purpose>,
    #[serde(deserialize_with = "time")]
    observed_from: Time,
    #[serde(deserialize_with = "time")]
    observed_until: Time,
    #[serde(deserialize_with = "time")]
    until: Time,
    #[serde(default, deserialize_with = "some_time")]
    lease_until: Option<Time>,
    retention_days: u32,
    onward_hops: u32,
    #[serde(default = "readings")]
    erasure: ErasureExtent,
    #[serde(default)]
    deputies: BTreeSet<OrganizationId>,
    #[serde(default)]
    forbids: Option<String>,
    #[serde(default)]
    derived: Option<DerivedTerms>,
    #[serde(rename = "member", default)]
    members: Vec<DeclaredMember>,
}

/// One of the other members.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredMember {
    /// Its identity card: a path relative to the declaration.
    pub card: PathBuf,
    /// Its root's fingerprint, compared on the telephone or in person.
    #[serde(default, deserialize_with = "fingerprint")]
    pub fingerprint: Option<Fingerprint>,
}

/// Why a declaration makes no terms.
#[derive(Debug, thiserror::Error)]
pub enum DeclarationError {
    /// Not TOML, an unknown key, or a value that does not fit its key.
    #[error("the declaration cannot be read")]
    Toml(#[from] toml::de::Error),
    /// Nobody to agree with.
    #[error(
        "the declaration names no other member: add `[[member]]` with `card = \"PATH\"` for each"
    )]
    NoMembers,
    /// A card is missing or one too many.
    #[error(
        "the declaration has {declared} `[[member]]` entries, but {given} cards were read: give one card for each"
    )]
    Cards {
        /// Entries.
        declared: usize,
        /// Cards.
        given: usize,
    },
    /// Listed twice.
    #[error("`{0}` is listed as a member twice: take one `[[member]]` entry away")]
    MemberTwice(OrganizationId),
    /// The declarer's own card is among the others.
    #[error(
        "`{0}` is your own organization: take its `[[member]]` entry away, it is a member anyhow"
    )]
    DeclarerListed(OrganizationId),
    /// Over before it begins.
    #[error("`{key}` is {found}, which has passed: it is {declared_at} now; choose a later one")]
    Past {
        /// Which key.
        key: &'static str,
        /// What it says.
        found: Time,
        /// Now.
        declared_at: Time,
    },
    /// Finer than a millisecond.
    #[error(
        "`{key}` is {found}, finer than a millisecond: write at most three digits after the second"
    )]
    Fine {
        /// Which key.
        key: &'static str,
        /// What it says.
        found: Time,
    },
    /// The policy check says no.
    #[error(transparent)]
    Terms(#[from] TermsError),
}

impl Declaration {
    /// Reads the text of a declaration.
    ///
    /// # Errors
    /// [`DeclarationError::Toml`], whose source names line and column and, for an unknown key, the known ones.
    pub fn parse(text: &str) -> Result<Self, DeclarationError> {
        Ok(toml::from_str(text)?)
    }

    /// Which agreement it is about.
    #[must_use]
    pub fn partnership(&self) -> &PartnershipId {
        &self.partnership
    }

    /// The other members, in the order they are written in.
    #[must_use]
    pub fn members(&self) -> &[DeclaredMember] {
        &self.members
    }

    /// Makes the first edition's terms and the policy rendered from them. `cards` are those of the other
    /// members, one for each entry; whether their roots are the compared ones is not checked here.
    ///
    /// # Errors
    /// Any [`DeclarationError`].
    pub fn terms(
        self,
        declarer: Member,
        cards: Vec<Member>,
        declared_at: Time,
        salt: Salt,
        taxonomies: &Taxonomies,
    ) -> Result<(PartnershipTerms, Profile), DeclarationError> {
        self.check_ends(declared_at)?;
        self.check_instants()?;
        let assigner = declarer.card.organization.clone();
        let declarer = Member {
            deputies: self.deputies.clone(),
            ..declarer
        };
        let members = self.check_members(declarer, cards)?;
        let mut terms = PartnershipTerms {
            partnership: self.partnership,
            edition: 1,
            previous: BTreeSet::new(),
            title: self.title,
            declared_at: declared_at.start_of_millis(),
            sign_by: None,
            needs: BTreeSet::new(),
            program: Some(self.program.assigned(&assigner)),
            parts: self
                .parts
                .into_iter()
                .map(|part| part.assigned(&assigner).into())
                .collect(),
            lots: BTreeSet::new(),
            elements: BTreeSet::new(),
            added_classes: Vec::new(),
            known: BTreeSet::new(),
            declarer: assigner,
            data_classes: self.data_classes,
            purposes: self.purposes,
            observed_from: self.observed_from,
            observed_until: self.observed_until,
            until: self.until,
            retention_days: self.retention_days,
            hold_until: None,
            keep_days: None,
            at_end: AtEnd::Hold,
            delivery: Delivery::Push,
            erasure: self.erasure,
            onward_hops: self.onward_hops,
            derived: self.derived,
            lease_until: self.lease_until.unwrap_or(self.until),
            roles: BTreeSet::new(),
            admission: None,
            documents: BTreeSet::new(),
            clauses: Vec::new(),
            renderer: RENDERER,
            forbids: self.forbids.filter(|text| !text.trim().is_empty()),
            profile: Digest::of(b""),
            members,
            salt,
        };
        let text = render(&terms).map_err(TermsError::Forbids)?;
        terms.profile = Digest::of(text.as_bytes());
        let profile = check_terms(&terms, taxonomies)?;
        Ok((terms, profile))
    }

    fn check_members(
        &self,
        declarer: Member,
        cards: Vec<Member>,
    ) -> Result<Vec<Member>, DeclarationError> {
        if self.members.is_empty() {
            return Err(DeclarationError::NoMembers);
        }
        if self.members.len() != cards.len() {
            return Err(DeclarationError::Cards {
                declared: self.members.len(),
                given: cards.len(),
            });
        }
        let own = declarer.card.organization.clone();
        let mut members = vec![declarer];
        for card in cards {
            if card.card.organization == own {
                return Err(DeclarationError::DeclarerListed(own));
            }
            members.push(card);
        }
        members.sort_by(|left, right| left.card.organization.cmp(&right.card.organization));
        let mut ids = BTreeSet::new();
        for member in &members {
            if !ids.insert(&member.card.organization) {
                return Err(DeclarationError::MemberTwice(
                    member.card.organization.clone(),
                ));
            }
        }
        Ok(members)
    }

    /// Policies read no finer than a millisecond, and what is signed is what is judged.
    fn check_instants(&self) -> Result<(), DeclarationError> {
        let instants = [
            ("observed_from", Some(self.observed_from)),
            ("observed_until", Some(self.observed_until)),
            ("until", Some(self.until)),
            ("lease_until", self.lease_until),
        ];
        let fine = instants.into_iter().find_map(|(key, found)| {
            let found = found.filter(|found| !found.is_whole_millis())?;
            Some(DeclarationError::Fine { key, found })
        });
        fine.map_or(Ok(()), Err)
    }

    fn check_ends(&self, declared_at: Time) -> Result<(), DeclarationError> {
        let lease_until = self.lease_until.unwrap_or(self.until);
        for (key, found) in [("until", self.until), ("lease_until", lease_until)] {
            if found <= declared_at {
                return Err(DeclarationError::Past {
                    key,
                    found,
                    declared_at,
                });
            }
        }
        Ok(())
    }
}

fn readings() -> ErasureExtent {
    ErasureExtent::Readings
}

/// `"F-ONE"`, given by the declarer, or `{ assigner = "…", value = "…" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identifier {
    Own(Name),
    Assigned(Assigned),
}

impl Identifier {
    fn assigned(self, declarer: &OrganizationId) -> Assigned {
        match self {
            Self::Own(value) => Assigned {
                assigner: declarer.clone(),
                value,
            },
            Self::Assigned(assigned) => assigned,
        }
    }
}

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text.parse().map(Self::Own).map_err(D::Error::custom),
            value @ toml::Value::Table(_) => value
                .try_into()
                .map(Self::Assigned)
                .map_err(|error| D::Error::custom(error.message())),
            _ => Err(D::Error::custom(
                "write an identifier of yours, \"F-ONE\", or another's, { assigner = \"did:web:…\", value = \"F-ONE\" }",
            )),
        }
    }
}

/// An instant, in quotes or as TOML has them.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(datetime) => datetime.to_string(),
        other => other.to_string(),
    };
    text.parse().map_err(D::Error::custom)
}

fn some_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    time(deserializer).map(Some)
}

fn fingerprint<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Fingerprint>, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map(Some)
        .map_err(D::Error::custom)
}

#[cfg(test)]
pub(super) mod sample {
    /// A declaration that sets everything.
    pub(crate) const FULL: &str = r#"
partnership = "aero/plates/f-one"
title = "Supplier quality for program F-ONE"
program = "F-ONE"
parts = ["PLATE-1", { assigner = "did:web:plates.example", value = "P1" }]
data_classes = ["quality"]
purposes = ["urn:ambit:purpose:supplier-quality"]
observed_from = "2017-01-01T00:00:00Z"
observed_until = 2018-01-01T00:00:00Z
until = "2027-12-31T00:00:00Z"
lease_until = "2027-06-30T00:00:00Z"
retention_days = 365
onward_hops = 1
erasure = "readings"
deputies = ["did:web:trustee.example"]
forbids = """
@id("no-flatness")
forbid (principal, action, resource)
when { resource.semanticId == "urn:example:flatness" };
"""

[derived]
data_classes = ["spc"]
recipients = ["did:web:aero.example"]
purposes = ["urn:ambit:purpose:quality.spc"]

[[member]]
card = "supplier.card"
fingerprint = "abababab abababab abababab abababab abababab abababab abababab abababab"
"#;

    /// A declaration that leaves out what may be left out.
    pub(crate) const MINIMAL: &str = r#"
partnership = "aero/plates/f-one"
title = "Supplier quality for program F-ONE"
program = "F-ONE"
data_classes = ["quality"]
purposes = ["urn:ambit:purpose:supplier-quality"]
observed_from = "2017-01-01T00:00:00Z"
observed_until = "2018-01-01T00:00:00Z"
until = "2027-12-31T00:00:00Z"
retention_days = 1
onward_hops = 0

[[member]]
card = "cards/supplier.card"
"#;
}

#[cfg(test)]
mod tests;
