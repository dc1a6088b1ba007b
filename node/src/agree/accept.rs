//! Accepting: signing a proposal, or taking in what another member signed or declined.

use super::error::PartnerError;
use super::proposal::Proposal;
use super::record::{EditionToRecord, check_built, check_not_declined, edition_writes};
use super::timely::{check_answered, check_timely};
use super::whole::{declined_in, whole};
use crate::failure::Failure;
use crate::node::{Actor, Ask, Node};
use crate::partnership::{Partnership, PartnershipFile};
use ambit_ledger::{
    Decline, Fingerprint, Keyring, ManifestSignature, OrganizationId, PartnershipTerms, Time,
};
use ambit_policy::check_terms;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Signs a proposal, or takes in what others signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptProposal {
    /// The file's text.
    pub file: String,
    /// The root fingerprints that were compared.
    pub fingerprints: BTreeMap<OrganizationId, Fingerprint>,
}

impl Ask for AcceptProposal {
    type Answer = Proposal;

    fn answer(self, node: &Node, now: Time) -> Result<Proposal, Failure> {
        Ok(node.accept(&self.file, &self.fingerprints, now)?)
    }
}

impl Node {
    /// Signs a proposal; or, where this node has signed it already, takes in what others signed or declined.
    ///
    /// # Errors
    /// Any [`PartnerError`]. What was taken in before it stays: signatures that stand above in the same file, and, with
    /// [`EnactError::CatchUp`](super::EnactError::CatchUp), what is in force.
    pub fn accept(
        &self,
        file: &str,
        fingerprints: &BTreeMap<OrganizationId, Fingerprint>,
        now: Time,
    ) -> Result<Proposal, PartnerError> {
        let now = self.instant(now)?;
        let parsed = PartnershipFile::read(file)?;
        if let Some(decline) = &parsed.decline {
            let edition = Decline::unverified_edition(decline).map_err(PartnerError::Signature)?;
            let governance = self.governance();
            let mut partnerships = governance.partnerships();
            if let Some(known) = partnerships.find(|known| known.edition() == edition) {
                self.check_compared(known.terms(), fingerprints)?;
            }
            return match self.take_decline(decline, Actor::Operator, now) {
                Ok(known) => self.invite(&known, now),
                Err(PartnerError::NothingProposed) => Err(declined_in(&parsed, decline)),
                Err(error) => Err(error),
            };
        }
        let (terms, _) = whole(&parsed)?;
        self.check_compared(&terms, fingerprints)?;
        let governance = self.governance();
        let me = governance.organization();
        if let Some(known) = governance.partnership(&terms.partnership) {
            check_known(known, &terms)?;
            if known.signatures().contains_key(me) {
                for statement in &parsed.statements {
                    self.take_signature(statement, Actor::Operator, now)?;
                }
                return self.invite(&terms.partnership, now);
            }
        }
        // From here on nobody else records an edition in between.
        let governance = self.changing();
        let me = governance.organization();
        let known = governance.partnership(&terms.partnership);
        if let Some(known) = known {
            check_known(known, &terms)?;
        }
        if terms.edition != 1 {
            return Err(PartnerError::Edition(terms.edition));
        }
        check_built(&terms)?;
        self.check_own_member(&terms)?;
        let differs = self.differences_in(&terms);
        if !differs.is_empty() {
            return Err(PartnerError::NotAsSet(differs));
        }
        // Before anybody is asked to compare anything for it.
        check_timely(&terms, me, now)?;
        let roots = self.with_own_root(fingerprints);
        governance.check_cards(&terms.members)?;
        let keyring = governance.keyring_to_record(&terms.members, &roots)?;
        let mut signatures = verified(&parsed, &terms, &keyring, now)?;
        if !signatures.contains_key(&terms.declarer) {
            return Err(PartnerError::DeclarerUnsigned(terms.declarer));
        }
        // Its rules are read once its declarer is known to stand for them.
        let profile = check_terms(&terms, governance.layers().taxonomies())?;
        // What this node signed and does not know any more, it signs anew: an own signature is recorded when it is made.
        signatures.remove(me);
        // What came in while this one was read stays.
        let signed = known.into_iter().flat_map(Partnership::signatures);
        signatures.extend(signed.map(|(member, statement)| (member.clone(), statement.clone())));
        if !signatures.contains_key(me) {
            let own = ManifestSignature::issue(&terms, me, now, &self.keys().agreement);
            signatures.insert(me.clone(), own.map_err(PartnerError::Unsignable)?);
        }
        let edition = EditionToRecord {
            terms: &terms,
            profile: profile.text(),
            signatures: &signatures,
            roots: &roots,
            is_signing: true,
        };
        let writes = edition_writes(&governance, edition);
        self.enact(governance, writes, now)?;
        self.invite(&terms.partnership, now)
    }
}

/// A proposal of a partnership that is known here is the same one, and stands.
fn check_known(known: &Partnership, terms: &PartnershipTerms) -> Result<(), PartnerError> {
    if known.edition() != terms.digest() {
        return Err(PartnerError::Exists(terms.partnership.clone()));
    }
    check_not_declined(known)
}

/// The signatures in a file under these terms, verified.
pub(super) fn verified(
    file: &PartnershipFile,
    terms: &PartnershipTerms,
    keyring: &Keyring,
    now: Time,
) -> Result<BTreeMap<OrganizationId, Vec<u8>>, PartnerError> {
    let edition = terms.digest();
    let mut signatures = BTreeMap::new();
    for statement in &file.statements {
        let signature =
            ManifestSignature::verify(statement, keyring).map_err(PartnerError::Signature)?;
        if signature.edition() == edition {
            check_answered(terms, signature.signer(), signature.at(), now)?;
            signatures.insert(signature.signer().clone(), statement.to_vec());
        }
    }
    Ok(signatures)
}

/// Those of them that verify under the keys that are there: whose keys are not, says nothing.
pub(super) fn verified_some(
    file: &PartnershipFile,
    terms: &PartnershipTerms,
    keyring: &Keyring,
    now: Time,
) -> BTreeMap<OrganizationId, Vec<u8>> {
    let edition = terms.digest();
    let signed = file.statements.iter().filter_map(|statement| {
        let signature = ManifestSignature::verify(statement, keyring).ok()?;
        check_answered(terms, signature.signer(), signature.at(), now).ok()?;
        (signature.edition() == edition).then(|| (signature.signer().clone(), statement.to_vec()))
    });
    signed.collect()
}
