//! The link that brings another member's outbox: verify, judge, commit, acknowledge.

mod ahead;
mod answer;
mod ended;
mod telling;

use self::ahead::{Read, Turn, read_ahead};
use self::answer::{send, turn_away};
use self::ended::Ended;
use super::control::{Heard, Told, take_control};
use super::inboxes::Inboxes;
use super::members::{instant, is_still_known, membership};
use super::reading::{self, FRAMES_AHEAD, Places, charge_broken, read};
use super::trouble::{Complaint, Trouble};
use crate::admit::{Ahead, Refusals, Settling, Waiting, grounds};
use crate::link::{AcceptError, Arrived, Asks, Frame, Hello, Parties, Received, Receiver};
use crate::mesh::{Fault, Link, LinkSender};
use crate::node::{LinkNews, LinkTrouble, Node, Way};
use crate::store::{BoxKey, StoreError, Write};
use ambit_ledger::{EditionStage, OrganizationId, PartnershipId, RefusalCode};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

/// How long a peer may take to say what a link is for.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is looked at whether something may be asked for again, and what was refused is handed over.
const TICK: Duration = Duration::from_secs(5);
/// A link that ends sooner is charged for what was verified of it in vain: the work is done again for the next one.
const SHORT: Duration = Duration::from_secs(2);
/// Items that a link may lose so.
const IN_VAIN_MIN: u64 = 8;
/// How long a sender is given to say what it finds wrong of a link that was taken; it does so at once.
const FINDS_WITHIN: Duration = Duration::from_secs(5);

/// Serves one link from its first frame to its end.
#[tracing::instrument(skip_all, fields(peer = %link.peer()))]
pub(super) async fn serve(node: Arc<Node>, inboxes: Inboxes, trouble: Trouble, link: Link) {
    match serve_link(&node, &inboxes, &trouble, link).await {
        Ok(()) => {}
        Err(ended) if ended.is_of_this_node() => {
            let error = &ended as &dyn std::error::Error;
            tracing::error!(error, "an inbound link ended");
        }
        Err(ended) => tracing::debug!(%ended, "an inbound link ended"),
    }
}

async fn serve_link(
    node: &Arc<Node>,
    inboxes: &Inboxes,
    trouble: &Trouble,
    link: Link,
) -> Result<(), Ended> {
    let peer = link.peer();
    let (mut sender, mut receiver) = link.split();
    let first = tokio::time::timeout(HELLO_TIMEOUT, receiver.recv())
        .await
        .map_err(|_| Ended::NoHello)?
        .map_err(|error| {
            charge_broken(trouble, &peer, &error);
            Ended::Connection
        })?
        .ok_or(Ended::Connection)?;
    let (size, arrived) = (first.len(), Instant::now());
    let first = tokio::task::spawn_blocking(move || Frame::decode(&first)).await?;
    let hello = match first {
        Ok(Frame::Hello { hello }) => hello,
        other => {
            let code = other.map_or_else(|error| error.code(), |_| RefusalCode::Unexpected);
            trouble.charge_refusal(&peer, code, size);
            if code == RefusalCode::NewerVersion {
                trouble.note_newer(&peer, code);
            }
            return turn_away(&mut sender, code).await;
        }
    };
    let governance = node.governance();
    let now = instant(node);
    let Some((_, from)) = membership(&governance, &hello.partnership, peer, now) else {
        trouble.let_wait(node, (peer, arrived), now).await;
        return turn_away(&mut sender, RefusalCode::WrongPartnership).await;
    };
    let inbox = BoxKey::new(&hello.partnership, from);
    let (_holder, replaced) = inboxes.take(inbox).await;
    let (frames, queue) = mpsc::channel(FRAMES_AHEAD);
    let reader = tokio::spawn(read(receiver, trouble.clone(), frames));
    let ended = match Session::open(node, trouble, sender, &hello, from).await {
        Ok(mut session) => session.run(queue, inboxes.looking(), replaced).await,
        Err(ended) => Err(ended),
    };
    reader.abort();
    if let Some(why) = ended.as_ref().err().and_then(Ended::trouble) {
        node.note_link(&hello.partnership, from, Way::Inbound, Some(why));
    }
    ended
}

struct Session {
    node: Arc<Node>,
    trouble: Trouble,
    link: LinkSender,
    /// Away while what it waits for is being committed.
    machine: Option<Receiver>,
    /// This node found itself that the two disagree about the past.
    has_diverged: bool,
    turn: Arc<Turn>,
    partnership: PartnershipId,
    from: OrganizationId,
    waiting: VecDeque<Waiting>,
    refused: BTreeMap<RefusalCode, Refusals>,
    told: Told,
    heard: Heard,
}

impl Session {
    async fn open(
        node: &Arc<Node>,
        trouble: &Trouble,
        mut link: LinkSender,
        hello: &Hello,
        from: &OrganizationId,
    ) -> Result<Self, Ended> {
        let governance = node.governance();
        let partnership = governance
            .partnership(&hello.partnership)
            .ok_or(Ended::NoPartnership)?;
        let parties = Parties {
            partnership: hello.partnership.clone(),
            edition: partnership.edition(),
            sender: from.clone(),
            recipient: governance.organization().clone(),
        };
        let key = BoxKey::new(&hello.partnership, from);
        let inbox = node.store().inbox(&key);
        let is_held_back = node.holds_back(inbox.as_ref(), instant(node)).is_some();
        let is_active = partnership.stage() == EditionStage::Active && !is_held_back;
        let incarnation = node.store().incarnation();
        let grounds = grounds(&governance, partnership);
        let mut accepted =
            match Receiver::accept(parties, incarnation, inbox, grounds, is_active, hello) {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a link cannot be accepted");
                    let (code, ended) = match error {
                        AcceptError::AnotherPartnership => {
                            (RefusalCode::WrongPartnership, Ended::NoPartnership)
                        }
                        AcceptError::NoCommonVersion => {
                            let why = Some(LinkTrouble::NoCommonVersion);
                            node.note_link(&hello.partnership, from, Way::Inbound, why);
                            (RefusalCode::NewerVersion, Ended::NoCommonVersion)
                        }
                    };
                    turn_away(&mut link, code).await?;
                    return Err(ended);
                }
            };
        let diverged = accepted.divergence.as_ref();
        let diverged = diverged.map(|how| LinkTrouble::Diverged(how.to_string()));
        let has_diverged = diverged.is_some();
        match diverged {
            Some(_) => node.note_link(&hello.partnership, from, Way::Inbound, diverged),
            None => {
                let news = LinkNews::Accepted;
                node.note_link_news(&hello.partnership, from, Way::Inbound, news);
            }
        }
        if let Some(divergence) = &accepted.divergence {
            let peer = link.peer();
            trouble.charge(&peer, Fault::InVain);
            if let Some(count) = trouble.count(&peer, Complaint::Divergence) {
                tracing::error!(?divergence, %from, count, "the sender's store and this one disagree");
            }
        }
        if is_held_back {
            accepted.receiver.pause();
        }
        send(&mut link, &accepted.answer).await?;
        Ok(Self {
            node: Arc::clone(node),
            trouble: trouble.clone(),
            link,
            turn: Turn::of(&accepted.receiver),
            machine: Some(accepted.receiver),
            has_diverged,
            partnership: hello.partnership.clone(),
            from: from.clone(),
            waiting: VecDeque::new(),
            refused: BTreeMap::new(),
            told: Told::default(),
            heard: Heard::default(),
        })
    }

    /// Runs to the link's end. What was refused by then is kept for the record, even of a peer that did not stay
    /// for its answer; where the store failed, nothing more is recorded anyway.
    // Not recorded here: a peer that opens link after link would have this node write to the disk for each.
    async fn run(
        &mut self,
        frames: mpsc::Receiver<Vec<u8>>,
        looking: Places,
        replaced: watch::Receiver<u64>,
    ) -> Result<(), Ended> {
        let (node, partnership, from) = (&self.node, &self.partnership, &self.from);
        let begun = Instant::now();
        let mut frames = read_ahead(node, partnership, from, &self.turn, looking, frames);
        let ended = self.exchange(&mut frames, replaced).await;
        let is_by_peer = matches!(ended, Ok(()) | Err(Ended::Connection | Ended::Replaced));
        let is_short = is_by_peer && begun.elapsed() < SHORT;
        if matches!(ended, Err(Ended::Connection)) {
            self.hear_last(&mut frames).await;
        }
        if is_short {
            self.charge_in_vain();
        }
        let refused = std::mem::take(&mut self.refused);
        self.trouble
            .keep_refused(&self.from, &self.partnership, refused);
        ended
    }

    /// Charges a link of which much was verified ahead and never had its turn. Once, however much that was: an honest member whose
    /// connection breaks loses all its links with it.
    fn charge_in_vain(&self) {
        let next = self.machine.as_ref().map(|machine| machine.turn().0);
        if next.map_or(0, |next| self.turn.ahead_of(next)) >= IN_VAIN_MIN {
            self.trouble.charge(&self.link.peer(), Fault::InVain);
        }
    }

    async fn exchange(
        &mut self,
        frames: &mut reading::Ahead<Read>,
        mut replaced: watch::Receiver<u64>,
    ) -> Result<(), Ended> {
        let mut changes = self.node.changes();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let found = tokio::time::sleep(FINDS_WITHIN);
        tokio::pin!(found);
        let mut is_looked_at = self.has_diverged;
        // What is in force may have changed since the link was accepted.
        if self.tell().await? {
            self.look_at_stage().await?;
        }
        self.ask_again().await?;
        loop {
            // What comes while the clock is wrong is not taken: it waits, and the rest of it at the sender.
            let is_held = self.node.instant(crate::clock::now()).is_err();
            tokio::select! {
                read = frames.next(), if !is_held => match read {
                    Some(read) => {
                        let are_items = self.take_all(read?).await?;
                        // What was looked at meanwhile is committed with them.
                        if are_items && let Some(read) = frames.next_if_there().await {
                            self.take_all(read?).await?;
                        }
                    }
                    None => return Ok(()),
                },
                changed = changes.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    if self.tell().await? {
                        self.look_at_stage().await?;
                        self.ask_again().await?;
                    }
                }
                _ = replaced.changed() => return Err(Ended::Replaced),
                () = &mut found, if !is_looked_at => {
                    is_looked_at = true;
                    let news = LinkNews::Goes;
                    self.node.note_link_news(&self.partnership, &self.from, Way::Inbound, news);
                }
                // A link on which nothing is left to do costs nothing.
                _ = tick.tick(), if is_held || self.has_left() => {
                    self.ask_again().await?;
                    if self.machine()?.is_paused() {
                        self.look_at_stage().await?;
                    }
                    let refused = std::mem::take(&mut self.refused);
                    self.trouble
                        .keep_refused(&self.from, &self.partnership, refused);
                }
            }
            self.settle().await?;
            if frames.is_empty() {
                self.acknowledge().await?;
            }
        }
    }

    /// Hears why a sender ended the link. Where this node wrote at that moment, it found the end before it read that.
    async fn hear_last(&mut self, frames: &mut reading::Ahead<Read>) {
        let last = async {
            while let Some(Ok(read)) = frames.next().await {
                for (seq, code) in read.iter().filter_map(|(arrived, _)| arrived.rejection()) {
                    self.note_rejected(seq, code);
                }
            }
        };
        let _ = tokio::time::timeout(TICK, last).await;
    }

    /// The key that the sender is known by may end while its link stands.
    fn look_at_key(&self) -> Result<(), Ended> {
        let (now, peer) = (instant(&self.node), self.link.peer());
        if is_still_known(&self.node, &self.partnership, &self.from, peer, now) {
            return Ok(());
        }
        Err(Ended::TransportKey)
    }

    /// Refuses a frame or an item of so many bytes, and charges it to the peer where it is to blame.
    async fn reject(&mut self, frame: &Frame, bytes: usize) -> Result<(), Ended> {
        if let Frame::Reject { code, .. } = frame {
            self.trouble.charge_refusal(&self.link.peer(), *code, bytes);
        }
        self.send(frame).await
    }

    async fn send(&mut self, frame: &Frame) -> Result<(), Ended> {
        self.look_at_key()?;
        if let (Frame::Credit { .. }, Some(machine)) = (frame, &self.machine) {
            self.turn.grant(machine);
        }
        send(&mut self.link, frame).await
    }

    /// Sends what the sender was not told yet on this link. Whether something else is in force than before.
    async fn tell(&mut self) -> Result<bool, Ended> {
        let news = self.told.news(&self.node, &self.partnership);
        let (news, is_changed) = news.ok_or(Ended::NoPartnership)?;
        for message in news {
            self.send(&message.into()).await?;
        }
        Ok(is_changed)
    }

    async fn look_at_stage(&mut self) -> Result<(), Ended> {
        let governance = self.node.governance();
        let partnership = governance
            .partnership(&self.partnership)
            .ok_or(Ended::NoPartnership)?;
        let grounds = grounds(&governance, partnership);
        let is_active = partnership.stage() == EditionStage::Active;
        let (node, now) = (Arc::clone(&self.node), instant(&self.node));
        let machine = self.machine()?;
        machine.set_grounds(grounds);
        let is_active = is_active && node.holds_back(Some(machine.inbox()), now).is_none();
        if is_active && let Some(frame) = machine.activate() {
            self.send(&frame).await?;
        }
        Ok(())
    }

    /// Whether time alone may bring something to do.
    fn has_left(&self) -> bool {
        let has_to_ask = self.machine.as_ref().is_some_and(Receiver::has_to_ask);
        let is_paused = self.machine.as_ref().is_some_and(Receiver::is_paused);
        has_to_ask || is_paused || !self.waiting.is_empty() || !self.refused.is_empty()
    }

    /// Asks for what was not taken and may be taken now; that it was asked for is committed first. Where that does not
    /// arrive any more, the next link begins with it.
    async fn ask_again(&mut self) -> Result<(), Ended> {
        let Ok(now) = self.node.instant(crate::clock::now()) else {
            return Ok(());
        };
        let Some(Asks { inbox, frames }) = self.machine()?.ask_again(now) else {
            return Ok(());
        };
        if let Some(inbox) = inbox {
            let node = Arc::clone(&self.node);
            tokio::task::spawn_blocking(move || {
                let commit = node.commit_of(now, vec![Write::Inbox(inbox)]);
                node.store().commit(commit)
            })
            .await??;
        }
        for frame in frames {
            self.send(&frame).await?;
        }
        Ok(())
    }

    /// Returns whether all of it waits to be settled.
    async fn take_all(&mut self, read: Vec<Read>) -> Result<bool, Ended> {
        self.look_at_key()?;
        let all = self.waiting.len() + read.len();
        for (arrived, ahead) in read {
            self.take(arrived, ahead).await?;
        }
        Ok(self.waiting.len() == all)
    }

    async fn take(&mut self, arrived: Arrived, ahead: Option<Box<Ahead>>) -> Result<(), Ended> {
        let (size, digest) = (arrived.size(), arrived.digest());
        match self.machine()?.receive(arrived) {
            Received::Take(item) => self.waiting.push_back(Waiting::Item(item, ahead)),
            Received::Withdrawn { .. } => self.waiting.push_back(Waiting::Tombstone),
            Received::Kept => {}
            Received::Reply(reply) => {
                if let Frame::Reject { code, .. } = &reply
                    && code.is_set_aside()
                {
                    self.trouble.note_newer(&self.link.peer(), *code);
                } else if let Frame::Reject { code, .. } = &reply {
                    let tally = self.refused.entry(*code).or_default();
                    tally.add(digest);
                }
                self.reject(&reply, size).await?;
            }
            Received::Confirmed { reply, .. } => {
                if let Some(reply) = reply {
                    self.send(&reply).await?;
                }
                // What waited for that may be asked for.
                self.ask_again().await?;
            }
            Received::Control(message) => {
                let peer = self.link.peer();
                take_control(&self.node, &self.trouble, peer, &mut self.heard, message).await;
            }
            Received::Rejected { seq, code } => {
                let bytes = size;
                let peer = self.link.peer();
                self.trouble.charge(&peer, Fault::OutOfTurn { bytes });
                self.note_rejected(seq, code);
            }
        }
        Ok(())
    }

    /// Judges what waits, in order; commits; then says so. Where the clock is wrong it waits on.
    async fn settle(&mut self) -> Result<(), Ended> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let Some(machine) = self.machine.take() else {
            return Err(Ended::Connection);
        };
        let settling = Settling {
            node: Arc::clone(&self.node),
            partnership: self.partnership.clone(),
            from: self.from.clone(),
            waiting: std::mem::take(&mut self.waiting),
            refused: std::mem::take(&mut self.refused),
            machine,
        };
        let settled = tokio::task::spawn_blocking(move || settling.settle()).await??;
        self.waiting = settled.waiting;
        self.refused = settled.refused;
        let mut machine = settled.machine;
        let frames = settled
            .cursor
            .map(|cursor| machine.committed(cursor))
            .unwrap_or_default();
        self.machine = Some(machine);
        for frame in frames {
            if let Frame::Reject { seq, code } = &frame {
                self.note_untaken(*seq, *code);
            }
            self.reject(&frame, 0).await?;
        }
        Ok(())
    }

    fn machine(&mut self) -> Result<&mut Receiver, Ended> {
        self.machine.as_mut().ok_or(Ended::Connection)
    }

    /// Signs what was taken and refused, once nothing more was read. What waits for the clock does not hold it up.
    async fn acknowledge(&mut self) -> Result<(), Ended> {
        let Ok(now) = self.node.instant(crate::clock::now()) else {
            return Ok(());
        };
        let Some(acknowledgement) = self.machine()?.acknowledgement_due(now) else {
            return Ok(());
        };
        let node = Arc::clone(&self.node);
        let signing = tokio::task::spawn_blocking(move || {
            let statement = acknowledgement.issue(&node.keys().statement)?;
            Ok::<_, StoreError>((acknowledgement, statement))
        });
        let (acknowledgement, statement) = signing.await??;
        let frame = self
            .machine()?
            .acknowledgement_signed(&acknowledgement, statement);
        self.send(&frame).await
    }
}
