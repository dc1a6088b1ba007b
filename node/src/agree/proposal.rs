//! What a person reads before signing, and the file that is handed on.

use super::difference::Difference;
use super::error::PartnerError;
use super::timely::check_timely;
use super::whole::whole;
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::partnership::{PartnershipFile, Passed, card_root, passed, plain_words};
use ambit_ledger::{
    Digest, EditionStage, Fingerprint, Name, OrganizationId, PartnershipId, PartnershipTerms, Time,
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
    /// What is over, so that nobody can sign it any more and nothing is disclosed under it: `ended at …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Who declined it, so that nobody can sign it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined: Option<DeclinedBy>,
    /// What this node's settings say otherwise than its record in the terms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<Difference>,
    /// The partnership file to hand to the other members; the node also sends it where it reaches them.
    pub file: String,
}

/// The decline that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclinedBy {
    /// Who.
    pub member: OrganizationId,
    /// Why.
    pub reason: Name,
}

/// What a partnership file proposes, for a person to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewProposal {
    /// The file's text.
    pub file: String,
}

impl Ask for ReviewProposal {
    type Answer = Proposal;

    fn answer(self, node: &Node, now: Time) -> Result<Proposal, Failure> {
        Ok(node.review(&self.file, now)?)
    }
}

/// The partnership file of a partnership, to be handed over again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteInvitation {
    /// Which.
    pub partnership: PartnershipId,
}

impl Ask for WriteInvitation {
    type Answer = Proposal;

    fn answer(self, node: &Node, now: Time) -> Result<Proposal, Failure> {
        Ok(node.invite(&self.partnership, now)?)
    }
}

impl Node {
    /// What a partnership file proposes, for a person to read. Nobody altered it since it was signed; by whom it was
    /// signed, the comparison of fingerprints is still to say.
    ///
    /// # Errors
    /// Any [`PartnerError`].
    pub fn review(&self, file: &str, now: Time) -> Result<Proposal, PartnerError> {
        let now = self.reading_instant(now);
        let parsed = PartnershipFile::read(file)?;
        let (terms, signed) = whole(&parsed)?;
        let governance = self.governance();
        let me = governance.organization();
        if let Some(known) = governance.partnership(&terms.partnership)
            && known.edition() == terms.digest()
            && known.signatures().contains_key(me)
        {
            return self.invite(&terms.partnership, now);
        }
        self.check_own_member(&terms)?;
        let mut proposal = self.describe(&terms, signed, now)?;
        file.clone_into(&mut proposal.file);
        Ok(proposal)
    }

    /// The partnership file of a partnership that is known here. One that was declined carries the decline, so that nobody
    /// who takes it in signs it.
    ///
    /// # Errors
    /// [`PartnerError::Unknown`]; [`PartnerError::Past`] where somebody is still to sign what is over.
    pub fn invite(&self, partnership: &PartnershipId, now: Time) -> Result<Proposal, PartnerError> {
        let now = self.reading_instant(now);
        let governance = self.governance();
        let known = governance
            .partnership(partnership)
            .ok_or_else(|| PartnerError::Unknown(partnership.clone()))?;
        let is_active = known.stage() == EditionStage::Active;
        let declined = known.declined().filter(|_| !is_active);
        if !is_active && declined.is_none() {
            check_timely(known.terms(), governance.organization(), now)?;
        }
        let file = PartnershipFile {
            statements: known
                .signatures()
                .values()
                .map(|statement| ByteBuf::from(statement.clone()))
                .collect(),
            decline: declined.map(|declined| ByteBuf::from(declined.statement.clone())),
        };
        let signed: BTreeSet<OrganizationId> = known.signatures().keys().cloned().collect();
        Ok(Proposal {
            is_known: signed.contains(governance.organization()),
            is_active,
            declined: declined.map(|declined| DeclinedBy {
                member: declined.member.clone(),
                reason: declined.reason.clone(),
            }),
            file: file.write(),
            ..self.describe(known.terms(), signed, now)?
        })
    }

    /// The terms in words, and whose fingerprints are to be compared.
    pub(super) fn describe(
        &self,
        terms: &PartnershipTerms,
        signed: BTreeSet<OrganizationId>,
        now: Time,
    ) -> Result<Proposal, PartnerError> {
        let governance = self.governance();
        let me = governance.organization();
        let taxonomies = governance.layers().taxonomies();
        let profile = check_terms(terms, taxonomies)?;
        let mut others = BTreeMap::new();
        for member in &terms.members {
            if member.card.organization != *me {
                others.insert(member.card.organization.clone(), card_root(member)?);
            }
        }
        Ok(Proposal {
            partnership: terms.partnership.clone(),
            edition: terms.digest(),
            words: plain_words(terms, me, profile.text(), &signed, taxonomies, now),
            others,
            signed,
            is_active: false,
            is_known: false,
            over: passed(terms, now).map(|over| match over {
                Passed::Ended { at } => format!("ended at {at}"),
                Passed::LeaseRanOut { at } => format!("lease ran out at {at}"),
            }),
            declined: None,
            differs: self.differences_in(terms),
            file: String::new(),
        })
    }
}
