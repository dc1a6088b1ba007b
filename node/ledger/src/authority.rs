//! What is said of organizations: attestations, in which an issuer speaks, and claims, in which an organization
//! speaks of itself.
//!
//! The two are never one type: policies read what an issuer signed, people read the rest as *claimed*.

use crate::names::{Jurisdiction, Name, OrganizationId};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an issuer says of an organization: a registration, a certification, an authorization.
///
/// Who issues it stands in the statement that holds it, and nothing is believed before that was verified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Of whom.
    pub subject: OrganizationId,
    /// What, such as `ddtc-registered`, `iso27001`, `export-licence`.
    pub what: Name,
    /// Its number in the issuer's register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Name>,
    /// True from here,
    pub not_before: Time,
    /// up to, and without, here. There is none without an end.
    pub not_after: Time,
    /// What it allows, where it is a licence or an agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
}

impl Attestation {
    /// Whether it is true at `now`, at the resolution of a millisecond at which policies compare.
    #[must_use]
    pub fn is_in_force(&self, now: Time) -> bool {
        self.not_before.as_millis() <= now.as_millis() && !self.is_over(now)
    }

    /// Whether it is true no more at `now`, at the same resolution.
    #[must_use]
    pub fn is_over(&self, now: Time) -> bool {
        self.not_after.as_millis() <= now.as_millis()
    }

    /// When what it allows ends: with the authorization or with the attestation, whichever is first.
    #[must_use]
    pub fn ends(&self) -> Time {
        self.authorization
            .as_ref()
            .map_or(self.not_after, |allowed| {
                allowed.not_after.min(self.not_after)
            })
    }
}

/// An export licence, or an agreement that stands for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// Who granted it.
    pub authority: OrganizationId,
    /// Its number, by which facts name it.
    pub number: Name,
    /// Up to, and without, here.
    pub not_after: Time,
    /// Under which rules.
    pub regime: Regime,
    /// Which items, by the regime's own lists: USML categories, ECCNs, entries of Annex I. Each is meant as it is
    /// written, without what lies below it.
    pub items: BTreeSet<Name>,
    /// Where to, with everything that lies in them.
    pub destinations: BTreeSet<Jurisdiction>,
}

/// The rules an authorization is granted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regime {
    /// International Traffic in Arms Regulations, 22 CFR 120 to 130.
    Itar,
    /// Export Administration Regulations, 15 CFR 730 to 774.
    Ear,
    /// Regulation (EU) 2021/821.
    EuDualUse,
}

impl Regime {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Itar, Self::Ear, Self::EuDualUse];

    /// The name in files, tables and policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Itar => "itar",
            Self::Ear => "ear",
            Self::EuDualUse => "eu-dual-use",
        }
    }
}

impl std::fmt::Display for Regime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

/// An attestation that was verified: under an issuer whom this node pinned, or under its own statement key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// Who signed it.
    pub issuer: OrganizationId,
    /// What it says.
    pub attestation: Attestation,
}

/// What an organization says that another attests of it. Shown to people as *claimed*; no policy reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Who is said to attest it.
    pub issuer: OrganizationId,
    /// What, such as `ddtc-registered`, `iso27001`, `export-licence`.
    pub what: Name,
    /// Its number in the issuer's register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Name>,
    /// Up to, and without, here.
    pub not_after: Time,
    /// What it allows, where it is a licence or an agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licence() -> Attestation {
        Attestation {
            subject: "did:web:customer.example".parse().unwrap(),
            what: "export-licence".parse().unwrap(),
            number: None,
            not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
            not_after: "2027-01-01T00:00:00Z".parse().unwrap(),
            authorization: Some(Authorization {
                authority: "did:web:bafa.example".parse().unwrap(),
                number: "D-1".parse().unwrap(),
                not_after: "2026-07-01T00:00:00Z".parse().unwrap(),
                regime: Regime::EuDualUse,
                items: ["2E003".parse().unwrap()].into(),
                destinations: ["BR".parse().unwrap()].into(),
            }),
        }
    }

    #[test]
    fn an_attestation_has_a_beginning_and_an_end() {
        let licence = licence();
        let at = |time: &str| licence.is_in_force(time.parse().unwrap());
        assert!(!at("2025-12-31T23:59:59.999Z"));
        assert!(at("2026-01-01T00:00:00Z") && at("2026-12-31T23:59:59.999Z"));
        assert!(!at("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_allowed_ends_with_the_first_of_the_two() {
        let mut licence = licence();
        assert_eq!(licence.ends().to_string(), "2026-07-01T00:00:00Z");
        licence.not_after = "2026-06-01T00:00:00Z".parse().unwrap();
        assert_eq!(licence.ends(), licence.not_after);
        licence.authorization = None;
        assert_eq!(licence.ends(), licence.not_after);
    }
}
