//! How an agreement gets into the ledger: what other members signed or declined, and each edition as it stands.
//!
//! No signature is recorded of a member whose root was not compared, and nothing under an edition that is not known
//! here.

use super::error::PartnerError;
use super::timely::{check_answered, check_timely};
use crate::node::{Actor, Changing, Node};
use crate::partnership::Partnership;
use crate::store::Write;
use ambit_ledger::{
    Body, ComparedRoot, Decline, Digest, EditionStage, Fingerprint, ManifestSignature,
    OrganizationId, PartnershipDeclined, PartnershipEdition, PartnershipId, PartnershipTerms, Time,
};
use ambit_policy::{check_terms, unbuilt};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

/// An edition to be recorded, with what goes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct EditionToRecord<'a> {
    pub(super) terms: &'a PartnershipTerms,
    /// What the terms render to.
    pub(super) profile: &'a str,
    pub(super) signatures: &'a BTreeMap<OrganizationId, Vec<u8>>,
    /// The roots that were compared.
    pub(super) roots: &'a BTreeMap<OrganizationId, Fingerprint>,
    /// Whether this node signs it, which allows what it says.
    pub(super) is_signing: bool,
}

impl Node {
    /// Takes in one member's signature under an edition that is known here, whoever brought it. Returns whether it was
    /// new.
    ///
    /// # Errors
    /// Any [`PartnerError`].
    pub(crate) fn take_signature(
        &self,
        statement: &[u8],
        by: Actor,
        now: Time,
    ) -> Result<bool, PartnerError> {
        let now = self.instant(now)?;
        let terms =
            ManifestSignature::unverified_terms(statement).map_err(PartnerError::Signature)?;
        let changing = self.changing_by(by);
        let known = changing
            .partnership(&terms.partnership)
            .filter(|known| known.edition() == terms.digest())
            .ok_or_else(|| PartnerError::Unknown(terms.partnership.clone()))?;
        // What is recorded stands, whatever became of its key since.
        let mut recorded = known.signatures().values();
        if recorded.any(|recorded| recorded == statement) {
            return Ok(false);
        }
        // By a key that its owner ended, in the card of whatever agreement, nothing is recorded any more.
        let signature = ManifestSignature::verify(statement, changing.keyring_under(known))
            .map_err(PartnerError::Signature)?;
        // An own one is recorded when it is made, or never: `accept` signs anew.
        let is_own = signature.signer() == changing.organization();
        if is_own || known.signatures().contains_key(signature.signer()) {
            return Ok(false);
        }
        check_not_declined(known)?;
        check_answered(known.terms(), signature.signer(), signature.at(), now)?;
        check_timely(known.terms(), changing.organization(), now)?;
        let mut signatures = known.signatures().clone();
        signatures.insert(signature.signer().clone(), statement.to_vec());
        let profile = check_terms(known.terms(), changing.layers().taxonomies())?;
        let writes = edition_writes(
            &changing,
            EditionToRecord {
                terms: known.terms(),
                profile: profile.text(),
                signatures: &signatures,
                roots: known.roots(),
                is_signing: false,
            },
        );
        self.enact(changing, writes, now)?;
        Ok(true)
    }

    /// Takes in a member's decline of an edition that is known here, whoever brought it. Returns the partnership.
    ///
    /// # Errors
    /// Any [`PartnerError`].
    pub(crate) fn take_decline(
        &self,
        statement: &[u8],
        by: Actor,
        now: Time,
    ) -> Result<PartnershipId, PartnerError> {
        let now = self.instant(now)?;
        let edition = Decline::unverified_edition(statement).map_err(PartnerError::Signature)?;
        let changing = self.changing_by(by);
        let known = changing
            .partnerships()
            .find(|known| known.edition() == edition)
            .ok_or(PartnerError::NothingProposed)?;
        let decline = Decline::verify(statement, changing.keyring_under(known))
            .map_err(PartnerError::Signature)?;
        check_answered(known.terms(), &decline.member, decline.at, now)?;
        let partnership = known.terms().partnership.clone();
        if known.declined().is_none() && decline.member == *changing.organization() {
            return Err(PartnerError::OwnDecline(partnership));
        }
        if known.declined().is_none() && known.stage() == EditionStage::Proposed {
            let writes = vec![decline_write(&partnership, statement)];
            self.enact(changing, writes, now)?;
        }
        Ok(partnership)
    }
}

/// The entry that says a member declined.
pub(super) fn decline_write(partnership: &PartnershipId, statement: &[u8]) -> Write {
    Write::Entry(Body::PartnershipDeclined(PartnershipDeclined {
        partnership: partnership.clone(),
        decline: ByteBuf::from(statement.to_vec()),
    }))
}

/// What records an edition as it stands: active once all members have signed, proposed before.
pub(super) fn edition_writes(changing: &Changing<'_>, edition: EditionToRecord<'_>) -> Vec<Write> {
    let EditionToRecord {
        terms, signatures, ..
    } = edition;
    let is_complete = terms
        .members
        .iter()
        .all(|member| signatures.contains_key(&member.card.organization));
    let compared = terms
        .members
        .iter()
        .filter(|member| member.card.organization != *changing.organization())
        .filter_map(|member| {
            let root = edition.roots.get(&member.card.organization)?;
            Some(ComparedRoot {
                organization: member.card.organization.clone(),
                root: *root,
            })
        });
    let mut digests: Vec<Digest> = signatures
        .values()
        .map(|statement| Digest::of(statement))
        .collect();
    digests.sort_unstable();
    let mut writes = vec![
        Write::Blob(ambit_ledger::encode(terms)),
        Write::Blob(edition.profile.as_bytes().to_vec()),
    ];
    writes.extend(signatures.values().cloned().map(Write::Blob));
    if edition.is_signing {
        writes.extend(super::limits::limits_for(changing, terms));
    }
    writes.push(Write::Entry(Body::PartnershipEdition(PartnershipEdition {
        partnership: terms.partnership.clone(),
        edition: terms.digest(),
        stage: if is_complete {
            EditionStage::Active
        } else {
            EditionStage::Proposed
        },
        signatures: digests,
        roots: compared.collect(),
        profile: terms.profile,
    })));
    writes
}

pub(super) fn check_not_declined(partnership: &Partnership) -> Result<(), PartnerError> {
    match partnership.declined() {
        Some(declined) => Err(PartnerError::Declined {
            partnership: partnership.terms().partnership.clone(),
            member: declined.member.clone(),
            reason: declined.reason.clone(),
        }),
        None => Ok(()),
    }
}

/// Nothing is signed that this version cannot do.
pub(super) fn check_built(terms: &PartnershipTerms) -> Result<(), PartnerError> {
    let found = unbuilt(terms);
    if found.is_empty() {
        Ok(())
    } else {
        Err(PartnerError::Unbuilt(found))
    }
}
