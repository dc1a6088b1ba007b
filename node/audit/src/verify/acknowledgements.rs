//! What recipients acknowledged: the outcomes they signed for must be those of the items in this ledger.

use super::Audit;
use super::fault::{At, Checks};
use super::instants::{earliest_for, latest_for};
use super::keys::unverified;
use super::outboxes::{AcknowledgedTo, Outbox};
use super::preparation::Statements;
use crate::rule::Rule;
use ambit_ledger::{
    Acknowledged, Acknowledgement, Chain, ItemBody, OrganizationId, Outcome, Salt, Statement,
    StatementKind,
};
use ambit_policy::CLOCKS_APART_SECONDS_MAX;
use std::collections::BTreeMap;

impl Audit<'_> {
    pub(super) fn acknowledged(&mut self, at: At, body: &Acknowledged, statements: Statements) {
        self.report.checked_mut().acknowledgements += 1;
        let verified = statements.acknowledgement.unwrap_or_else(|| {
            Acknowledgement::verify(&body.acknowledgement, &self.keys.known.ring)
        });
        let checked = self.verified(at, verified).and_then(|verified| {
            // Its issuer's root is not at hand: what it says is not known to be its issuer's words.
            let Some(statement) = verified else {
                return Ok(());
            };
            let is_good = self.check_key_now(at, &statement.recipient, &body.acknowledgement);
            self.note(at, is_good);
            self.check_acknowledged(at, &statement)
        });
        self.note(at, checked);
    }

    /// The key must have been good around the entry too, whatever instant its owner gave: an acknowledgement is signed just
    /// before it is sent.
    fn check_key_now(&self, at: At, recipient: &OrganizationId, bytes: &[u8]) -> Checks {
        let statement = Statement::parse(bytes, StatementKind::Acknowledgement);
        let key = statement.map_err(|error| unverified(&error))?.key();
        let within = earliest_for(at)..=latest_for(at);
        let is_good = self.keys.known.ring.was_good(recipient, &key, &within);
        Rule::KeyTime.check(is_good, || {
            format!(
                "the key {key} of `{recipient}` was not good between {} and {}, when this was recorded",
                within.start(),
                within.end()
            )
        })
    }

    fn check_acknowledged(&mut self, at: At, statement: &Acknowledgement) -> Checks {
        let rule = Rule::AcknowledgementParties;
        rule.check(statement.sender == self.own, || {
            format!("it is of an outbox of `{}`", statement.sender)
        })?;
        let heard = Rule::Unchecked.check(statement.heard.is_empty(), || {
            "this version does not check which acts a recipient heard".to_owned()
        });
        self.note(at, heard);
        let known = self
            .outboxes
            .known(&statement.partnership, &statement.recipient);
        let outbox = known.ok_or_else(|| {
            rule.broken(format!(
                "nothing was ever for `{}` in partnership `{}`",
                statement.recipient, statement.partnership
            ))
        })?;
        let start = AcknowledgedTo {
            seq: 0,
            outcomes: Chain::start(
                &statement.partnership,
                &statement.sender,
                &statement.recipient,
                &statement.incarnation,
            ),
        };
        let before = *outbox
            .acknowledged
            .get(&statement.incarnation)
            .unwrap_or(&start);
        let (upto, last) = (statement.upto, outbox.last_seq());
        Rule::AcknowledgementRange.check(before.seq <= upto && upto <= last, || {
            format!(
                "it reaches {upto}; {} were acknowledged, {last} disclosed",
                before.seq
            )
        })?;
        let is_in_place = outbox.incarnation == Some(statement.incarnation)
            || !outbox.acknowledged.contains_key(&statement.incarnation);
        // The recipient is to blame for the two, and the ledger that recorded what it said is not wrong.
        Rule::Unchecked.check(is_in_place, || {
            format!(
                "`{}` acknowledges with the store {} again, after another one; ask it which of the two it goes by",
                statement.recipient, statement.incarnation
            )
        })?;
        check_repeated(outbox, statement, before.seq)?;
        let not_taken = not_taken_in(statement, before.seq);
        let outcomes = outcomes_over(outbox, before, upto, &not_taken, statement.incarnation)?;
        let is_dated = check_dated(at, outbox, statement, before.seq);
        let is_after = check_after(outbox, statement);
        let latest = outbox
            .acknowledged_at
            .map_or(statement.at, |(latest, _)| latest.max(statement.at));
        outbox.acknowledged_at = Some((latest, statement.incarnation));
        // Whatever follows is held against what was signed for, so that one fault is found once.
        let signed = AcknowledgedTo {
            seq: upto,
            outcomes: Chain::at(statement.outcomes),
        };
        outbox.acknowledged.insert(statement.incarnation, signed);
        outbox.incarnation = Some(statement.incarnation);
        let contradicted = outbox.settle(before.seq, upto);
        let checked =
            Rule::AcknowledgementOutcomes.check(outcomes.digest() == statement.outcomes, || {
                format!(
                    "up to {upto} the ledger comes to {}, the acknowledgement to {}",
                    outcomes.digest(),
                    statement.outcomes
                )
            });
        self.note(at, is_dated);
        self.note(at, is_after);
        for at in contradicted {
            let how = format!(
                "`{}` had acknowledged it, and its store goes on",
                statement.recipient
            );
            self.note(at, Err(Rule::WithdrawalAcknowledged.broken(how)));
        }
        checked
    }
}

/// What an acknowledgement names again must be what the one before it named.
fn check_repeated(outbox: &Outbox, statement: &Acknowledgement, before: u64) -> Checks {
    let mut repeated = statement.not_taken().filter(|item| item.seq <= before);
    let other = repeated.find(|item| {
        let known = outbox.items.get(&item.seq);
        known.and_then(|known| known.untaken) != Some(item.code)
    });
    Rule::Unchecked.check(other.is_none(), || {
        let seq = other.map_or(0, |item| item.seq);
        format!(
            "`{}` says that it did not take {seq}, of which it said otherwise before; ask it what holds",
            statement.recipient
        )
    })
}

/// Nothing is taken in before it was issued, as far as clocks may be apart. Dated back, an acknowledgement would verify by
/// a key that had ended when it was made.
fn check_dated(at: At, outbox: &Outbox, statement: &Acknowledgement, before: u64) -> Checks {
    Rule::AcknowledgementTime.check(statement.at <= latest_for(at), || {
        format!("acknowledged at {}, recorded at {}", statement.at, at.time)
    })?;
    let latest = statement.at.plus_seconds(CLOCKS_APART_SECONDS_MAX);
    let rule = Rule::AcknowledgementTime;
    let covered = || {
        let covered = outbox.items.range(..=statement.upto).rev();
        covered.take_while(|(seq, _)| **seq > before)
    };
    let taken = covered().find(|(_, item)| item.untaken.is_none() && item.withdrawn_at.is_none());
    let taken = taken.map(|(seq, item)| (*seq, item.since));
    if let Some((seq, since)) = taken {
        rule.check(since <= latest, || {
            format!(
                "acknowledged at {}; number {seq} is there from {since}",
                statement.at
            )
        })?;
    }
    // For a tombstone it is signed once that is there.
    let mut withdrawn = covered().filter_map(|(seq, item)| Some((*seq, item.withdrawn_at?)));
    let early = withdrawn.find(|(_, since)| *since > latest);
    rule.check(early.is_none(), || {
        let (seq, since) = early.unwrap_or((0, statement.at));
        format!(
            "acknowledged at {}; number {seq} was taken back at {since}",
            statement.at
        )
    })
}

/// What was signed before is recorded before: of one store as far as its clock may have been set right, of a new one without
/// exception, or what a lost store said could be put behind what the new one says.
fn check_after(outbox: &Outbox, statement: &Acknowledgement) -> Checks {
    let Some((latest, by)) = outbox.acknowledged_at else {
        return Ok(());
    };
    let earliest = if by == statement.incarnation {
        latest.minus_seconds(CLOCKS_APART_SECONDS_MAX)
    } else {
        latest
    };
    Rule::AcknowledgementTime.check(earliest <= statement.at, || {
        format!("acknowledged at {}, after one of {latest}", statement.at)
    })
}

/// What was refused or set aside, by sequence number. A recipient that was not told that its last acknowledgement arrived
/// repeats what that one named; those numbers are settled and passed over.
fn not_taken_in(statement: &Acknowledgement, after: u64) -> BTreeMap<u64, Outcome> {
    let named = statement.not_taken().filter(|item| after < item.seq);
    let outcomes = named.map(|item| (item.seq, Outcome::not_taken(item.code)));
    outcomes.collect()
}

/// The chain over what the items came to, which is noted with each.
fn outcomes_over(
    outbox: &mut Outbox,
    before: AcknowledgedTo,
    upto: u64,
    not_taken: &BTreeMap<u64, Outcome>,
    by: Salt,
) -> Checks<Chain> {
    let mut chain = before.outcomes;
    for seq in before.seq.saturating_add(1)..=upto {
        let item = outbox.items.get(&seq).ok_or_else(|| {
            Rule::AcknowledgementOutcomes.broken(format!("the ledger lacks number {seq}"))
        })?;
        let body = if item.withdrawn_at.is_some() {
            ItemBody::Tombstone
        } else {
            ItemBody::Item {
                observation: item.observation,
                disclosure: item.disclosure,
            }
        };
        let outcome = match (not_taken.get(&seq), item.withdrawn_at.is_some()) {
            (Some(outcome), _) => *outcome,
            (None, true) => Outcome::Noted,
            (None, false) => Outcome::Admitted,
        };
        outbox.answer(seq, outcome, by);
        chain = chain.with_outcome(seq, &body.digest(), outcome);
    }
    Ok(chain)
}
