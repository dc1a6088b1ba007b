//! Who is admitted, who is connected, and which links are open: the one table that the gate, the handle and the swarm share.
//!
//! A peer that is not in it has nothing. It must never hold its lock across an await.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::handle::PeerKey;
use super::link::{Link, LinkEnd, LinkState};

/// How many links one peer may have open at a time, in both directions together: one per partnership and direction, and room
/// for those of a connection that died and is not cleared yet.
const LINKS_PER_PEER_MAX: usize = 64;

/// Why a link was not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkRefusal {
    NotAdmitted,
    TooMany,
}

#[derive(Debug, Default)]
struct Member {
    addresses: Vec<String>,
    connected: bool,
    links: Vec<Weak<LinkState>>,
}

/// The admitted peers.
#[derive(Debug, Default)]
pub(super) struct Roster {
    members: Mutex<BTreeMap<PeerKey, Member>>,
}

impl Roster {
    /// Puts the full set in force. When this returns, those left out can open nothing more and their links are ended.
    pub(super) fn replace(&self, peers: BTreeMap<PeerKey, Vec<String>>) {
        let removed: Vec<Member> = {
            let mut members = self.lock();
            let mut before = std::mem::take(&mut *members);
            for (peer, addresses) in peers {
                let mut member = before.remove(&peer).unwrap_or_default();
                member.addresses = addresses;
                members.insert(peer, member);
            }
            before.into_values().collect()
        };
        for member in removed {
            end(&member.links, LinkEnd::NotAdmitted);
        }
    }

    pub(super) fn admits(&self, peer: &PeerKey) -> bool {
        self.lock().contains_key(peer)
    }

    pub(super) fn is_connected(&self, peer: &PeerKey) -> bool {
        self.lock().get(peer).is_some_and(|member| member.connected)
    }

    pub(super) fn note_connected(&self, peer: &PeerKey, connected: bool) {
        if let Some(member) = self.lock().get_mut(peer) {
            member.connected = connected;
        }
    }

    /// The admitted peers with their addresses.
    pub(super) fn addresses(&self) -> BTreeMap<PeerKey, Vec<String>> {
        self.lock()
            .iter()
            .map(|(peer, member)| (*peer, member.addresses.clone()))
            .collect()
    }

    /// Enters a new link, so that it ends with its peer's admission.
    pub(super) fn enter(&self, link: &Link) -> Result<(), LinkRefusal> {
        let mut members = self.lock();
        let member = members
            .get_mut(&link.peer())
            .ok_or(LinkRefusal::NotAdmitted)?;
        member.links.retain(|link| link.strong_count() > 0);
        if member.links.len() >= LINKS_PER_PEER_MAX {
            return Err(LinkRefusal::TooMany);
        }
        member.links.push(Arc::downgrade(link.state()));
        Ok(())
    }

    /// Ends all links of one peer.
    pub(super) fn end_links(&self, peer: &PeerKey, reason: LinkEnd) {
        let links = self
            .lock()
            .get_mut(peer)
            .map(|member| std::mem::take(&mut member.links));
        end(&links.unwrap_or_default(), reason);
    }

    /// Ends everything: the mesh has stopped.
    pub(super) fn end_all(&self) {
        let members = std::mem::take(&mut *self.lock());
        for member in members.into_values() {
            end(&member.links, LinkEnd::Stopped);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerKey, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(links: &[Weak<LinkState>], reason: LinkEnd) {
    for link in links.iter().filter_map(Weak::upgrade) {
        link.end(reason);
    }
}
