//! What members of a partnership say about the partnership itself: what each is told on a link, and what becomes of
//! what one says. It is taken in elsewhere; here it is only carried and counted.

use super::trouble::{Complaint, Trouble};
use crate::agree::PartnerError;
use crate::link::{Control, ControlKind};
use crate::mesh::{Fault, PeerKey};
use crate::node::{Actor, Node};
use crate::partnership::Governance;
use ambit_ledger::{Digest, PartnershipId, StatementError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many different messages about a partnership a peer may send on one link. Honest ones send one for each member
/// that signed or declined, and none twice.
const CONTROLS_PER_LINK_MAX: usize = 256;

/// What the other end of a link was told of the partnership: who signed, who declined.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What was in force when that was looked at.
    looked: Option<Arc<Governance>>,
    statements: BTreeSet<Digest>,
}

impl Told {
    /// What is to be told now; nothing where nothing else is in force than before. And whether something else is.
    /// Absent where the partnership is not in force any more.
    pub(super) fn news(
        &mut self,
        node: &Node,
        partnership: &PartnershipId,
    ) -> Option<(Vec<Control>, bool)> {
        let governance = node.governance();
        let looked = self.looked.as_ref();
        if looked.is_some_and(|looked| Arc::ptr_eq(looked, &governance)) {
            return Some((Vec::new(), false));
        }
        let known = governance.partnership(partnership)?;
        let signatures = known.signatures().values().map(|statement| Control {
            kind: ControlKind::Signature,
            statement: statement.clone(),
        });
        let own_decline = known
            .declined()
            .filter(|declined| declined.member == *governance.organization())
            .map(|declined| Control {
                kind: ControlKind::Declined,
                statement: declined.statement.clone(),
            });
        let news = signatures
            .chain(own_decline)
            .filter(|message| self.statements.insert(Digest::of(&message.statement)))
            .collect();
        self.looked = Some(governance);
        Some((news, true))
    }
}

/// Takes in a control message. What cannot be relied on is counted and dropped; what came before costs no verification.
pub(super) async fn take_control(
    node: &Arc<Node>,
    trouble: &Trouble,
    peer: PeerKey,
    heard: &mut Heard,
    message: Control,
) {
    let Control { kind, statement } = message;
    if !heard.is_new(&statement) {
        let bytes = statement.len();
        return trouble.charge(&peer, Fault::OutOfTurn { bytes });
    }
    if let ControlKind::Unknown(_) = kind {
        if let Some(count) = trouble.count(&peer, Complaint::Newer) {
            let kind = u16::from(kind);
            tracing::info!(
                kind,
                count,
                "a control message is of a newer version, and ignored"
            );
        }
        return;
    }
    let node = Arc::clone(node);
    let taken = tokio::task::spawn_blocking(move || -> Result<(), PartnerError> {
        let now = crate::clock::now();
        match kind {
            ControlKind::Signature => {
                node.take_signature(&statement, Actor::Member, now)?;
            }
            ControlKind::Declined => {
                node.take_decline(&statement, Actor::Member, now)?;
            }
            ControlKind::Unknown(_) => {}
        }
        Ok(())
    });
    let error = match taken.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.into(),
        Err(error) => TakeError::Stopped(error.to_string()),
    };
    if matches!(&error, TakeError::Partner(error) if is_in_vain(error)) {
        trouble.charge(&peer, Fault::InVain);
    }
    if let Some(count) = trouble.count(&peer, Complaint::Control) {
        let error = &error as &dyn std::error::Error;
        let text = "a control message could not be taken in, or what follows from it not be done";
        tracing::warn!(error, count, "{text}");
    }
}

/// Why a control message was not taken in.
#[derive(Debug, thiserror::Error)]
enum TakeError {
    #[error(transparent)]
    Partner(#[from] PartnerError),
    #[error("the task that took it in stopped: {0}")]
    Stopped(String),
}

/// Whether a message that could not be taken in is to be charged: only where the peer alone is to blame. Keys that changed
/// are no fault.
fn is_in_vain(error: &PartnerError) -> bool {
    match error {
        PartnerError::Signature(error) => !matches!(error, StatementError::Key(_)),
        PartnerError::Unknown(_) | PartnerError::NothingProposed => true,
        _ => false,
    }
}

/// The messages about the partnership that came on one link.
#[derive(Debug, Default)]
pub(super) struct Heard(BTreeSet<Digest>);

impl Heard {
    /// Whether this one is worth a look: each is looked at once.
    pub(super) fn is_new(&mut self, statement: &[u8]) -> bool {
        self.0.len() < CONTROLS_PER_LINK_MAX && self.0.insert(Digest::of(statement))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_looked_at_once_and_so_many_on_one_link() {
        let mut heard = Heard::default();
        let new = (0..1_000_u32)
            .chain(0..1_000)
            .filter(|number| heard.is_new(&number.to_be_bytes()));
        assert_eq!(new.count(), CONTROLS_PER_LINK_MAX);
        assert_eq!(heard.0.len(), CONTROLS_PER_LINK_MAX);
    }
}
