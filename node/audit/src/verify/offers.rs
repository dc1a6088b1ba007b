//! What was offered again: a further number for what its recipient did not take, and might another time.

use super::Audit;
use super::decisions::check_true_around;
use super::fault::{At, Checks};
use super::keys::unverified;
use super::preparation::Statements;
use crate::rule::Rule;
use ambit_ledger::{Action, Digest, Disclosed, Disclosure, OfferedAgain, RefusalCode};
use std::collections::BTreeSet;

impl Audit<'_> {
    pub(super) fn offered_again(&mut self, at: At, body: &OfferedAgain) {
        let is_due = self.check_due(body);
        self.note(at, is_due);
        let is_of_it = self.check_renewed(body);
        self.note(at, is_of_it);
        match &body.disclosure {
            // A new disclosure is one like any other, under a further number.
            Some(disclosure) => {
                let disclosed = Disclosed {
                    disclosure: disclosure.clone(),
                    seq: body.seq,
                    evidence: BTreeSet::new(),
                };
                self.disclosed_as(at, &disclosed, Statements::default(), Some(body));
            }
            None => {
                let checked = self.outbox_of(body).put_again(at, body, None);
                self.note(at, checked);
                let checked = self.check_offer_decided(at, body);
                self.note(at, checked);
            }
        }
    }

    fn outbox_of(&mut self, body: &OfferedAgain) -> &mut super::outboxes::Outbox {
        self.outboxes.of(&body.partnership, &body.recipient)
    }

    /// The first is there, it is what the last number holds that was not taken back, of which its recipient said that it did
    /// not take it, and not for good; and it has it under no other number.
    fn check_due(&mut self, body: &OfferedAgain) -> Checks {
        let rule = Rule::OfferedAgain;
        let (id, seq) = (body.first, body.first_seq);
        let outbox = self.outbox_of(body);
        let first = outbox.items.get(&seq);
        let first = first.filter(|first| first.disclosure == id && !first.is_repeated);
        let first = first.ok_or_else(|| {
            rule.broken(format!(
                "disclosure {id} is not number {seq} there, or not for the first time"
            ))
        })?;
        let observation = first.observation;
        let standing = outbox.standing(&observation);
        let (number, last, is_taken) = standing.ok_or_else(|| {
            rule.broken(format!(
                "observation {observation} was taken back, under each number that it had"
            ))
        })?;
        rule.check(last.disclosure == id, || {
            format!(
                "number {number} holds the disclosure {} by now",
                last.disclosure
            )
        })?;
        let untaken = last.untaken_by(outbox.incarnation);
        let (is_answered, took_it) = (last.outcome.is_some(), "its recipient took it");
        rule.check(!is_taken, || {
            format!("observation {observation}: {took_it}")
        })?;
        // What a recipient said without its root at hand was passed over, which is noted.
        if !is_answered && !self.keys.can_verify(&body.recipient) {
            return Ok(());
        }
        rule.check(untaken.is_some_and(RefusalCode::may_come_again), || {
            let said = untaken.map_or_else(
                || "its recipient has not said that it did not take it".to_owned(),
                |code| format!("its recipient refused it for good, as `{code}`"),
            );
            format!("number {number}: {said}")
        })
    }

    /// A new disclosure is of the same observation, by the decision that is named, and under another edition or for other
    /// purposes.
    fn check_renewed(&mut self, body: &OfferedAgain) -> Checks {
        let Some(bytes) = &body.disclosure else {
            return Ok(());
        };
        let new = Disclosure::from_own_ledger(bytes).map_err(|error| unverified(&error))?;
        let Some(first) = self.outbox_of(body).items.get(&body.first_seq) else {
            // No such number was given out: the outbox says so.
            return Ok(());
        };
        let (observation, edition, entry) = (first.observation, first.edition, first.entry);
        let rule = Rule::OfferedAgain;
        rule.check(new.observation == observation, || {
            format!(
                "the new disclosure is of observation {}, the first of {observation}",
                new.observation
            )
        })?;
        let is_for_it = new.partnership == body.partnership && new.recipient == body.recipient;
        rule.check(is_for_it, || {
            format!(
                "the new disclosure is for `{}` under `{}`",
                new.recipient, new.partnership
            )
        })?;
        if new.edition == edition {
            let before = self.disclosure_of(entry)?.scope.purposes;
            rule.check(new.scope.purposes != before, || {
                format!(
                    "for the same purposes, edition {edition} takes no new disclosure: the first one goes again"
                )
            })?;
        }
        rule.check(new.decisions.iter().eq([&body.decision]), || {
            format!(
                "the new disclosure names another decision than {}",
                body.decision
            )
        })
    }

    /// This organization's own layers still admit it, asked as when a frame is written: about the very terms that were
    /// disclosed on.
    fn check_offer_decided(&mut self, at: At, body: &OfferedAgain) -> Checks {
        let edition = self.edition_in_force(&body.partnership, Rule::DisclosureEdition)?;
        let found = self.outbox_of(body).items.get(&body.first_seq);
        let Some((entry, under)) = found.map(|first| (first.entry, first.edition)) else {
            // No such number was given out: the outbox says so.
            return Ok(());
        };
        Rule::DisclosureEdition.check(edition.digest == under, || {
            format!(
                "it was disclosed under {under}, in force is {}, which takes a new disclosure",
                edition.digest
            )
        })?;
        let disclosure = self.disclosure_of(entry)?;
        let digest: &Digest = &body.decision;
        let decision = self.decision(at, digest, Action::Disclose, &edition)?;
        check_true_around(&decision, at)?;
        let inquiries = self.inquiries_again(at, &disclosure, &edition)?;
        self.check_class(digest, &decision, &inquiries)?;
        let admitted = decision.admitted();
        let is_admitted = !admitted.is_empty() && admitted == disclosure.scope.purposes;
        Rule::DecisionVerdict.check(is_admitted, || {
            format!("decision {digest} says *{}*", decision.verdict())
        })
    }
}
