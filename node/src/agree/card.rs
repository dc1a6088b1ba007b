//! This node's identity card, and what other members' cards say of it.

use super::error::PartnerError;
use crate::failure::Failure;
use crate::node::{Ask, Node};
use crate::partnership::{card_root, write_card};
use ambit_ledger::{Fingerprint, Member, OrganizationId, PartnershipTerms, Time};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};

/// This node's identity card.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetCard {}

impl Ask for GetCard {
    type Answer = String;

    fn answer(self, node: &Node, _now: Time) -> Result<String, Failure> {
        Ok(node.card())
    }
}

impl Node {
    /// This node's identity card, to be handed to a declarer.
    #[must_use]
    pub fn card(&self) -> String {
        write_card(&self.member())
    }

    /// This node as a member: what its card says.
    pub(super) fn member(&self) -> Member {
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
            claims: settings.claims.iter().map(Into::into).collect(),
            addresses,
            certificates: self
                .governance()
                .certificates()
                .iter()
                .map(|certificate| ByteBuf::from(certificate.clone()))
                .collect(),
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
            .certificates
            .iter()
            .all(|certificate| own.contains(certificate.as_slice()));
        if !is_own {
            return Err(PartnerError::NotThisNode("it has other keys"));
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
