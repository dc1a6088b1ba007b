//! Who of the peers is connected: told by the federation, kept for those who ask.

use super::Node;
use crate::mesh::PeerKey;
use crate::partnership::Partnership;
use ambit_ledger::OrganizationId;
use std::collections::BTreeSet;
use std::sync::PoisonError;

impl Node {
    /// The peers that are connected now; nothing while the node does not run.
    #[must_use]
    pub fn connected(&self) -> Option<BTreeSet<PeerKey>> {
        self.connected
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Who is connected from now on; nothing once the node does not run any more.
    pub(crate) fn set_connected(&self, connected: Option<BTreeSet<PeerKey>>) {
        *self
            .connected
            .write()
            .unwrap_or_else(PoisonError::into_inner) = connected;
    }
}

/// The key that a member's connections are known by, where its card is in order.
pub(crate) fn peer_key(partnership: &Partnership, member: &OrganizationId) -> Option<PeerKey> {
    let key = partnership.transport_key(member)?;
    Some(PeerKey(*key.as_bytes()))
}
