//! What recipients acknowledged: the outcomes they signed for must be those of the items in this ledger.

use super::Audit;
use super::preparation::Statements;
use super::state::{AcknowledgedUpTo, At, Checks, Outbox};
use crate::rule::Rule;
use ambit_ledger::{
    Acknowledged, Acknowledgement, Chain, ItemBody, Outcome, RefusalCode, RefusedItem,
};
use std::collections::BTreeMap;

impl Audit<'_> {
    pub(super) fn acknowledged(&mut self, at: At, body: &Acknowledged, statements: Statements) {
        self.report.checked_mut().acknowledgements += 1;
        let verified = statements
            .acknowledgement
            .unwrap_or_else(|| Acknowledgement::verify(&body.acknowledgement, &self.keyring));
        let checked = self.verified(at, verified).and_then(|verified| {
            // Its issuer's root is not at hand: what it says is not known to be its issuer's words.
            verified.map_or(Ok(()), |statement| self.check_acknowledged(&statement))
        });
        self.note(at, checked);
    }

    fn check_acknowledged(&mut self, statement: &Acknowledgement) -> Checks {
        let rule = Rule::AcknowledgementParties;
        rule.check(statement.sender == self.own, || {
            format!("it is of an outbox of `{}`", statement.sender)
        })?;
        let key = (statement.partnership.clone(), statement.recipient.clone());
        let outbox = self.outboxes.get_mut(&key).ok_or_else(|| {
            rule.broken(format!(
                "nothing was ever for `{}` in partnership `{}`",
                statement.recipient, statement.partnership
            ))
        })?;
        let start = AcknowledgedUpTo {
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
        let refused = refused_in(&statement.refused, before.seq, upto)?;
        let outcomes = outcomes_over(outbox, before, upto, &refused)?;
        // Whatever follows is held against what was signed for, so that one fault is found once.
        let signed = AcknowledgedUpTo {
            seq: upto,
            outcomes: Chain::at(statement.outcomes),
        };
        outbox.acknowledged.insert(statement.incarnation, signed);
        Rule::AcknowledgementOutcomes.check(outcomes.digest() == statement.outcomes, || {
            format!(
                "up to {upto} the ledger comes to {}, the acknowledgement to {}",
                outcomes.digest(),
                statement.outcomes
            )
        })
    }
}

/// What was refused, by sequence number, ascending. A recipient that was not told that its last
/// acknowledgement arrived repeats what that one refused; those numbers are settled and passed over.
fn refused_in(
    refused: &[RefusedItem],
    after: u64,
    upto: u64,
) -> Checks<BTreeMap<u64, RefusalCode>> {
    let is_in_range = refused.iter().all(|item| 0 < item.seq && item.seq <= upto);
    let is_ascending = refused.is_sorted_by(|one, next| one.seq < next.seq);
    Rule::AcknowledgementRange.check(is_in_range && is_ascending, || {
        format!("it refuses numbers that are not ascending from 1 to {upto}")
    })?;
    Ok(refused
        .iter()
        .filter(|item| after < item.seq)
        .map(|item| (item.seq, item.code))
        .collect())
}

fn outcomes_over(
    outbox: &Outbox,
    before: AcknowledgedUpTo,
    upto: u64,
    refused: &BTreeMap<u64, RefusalCode>,
) -> Checks<Chain> {
    let mut chain = before.outcomes;
    for seq in before.seq.saturating_add(1)..=upto {
        let item = outbox.items.get(&seq).ok_or_else(|| {
            Rule::AcknowledgementOutcomes.broken(format!("the ledger lacks number {seq}"))
        })?;
        let body = if item.is_withdrawn {
            ItemBody::Tombstone
        } else {
            ItemBody::Item {
                observation: item.observation,
                disclosure: item.disclosure,
            }
        };
        let outcome = match (refused.get(&seq), item.is_withdrawn) {
            (Some(code), _) => Outcome::Refused(*code),
            (None, true) => Outcome::Noted,
            (None, false) => Outcome::Admitted,
        };
        chain = chain.with_outcome(seq, &body.digest(), outcome);
    }
    Ok(chain)
}
