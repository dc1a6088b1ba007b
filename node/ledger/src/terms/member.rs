//! Members: the card in which each states its own record, and what is said of it under one agreement.

use crate::authority::Claim;
use crate::decision::Party;
use crate::digest::Digest;
use crate::keyring::Keyring;
use crate::keys::SecretKey;
use crate::names::{Jurisdiction, Name, OrganizationId};
use crate::payload::{Payload, issued_statement};
use crate::statement::{Statement, StatementError, StatementKind};
use crate::time::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;

/// What an organization states of itself. The payload of its statement. A later one replaces it in every agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// When it was made, in whole milliseconds: of two cards the one with the later instant holds.
    pub number: Time,
    /// The organization; the issuer.
    pub organization: OrganizationId,
    /// Its name.
    pub name: Name,
    /// Multiaddresses its node can be dialled at (`/ip4`, `/ip6`, `/dns4`, `/dns6`, `/dnsaddr`); empty where it only
    /// dials out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Name>,
    /// The statements in which its root certifies its keys.
    pub certificates: Vec<ByteBuf>,
    /// Where it has its seat.
    pub seat: Jurisdiction,
    /// Where its node stores data.
    pub hosting: BTreeSet<Jurisdiction>,
    /// The nationalities with access.
    pub personnel: BTreeSet<Jurisdiction>,
}

/// The part of a record that others' decisions rest on: where it changes, a person of each other member looks at it
/// before anything is released to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// The organization.
    pub organization: OrganizationId,
    /// Where it has its seat.
    pub seat: Jurisdiction,
    /// Where its node stores data.
    pub hosting: BTreeSet<Jurisdiction>,
    /// The nationalities with access.
    pub personnel: BTreeSet<Jurisdiction>,
}

impl Material {
    /// The digest that names it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&crate::codec::encode(self))
    }
}

impl Card {
    /// The part of it that others' decisions rest on.
    #[must_use]
    pub fn material(&self) -> Material {
        Material {
            organization: self.organization.clone(),
            seat: self.seat.clone(),
            hosting: self.hosting.clone(),
            personnel: self.personnel.clone(),
        }
    }

    fn broken_rule(&self) -> Option<&'static str> {
        if !self.number.is_whole_millis() {
            return Some("a card's number is a whole millisecond");
        }
        if self.certificates.is_empty() {
            return Some("a card holds certificates");
        }
        None
    }
}

issued_statement!(Card, issuer: organization, at: number, subject: |card| {
    card.number.as_millis().to_string()
});

/// A card with the very statement that says it. Its shape was parsed; only [`SignedCard::verify`] checks who signed.
///
/// On the wire: the statement, as one byte string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCard {
    statement: Vec<u8>,
    card: Card,
}

impl SignedCard {
    /// Signs a card that keeps its rules and is not too large with the organization's statement key.
    ///
    /// # Errors
    /// [`StatementError::Rule`], [`StatementError::TooLarge`].
    pub fn issue(card: Card, key: &SecretKey) -> Result<Self, StatementError> {
        Ok(Self {
            statement: card.issue(key)?,
            card,
        })
    }

    /// Signs a card whatever its rules say, as a forger would. A node issues.
    #[must_use]
    pub fn sign(card: Card, key: &SecretKey) -> Self {
        Self {
            statement: card.sign(key),
            card,
        }
    }

    /// Parses the shape of a card from outside.
    ///
    /// # Errors
    /// [`StatementError`] of the shape.
    pub fn parse(statement: &[u8]) -> Result<Self, StatementError> {
        let parsed = Statement::parse(statement, StatementKind::Card)?;
        let card: Card = crate::codec::decode(parsed.unverified_payload())?;
        if !card.is_issued_by(parsed.issuer()) {
            return Err(StatementError::Parties);
        }
        Ok(Self {
            statement: statement.to_vec(),
            card,
        })
    }

    /// Checks who signed it.
    ///
    /// # Errors
    /// Any [`StatementError`].
    pub fn verify(&self, keyring: &Keyring) -> Result<&Card, StatementError> {
        Card::verify(&self.statement, keyring).map(|_| &self.card)
    }

    /// The statement's bytes.
    #[must_use]
    pub fn statement(&self) -> &[u8] {
        &self.statement
    }
}

impl std::ops::Deref for SignedCard {
    type Target = Card;
    fn deref(&self) -> &Card {
        &self.card
    }
}

impl Serialize for SignedCard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_bytes::Bytes::new(&self.statement).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SignedCard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let statement = ByteBuf::deserialize(deserializer)?;
        Self::parse(&statement).map_err(serde::de::Error::custom)
    }
}

/// One member of a partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its record when the edition was proposed. A later card changes it without an edition.
    pub card: SignedCard,
    /// Its role, one of the agreement's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Name>,
    /// Who may renew its lease besides itself.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deputies: BTreeSet<OrganizationId>,
    /// What it says that others attest of it, under this agreement and to its members alone. Shown as *claimed*; no
    /// policy reads it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub claims: BTreeSet<Claim>,
    /// The statements in which issuers attest it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<ByteBuf>,
}

impl Member {
    /// A member of which nothing but its card is said.
    #[must_use]
    pub fn of(card: SignedCard) -> Self {
        Self {
            card,
            role: None,
            deputies: BTreeSet::new(),
            claims: BTreeSet::new(),
            evidence: Vec::new(),
        }
    }

    /// Whether another card of the same organization has the same number, and says something else.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        self.card.number == other.card.number && self.card != other.card
    }

    /// Whether another card of the same organization is later, and says otherwise where it is.
    #[must_use]
    pub fn is_outdated_by(&self, other: &Self) -> bool {
        self.card.number < other.card.number && Party::from(self) != Party::from(other)
    }

    /// The first instant it names that is finer than a millisecond: no terms could hold it.
    #[must_use]
    pub fn finer_than_millis(&self) -> Option<Time> {
        self.instants().find(|instant| !instant.is_whole_millis())
    }

    /// Every instant it names but the number of its card.
    pub(super) fn instants(&self) -> impl Iterator<Item = Time> + '_ {
        self.claims.iter().flat_map(|claim| {
            let allowed = claim.authorization.iter().map(|allowed| allowed.not_after);
            allowed.chain([claim.not_after])
        })
    }
}
