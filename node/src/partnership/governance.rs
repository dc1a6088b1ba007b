//! What is in force at this node: profiles, limits, partnerships. Read from the ledger alone, in its order.

use super::card::{MemberKeys, VerifiedCards, compared_members};
use super::content::{Ahead, Content, layers_of};
use super::edition::{Declined, Partnership};
use super::since::Since;
use crate::store::{Recorded, Store, StoreError, Write};
use ambit_ledger::{
    AgreementState, Attestations, Body, Decline, Digest, EditionStage, Fingerprint, Keyring, Layer,
    Limits, ManifestSignature, Member, Name, Opened, OrganizationId, PartnershipEdition,
    PartnershipId, PartnershipTerms, Party, Time,
};
use ambit_policy::{Layers, agreement};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// What is in force.
#[derive(Clone, Debug)]
pub struct Governance {
    opened: Opened,
    certificates: Vec<Vec<u8>>,
    keys_begin: Option<Time>,
    keyring: Keyring,
    layers: Layers,
    activated: BTreeMap<Layer, Activated>,
    limits: Vec<Limits>,
    pub(super) since: Since,
    attestations: Attestations,
    partnerships: BTreeMap<PartnershipId, Arc<Partnership>>,
    /// The keys of agreements under which one ended earlier than their cards say; worked out when first asked for.
    pub(super) narrowed: OnceLock<BTreeMap<PartnershipId, Keyring>>,
}

/// The last activation of each layer, and the entry that records it.
pub(super) type Activations = BTreeMap<Layer, (Activated, Recorded)>;

/// How a layer's profile came into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activated {
    /// The profile.
    pub profile: Digest,
    /// When.
    pub at: Time,
    /// Why, although it hardly does what is meant.
    pub anyway: Option<Name>,
}

/// What is in force cannot be read from the ledger.
#[derive(Debug, thiserror::Error)]
pub enum GovernanceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A control entry or what it names cannot be read.
    #[error(
        "the ledger's entry {index} cannot be applied: {what}; use the program that wrote it, or restore the home from the \
         latest whole backup"
    )]
    Entry {
        /// Which entry.
        index: u64,
        /// What is wrong.
        what: String,
    },
    /// The ledger has no first entry.
    #[error(
        "the ledger has no first entry; restore the home from the latest whole backup, or make a node with \
         `ambit --home DIR init`, in another folder"
    )]
    NotOpened,
}

impl Governance {
    /// Reads everything in force from the ledger.
    ///
    /// # Errors
    /// Any [`GovernanceError`].
    pub fn read(store: &Store) -> Result<Self, GovernanceError> {
        Self::read_after(store, None)
    }

    /// Reads everything in force again. Partnerships that did not change since `before` are taken over from
    /// it: to verify and compile them all takes long where there are many.
    ///
    /// # Errors
    /// Any [`GovernanceError`].
    pub fn read_after(store: &Store, before: Option<&Self>) -> Result<Self, GovernanceError> {
        let mut entries = store.control_entries()?.into_iter();
        let opened = match entries.next().map(|recorded| recorded.body) {
            Some(Body::Opened(opened)) => opened,
            _ => return Err(GovernanceError::NotOpened),
        };
        let mut keyring = Keyring::new();
        keyring.trust(opened.organization.clone(), opened.root, Time::EARLIEST);
        let mut activations = BTreeMap::new();
        let mut taxonomies = None;
        let mut rest = Vec::new();
        let mut since = Since::default();
        for recorded in entries {
            since.note(recorded.index, &recorded.body);
            match &recorded.body {
                Body::ProfileActivated(activated) => {
                    let activation = Activated {
                        profile: activated.profile,
                        at: recorded.entry.time,
                        anyway: activated.anyway.clone(),
                    };
                    activations.insert(activated.layer, (activation, recorded));
                }
                Body::TaxonomyActivated(activated) => {
                    taxonomies = Some((activated.taxonomies, recorded));
                }
                // In the order of the ledger, once the layers are known.
                Body::KeyCertified(_)
                | Body::LimitsSet(_)
                | Body::PartnershipEdition(_)
                | Body::PartnershipDeclined(_)
                | Body::IssuerPinned(_)
                | Body::AttestationRecorded(_) => rest.push(recorded),
                // Nothing that is in force follows from the rest.
                Body::Opened(_)
                | Body::Observed(_)
                | Body::Decided(_)
                | Body::Disclosed(_)
                | Body::Withheld(_)
                | Body::Withdrawn(_)
                | Body::Admitted(_)
                | Body::Refused(_)
                | Body::Acknowledged(_)
                | Body::SetAside(_)
                | Body::OfferedAgain(_)
                | Body::Laid(_)
                | Body::Unread { .. } => {}
            }
        }
        let taxonomies = taxonomies.ok_or(GovernanceError::NotOpened)?;
        let same = before.filter(|before| before.has_layers_of(&activations, &taxonomies.0));
        let layers = match same {
            Some(before) => before.layers.clone(),
            None => layers_of(store, &activations, &taxonomies)?,
        };
        let activated = activations.into_iter();
        let activated = activated.map(|(layer, (how, _))| (layer, how)).collect();
        let mut governance = Self {
            attestations: Attestations::new(opened.organization.clone()),
            opened,
            certificates: Vec::new(),
            keys_begin: None,
            keyring,
            layers,
            activated,
            limits: Vec::new(),
            since,
            partnerships: BTreeMap::new(),
            narrowed: OnceLock::new(),
        };
        let latest = latest_editions(&rest);
        let mut cards = VerifiedCards::default();
        for recorded in &rest {
            let is_replaced = edition_in(&recorded.body)
                .is_some_and(|partnership| latest.get(partnership) != Some(&recorded.index));
            if !is_replaced {
                governance.apply(store, &mut cards, recorded.index, &recorded.body, same)?;
            }
        }
        Ok(governance)
    }

    /// Whether its layers are those of these profiles and taxonomies.
    fn has_layers_of(&self, activations: &Activations, taxonomies: &Digest) -> bool {
        self.layers.taxonomies().digest() == *taxonomies
            && self.activated.len() == activations.len()
            && self.activated.iter().all(|(layer, how)| {
                let other = activations.get(layer);
                other.is_some_and(|(other, _)| other.profile == how.profile)
            })
    }

    /// Reads what these writes put in force beside it, before they are on the disk: what cannot be read would keep this
    /// node from opening. The layers are as they were: what is read after the commit takes over no more than is the same.
    ///
    /// # Errors
    /// Any [`GovernanceError`] that [`Governance::read`] would end with then.
    pub fn read_ahead(&self, store: &Store, writes: &[Write]) -> Result<Self, GovernanceError> {
        let content = Ahead::of(store, writes);
        let mut cards = VerifiedCards::default();
        let mut ahead = self.clone();
        ahead.narrowed = OnceLock::new();
        let bodies = writes.iter().filter_map(|write| match write {
            Write::Entry(body) => Some(body),
            _ => None,
        });
        for (index, body) in (store.size()..).zip(bodies) {
            ahead.apply(&content, &mut cards, index, body, None)?;
        }
        Ok(ahead)
    }

    fn apply(
        &mut self,
        content: &dyn Content,
        cards: &mut VerifiedCards,
        index: u64,
        body: &Body,
        before: Option<&Self>,
    ) -> Result<(), GovernanceError> {
        match body {
            Body::KeyCertified(certified) => {
                let certificate = self
                    .keyring
                    .certify(&certified.certificate)
                    .map_err(|error| failed(index, &error))?;
                self.keys_begin = self.keys_begin.max(Some(certificate.not_before));
                self.certificates.push(certified.certificate.to_vec());
            }
            Body::LimitsSet(set) => {
                let limits = &set.limits;
                self.limits.retain(|other| {
                    other.program != limits.program || other.data_classes != limits.data_classes
                });
                self.limits.push(limits.clone());
            }
            Body::PartnershipEdition(edition) => {
                let unchanged = before
                    .and_then(|before| before.partnerships.get(&edition.partnership))
                    .filter(|partnership| partnership.entry == index);
                let partnership = match unchanged {
                    Some(known) if known.declined.is_none() => Arc::clone(known),
                    Some(known) => Arc::new(Partnership {
                        declined: None,
                        ..Partnership::clone(known)
                    }),
                    None => Arc::new(self.partnership_from(content, cards, index, edition)?),
                };
                self.partnerships
                    .insert(edition.partnership.clone(), partnership);
            }
            Body::IssuerPinned(pinned) => {
                self.attestations
                    .pin(pinned)
                    .map_err(|error| failed(index, &error))?;
            }
            Body::AttestationRecorded(attested) => {
                let verified = self
                    .attestations
                    .verify(&attested.attestation, &self.keyring)
                    .map_err(|error| failed(index, &error))?;
                let subject = &verified.statement.attestation.subject;
                self.since.note_attested(index, subject);
                self.attestations.take(verified);
            }
            Body::PartnershipDeclined(declined) => {
                if let Some(partnership) = self.partnerships.get_mut(&declined.partnership) {
                    let partnership = Arc::make_mut(partnership);
                    let decline = Decline::verify(&declined.decline, &partnership.keyring)
                        .map_err(|error| failed(index, &error))?;
                    if decline.edition == partnership.edition {
                        partnership.declined = Some(Declined {
                            member: decline.member,
                            reason: decline.reason,
                            statement: declined.decline.to_vec(),
                        });
                    }
                }
            }
            // Read before, or of no effect on what is in force.
            Body::Opened(_)
            | Body::ProfileActivated(_)
            | Body::TaxonomyActivated(_)
            | Body::Observed(_)
            | Body::Decided(_)
            | Body::Disclosed(_)
            | Body::Withheld(_)
            | Body::Withdrawn(_)
            | Body::Admitted(_)
            | Body::Refused(_)
            | Body::Acknowledged(_)
            | Body::SetAside(_)
            | Body::OfferedAgain(_)
            | Body::Laid(_)
            | Body::Unread { .. } => {}
        }
        Ok(())
    }

    fn partnership_from(
        &self,
        content: &dyn Content,
        cards: &mut VerifiedCards,
        index: u64,
        edition: &PartnershipEdition,
    ) -> Result<Partnership, GovernanceError> {
        let bytes = content.of(index, &edition.edition)?;
        let terms: PartnershipTerms =
            ambit_ledger::decode(&bytes).map_err(|error| failed(index, &error))?;
        let text = content.text_of(index, &edition.profile)?;
        let layers = self.layers.with_text(Layer::Partnership, &text);
        let mut roots: BTreeMap<OrganizationId, Fingerprint> = edition
            .roots
            .iter()
            .map(|compared| (compared.organization.clone(), compared.root))
            .collect();
        roots.insert(self.opened.organization.clone(), self.opened.root);
        // A proposal is declined without a telephone call; it is in force only once all roots were compared.
        let keys = match edition.stage {
            EditionStage::Proposed => {
                cards.keys_of(&compared_members(&terms.members, &roots), &roots)
            }
            EditionStage::Active => cards.keys_of(&terms.members, &roots),
        };
        let MemberKeys { keyring, transport } = keys.map_err(|error| failed(index, &error))?;
        let mut signatures = BTreeMap::new();
        for digest in &edition.signatures {
            let statement = content.of(index, digest)?;
            let signature = ManifestSignature::verify(&statement, &keyring)
                .map_err(|error| failed(index, &error))?;
            if signature.edition() == edition.edition {
                signatures.insert(signature.signer().clone(), statement);
            }
        }
        let state = match edition.stage {
            EditionStage::Proposed => AgreementState::Proposed,
            EditionStage::Active => AgreementState::Active,
        };
        let agreement = agreement(&terms, state, terms.lease_until);
        Ok(Partnership {
            entry: index,
            edition: edition.edition,
            stage: edition.stage,
            signatures,
            roots,
            keyring,
            transport_keys: transport,
            layers,
            agreement,
            declined: None,
            terms,
        })
    }

    /// Whose node this is.
    #[must_use]
    pub fn organization(&self) -> &OrganizationId {
        &self.opened.organization
    }

    /// How the ledger was opened.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The certificates of this node's own keys.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// From when the last of them is good.
    #[must_use]
    pub fn keys_begin(&self) -> Option<Time> {
        self.keys_begin
    }

    /// This node's own keys.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The layers without any partnership's.
    #[must_use]
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// How each layer's profile came into force, ascending by layer.
    pub fn activated(&self) -> impl Iterator<Item = (Layer, &Activated)> {
        self.activated.iter().map(|(layer, how)| (*layer, how))
    }

    /// The owner's limits, in the order they were set.
    #[must_use]
    pub fn limits(&self) -> &[Limits] {
        &self.limits
    }

    /// What is attested of organizations, by this one or by pinned issuers.
    #[must_use]
    pub fn attestations(&self) -> &Attestations {
        &self.attestations
    }

    /// A member as policies read it: its record, and what is attested of it and not over.
    #[must_use]
    pub fn party(&self, member: &Member, now: Time) -> Party {
        Party {
            attested: self.attestations.of(&member.card.organization, now),
            ..Party::from(member)
        }
    }

    /// A partnership this node is a member of.
    #[must_use]
    pub fn partnership(&self, id: &PartnershipId) -> Option<&Partnership> {
        self.partnerships.get(id).map(Arc::as_ref)
    }

    /// All partnerships, by id.
    pub fn partnerships(&self) -> impl Iterator<Item = &Partnership> {
        self.partnerships.values().map(Arc::as_ref)
    }

    /// This organization and all members of all partnerships, whatever their stage.
    pub fn known_organizations(&self) -> impl Iterator<Item = &OrganizationId> {
        let members = self
            .partnerships
            .values()
            .flat_map(|partnership| &partnership.terms.members);
        std::iter::once(&self.opened.organization)
            .chain(members.map(|member| &member.card.organization))
    }

    /// All pairs of a partnership that all have signed, over or not, and another member of it.
    pub fn signed(&self) -> impl Iterator<Item = (&Partnership, &OrganizationId)> {
        self.partnerships()
            .filter(|partnership| partnership.stage == EditionStage::Active)
            .flat_map(|partnership| {
                partnership
                    .others(&self.opened.organization)
                    .map(move |member| (partnership, member))
            })
    }
}

/// The entry that says last how each partnership stands.
fn latest_editions(entries: &[Recorded]) -> BTreeMap<&PartnershipId, u64> {
    let editions = entries.iter();
    editions
        .filter_map(|recorded| Some((edition_in(&recorded.body)?, recorded.index)))
        .collect()
}

/// The partnership that an entry says how it stands, as a whole.
fn edition_in(body: &Body) -> Option<&PartnershipId> {
    match body {
        Body::PartnershipEdition(edition) => Some(&edition.partnership),
        Body::Opened(_)
        | Body::KeyCertified(_)
        | Body::PartnershipDeclined(_)
        | Body::ProfileActivated(_)
        | Body::TaxonomyActivated(_)
        | Body::LimitsSet(_)
        | Body::Observed(_)
        | Body::Decided(_)
        | Body::Disclosed(_)
        | Body::Withheld(_)
        | Body::Withdrawn(_)
        | Body::Admitted(_)
        | Body::Refused(_)
        | Body::Acknowledged(_)
        | Body::IssuerPinned(_)
        | Body::AttestationRecorded(_)
        | Body::SetAside(_)
        | Body::OfferedAgain(_)
        | Body::Laid(_)
        | Body::Unread { .. } => None,
    }
}

pub(super) fn failed(index: u64, error: &dyn std::error::Error) -> GovernanceError {
    GovernanceError::Entry {
        index,
        what: error.to_string(),
    }
}
