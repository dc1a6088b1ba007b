//! How an agreement gets into the ledger: what other members signed or declined, and each edition as it stands.
//!
//! No signature is recorded of a member whose root was not compared, and nothing under an edition that is not known
//! here.

use super::error::PartnerError;
use super::timely::check_timely;
use crate::node::{Node, actor};
use crate::partnership::{Partnership, unbuilt};
use crate::store::{Commit, Write};
use ambit_ledger::{
    Body, ComparedRoot, Decline, Digest, EditionStage, Fingerprint, ManifestSignature,
    OrganizationId, PartnershipDeclined, PartnershipEdition, PartnershipId, PartnershipTerms, Time,
};
use ambit_policy::check_terms;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

impl Node {
    /// Takes in one member's signature under an edition that is known here. Returns whether it was new.
    ///
    /// # Errors
    /// Any [`PartnerError`].
    pub fn take_signature(&self, statement: &[u8], now: Time) -> Result<bool, PartnerError> {
        let now = self.instant(now)?;
        let terms =
            ManifestSignature::unverified_terms(statement).map_err(PartnerError::Signature)?;
        let releasing = self.releasing_lock();
        let governance = self.governance();
        let known = governance
            .partnership(&terms.partnership)
            .filter(|known| known.edition() == terms.digest())
            .ok_or_else(|| PartnerError::Unknown(terms.partnership.clone()))?;
        let signature = ManifestSignature::verify(statement, known.keyring())
            .map_err(PartnerError::Signature)?;
        if known.signatures().contains_key(signature.signer()) {
            return Ok(false);
        }
        check_not_declined(known)?;
        check_timely(known.terms(), now)?;
        let mut signatures = known.signatures().clone();
        signatures.insert(signature.signer().clone(), statement.to_vec());
        let profile = check_terms(known.terms(), governance.layers().taxonomies())?;
        self.record_edition(
            known.terms(),
            profile.text(),
            &signatures,
            known.roots(),
            false,
            now,
        )?;
        drop(releasing);
        Ok(true)
    }

    /// Takes in a member's decline of an edition that is known here. Returns the partnership.
    ///
    /// # Errors
    /// Any [`PartnerError`].
    pub fn take_decline(&self, statement: &[u8], now: Time) -> Result<PartnershipId, PartnerError> {
        let now = self.instant(now)?;
        // Nothing is released or signed meanwhile: what is looked at here stays so until it is recorded.
        let _releasing = self.releasing_lock();
        let governance = self.governance();
        let mut failure = PartnerError::NothingProposed;
        for known in governance.partnerships() {
            match Decline::verify(statement, known.keyring()) {
                Ok(decline) if decline.edition == known.edition() => {
                    let partnership = known.terms().partnership.clone();
                    if known.declined().is_none() && known.stage() == EditionStage::Proposed {
                        self.record_decline(&partnership, statement, now)?;
                    }
                    return Ok(partnership);
                }
                Ok(_) => {}
                Err(error) => failure = PartnerError::Signature(error),
            }
        }
        Err(failure)
    }

    pub(super) fn record_decline(
        &self,
        partnership: &PartnershipId,
        statement: &[u8],
        now: Time,
    ) -> Result<(), PartnerError> {
        let body = Body::PartnershipDeclined(PartnershipDeclined {
            partnership: partnership.clone(),
            decline: ByteBuf::from(statement.to_vec()),
        });
        let _changing = self.changing();
        self.store().commit(Commit {
            actor: actor("operator"),
            reason: None,
            now,
            writes: vec![Write::Entry(body)],
        })?;
        Ok(self.reload()?)
    }

    /// Records an edition as it stands: active once all members have signed, proposed before.
    pub(super) fn record_edition(
        &self,
        terms: &PartnershipTerms,
        profile: &str,
        signatures: &BTreeMap<OrganizationId, Vec<u8>>,
        roots: &BTreeMap<OrganizationId, Fingerprint>,
        is_signing: bool,
        now: Time,
    ) -> Result<(), PartnerError> {
        let governance = self.governance();
        let is_complete = terms
            .members
            .iter()
            .all(|member| signatures.contains_key(&member.card.organization));
        let compared = terms
            .members
            .iter()
            .filter(|member| member.card.organization != *governance.organization())
            .filter_map(|member| {
                roots
                    .get(&member.card.organization)
                    .map(|root| ComparedRoot {
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
            Write::Blob(profile.as_bytes().to_vec()),
        ];
        writes.extend(signatures.values().cloned().map(Write::Blob));
        if is_signing {
            writes.extend(self.limits_for(terms));
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
        let _changing = self.changing();
        self.store().commit(Commit {
            actor: actor("operator"),
            reason: None,
            now,
            writes,
        })?;
        Ok(self.reload()?)
    }
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
