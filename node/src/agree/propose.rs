//! Partnerships: declaring one, reading a proposal, signing it, declining it, taking in what others signed.
//!
//! Nothing here is trusted because a file says so: every member's root fingerprint is compared out of band
//! before its signatures count.

use super::error::PartnerError;
use super::record::check_not_declined;
use crate::node::Node;
use crate::partnership::{
    Declaration, Partnership, PartnershipFile, card_root, keyring_for, plain_words, read_card,
    write_card,
};
use crate::randomness::Randomness;
use ambit_ledger::{
    Decline, Digest, EditionStage, Fingerprint, Keyring, ManifestSignature, Member, Name,
    OrganizationId, PartnershipId, PartnershipTerms, Time,
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

impl Node {
    /// This node's identity card, to be handed to a declarer.
    #[must_use]
    pub fn card(&self) -> String {
        write_card(&self.member())
    }

    fn member(&self) -> Member {
        let settings = &self.settings().organization;
        let announce = &self.settings().mesh.announce;
        let addresses = if announce.is_empty() {
            // A port that the system picks anew at each start is no address to be dialled at.
            let listen = self.settings().mesh.listen.iter();
            listen
                .filter(|address| !address.ends_with("/tcp/0") && !address.contains("/0.0.0.0/"))
                .filter_map(|address| address.parse().ok())
                .collect()
        } else {
            announce.clone()
        };
        Member {
            organization: settings.id.clone(),
            name: settings.name.clone(),
            seat: settings.seat.clone(),
            hosting: settings.hosting.clone(),
            personnel: settings.personnel.clone(),
            licences: settings.licences.clone(),
            attestations: settings.attestations.iter().map(Into::into).collect(),
            addresses,
            certificates: self
                .governance()
                .certificates()
                .iter()
                .map(|certificate| ByteBuf::from(certificate.clone()))
                .collect(),
        }
    }

    /// Declares a partnership: signs its terms, records them as proposed, and gives out the invitation.
    ///
    /// # Errors
    /// Any [`PartnerError`].
    pub fn declare(
        &self,
        declaration: &str,
        cards: &[String],
        fingerprints: &BTreeMap<OrganizationId, Fingerprint>,
        now: Time,
    ) -> Result<Proposal, PartnerError> {
        let now = self.instant(now)?;
        // Nobody else records an edition in between.
        let _releasing = self.releasing_lock();
        let declaration = Declaration::parse(declaration)?;
        let cards = cards
            .iter()
            .map(|card| read_card(card))
            .collect::<Result<Vec<_>, _>>()?;
        let governance = self.governance();
        if governance.partnership(declaration.partnership()).is_some() {
            return Err(PartnerError::Declared(declaration.partnership().clone()));
        }
        let salt = Randomness::default().salt()?;
        let taxonomies = governance.layers().taxonomies();
        let (terms, profile) = declaration.terms(self.member(), cards, now, salt, taxonomies)?;
        let roots = self.with_own_root(fingerprints);
        keyring_for(&terms.members, &roots)?;
        let signature =
            ManifestSignature::sign(&terms, governance.organization(), &self.keys().statement);
        let signatures = BTreeMap::from([(governance.organization().clone(), signature)]);
        self.record_edition(&terms, profile.text(), &signatures, &roots, true, now)?;
        self.invite(&terms.partnership)
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

    fn describe(
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

    fn check_own_member(&self, terms: &PartnershipTerms) -> Result<(), PartnerError> {
        let governance = self.governance();
        let member = terms
            .member(governance.organization())
            .ok_or(PartnerError::NotThisNode("it is not among the members"))?;
        if card_root(member)? != governance.opened().root {
            return Err(PartnerError::NotThisNode("it has another root key"));
        }
        let own: BTreeSet<&[u8]> = governance
            .certificates()
            .iter()
            .map(Vec::as_slice)
            .collect();
        let is_own = member
            .certificates
            .iter()
            .all(|certificate| own.contains(certificate.as_slice()));
        if !is_own {
            return Err(PartnerError::NotThisNode("it has other keys"));
        }
        Ok(())
    }

    /// Signs a proposal; or, where this node has signed it already, takes in what others signed or declined.
    ///
    /// # Errors
    /// Any [`PartnerError`]; then nothing was recorded.
    pub fn accept(
        &self,
        file: &str,
        fingerprints: &BTreeMap<OrganizationId, Fingerprint>,
        now: Time,
    ) -> Result<Proposal, PartnerError> {
        let now = self.instant(now)?;
        let parsed = PartnershipFile::read(file)?;
        if let Some(decline) = &parsed.decline {
            let known = self.take_decline(decline, now)?;
            return self.invite(&known);
        }
        let terms = parsed
            .unverified_terms()?
            .ok_or(PartnerError::NothingProposed)?;
        let governance = self.governance();
        let me = governance.organization();
        if let Some(known) = governance.partnership(&terms.partnership) {
            check_known(known, &terms)?;
            if known.signatures().contains_key(me) {
                for statement in &parsed.statements {
                    self.take_signature(statement, now)?;
                }
                return self.invite(&terms.partnership);
            }
        }
        // From here on nobody else records an edition in between.
        let releasing = self.releasing_lock();
        let governance = self.governance();
        let me = governance.organization();
        let known = governance.partnership(&terms.partnership);
        if let Some(known) = known {
            check_known(known, &terms)?;
        }
        if terms.edition != 1 || terms.previous.is_some() {
            return Err(PartnerError::Edition(terms.edition));
        }
        self.check_own_member(&terms)?;
        let profile = check_terms(&terms, governance.layers().taxonomies())?;
        let roots = self.with_own_root(fingerprints);
        let keyring = keyring_for(&terms.members, &roots)?;
        let mut signatures = verified(&parsed, &terms, &keyring)?;
        if !signatures.contains_key(&terms.declarer) {
            return Err(PartnerError::DeclarerUnsigned(terms.declarer));
        }
        // What came in while this one was read stays.
        let signed = known.into_iter().flat_map(Partnership::signatures);
        signatures.extend(signed.map(|(member, statement)| (member.clone(), statement.clone())));
        signatures
            .entry(me.clone())
            .or_insert_with(|| ManifestSignature::sign(&terms, me, &self.keys().statement));
        self.record_edition(&terms, profile.text(), &signatures, &roots, true, now)?;
        drop(releasing);
        self.invite(&terms.partnership)
    }

    /// Declines a proposal. With the fingerprints compared it is recorded, so that the node can tell the
    /// others over the mesh; without, the answer is only the file.
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
        let terms = parsed
            .unverified_terms()?
            .ok_or(PartnerError::NothingProposed)?;
        let _releasing = self.releasing_lock();
        let governance = self.governance();
        let me = governance.organization();
        self.check_own_member(&terms)?;
        let known = governance.partnership(&terms.partnership);
        if known.is_some_and(|known| known.signatures().contains_key(me)) {
            return Err(PartnerError::SignedAlready(terms.partnership));
        }
        let statement = Decline {
            member: me.clone(),
            edition: terms.digest(),
            reason,
            at: now,
        }
        .sign(&self.keys().statement);
        if !fingerprints.is_empty() && known.is_none() {
            let profile = check_terms(&terms, governance.layers().taxonomies())?;
            let roots = self.with_own_root(fingerprints);
            let keyring = keyring_for(&terms.members, &roots)?;
            let signatures = verified(&parsed, &terms, &keyring)?;
            self.record_edition(&terms, profile.text(), &signatures, &roots, false, now)?;
            self.record_decline(&terms.partnership, &statement, now)?;
        }
        let file = PartnershipFile {
            statements: Vec::new(),
            decline: Some(ByteBuf::from(statement)),
        };
        Ok(Proposal {
            file: file.write(),
            ..self.describe(&terms, BTreeSet::new())?
        })
    }

    fn with_own_root(
        &self,
        fingerprints: &BTreeMap<OrganizationId, Fingerprint>,
    ) -> BTreeMap<OrganizationId, Fingerprint> {
        let governance = self.governance();
        let mut roots = fingerprints.clone();
        roots.insert(governance.organization().clone(), governance.opened().root);
        roots
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
fn verified(
    file: &PartnershipFile,
    terms: &PartnershipTerms,
    keyring: &Keyring,
) -> Result<BTreeMap<OrganizationId, Vec<u8>>, PartnerError> {
    let edition = terms.digest();
    let mut signatures = BTreeMap::new();
    for statement in &file.statements {
        let signature =
            ManifestSignature::verify(statement, keyring).map_err(PartnerError::Signature)?;
        if signature.edition() == edition {
            signatures.insert(signature.signer().clone(), statement.to_vec());
        }
    }
    Ok(signatures)
}
