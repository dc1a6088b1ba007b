//! This node's identity card, and what other members' cards say of it.

use super::error::PartnerError;
use crate::config::MeshSettings;
use crate::failure::Failure;
use crate::mesh::{PeerKey, verify_peer_address};
use crate::node::{Ask, Node};
use crate::partnership::{ComparisonError, card_root, write_card};
use ambit_ledger::{
    Card, Claim, Fingerprint, Member, Name, OrganizationId, PartnershipTerms, SignedCard, Time,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};

/// This node's identity card.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetCard {}

impl Ask for GetCard {
    type Answer = String;

    fn answer(self, node: &Node, now: Time) -> Result<String, Failure> {
        Ok(node.card(now)?)
    }
}

/// The addresses that a node's card names, as its settings have it.
#[must_use]
pub fn card_addresses(mesh: &MeshSettings) -> Vec<Name> {
    if !mesh.announce.is_empty() {
        return mesh.announce.clone();
    }
    // Any peer's key does: an address to listen on ends in none. A port that the system picks anew at each start is no address to
    // be dialled at, nor is one that stands for all of this machine.
    let can_be_called = |address: &&String| verify_peer_address(&PeerKey([0; 32]), address).is_ok();
    let listen = mesh.listen.iter().filter(can_be_called);
    listen.filter_map(|address| address.parse().ok()).collect()
}

impl Node {
    /// This node's identity card, to be handed to a declarer.
    ///
    /// # Errors
    /// [`PartnerError::OwnCard`].
    pub fn card(&self, now: Time) -> Result<String, PartnerError> {
        Ok(write_card(&self.member(now)?))
    }

    /// This node as a member: its card, signed now, and what it claims.
    pub(super) fn member(&self, now: Time) -> Result<Member, PartnerError> {
        let card = SignedCard::issue(self.own_card(now), &self.keys().statement);
        Ok(Member {
            claims: self.own_claims(),
            ..Member::of(card.map_err(PartnerError::OwnCard)?)
        })
    }

    /// What this node claims, as its settings have it.
    pub(super) fn own_claims(&self) -> BTreeSet<Claim> {
        let claims = self.settings().organization.claims.iter();
        claims.map(Into::into).collect()
    }

    /// This node's card, as its settings have it.
    pub(super) fn own_card(&self, now: Time) -> Card {
        let settings = &self.settings().organization;
        let governance = self.governance();
        // A clock that was set back must not date the card before the keys that sign it.
        let begun = governance.keys_begin();
        Card {
            number: now
                .start_of_millis()
                .max(begun.unwrap_or(now.start_of_millis())),
            organization: settings.id.clone(),
            name: settings.name.clone(),
            addresses: card_addresses(&self.settings().mesh),
            certificates: governance
                .certificates()
                .iter()
                .map(|certificate| ByteBuf::from(certificate.clone()))
                .collect(),
            seat: settings.seat.clone(),
            hosting: settings.hosting.clone(),
            personnel: settings.personnel.clone(),
        }
    }

    /// Whether the terms name this node as it is.
    pub(super) fn check_own_member(&self, terms: &PartnershipTerms) -> Result<(), PartnerError> {
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
            .card
            .certificates
            .iter()
            .all(|certificate| own.contains(certificate.as_slice()));
        if !is_own {
            return Err(PartnerError::NotThisNode("it has other keys"));
        }
        Ok(())
    }

    /// Checks what was compared, also where nothing depends on it: who gives a fingerprint is not to go on with another.
    pub(super) fn check_compared(
        &self,
        terms: &PartnershipTerms,
        fingerprints: &BTreeMap<OrganizationId, Fingerprint>,
    ) -> Result<(), PartnerError> {
        for (organization, compared) in fingerprints {
            let Some(member) = terms.member(organization) else {
                let governance = self.governance();
                let me = governance.organization();
                let members = terms.members.iter().map(|member| &member.card.organization);
                let others = members.filter(|member| *member != me).cloned();
                return Err(PartnerError::Stranger {
                    stranger: organization.clone(),
                    others: others.collect(),
                });
            };
            let found = card_root(member)?;
            if found != *compared {
                return Err(ComparisonError::Differs {
                    organization: organization.clone(),
                    found,
                    compared: *compared,
                }
                .into());
            }
        }
        Ok(())
    }

    /// The compared roots, and this node's own.
    pub(super) fn with_own_root(
        &self,
        fingerprints: &BTreeMap<OrganizationId, Fingerprint>,
    ) -> BTreeMap<OrganizationId, Fingerprint> {
        let governance = self.governance();
        let mut roots = fingerprints.clone();
        roots.insert(governance.organization().clone(), governance.opened().root);
        roots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_names_what_can_be_called() {
        let listen = [
            "/ip4/0.0.0.0/tcp/4001",
            "/ip6/::/tcp/4001",
            "/ip4/192.0.2.1/tcp/0",
            "/ip4/192.0.2.1/tcp/4001",
        ];
        let mut mesh = MeshSettings {
            listen: listen.map(str::to_owned).into(),
            ..MeshSettings::default()
        };
        let told = |mesh: &MeshSettings| {
            let addresses = card_addresses(mesh);
            addresses
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&mesh), ["/ip4/192.0.2.1/tcp/4001"]);
        mesh.announce = vec!["/ip4/203.0.113.7/tcp/1".parse().unwrap()];
        assert_eq!(told(&mesh), ["/ip4/203.0.113.7/tcp/1"]);
    }
}
