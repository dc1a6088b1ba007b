//! Attestations as they are shown: of whom, by whom, and whether they count now.

use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::partnership::{ArmorLabel, Governance, Partnership, write_armor};
use ambit_ledger::{Attestation, Authorization, Name, OrganizationId, Standing, Time};
use ambit_policy::Layers;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is attested here of whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListAttestations {}

impl Ask for ListAttestations {
    type Answer = Vec<Attesting>;

    fn answer(self, node: &Node, now: Time) -> Result<Vec<Attesting>, Failure> {
        Ok(node.attestation_list(now))
    }
}

/// An attestation and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attesting {
    /// Of whom.
    pub subject: OrganizationId,
    /// What.
    pub what: Name,
    /// Its number.
    pub number: Option<Name>,
    /// Who says so.
    pub issuer: OrganizationId,
    /// From when it is true, RFC 3339.
    pub not_before: String,
    /// Until when, RFC 3339.
    pub not_after: String,
    /// What it allows, in words.
    pub allows: Option<String>,
    /// How it stands now.
    pub now: AttestationState,
    /// What a person should know who expects it to change something here, in words.
    pub remark: Option<String>,
    /// The file to hand over: an attestation counts wherever its issuer is pinned.
    pub file: String,
}

/// Whether an attestation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttestationState {
    /// It counts.
    InForce,
    /// It is true from later on.
    NotYet,
    /// It is true no more.
    Ended,
    /// Its issuer is no longer pinned, or under another root.
    IssuerNotPinned,
}

impl AttestationState {
    /// In tables.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::InForce => "in force",
            Self::NotYet => "not yet",
            Self::Ended => "ended",
            Self::IssuerNotPinned => "issuer not pinned",
        }
    }
}

impl Node {
    /// What is attested here of whom, and how it stands.
    #[must_use]
    pub fn attestation_list(&self, now: Time) -> Vec<Attesting> {
        let now = self.reading_instant(now);
        let governance = self.governance();
        let all = governance.attestations().all();
        all.map(|(standing, is_trusted)| attesting(&governance, standing, is_trusted, now))
            .collect()
    }
}

pub(super) fn attesting(
    governance: &Governance,
    standing: &Standing,
    is_trusted: bool,
    now: Time,
) -> Attesting {
    let attestation = &standing.statement.attestation;
    let state = match is_trusted {
        false => AttestationState::IssuerNotPinned,
        true if attestation.is_in_force(now) => AttestationState::InForce,
        true if now < attestation.not_before => AttestationState::NotYet,
        true => AttestationState::Ended,
    };
    Attesting {
        subject: attestation.subject.clone(),
        what: attestation.what.clone(),
        number: attestation.number.clone(),
        issuer: standing.statement.issuer.clone(),
        not_before: attestation.not_before.to_string(),
        not_after: attestation.not_after.to_string(),
        allows: attestation.authorization.as_ref().map(allows),
        now: state,
        remark: remark(governance, attestation, now),
        file: write_armor(ArmorLabel::Attestation, &standing.bytes),
    }
}

fn allows(allowed: &Authorization) -> String {
    let listed = |items: Vec<String>| items.join(", ");
    format!(
        "{} {} of {}: {} to {}, until {}",
        allowed.regime,
        allowed.number,
        allowed.authority,
        listed(allowed.items.iter().map(ToString::to_string).collect()),
        listed(
            allowed
                .destinations
                .iter()
                .map(ToString::to_string)
                .collect()
        ),
        allowed.not_after
    )
}

/// A name that no policy asks for counts for nothing, which nobody would notice; a licence is read by what it allows.
/// What has ended carries nothing that it allowed, and is meant to count no more.
fn remark(governance: &Governance, attestation: &Attestation, now: Time) -> Option<String> {
    if attestation.not_after <= now {
        return None;
    }
    let partnerships = governance.partnerships().map(Partnership::layers);
    let layers = partnerships.chain([governance.layers()]);
    let asked_for: BTreeSet<&str> = layers.flat_map(Layers::attestations_asked_for).collect();
    let what = &attestation.what;
    if attestation.authorization.is_some() || asked_for.contains(what.as_str()) {
        return None;
    }
    let asked_for: Vec<String> = asked_for.iter().map(|name| format!("`{name}`")).collect();
    let others = match asked_for.as_slice() {
        [] => "they ask for nothing by name".to_owned(),
        names => format!("they ask for {}", names.join(", ")),
    };
    Some(format!(
        "no policy in force here asks for `{what}`, so that it changes nothing here: {others}, and for licences by what \
         they allow (--regime)"
    ))
}
