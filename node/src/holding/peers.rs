//! The other members of every partnership: how they are reached, and what waits for them.

use super::partnerships::stage;
use crate::failure::Failure;
use crate::mesh::peer_id_text;
use crate::node::{Ask, Node, peer_key};
use crate::store::BoxKey;
use ambit_ledger::{OrganizationId, PartnershipId, Time};
use serde::{Deserialize, Serialize};

/// Another member of a partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The member.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// The agreement.
    pub partnership: PartnershipId,
    /// How the agreement stands: `proposed`, `active` or `declined`.
    pub stage: String,
    /// The libp2p peer id of its connections; absent where its card names no usable key.
    pub peer_id: Option<String>,
    /// The multiaddresses it is called at.
    pub addresses: Vec<String>,
    /// Whether it is connected now; absent where this node does not run.
    pub connected: Option<bool>,
    /// How many items of its outbox it has not acknowledged.
    pub waiting: u64,
    /// The number of the last item that it acknowledged; 0 before the first.
    pub acknowledged: u64,
}

/// The other members of every partnership, and who of them is connected.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPeers {}

impl Ask for ListPeers {
    type Answer = Vec<Peer>;

    fn answer(self, node: &Node, _now: Time) -> Result<Vec<Peer>, Failure> {
        Ok(node.peers())
    }
}

impl Node {
    /// The other members of every partnership, one for each partnership a member is in.
    #[must_use]
    pub fn peers(&self) -> Vec<Peer> {
        let governance = self.governance();
        let connected = self.connected();
        let mut peers = Vec::new();
        for partnership in governance.partnerships() {
            let terms = partnership.terms();
            for member in partnership.peers(governance.organization()) {
                let key = peer_key(partnership, &member.card.organization);
                let outbox = BoxKey::new(&terms.partnership, &member.card.organization);
                let outbox = self.store().outbox(&outbox);
                let last = outbox.as_ref().map_or(0, |outbox| outbox.last);
                let acknowledged = outbox
                    .and_then(|outbox| outbox.acknowledged)
                    .map_or(0, |acknowledged| acknowledged.upto);
                peers.push(Peer {
                    organization: member.card.organization.clone(),
                    name: member.card.name.to_string(),
                    partnership: terms.partnership.clone(),
                    stage: stage(partnership).to_owned(),
                    peer_id: key.as_ref().map(peer_id_text),
                    addresses: member
                        .card
                        .addresses
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                    connected: connected
                        .as_ref()
                        .map(|connected| key.is_some_and(|key| connected.contains(&key))),
                    waiting: last.saturating_sub(acknowledged),
                    acknowledged,
                });
            }
        }
        peers
    }
}
