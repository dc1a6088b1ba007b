//! Acknowledgements of what was handed over: verified, held against what this node disclosed, and recorded.
//!
//! It must never record one that an audit would call wrong: the ledger only grows.

use crate::clock::APART_SECONDS_MAX;
use crate::link::{AcknowledgementError, AcknowledgementReach};
use crate::node::{Node, stored};
use crate::store::{BoxKey, StoreError, Write, own_acknowledgement};
use ambit_ledger::{
    Acknowledged, Acknowledgement, Body, Keyring, KeyringError, OrganizationId, PartnershipId,
    Statement, StatementError, StatementKind, Time,
};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};

/// Why an acknowledgement cannot be relied on, whatever the link carried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreliableError {
    /// It does not verify.
    #[error(transparent)]
    Statement(StatementError),
    /// Its key was not good when it came, or when it says that it was made.
    #[error(
        "the acknowledgement of `{recipient}` is signed with a key that {}",
        .ended.map_or_else(|| "is not certified or not good yet".to_owned(), |at| format!("ended at {at}"))
    )]
    Key {
        /// Whose.
        recipient: OrganizationId,
        /// When the key ended, where it did.
        ended: Option<Time>,
    },
    /// It says something else of what one before settled.
    #[error(transparent)]
    Otherwise(AcknowledgementError),
    /// It is dated before what it acknowledges, or minutes ahead.
    #[error(transparent)]
    Dated(AcknowledgementError),
}

/// Verifies an acknowledgement of this outbox; `None` where the partnership is not known.
pub(crate) fn verify_acknowledgement(
    node: &Node,
    partnership: &PartnershipId,
    outbox: &BoxKey,
    statement: &[u8],
    now: Time,
) -> Result<Option<Result<Acknowledgement, UnreliableError>>, StoreError> {
    let governance = node.governance();
    let Some(known) = governance.partnership(partnership) else {
        return Ok(None);
    };
    let keyring = governance.keyring_under(known);
    let acknowledgement = match verify_by(keyring, statement, now) {
        Ok(acknowledgement) => acknowledgement,
        Err(error) => return Ok(Some(Err(error))),
    };
    let at = acknowledgement.at;
    let ahead = (now.plus_seconds(APART_SECONDS_MAX) < at)
        .then_some(AcknowledgementError::Ahead { at, now });
    let wrong = match ahead {
        Some(ahead) => Some(ahead),
        None => match dated_early(node, outbox, &acknowledgement)? {
            None => dated_back(node, outbox, &acknowledgement),
            early => early,
        },
    };
    if let Some(wrong) = wrong {
        return Ok(Some(Err(UnreliableError::Dated(wrong))));
    }
    let otherwise = otherwise_than_before(node, outbox, &acknowledgement)?;
    let relied = otherwise.map_or(Ok(acknowledgement), |otherwise| {
        Err(UnreliableError::Otherwise(otherwise))
    });
    Ok(Some(relied))
}

/// Verifies an acknowledgement by the keys that count: its own was good when it came, and when it says that it was made.
fn verify_by(
    keyring: &Keyring,
    statement: &[u8],
    now: Time,
) -> Result<Acknowledgement, UnreliableError> {
    let acknowledgement = match Acknowledgement::verify(statement, keyring) {
        Ok(acknowledgement) => acknowledgement,
        Err(StatementError::Key(KeyringError::Uncertified { organization, .. })) => {
            return Err(UnreliableError::Key {
                recipient: organization,
                ended: None,
            });
        }
        Err(StatementError::Key(KeyringError::Instant {
            organization,
            until,
            at,
            ..
        })) => {
            return Err(UnreliableError::Key {
                recipient: organization,
                ended: until.filter(|until| *until <= at),
            });
        }
        Err(error) => return Err(UnreliableError::Statement(error)),
    };
    // Its recipient signs it just before it sends it, whatever instant it gives.
    let within = now.minus_seconds(APART_SECONDS_MAX)..=now.plus_seconds(APART_SECONDS_MAX);
    let key = Statement::parse(statement, StatementKind::Acknowledgement).map(|read| read.key());
    let recipient = &acknowledgement.recipient;
    let is_good = |key| keyring.was_good(recipient, &key, &within);
    if !key.as_ref().is_ok_and(|key| is_good(*key)) {
        let span = key.ok().and_then(|key| keyring.span(recipient, &key));
        return Err(UnreliableError::Key {
            recipient: acknowledgement.recipient,
            ended: span.and_then(|(_, until)| until.filter(|until| *until <= now)),
        });
    }
    Ok(acknowledgement)
}

/// Why it is dated too early, if it is: of what none before covers, the last item that it says was taken in was not issued yet,
/// or something was not taken back yet. Dated back, it would verify by a key that had ended.
fn dated_early(
    node: &Node,
    outbox: &BoxKey,
    acknowledgement: &Acknowledgement,
) -> Result<Option<AcknowledgementError>, StoreError> {
    let Some(state) = node.store().outbox(outbox) else {
        return Ok(None);
    };
    let before = state
        .acknowledged
        .filter(|before| before.incarnation == acknowledgement.incarnation)
        .map_or(0, |before| before.upto);
    let not_taken: BTreeSet<u64> = acknowledgement.not_taken().map(|item| item.seq).collect();
    let at = acknowledgement.at;
    let latest = at.plus_seconds(APART_SECONDS_MAX);
    let mut is_taken_seen = false;
    for seq in (before + 1..=acknowledgement.upto.min(state.last)).rev() {
        if let Some(withdrawn) = node.store().withdrawn(outbox, seq)? {
            // For a tombstone it is signed once that is there.
            let withdrawn = node.store().entry(withdrawn)?;
            let since = withdrawn.map(|withdrawn| withdrawn.entry.time);
            if let Some(since) = since.filter(|since| latest < *since) {
                return Ok(Some(AcknowledgementError::Early { at, since }));
            }
        } else if !is_taken_seen && !not_taken.contains(&seq) {
            // Those below are no later.
            is_taken_seen = true;
            let since = stored(node, outbox, seq)?.since;
            if latest < since {
                return Ok(Some(AcknowledgementError::Early { at, since }));
            }
        }
    }
    Ok(None)
}

/// What it says again of numbers that one before covers, where it is something else than that one said.
fn otherwise_than_before(
    node: &Node,
    outbox: &BoxKey,
    acknowledgement: &Acknowledgement,
) -> Result<Option<AcknowledgementError>, StoreError> {
    let state = node.store().outbox(outbox);
    let before = state.and_then(|state| state.acknowledged);
    let before = before.filter(|before| before.incarnation == acknowledgement.incarnation);
    let before = before.map_or(0, |before| before.upto);
    let mut known: Option<(u64, Acknowledgement)> = None;
    for item in acknowledgement
        .not_taken()
        .filter(|item| item.seq <= before)
    {
        let otherwise = AcknowledgementError::Otherwise { seq: item.seq };
        let Some(index) = node.store().acknowledgement_of(outbox, item.seq)? else {
            return Ok(Some(otherwise));
        };
        if known.as_ref().is_none_or(|(of, _)| *of != index) {
            let recorded = node.store().entry(index)?;
            let Some(Body::Acknowledged(body)) = recorded.map(|recorded| recorded.body) else {
                return Err(StoreError::Damaged("an acknowledgement is missing"));
            };
            known = Some((index, own_acknowledgement(&body.acknowledgement)?));
        }
        let mut stated = known.iter().flat_map(|(_, known)| known.not_taken());
        if !stated.any(|stated| (stated.seq, stated.code) == (item.seq, item.code)) {
            return Ok(Some(otherwise));
        }
    }
    Ok(None)
}

/// Why it is dated before the one before, if it is. Of one store that may be so as far as its clock may have been set right; of
/// a new store not at all, or what a lost one said would seem to come after it.
fn dated_back(
    node: &Node,
    outbox: &BoxKey,
    acknowledgement: &Acknowledgement,
) -> Option<AcknowledgementError> {
    let state = node.store().outbox(outbox);
    let before = state.and_then(|state| state.acknowledged_at)?;
    let (at, latest) = (acknowledgement.at, before.at);
    let earliest = if before.by == acknowledgement.incarnation {
        latest.minus_seconds(APART_SECONDS_MAX)
    } else {
        latest
    };
    (at < earliest).then_some(AcknowledgementError::Back { at, latest })
}

/// Records an acknowledgement that was verified, and how far the recipient is; not where a card came in since that ends its key.
pub(crate) fn record_acknowledgement(
    node: &Node,
    (partnership, outbox): (&PartnershipId, &BoxKey),
    statement: Vec<u8>,
    (upto, at, untaken): (AcknowledgementReach, Time, BTreeMap<u16, u64>),
    now: Time,
) -> Result<Result<(), UnreliableError>, StoreError> {
    // No card comes in while this is held.
    let in_force = node.judging();
    let governance = node.governance();
    if let Some(known) = governance.partnership(partnership)
        && let Err(error) = verify_by(governance.keyring_under(known), &statement, now)
    {
        return Ok(Err(error));
    }
    let writes = vec![
        Write::Entry(Body::Acknowledged(Acknowledged {
            acknowledgement: ByteBuf::from(statement),
        })),
        Write::OutboxAcknowledged {
            outbox: *outbox,
            upto,
            at: Some(at),
            untaken,
        },
    ];
    let _alone = node.outbox_alone(outbox);
    node.store().commit(node.commit_of(now, writes))?;
    drop(in_force);
    Ok(Ok(()))
}
