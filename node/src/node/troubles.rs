//! What is wrong between this node and its peers: told by the federation, kept for those who ask, and gone with the process.

use super::{Node, peer_key};
use crate::failure::one_line;
use crate::mesh::{LINKS_PER_PEER_MAX, PeerKey};
use ambit_ledger::{Digest, Layer, OrganizationId, PartnershipId, Time};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is known to be wrong.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Who is kept out, and until when.
    barred: BTreeMap<PeerKey, Time>,
    /// Why nothing goes over a link.
    links: BTreeMap<(PartnershipId, OrganizationId, Way), LinkTrouble>,
}

/// Which way a link carries observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// To the other member.
    Outbound,
    /// From it.
    Inbound,
}

/// Why nothing goes over a link, though the peer is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkTrouble {
    /// The two stores disagree about the past, and how.
    Diverged(String),
    /// The two programs speak no version in common.
    NoCommonVersion,
    /// The two nodes have different editions of the agreement.
    EditionDiffers {
        /// The other node's.
        theirs: Digest,
        /// This one's.
        own: Digest,
    },
    /// Its connection carries no more links.
    TooManyLinks,
    /// The recipient does not acknowledge.
    Stalled,
    /// Something failed at this node, and what.
    OwnFault(String),
}

impl LinkTrouble {
    /// What a person reads of it.
    fn told(&self, way: Way) -> String {
        match (self, way) {
            (Self::Diverged(how), Way::Outbound) => format!(
                "its store and this one disagree about what was sent, so that nothing is ({how}); ask its operator \
                 whether one of the two was restored from an older backup"
            ),
            (Self::Diverged(how), Way::Inbound) => format!(
                "its store and this one disagree about what it sent, so that nothing of it is taken in ({how}); ask its \
                 operator whether one of the two was restored from an older backup"
            ),
            (Self::NoCommonVersion, Way::Outbound | Way::Inbound) => {
                "its program and this one speak no version of the link in common; update the older one".to_owned()
            }
            (Self::EditionDiffers { theirs, own }, Way::Outbound | Way::Inbound) => format!(
                "it has edition {theirs} of the agreement and this node {own}, so that nothing is sent until both have \
                 the same; whoever declared it knows which one counts, and hands its file to the other"
            ),
            (Self::TooManyLinks, Way::Outbound | Way::Inbound) => format!(
                "no further link fits into its connection, which has {LINKS_PER_PEER_MAX}, two for each agreement, so that this \
                 one waits for another to end; make one agreement of several, or ask its operator why its node opens more"
            ),
            (Self::Stalled, Way::Outbound | Way::Inbound) => {
                "it is connected and does not acknowledge what it is sent; ask its operator whether its node can write \
                 to its disk"
                    .to_owned()
            }
            (Self::OwnFault(how), Way::Outbound | Way::Inbound) => format!(
                "this node failed on the link, which is opened again ({how}); if that goes on, see to its disk and its log"
            ),
        }
    }
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

    /// Why nothing goes over a link; nothing once something does.
    pub(crate) fn note_link(
        &self,
        partnership: &PartnershipId,
        member: &OrganizationId,
        way: Way,
        trouble: Option<LinkTrouble>,
    ) {
        let key = (partnership.clone(), member.clone(), way);
        let mut known = self.troubles.known();
        match trouble {
            Some(trouble) => known.links.insert(key, trouble),
            None => known.links.remove(&key),
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
        let links = [Way::Outbound, Way::Inbound].into_iter().filter_map(|way| {
            let key = (partnership.clone(), member.clone(), way);
            known.links.get(&key).map(|trouble| trouble.told(way))
        });
        let barred = peer.and_then(|peer| known.barred.get(peer)).map(|until| {
            format!(
                "it broke the rules of the link again and again, and is kept out until {until}; ask its operator \
                 what its node does"
            )
        });
        links.chain(barred).collect()
    }

    /// What is wrong with any agreement or member.
    pub(crate) fn all_troubles(&self) -> Vec<String> {
        let governance = self.governance();
        let mut all = Vec::new();
        for partnership in governance.partnerships() {
            let id = &partnership.terms().partnership;
            let broken = partnership.layers().broken();
            let broken = broken.filter(|broken| broken.layer() == Layer::Partnership);
            all.extend(broken.map(|broken| {
                format!(
                    "`{id}`: all is undecided, because the layer that its terms give cannot judge: {}; run the version \
                     that recorded it, or a later one",
                    one_line(broken.error())
                )
            }));
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
