//! Identity cards: what an organization says of itself, with the keys its root certifies.
//!
//! A card is only as good as the comparison of its root's fingerprint, made on the telephone or in person.
//! This module must never trust a root because a card names it.

use super::armor::{ArmorError, ArmorLabel, read_armor, write_armor};
use ambit_ledger::{
    Card, Certificate, CodecError, Fingerprint, KeyPurpose, Keyring, KeyringError, Member,
    OrganizationId, PublicKey, StatementError, Time,
};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Why a card cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// Not in its armor.
    #[error(transparent)]
    Armor(#[from] ArmorError),
    /// Not of its shape.
    #[error(
        "the block holds no identity card that this version knows; ask for it again, as a file"
    )]
    Codec(#[source] CodecError),
    /// A certificate that its own root did not sign.
    #[error(
        "certificate {number} on the card of `{organization}` cannot be relied on; ask for a new card"
    )]
    Certificate {
        /// Whose card.
        organization: OrganizationId,
        /// Which certificate, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: StatementError,
    },
    /// A certificate for somebody else.
    #[error(
        "the card of `{organization}` holds a certificate for a key of `{subject}`; ask for a new card"
    )]
    Subject {
        /// Whose card.
        organization: OrganizationId,
        /// Whose certificate.
        subject: OrganizationId,
    },
    /// Not signed by the organization itself.
    #[error("the card of `{organization}` is not signed with its own key; ask for a new card")]
    Signature {
        /// Whose card.
        organization: OrganizationId,
        /// What is wrong with the signature.
        #[source]
        source: StatementError,
    },
    /// A claim that ends at an instant that no terms can hold.
    #[error(
        "a claim on the card of `{organization}` ends at {instant}, and terms read whole milliseconds; ask for a new card"
    )]
    FinerThanMillis {
        /// Whose card.
        organization: OrganizationId,
        /// When it ends.
        instant: Time,
    },
    /// Certificates of two roots.
    #[error(
        "the card of `{organization}` has certificates of two root keys, {first} and {other}; ask for a card that has one"
    )]
    Roots {
        /// Whose card.
        organization: OrganizationId,
        /// The root of the first certificate.
        first: Fingerprint,
        /// Another root.
        other: Fingerprint,
    },
    /// It made another card of the same number, which says otherwise.
    #[error(
        "the card of `{0}` contradicts another one that it made at the same instant, and that is known here: ask it which is right, and for a new card"
    )]
    Contradicts(OrganizationId),
    /// A later card says otherwise.
    #[error(
        "the card of `{0}` is older than one that is known here, which says otherwise where it is: have the agreement declared with the later one"
    )]
    Outdated(OrganizationId),
    /// No key for a purpose that every node needs.
    #[error("the card of `{organization}` certifies no {} key; ask for a new card", purpose.name())]
    NoKey {
        /// Whose card.
        organization: OrganizationId,
        /// What the key is for.
        purpose: KeyPurpose,
    },
    /// A key that another card of the same organization certifies for something else.
    #[error(
        "the card of `{organization}` certifies the key {key} for another purpose than a card of it that is known here; ask for a new card"
    )]
    Purposes {
        /// Whose card.
        organization: OrganizationId,
        /// Which key.
        key: Fingerprint,
    },
    /// Two transport keys: nobody could tell which node is meant.
    #[error(
        "the card of `{organization}` certifies more than one transport key; ask for a card that has one"
    )]
    TransportKeys {
        /// Whose card.
        organization: OrganizationId,
    },
}

/// Why the members' keys cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// A card cannot be used.
    #[error(transparent)]
    Card(#[from] CardError),
    /// Nobody compared the root.
    #[error(
        "the root key of `{organization}` was not compared: call `{organization}` on a number you already have, or meet, and go on only if it reads out {found}"
    )]
    NotCompared {
        /// Whose.
        organization: OrganizationId,
        /// What its card says.
        found: Fingerprint,
    },
    /// The root is another than the one that was compared.
    #[error(
        "the card of `{organization}` has the root fingerprint {found}, but the one that was compared is {compared}: the card is old or not from `{organization}`; ask it, on a number you already have, which is right"
    )]
    Differs {
        /// Whose.
        organization: OrganizationId,
        /// What its card says.
        found: Fingerprint,
        /// What was compared.
        compared: Fingerprint,
    },
}

/// Reads a card and checks all of it but the one thing only people can: whose root it is.
///
/// # Errors
/// Any [`CardError`].
pub fn read_card(text: &str) -> Result<Member, CardError> {
    let payload = read_armor(ArmorLabel::IdentityCard, text)?;
    let member: Member = ambit_ledger::decode(&payload).map_err(CardError::Codec)?;
    check_card(&member)?;
    if let Some(instant) = member.finer_than_millis() {
        return Err(CardError::FinerThanMillis {
            organization: member.card.organization.clone(),
            instant,
        });
    }
    Ok(member)
}

/// Writes a card as text.
#[must_use]
pub fn write_card(member: &Member) -> String {
    write_armor(ArmorLabel::IdentityCard, &ambit_ledger::encode(member))
}

/// Checks that one root certifies all keys of a card, that they are the organization's own, that none a node needs is
/// missing, and that the organization signed the card. Returns the root.
///
/// # Errors
/// Any [`CardError`] but those of the armor and the shape.
pub fn check_card(member: &Member) -> Result<PublicKey, CardError> {
    Ok(keys_of(member)?.root)
}

/// What the certificates on a card certify.
struct Keys {
    root: PublicKey,
    keyring: Keyring,
    transport: PublicKey,
}

fn keys_of(member: &Member) -> Result<Keys, CardError> {
    let keys = certified_on(&member.card)?;
    check_signed(member, &keys)?;
    Ok(keys)
}

/// Whether the organization itself signed the card.
fn check_signed(member: &Member, keys: &Keys) -> Result<(), CardError> {
    let verified = member.card.verify(&keys.keyring);
    verified.map(drop).map_err(|source| CardError::Signature {
        organization: member.card.organization.clone(),
        source,
    })
}

fn certified_on(card: &Card) -> Result<Keys, CardError> {
    let organization = || card.organization.clone();
    let unreliable = |number, source| CardError::Certificate {
        organization: organization(),
        number,
        source,
    };
    let missing = |purpose| CardError::NoKey {
        organization: organization(),
        purpose,
    };
    let first = card.certificates.first();
    let first = first.ok_or_else(|| missing(KeyPurpose::Statement))?;
    let root = Certificate::read(first)
        .map_err(|source| unreliable(1, source))?
        .root;
    let mut keyring = Keyring::new();
    keyring.trust(organization(), root.fingerprint(), Time::EARLIEST);
    let mut certificates = Vec::new();
    for (bytes, number) in card.certificates.iter().zip(1..) {
        let certificate = keyring.certify(bytes).map_err(|source| match source {
            StatementError::Key(KeyringError::UntrustedOrganization(subject)) => {
                CardError::Subject {
                    organization: organization(),
                    subject,
                }
            }
            StatementError::Key(KeyringError::UntrustedRoot { found, .. }) => CardError::Roots {
                organization: organization(),
                first: root.fingerprint(),
                other: found,
            },
            source => unreliable(number, source),
        })?;
        certificates.push(certificate);
    }
    let keys_for = |purpose| {
        let found = certificates
            .iter()
            .filter(move |certificate| certificate.purpose == purpose);
        found.map(|certificate| certificate.key)
    };
    for purpose in KeyPurpose::OF_NODE {
        if keys_for(purpose).next().is_none() {
            return Err(missing(purpose));
        }
    }
    let mut transport_keys = keys_for(KeyPurpose::Transport);
    let transport = match (transport_keys.next(), transport_keys.next()) {
        (Some(key), None) => key,
        _ => {
            return Err(CardError::TransportKeys {
                organization: organization(),
            });
        }
    };
    Ok(Keys {
        root,
        keyring,
        transport,
    })
}

/// The fingerprint of a card's root: what people compare.
///
/// # Errors
/// Those of [`check_card`].
pub fn card_root(member: &Member) -> Result<Fingerprint, CardError> {
    Ok(check_card(member)?.fingerprint())
}

/// The key that authenticates the organization's node to its peers.
///
/// # Errors
/// Those of [`check_card`].
pub fn transport_key(member: &Member) -> Result<PublicKey, CardError> {
    Ok(keys_of(member)?.transport)
}

/// The keys of these members, if the root on each card is the one that was compared.
///
/// # Errors
/// Any [`ComparisonError`].
pub fn keyring_for(
    members: &[Member],
    roots: &BTreeMap<OrganizationId, Fingerprint>,
) -> Result<Keyring, ComparisonError> {
    let keys = VerifiedCards::default().keys_of(members, roots)?;
    Ok(keys.keyring)
}

/// What the cards of an agreement's members certify.
pub(super) struct MemberKeys {
    pub(super) keyring: Keyring,
    /// By which key the connections of each are known.
    pub(super) transport: BTreeMap<OrganizationId, PublicKey>,
}

/// The certificates of cards that were verified, by whose they are. They stand on many cards, a node's own on one for each
/// agreement, and it takes two signatures to verify one.
#[derive(Default)]
pub(super) struct VerifiedCards(BTreeMap<(OrganizationId, Vec<ByteBuf>), Keys>);

impl VerifiedCards {
    /// The keys of these members, if the root on each card is the one that was compared.
    ///
    /// # Errors
    /// Any [`ComparisonError`].
    pub(super) fn keys_of(
        &mut self,
        members: &[Member],
        roots: &BTreeMap<OrganizationId, Fingerprint>,
    ) -> Result<MemberKeys, ComparisonError> {
        let mut keyring = Keyring::new();
        let mut transport = BTreeMap::new();
        for member in members {
            let keys = self.verify(member)?;
            let found = keys.root.fingerprint();
            let organization = &member.card.organization;
            let compared =
                *roots
                    .get(organization)
                    .ok_or_else(|| ComparisonError::NotCompared {
                        organization: organization.clone(),
                        found,
                    })?;
            if compared != found {
                return Err(ComparisonError::Differs {
                    organization: organization.clone(),
                    found,
                    compared,
                });
            }
            keyring.extend(keys.keyring.clone());
            transport.insert(organization.clone(), keys.transport);
        }
        Ok(MemberKeys { keyring, transport })
    }

    fn verify(&mut self, member: &Member) -> Result<&Keys, CardError> {
        let card = &member.card;
        let place = (card.organization.clone(), card.certificates.clone());
        let keys = match self.0.entry(place) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(certified_on(card)?),
        };
        check_signed(member, keys)?;
        Ok(keys)
    }
}

/// Those of the members whose root was compared. Of the others nothing is believed, and no call is taken.
#[must_use]
pub fn compared_members(
    members: &[Member],
    roots: &BTreeMap<OrganizationId, Fingerprint>,
) -> Vec<Member> {
    members
        .iter()
        .filter(|member| roots.contains_key(&member.card.organization))
        .cloned()
        .collect()
}

/// Members with fixed keys, for the tests of this room.
#[cfg(test)]
pub(super) mod sample {
    use super::*;
    use ambit_ledger::{SealKey, SecretKey, SignedCard};

    /// The key of an organization: its seed starts with `seed` and ends with the purpose's place.
    pub(crate) fn key(seed: u8, purpose: KeyPurpose) -> SecretKey {
        let mut bytes = [seed; 32];
        bytes[31] = purpose as u8;
        SecretKey::from_seed(&bytes)
    }

    /// A certificate.
    pub(crate) fn certificate(organization: &str, seed: u8, purpose: KeyPurpose) -> ByteBuf {
        let root = key(seed, KeyPurpose::Root);
        let mut certificate = Certificate {
            subject: organization.parse().unwrap(),
            root: root.public(),
            purpose,
            key: key(seed, purpose).public(),
            not_before: Time::EARLIEST,
            not_after: None,
        };
        ByteBuf::from(if purpose.signs() {
            certificate.sign(&root, &key(seed, purpose))
        } else {
            certificate.key = SealKey::from_seed(&[seed; 32]).public();
            certificate.sign_unproved(&root)
        })
    }

    /// A member.
    pub(crate) fn member(organization: &str, name: &str, country: &str, seed: u8) -> Member {
        let card = Card {
            number: Time::EARLIEST.plus_days(20_000),
            organization: organization.parse().unwrap(),
            name: name.parse().unwrap(),
            addresses: vec!["/ip4/127.0.0.1/tcp/4001".parse().unwrap()],
            certificates: KeyPurpose::OF_NODE
                .map(|purpose| certificate(organization, seed, purpose))
                .into(),
            seat: country.parse().unwrap(),
            hosting: [country.parse().unwrap()].into(),
            personnel: [country.parse().unwrap()].into(),
        };
        Member::of(signed(card, seed))
    }

    /// A card as its organization signs it.
    pub(crate) fn signed(card: Card, seed: u8) -> SignedCard {
        SignedCard::sign(card, &key(seed, KeyPurpose::Statement))
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{certificate, key, member, signed};
    use super::*;

    const PLATES: &str = "did:web:plates.example";

    fn plates() -> Member {
        member(PLATES, "Plates", "DE", 1)
    }

    #[test]
    fn a_card_survives() {
        let card = plates();
        let text = write_card(&card);
        assert!(text.starts_with("-----BEGIN AMBIT IDENTITY CARD-----\n"));
        assert_eq!(read_card(&text).unwrap(), card);
        let root = key(1, KeyPurpose::Root).public();
        assert_eq!(card_root(&card).unwrap(), root.fingerprint());
        assert_eq!(
            transport_key(&card).unwrap(),
            key(1, KeyPurpose::Transport).public()
        );
    }

    #[test]
    fn each_fault_of_a_card_is_named() {
        let fault = |change: fn(&mut Card)| {
            let mut member = plates();
            let mut card = Card::clone(&member.card);
            change(&mut card);
            member.card = signed(card, 1);
            read_card(&write_card(&member)).unwrap_err()
        };
        for (place, purpose) in KeyPurpose::OF_NODE.into_iter().enumerate() {
            let mut member = plates();
            let mut card = Card::clone(&member.card);
            card.certificates.remove(place);
            member.card = signed(card, 1);
            let error = read_card(&write_card(&member)).unwrap_err().to_string();
            let words = format!(
                "the card of `did:web:plates.example` certifies no {} key; ask for a new card",
                purpose.name()
            );
            assert_eq!(error, words);
        }
        let error = fault(|card| card.certificates.clear());
        assert!(matches!(error, CardError::NoKey { .. }));
        let error = fault(|card| {
            let other = certificate(PLATES, 2, KeyPurpose::Statement);
            card.certificates.push(other);
        });
        assert!(matches!(error, CardError::Roots { .. }));
        let error = fault(|card| card.organization = "did:web:evil.example".parse().unwrap());
        assert!(matches!(error, CardError::Subject { .. }));
        let error = fault(|card| *card.certificates[1].last_mut().unwrap() ^= 1);
        assert!(matches!(error, CardError::Certificate { number: 2, .. }));
        let error = fault(|card| card.certificates.push(card.certificates[4].clone()));
        assert!(matches!(error, CardError::TransportKeys { .. }));
        let mut other = plates();
        other.card = signed(Card::clone(&other.card), 2);
        let error = read_card(&write_card(&other)).unwrap_err();
        assert!(matches!(error, CardError::Signature { .. }));
        assert!(matches!(
            read_card(&write_armor(ArmorLabel::IdentityCard, &[0])),
            Err(CardError::Codec(_))
        ));
    }

    #[test]
    fn only_compared_roots_are_trusted() {
        let members = [plates(), member("did:web:aero.example", "Aero", "US", 2)];
        let mut roots = BTreeMap::new();
        let error = keyring_for(&members, &roots).unwrap_err();
        let shown = card_root(&members[0]).unwrap().to_string();
        assert!(matches!(error, ComparisonError::NotCompared { .. }));
        assert!(error.to_string().contains(&shown), "{error}");
        for member in &members {
            roots.insert(member.card.organization.clone(), card_root(member).unwrap());
        }
        let keyring = keyring_for(&members, &roots).unwrap();
        for (member, seed) in members.iter().zip(1..) {
            let statement = key(seed, KeyPurpose::Statement).public();
            let found = keyring.find(
                &member.card.organization,
                &statement.fingerprint(),
                KeyPurpose::Statement,
                Time::EARLIEST,
            );
            assert_eq!(found.unwrap(), statement);
        }
        let other = key(9, KeyPurpose::Root).public().fingerprint();
        roots.insert(PLATES.parse().unwrap(), other);
        let error = keyring_for(&members, &roots).unwrap_err();
        assert!(matches!(error, ComparisonError::Differs { .. }));
        assert!(error.to_string().contains(&other.to_string()), "{error}");
    }
}
