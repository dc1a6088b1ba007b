//! All keys that a ledger names, as an audit of it goes by them: an organization that ends a key in the card of one agreement,
//! or in one that was pinned, has ended it for all.

use super::card::{CardError, ComparisonError, card_root, keyring_for};
use super::edition::Partnership;
use super::governance::Governance;
use crate::clock::APART_SECONDS_MAX;
use ambit_ledger::{
    Fingerprint, KeyPurpose, Keyring, Member, OrganizationId, PartnershipId, PublicKey, Time,
};
use std::collections::BTreeMap;

/// How an organization stands with its keys for one purpose, at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// It has one that is good.
    Good {
        /// Up to when, where it ends.
        until: Option<Time>,
    },
    /// It has none that is good yet.
    NotYet {
        /// From when one is.
        from: Time,
    },
    /// All that it has ended.
    Ended {
        /// When the last did.
        at: Time,
    },
}

impl KeyStanding {
    /// Of all that a keyring holds; nothing where it holds none. A key that was certified just now by a clock that is ahead
    /// of this one is good, as far as clocks may be apart; past its end none is.
    pub fn of(
        keyring: &Keyring,
        organization: &OrganizationId,
        purpose: KeyPurpose,
        now: Time,
    ) -> Option<Self> {
        let keys = keyring.keys_for(organization, purpose);
        let standings = keys.filter_map(|key| {
            let (from, until) = keyring.span(organization, &key.fingerprint())?;
            Some(match until {
                Some(at) if at <= now => Self::Ended { at },
                _ if from > now.plus_seconds(APART_SECONDS_MAX) => Self::NotYet { from },
                _ => Self::Good { until },
            })
        });
        standings.reduce(Self::better)
    }

    /// The one that gets further.
    fn better(self, other: Self) -> Self {
        match (self, other) {
            (Self::Good { until: one }, Self::Good { until: other }) => Self::Good {
                until: one.zip(other).map(|(one, other)| one.max(other)),
            },
            (good @ Self::Good { .. }, _) | (_, good @ Self::Good { .. }) => good,
            (Self::NotYet { from: one }, Self::NotYet { from: other }) => Self::NotYet {
                from: one.min(other),
            },
            (later @ Self::NotYet { .. }, _) | (_, later @ Self::NotYet { .. }) => later,
            (Self::Ended { at: one }, Self::Ended { at: other }) => {
                Self::Ended { at: one.max(other) }
            }
        }
    }

    /// When it is another one by time alone.
    #[must_use]
    pub fn changes_at(self) -> Option<Time> {
        match self {
            Self::Good { until } => until,
            Self::NotYet { from } => Some(from.minus_seconds(APART_SECONDS_MAX)),
            Self::Ended { .. } => None,
        }
    }
}

impl Governance {
    /// How a member of an agreement stands with its keys; nothing where its root was not compared.
    #[must_use]
    pub fn key_standing(
        &self,
        partnership: &Partnership,
        member: &OrganizationId,
        purpose: KeyPurpose,
        now: Time,
    ) -> Option<KeyStanding> {
        KeyStanding::of(self.keyring_under(partnership), member, purpose, now)
    }

    /// How this node's own organization stands with its keys.
    #[must_use]
    pub fn own_key_standing(&self, purpose: KeyPurpose, now: Time) -> Option<KeyStanding> {
        KeyStanding::of(self.keyring(), self.organization(), purpose, now)
    }

    /// The key that a member's connections are known by at an instant: nobody is known by one that ended.
    #[must_use]
    pub fn transport_key<'a>(
        &self,
        partnership: &'a Partnership,
        member: &OrganizationId,
        now: Time,
    ) -> Option<&'a PublicKey> {
        let standing = self.key_standing(partnership, member, KeyPurpose::Transport, now);
        let is_good = matches!(standing, Some(KeyStanding::Good { .. }));
        partnership.transport_key(member).filter(|_| is_good)
    }

    /// The keys that count under an agreement: those of its members' cards, each for as long as all that names it here says.
    #[must_use]
    pub fn keyring_under<'a>(&'a self, partnership: &'a Partnership) -> &'a Keyring {
        let narrowed = self.narrowed.get_or_init(|| self.narrowed_keyrings());
        let narrowed = narrowed.get(&partnership.terms().partnership);
        narrowed.unwrap_or_else(|| partnership.keyring())
    }

    /// All of them.
    #[must_use]
    pub fn every_key(&self) -> Keyring {
        let mut every_key = self.keyring().clone();
        let agreements = self.partnerships().map(Partnership::keyring);
        for keyring in agreements.chain([self.attestations().keyring()]) {
            every_key.extend(keyring.clone());
        }
        every_key
    }

    /// The keys of these members as they count once their cards are recorded: each for as long as all that names it says, in
    /// these cards or here. An audit goes by them from that entry on.
    ///
    /// # Errors
    /// Any [`ComparisonError`].
    pub fn keyring_to_record(
        &self,
        members: &[Member],
        roots: &BTreeMap<OrganizationId, Fingerprint>,
    ) -> Result<Keyring, ComparisonError> {
        let keyring = keyring_for(members, roots)?;
        let every_key = self.every_key();
        if let Some((organization, key)) = keyring.conflict_with(&every_key) {
            return Err(CardError::Purposes {
                organization: organization.clone(),
                key: *key,
            }
            .into());
        }
        let keyring = keyring.narrowed_by(&every_key).unwrap_or(keyring);
        for member in members {
            let organization = &member.card.organization;
            member
                .card
                .verify(&keyring)
                .map_err(|source| CardError::Signature {
                    organization: organization.clone(),
                    source,
                })?;
        }
        Ok(keyring)
    }

    /// Of two cards of an organization the later one holds: none of other members is taken in that another one of the same number
    /// contradicts, nor one that says otherwise than a later one where its organization is. What stands in the terms of an
    /// agreement is a card of its organization only where its root was compared for them, as that of this card.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn check_cards(&self, members: &[Member]) -> Result<(), CardError> {
        let others = members
            .iter()
            .filter(|member| member.card.organization != *self.organization());
        for member in others {
            let organization = &member.card.organization;
            for known in self.cards_of(organization, card_root(member)?) {
                if member.contradicts(known) {
                    return Err(CardError::Contradicts(organization.clone()));
                }
                if member.is_outdated_by(known) {
                    return Err(CardError::Outdated(organization.clone()));
                }
            }
        }
        Ok(())
    }

    /// The cards of an organization in all agreements for which this root of its was compared.
    fn cards_of<'a>(
        &'a self,
        organization: &'a OrganizationId,
        root: Fingerprint,
    ) -> impl Iterator<Item = &'a Member> {
        let compared = self
            .partnerships()
            .filter(move |known| known.roots().get(organization) == Some(&root));
        compared.filter_map(|known| known.terms().member(organization))
    }

    /// The agreement that has a later card of a member than this one, which says otherwise where it is: everyone goes by what was
    /// signed under this one all the same.
    #[must_use]
    pub fn moved_in(
        &self,
        partnership: &Partnership,
        member: &OrganizationId,
    ) -> Option<&PartnershipId> {
        let root = partnership.roots().get(member)?;
        let signed = partnership.terms().member(member)?;
        let later = self
            .partnerships()
            .filter(|other| other.roots().get(member) == Some(root));
        let later = later.filter_map(|other| Some((other, other.terms().member(member)?)));
        let latest = later.max_by_key(|(_, member)| member.card.number);
        let (other, _) = latest.filter(|(_, record)| signed.is_outdated_by(record))?;
        Some(&other.terms().partnership)
    }

    fn narrowed_keyrings(&self) -> BTreeMap<PartnershipId, Keyring> {
        let every_key = self.every_key();
        let narrowed = self.partnerships().filter_map(|partnership| {
            let keyring = partnership.keyring().narrowed_by(&every_key)?;
            Some((partnership.terms().partnership.clone(), keyring))
        });
        narrowed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_keys_the_one_that_gets_further_counts() {
        let at = |days| Time::EARLIEST.plus_days(days);
        let good = |until| KeyStanding::Good { until };
        let from = |days| KeyStanding::NotYet { from: at(days) };
        let ended = |days| KeyStanding::Ended { at: at(days) };
        for (one, other, better) in [
            (good(None), good(Some(at(9))), good(None)),
            (good(Some(at(8))), good(Some(at(9))), good(Some(at(9)))),
            (good(Some(at(8))), from(9), good(Some(at(8)))),
            (good(None), ended(9), good(None)),
            (from(8), from(9), from(8)),
            (from(8), ended(9), from(8)),
            (ended(8), ended(9), ended(9)),
        ] {
            assert_eq!(one.better(other), better);
            assert_eq!(other.better(one), better);
        }
        let begins = at(9).minus_seconds(APART_SECONDS_MAX);
        assert_eq!(from(9).changes_at(), Some(begins));
        assert_eq!(good(Some(at(9))).changes_at(), Some(at(9)));
        assert_eq!(ended(9).changes_at(), None);
    }
}
