//! The task that keeps the mesh told whom to admit, and every link there is to keep.

use super::inboxes::Inboxes;
use super::members::{end_of, instant};
use super::trouble::Trouble;
use super::{inbound, outbound};
use crate::mesh::{MeshEvent, MeshHandle, PeerKey};
use crate::node::{Node, peer_key};
use crate::partnership::{Governance, KeyStanding};
use crate::store::StoreError;
use ambit_ledger::{Digest, KeyPurpose, OrganizationId, PartnershipId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

/// How long links may take to end when the node stops, and then what was refused to be recorded.
const END_TIMEOUT: Duration = Duration::from_secs(3);

type LinkKey = (PartnershipId, OrganizationId, Digest);

/// The links of a node that runs.
#[derive(Debug)]
pub struct Federation {
    node: Arc<Node>,
    mesh: MeshHandle,
    inboxes: Inboxes,
    trouble: Trouble,
    connected: watch::Sender<BTreeSet<PeerKey>>,
    outbound: BTreeMap<LinkKey, JoinHandle<()>>,
    inbound: JoinSet<()>,
    upkeep: Upkeep,
    looked: Option<Looked>,
}

/// What the peers and links were last looked at by.
#[derive(Debug)]
struct Looked {
    /// What was in force.
    governance: Arc<Governance>,
    at: Time,
    /// When the next agreement is over, or the next key begins or ends, as far as is known.
    until: Option<Time>,
}

/// What has to be looked at from time to time, whatever happens or does not.
#[derive(Clone, Debug)]
pub struct Upkeep {
    node: Arc<Node>,
    trouble: Trouble,
    is_time: Arc<Notify>,
}

impl Upkeep {
    /// Has the federation look whether an agreement or a key ended by time.
    #[must_use]
    pub fn peers(&self) -> Arc<Notify> {
        Arc::clone(&self.is_time)
    }

    /// Records what was refused. It blocks on the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn record_refused(&self) -> Result<(), StoreError> {
        self.trouble.record_refused(&self.node)
    }
}

impl Federation {
    /// Nothing runs yet.
    #[must_use]
    pub fn new(node: Arc<Node>, mesh: MeshHandle) -> Self {
        let trouble = Trouble::new(mesh.clone());
        Self {
            inboxes: Inboxes::default(),
            upkeep: Upkeep {
                node: Arc::clone(&node),
                trouble: trouble.clone(),
                is_time: Arc::default(),
            },
            trouble,
            connected: watch::Sender::new(BTreeSet::new()),
            outbound: BTreeMap::new(),
            inbound: JoinSet::new(),
            node,
            mesh,
            looked: None,
        }
    }

    /// What is to be looked at from time to time while it runs.
    #[must_use]
    pub fn upkeep(&self) -> Upkeep {
        self.upkeep.clone()
    }

    /// Runs until `stop` changes or its sender is gone. Then every link ends; what was not acknowledged is sent
    /// again the next time.
    pub async fn run(
        mut self,
        mut events: mpsc::Receiver<MeshEvent>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut changes = self.node.changes();
        let is_time = self.upkeep.peers();
        self.publish_connected();
        self.refresh();
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.take(event),
                    None => break,
                },
                changed = changes.changed() => match changed {
                    // An outbox grew, more often than not.
                    Ok(()) => self.refresh_after_change(),
                    Err(_) => break,
                },
                Some(_) = self.inbound.join_next() => {}
                () = is_time.notified() => self.refresh_after_time(),
                _ = stop.changed() => break,
            }
        }
        self.end().await;
    }

    fn take(&mut self, event: MeshEvent) {
        match event {
            MeshEvent::Connected { peer } => {
                self.connected.send_modify(|peers| {
                    peers.insert(peer);
                });
                self.publish_connected();
            }
            MeshEvent::Disconnected { peer } => {
                self.connected.send_modify(|peers| {
                    peers.remove(&peer);
                });
                self.publish_connected();
            }
            MeshEvent::Inbound { link, .. } => {
                let session = inbound::serve(
                    Arc::clone(&self.node),
                    self.inboxes.clone(),
                    self.trouble.clone(),
                    link,
                );
                self.inbound.spawn(session);
            }
        }
    }

    /// Lets the node say who is connected, to people who ask.
    fn publish_connected(&self) {
        self.node
            .set_connected(Some(self.connected.borrow().clone()));
    }

    /// Lets the node say who is kept out, and until when.
    fn publish_barred(&self) {
        let now = instant(&self.node);
        let until = |(peer, left): (PeerKey, Duration)| {
            let seconds = u32::try_from(left.as_secs()).unwrap_or(u32::MAX);
            (peer, now.plus_seconds(seconds.saturating_add(1)))
        };
        let barred = self.mesh.barred().into_iter().map(until);
        self.node.note_barred(barred.collect());
    }

    fn refresh_after_change(&mut self) {
        let governance = self.node.governance();
        let is_known = self
            .looked
            .as_ref()
            .is_some_and(|looked| Arc::ptr_eq(&looked.governance, &governance));
        if !is_known {
            self.refresh();
        }
    }

    /// Agreements and keys end by time as well, and a clock that was mended brings them back.
    fn refresh_after_time(&mut self) {
        self.publish_barred();
        let now = instant(&self.node);
        let is_known = self
            .looked
            .as_ref()
            .is_some_and(|looked| looked.at <= now && looked.until.is_none_or(|until| now < until));
        if !is_known {
            self.refresh();
        }
    }

    /// Tells the mesh whom to admit, and sees to it that every other member has its link.
    fn refresh(&mut self) {
        let governance = self.node.governance();
        let now = instant(&self.node);
        let me = governance.organization();
        let mut peers: BTreeMap<PeerKey, BTreeSet<String>> = BTreeMap::new();
        let mut wanted = BTreeSet::new();
        let mut until: Option<Time> = None;
        for partnership in governance.partnerships() {
            let Some(end) = end_of(partnership, me).filter(|end| now < *end) else {
                continue;
            };
            until = until.into_iter().chain([end]).min();
            for member in partnership.peers(me) {
                let organization = &member.card.organization;
                let purpose = KeyPurpose::Transport;
                let standing = governance.key_standing(partnership, organization, purpose, now);
                let changes = standing.and_then(KeyStanding::changes_at);
                until = until.into_iter().chain(changes).min();
                let Some(peer) = peer_key(&governance, partnership, organization, now) else {
                    continue;
                };
                let addresses = peers.entry(peer).or_default();
                addresses.extend(member.card.addresses.iter().map(ToString::to_string));
                let key = (
                    partnership.terms().partnership.clone(),
                    organization.clone(),
                    partnership.edition(),
                );
                wanted.insert(key.clone());
                self.outbound.entry(key).or_insert_with_key(|key| {
                    tokio::spawn(outbound::keep(
                        Arc::clone(&self.node),
                        self.mesh.clone(),
                        self.trouble.clone(),
                        self.connected.subscribe(),
                        peer,
                        key.0.clone(),
                        key.1.clone(),
                    ))
                });
            }
        }
        self.outbound.retain(|key, task| {
            let is_wanted = wanted.contains(key);
            if !is_wanted {
                task.abort();
            }
            is_wanted
        });
        self.looked = Some(Looked {
            at: now,
            until,
            governance: Arc::clone(&governance),
        });
        let peers = peers
            .into_iter()
            .map(|(peer, addresses)| (peer, addresses.into_iter().collect()));
        self.mesh.set_peers(peers.collect());
    }

    async fn end(mut self) {
        self.node.set_connected(None);
        self.mesh.stop().await;
        // With the mesh gone every inbound link ends by itself, and records what it still has to record.
        let ended = async { while self.inbound.join_next().await.is_some() {} };
        if tokio::time::timeout(END_TIMEOUT, ended).await.is_err() {
            tracing::warn!("an inbound link did not end in time");
            self.inbound.shutdown().await;
        }
        let upkeep = self.upkeep.clone();
        let recording = tokio::task::spawn_blocking(move || upkeep.record_refused());
        let recorded = tokio::time::timeout(END_TIMEOUT, recording).await;
        if !matches!(recorded, Ok(Ok(Ok(())))) {
            tracing::error!(?recorded, "what was refused could not be recorded");
        }
        for task in self.outbound.into_values() {
            task.abort();
            // Once it ended, nothing of it holds the node any more; that it was cut off is no news.
            let _ = task.await;
        }
    }
}
