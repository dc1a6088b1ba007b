//! This node's identity card, and what other members' cards say of it.

use super::error::PartnerError;
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::partnership::{ComparisonError, card_root, write_card};
use ambit_ledger::{
    Card, Claim, Fingerprint, Member, OrganizationId, PartnershipTerms, SignedCard, Time,
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
        let governance = self.governance();
        // A clock that was set back must not date the card before the keys that sign it.
        let begun = governance.keys_begin();
        Card {
            number: now
                .start_of_millis()
                .max(begun.unwrap_or(now.start_of_millis())),
            organization: settings.id.clone(),
            name: settings.name.clone(),
            addresses,
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
