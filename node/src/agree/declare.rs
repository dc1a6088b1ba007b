//! Declaring a partnership.

use super::error::PartnerError;
use super::proposal::Proposal;
use super::record::{EditionToRecord, check_built, edition_writes};
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::partnership::{Declaration, KeyStanding, read_card};
use crate::randomness::Randomness;
use ambit_ledger::{
    Fingerprint, KeyPurpose, Keyring, ManifestSignature, OrganizationId, PartnershipTerms, Time,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Declares a partnership.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclarePartnership {
    /// The declaration's text.
    pub declaration: String,
    /// The other members' identity cards.
    pub cards: Vec<String>,
    /// The root fingerprints that were compared.
    pub fingerprints: BTreeMap<OrganizationId, Fingerprint>,
}

impl Ask for DeclarePartnership {
    type Answer = Proposal;

    fn answer(self, node: &Node, now: Time) -> Result<Proposal, Failure> {
        Ok(node.declare(&self.declaration, &self.cards, &self.fingerprints, now)?)
    }
}

impl Node {
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
        let declaration = Declaration::parse(declaration)?;
        let cards = cards
            .iter()
            .map(|card| read_card(card))
            .collect::<Result<Vec<_>, _>>()?;
        // Nobody else records an edition in between.
        let governance = self.changing();
        if governance.partnership(declaration.partnership()).is_some() {
            return Err(PartnerError::Declared(declaration.partnership().clone()));
        }
        let salt = Randomness::default().salt()?;
        let taxonomies = governance.layers().taxonomies();
        let (terms, profile) =
            declaration.terms(self.member(now)?, cards, now, salt, taxonomies)?;
        check_built(&terms)?;
        self.check_compared(&terms, fingerprints)?;
        let roots = self.with_own_root(fingerprints);
        governance.check_cards(&terms.members)?;
        let keyring = governance.keyring_to_record(&terms.members, &roots)?;
        check_keys_good(&terms, &keyring, now)?;
        let signature = ManifestSignature::issue(
            &terms,
            governance.organization(),
            now,
            &self.keys().agreement,
        )
        .map_err(PartnerError::Unsignable)?;
        let signatures = BTreeMap::from([(governance.organization().clone(), signature)]);
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

/// With a key that has ended nobody signs, discloses or is called: what is declared would wait for ever.
fn check_keys_good(
    terms: &PartnershipTerms,
    keyring: &Keyring,
    now: Time,
) -> Result<(), PartnerError> {
    for member in &terms.members {
        let organization = &member.card.organization;
        for purpose in [
            KeyPurpose::Agreement,
            KeyPurpose::Statement,
            KeyPurpose::Transport,
        ] {
            let standing = KeyStanding::of(keyring, organization, purpose, now);
            if let Some(KeyStanding::Ended { at }) = standing {
                return Err(PartnerError::KeyEnded {
                    organization: organization.clone(),
                    purpose,
                    at,
                });
            }
        }
    }
    Ok(())
}
