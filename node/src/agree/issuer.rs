//! Issuers: whose attestations count here, because a person compared their roots.

use super::attest::AttestError;
use crate::failure::{Failure, FailureKind};
use crate::node::{Ask, Changing, Node};
use crate::partnership::{CardError, ComparisonError, card_root, read_card};
use crate::store::Write;
use ambit_ledger::{Body, Fingerprint, IssuerPinned, OrganizationId, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Pins an issuer by its card and the root fingerprint that a person compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinIssuer {
    /// Its identity card.
    pub card: String,
    /// The root fingerprint it told.
    pub root: Fingerprint,
}

impl Ask for PinIssuer {
    type Answer = Issuer;

    fn answer(self, node: &Node, now: Time) -> Result<Issuer, Failure> {
        Ok(node.pin_issuer(self, now)?)
    }
}

/// Lets go of an issuer: nothing that it attested counts from here on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnpinIssuer {
    /// Who.
    pub issuer: OrganizationId,
}

impl Ask for UnpinIssuer {
    type Answer = Issuer;

    fn answer(self, node: &Node, now: Time) -> Result<Issuer, Failure> {
        Ok(node.unpin_issuer(&self.issuer, now)?)
    }
}

/// The pinned issuers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListIssuers {}

impl Ask for ListIssuers {
    type Answer = Vec<Issuer>;

    fn answer(self, node: &Node, _now: Time) -> Result<Vec<Issuer>, Failure> {
        let governance = node.governance();
        let issuers = governance.attestations().issuers();
        Ok(issuers
            .map(|(issuer, root)| Issuer {
                issuer: issuer.clone(),
                root,
            })
            .collect())
    }
}

/// An issuer whose root was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// Who.
    pub issuer: OrganizationId,
    /// Its root's fingerprint.
    pub root: Fingerprint,
}

/// An issuer is not pinned, or not let go of.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// Its card cannot be read.
    #[error(transparent)]
    Card(#[from] CardError),
    /// Its keys do not go with those that are known here.
    #[error(transparent)]
    Keys(#[from] ComparisonError),
    /// The card has another root than the one that was compared.
    #[error(
        "the card of `{issuer}` has the root {found}, not the one that was compared; nothing was pinned: ask it, on a number you already have, which is right"
    )]
    Differs {
        /// Who was to be pinned.
        issuer: OrganizationId,
        /// The card's root.
        found: Fingerprint,
    },
    /// This node's own word counts without.
    #[error("`{0}` is your own organization: what it attests of others counts here anyhow")]
    Own(OrganizationId),
    /// Not pinned.
    #[error("`{0}` is no pinned issuer; `ambit issuer list` shows those that are")]
    Unknown(OrganizationId),
    /// It cannot be recorded.
    #[error(transparent)]
    Record(#[from] AttestError),
}

impl From<IssuerError> for Failure {
    fn from(error: IssuerError) -> Self {
        let kind = match error {
            IssuerError::Record(error) => return error.into(),
            IssuerError::Differs { .. } | IssuerError::Keys(_) => FailureKind::Verification,
            IssuerError::Own(_) => FailureKind::Usage,
            IssuerError::Unknown(_) => FailureKind::NotFound,
            IssuerError::Card(_) => FailureKind::Failed,
        };
        Self::new(kind, &error)
    }
}

impl Node {
    /// Pins an issuer: from here on what it attests can be taken in.
    ///
    /// # Errors
    /// Any [`IssuerError`]; but for [`EnactError::CatchUp`](super::EnactError::CatchUp) nothing was recorded then.
    pub fn pin_issuer(&self, asked: PinIssuer, now: Time) -> Result<Issuer, IssuerError> {
        let PinIssuer { card, root } = asked;
        let member = read_card(&card)?;
        let issuer = member.card.organization.clone();
        if issuer == self.settings().organization.id {
            return Err(IssuerError::Own(issuer));
        }
        let found = card_root(&member)?;
        if found != root {
            return Err(IssuerError::Differs { issuer, found });
        }
        let body = IssuerPinned {
            issuer: issuer.clone(),
            root,
            certificates: member.card.certificates.clone(),
            undone: false,
        };
        let changing = self.changing();
        changing.check_cards(std::slice::from_ref(&member))?;
        changing.keyring_to_record(&[member], &BTreeMap::from([(issuer.clone(), root)]))?;
        self.record_issuer(changing, body, now)?;
        Ok(Issuer { issuer, root })
    }

    /// Lets go of an issuer.
    ///
    /// # Errors
    /// Any [`IssuerError`]; but for [`EnactError::CatchUp`](super::EnactError::CatchUp) nothing was recorded then.
    pub fn unpin_issuer(&self, issuer: &OrganizationId, now: Time) -> Result<Issuer, IssuerError> {
        let governance = self.governance();
        let pinned = governance
            .attestations()
            .issuers()
            .find(|(pinned, _)| *pinned == issuer)
            .map(|(_, root)| root);
        let root = pinned.ok_or_else(|| IssuerError::Unknown(issuer.clone()))?;
        let body = IssuerPinned {
            issuer: issuer.clone(),
            root,
            certificates: Vec::new(),
            undone: true,
        };
        drop(governance);
        self.record_issuer(self.changing(), body, now)?;
        Ok(Issuer {
            issuer: issuer.clone(),
            root,
        })
    }

    fn record_issuer(
        &self,
        changing: Changing<'_>,
        body: IssuerPinned,
        now: Time,
    ) -> Result<(), AttestError> {
        let now = self.instant(now)?;
        let writes = vec![Write::Entry(Body::IssuerPinned(body))];
        self.enact(changing, writes, now)?;
        Ok(())
    }
}
