//! Declining a proposal.

use super::accept::{verified, verified_some};
use super::error::PartnerError;
use super::proposal::{DeclinedBy, Proposal};
use super::record::{EditionToRecord, decline_write, edition_writes};
use super::timely::check_signed;
use super::whole::whole;
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::partnership::{Partnership, PartnershipFile, compared_members};
use ambit_ledger::{Decline, Fingerprint, Name, OrganizationId, Time};
use ambit_policy::check_terms;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};

/// Declines a proposal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclineProposal {
    /// The file's text.
    pub file: String,
    /// The root fingerprints that were compared. The signatures of other members are not known to be theirs, and are not
    /// recorded.
    pub fingerprints: BTreeMap<OrganizationId, Fingerprint>,
    /// Why.
    pub reason: Name,
}

impl Ask for DeclineProposal {
    type Answer = Proposal;

    fn answer(self, node: &Node, now: Time) -> Result<Proposal, Failure> {
        Ok(node.decline(&self.file, &self.fingerprints, self.reason, now)?)
    }
}

impl Node {
    /// Declines a proposal, and records that. With the fingerprints compared the node tells the others over the mesh;
    /// without, only the file does.
    ///
    /// # Errors
    /// Any [`PartnerError`].
    pub fn decline(
        &self,
        file: &str,
        fingerprints: &BTreeMap<OrganizationId, Fingerprint>,
        reason: Name,
        now: Time,
    ) -> Result<Proposal, PartnerError> {
        let now = self.instant(now)?;
        let parsed = PartnershipFile::read(file)?;
        let (terms, _) = whole(&parsed)?;
        self.check_compared(&terms, fingerprints)?;
        let governance = self.changing();
        let me = governance.organization();
        self.check_own_member(&terms)?;
        let known = governance.partnership(&terms.partnership);
        if let Some(known) = known {
            if known.edition() != terms.digest() {
                return Err(PartnerError::Exists(terms.partnership));
            }
            if known.signatures().contains_key(me) {
                return Err(PartnerError::SignedAlready {
                    standing: known.standing(now),
                    partnership: terms.partnership,
                });
            }
        }
        let before = known
            .and_then(Partnership::declined)
            .filter(|declined| declined.member == *me);
        // What was declined stays so, for the reason that was given.
        let standing = DeclinedBy {
            member: me.clone(),
            reason: before.map_or(reason, |declined| declined.reason.clone()),
        };
        let statement = match before {
            Some(declined) => declined.statement.clone(),
            None => Decline {
                member: me.clone(),
                edition: terms.digest(),
                reason: standing.reason.clone(),
                at: now,
            }
            .issue(&self.keys().agreement)
            .map_err(PartnerError::Signature)?,
        };
        if known.is_none() {
            check_signed(&terms.declarer, terms.declared_at, now)?;
            let roots = self.with_own_root(fingerprints);
            // Nothing that a stranger signed is recorded.
            let compared = compared_members(&terms.members, &roots);
            let keyring = governance.keyring_to_record(&compared, &roots)?;
            let mut signatures = match compared.len() == terms.members.len() {
                true => verified(&parsed, &terms, &keyring, now)?,
                // Those of members whose roots were not compared stay unknown.
                false => verified_some(&parsed, &terms, &keyring, now),
            };
            // What this node signed once and does not know any more it declines now: with that signature too, all might have
            // signed.
            signatures.remove(me);
            let profile = check_terms(&terms, governance.layers().taxonomies())?;
            let edition = EditionToRecord {
                terms: &terms,
                profile: profile.text(),
                signatures: &signatures,
                roots: &roots,
                is_signing: false,
            };
            let mut writes = edition_writes(&governance, edition);
            writes.push(decline_write(&terms.partnership, &statement));
            self.enact(governance, writes, now)?;
        }
        let file = PartnershipFile {
            statements: Vec::new(),
            decline: Some(ByteBuf::from(statement)),
        };
        Ok(Proposal {
            file: file.write(),
            declined: Some(standing),
            ..self.describe(&terms, BTreeSet::new(), now)?
        })
    }
}
