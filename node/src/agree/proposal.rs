//! What a person reads before signing, and the file that is handed on.

use super::error::PartnerError;
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::partnership::{PartnershipFile, card_root, plain_words};
use ambit_ledger::{
    Digest, EditionStage, Fingerprint, OrganizationId, PartnershipId, PartnershipTerms, Time,
};
use ambit_policy::check_terms;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};

/// What a person reads before signing, and the file to hand on after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The agreement.
    pub partnership: PartnershipId,
    /// The digest of the terms.
    pub edition: Digest,
    /// The terms in plain words.
    pub words: String,
    /// The other members and their root keys' fingerprints as the file gives them: to be compared.
    pub others: BTreeMap<OrganizationId, Fingerprint>,
    /// Who has signed.
    pub signed: BTreeSet<OrganizationId>,
    /// Whether all have.
    pub is_active: bool,
    /// Whether this node has signed already, so that there is nothing left to agree to.
    pub is_known: bool,
    /// The partnership file to hand to the other members; the node also sends it where it reaches them.
    pub file: String,
}

/// What a partnership file proposes, for a person to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The file's text.
    pub file: String,
}

impl Ask for Review {
    type Answer = Proposal;

    fn answer(self, node: &Node, _now: Time) -> Result<Proposal, Failure> {
        Ok(node.review(&self.file)?)
    }
}

/// The partnership file of a partnership, to be handed over again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// Which.
    pub partnership: PartnershipId,
}

impl Ask for Invite {
    type Answer = Proposal;

    fn answer(self, node: &Node, _now: Time) -> Result<Proposal, Failure> {
        Ok(node.invite(&self.partnership)?)
    }
}

impl Node {
    /// What a partnership file proposes, for a person to read. Nothing in it is verified yet but its shape.
    ///
    /// # Errors
    /// Any [`PartnerError`].
    pub fn review(&self, file: &str) -> Result<Proposal, PartnerError> {
        let parsed = PartnershipFile::read(file)?;
        let terms = parsed
            .unverified_terms()?
            .ok_or(PartnerError::NothingProposed)?;
        let governance = self.governance();
        let me = governance.organization();
        if let Some(known) = governance.partnership(&terms.partnership)
            && known.edition() == terms.digest()
            && known.signatures().contains_key(me)
        {
            return self.invite(&terms.partnership);
        }
        self.check_own_member(&terms)?;
        let mut proposal = self.describe(&terms, BTreeSet::from([terms.declarer.clone()]))?;
        file.clone_into(&mut proposal.file);
        Ok(proposal)
    }

    /// The partnership file of a partnership that is known here.
    ///
    /// # Errors
    /// [`PartnerError::Unknown`].
    pub fn invite(&self, partnership: &PartnershipId) -> Result<Proposal, PartnerError> {
        let governance = self.governance();
        let known = governance
            .partnership(partnership)
            .ok_or_else(|| PartnerError::Unknown(partnership.clone()))?;
        let file = PartnershipFile {
            statements: known
                .signatures()
                .values()
                .map(|statement| ByteBuf::from(statement.clone()))
                .collect(),
            decline: None,
        };
        let signed: BTreeSet<OrganizationId> = known.signatures().keys().cloned().collect();
        Ok(Proposal {
            is_known: signed.contains(governance.organization()),
            is_active: known.stage() == EditionStage::Active,
            file: file.write(),
            ..self.describe(known.terms(), signed)?
        })
    }

    /// The terms in words, and whose fingerprints are to be compared.
    pub(super) fn describe(
        &self,
        terms: &PartnershipTerms,
        signed: BTreeSet<OrganizationId>,
    ) -> Result<Proposal, PartnerError> {
        let governance = self.governance();
        let me = governance.organization();
        let taxonomies = governance.layers().taxonomies();
        let profile = check_terms(terms, taxonomies)?;
        let mut others = BTreeMap::new();
        for member in &terms.members {
            if member.organization != *me {
                others.insert(member.organization.clone(), card_root(member)?);
            }
        }
        Ok(Proposal {
            partnership: terms.partnership.clone(),
            edition: terms.digest(),
            words: plain_words(terms, me, profile.text(), &signed, taxonomies),
            others,
            signed,
            is_active: false,
            is_known: false,
            file: String::new(),
        })
    }
}
