//! What is wrong between this node and its peers: told by the federation, kept for those who ask, and gone with the process.

use super::{Node, peer_key};
use crate::mesh::PeerKey;
use ambit_ledger::{OrganizationId, PartnershipId, Time};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is known to be wrong.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Who is kept out, and until when.
    barred: BTreeMap<PeerKey, Time>,
    /// Where two stores disagree about the past, and how.
    diverged: BTreeMap<(PartnershipId, OrganizationId), String>,
}

impl Troubles {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Who is kept out from now on, and until when.
    pub(crate) fn note_barred(&self, barred: BTreeMap<PeerKey, Time>) {
        self.troubles.known().barred = barred;
    }

    /// That the recipient's store and this one disagree, and how; nothing once they agree again.
    pub(crate) fn note_divergence(
        &self,
        partnership: &PartnershipId,
        recipient: &OrganizationId,
        how: Option<String>,
    ) {
        let key = (partnership.clone(), recipient.clone());
        let mut known = self.troubles.known();
        match how {
            Some(how) => known.diverged.insert(key, how),
            None => known.diverged.remove(&key),
        };
    }

    /// What is wrong with one member under one partnership, for a person to read.
    pub(crate) fn troubles(
        &self,
        partnership: &PartnershipId,
        member: &OrganizationId,
        peer: Option<&PeerKey>,
    ) -> Vec<String> {
        let known = self.troubles.known();
        let key = (partnership.clone(), member.clone());
        let diverged = known.diverged.get(&key).map(|how| {
            format!(
                "its store and this one disagree about what was sent, so that nothing is ({how}); ask its operator \
                 whether one of the two was restored from an older backup"
            )
        });
        let barred = peer.and_then(|peer| known.barred.get(peer)).map(|until| {
            format!(
                "it broke the rules of the link again and again, and is kept out until {until}; ask its operator \
                 what its node does"
            )
        });
        diverged.into_iter().chain(barred).collect()
    }

    /// What is wrong with any member.
    pub(crate) fn all_troubles(&self) -> Vec<String> {
        let governance = self.governance();
        let mut all = Vec::new();
        for partnership in governance.partnerships() {
            let id = &partnership.terms().partnership;
            for organization in partnership.others(governance.organization()) {
                let peer = peer_key(partnership, organization);
                let troubles = self.troubles(id, organization, peer.as_ref());
                all.extend(
                    troubles
                        .into_iter()
                        .map(|trouble| format!("`{organization}`, `{id}`: {trouble}")),
                );
            }
        }
        all
    }
}
