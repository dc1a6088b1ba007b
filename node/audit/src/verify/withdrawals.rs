//! What was taken back before it left: by the agreement that is no longer in force, or by a decision that says no.

use super::Audit;
use super::decisions::check_true_around;
use super::fault::{At, Checks};
use super::in_force::Edition;
use super::instants::earliest_for;
use crate::report::error_chain;
use crate::rule::Rule;
use ambit_ledger::{
    Action, AgreementState, Body, Digest, Disclosure, Entry, Inquiry, Party, Verdict, Withdrawal,
    Withdrawn,
};
use ambit_policy::{inquiry_for_disclosure, limits_in_force};

/// Whether an agreement whose edition is in force stood so, as far as the entries above say: that another is proposed ends
/// none. Acts that suspend or dissolve one are not read by this version.
fn is_in_state(at: At, in_force: &Edition, state: AgreementState) -> bool {
    match state {
        AgreementState::Ended => in_force.terms.until <= at.time,
        AgreementState::Proposed
        | AgreementState::Active
        | AgreementState::Suspended
        | AgreementState::Dissolved
        | AgreementState::Closed => false,
    }
}

impl Audit<'_> {
    pub(super) fn withdrawn(&mut self, at: At, body: &Withdrawn) {
        self.report.checked_mut().withdrawn += 1;
        let checked = self.check_withdrawn(at, body);
        self.note(at, checked);
    }

    fn check_withdrawn(&mut self, at: At, body: &Withdrawn) -> Checks {
        let outbox = self.outboxes.known(&body.partnership, &body.recipient);
        let outbox = outbox.ok_or_else(|| {
            Rule::Withdrawal.broken(format!("nothing was ever for `{}` there", body.recipient))
        })?;
        let (entry, disclosed_under) = outbox.withdraw(at, body)?;
        let active = self.in_force.active(&body.partnership);
        let in_force = self.edition_in_force(&body.partnership, Rule::Withdrawal)?;
        let (holds, otherwise) = match &body.grounds {
            Withdrawal::Judged {
                decision,
                undecided,
            } => {
                Rule::DecisionClass.check(active == Some(disclosed_under), || {
                    "it cites a decision, though another edition is in force".to_owned()
                })?;
                return self.check_judged(at, entry, &in_force, (decision, *undecided));
            }
            Withdrawal::Agreement { state } => (
                is_in_state(at, &in_force, *state),
                "the agreement was in force",
            ),
            Withdrawal::Edition { edition } => (
                active == Some(*edition) && active != Some(disclosed_under),
                "the edition it was disclosed under was in force, or another than the one named",
            ),
            Withdrawal::Membership => (
                !in_force.parties.contains_key(&body.recipient),
                "the recipient was a member",
            ),
            Withdrawal::Erased => {
                let how = "this version does not check what was taken back for an erasure";
                return Err(Rule::Unchecked.broken(how));
            }
        };
        Rule::WithdrawalUnasked.check(holds, || format!("{otherwise}, and nothing was asked"))
    }

    fn check_judged(
        &mut self,
        at: At,
        entry: u64,
        in_force: &Edition,
        (digest, undecided): (&Digest, bool),
    ) -> Checks {
        let disclosure = self.disclosure_of(entry)?;
        let decision = self.decision(at, digest, Action::Disclose, in_force)?;
        check_true_around(&decision, at)?;
        let inquiries = self.inquiries_again(at, &disclosure, in_force)?;
        self.check_class(digest, &decision, &inquiries)?;
        let verdict = decision.verdict();
        let says_no = decision.admitted() != disclosure.scope.purposes;
        let is_undecided = verdict == Verdict::Undecided;
        Rule::DecisionVerdict.check(says_no && undecided == is_undecided, || {
            format!("decision {digest} says *{verdict}*")
        })
    }

    /// What may have been asked when the frame was written: about the very terms that were disclosed on.
    pub(super) fn inquiries_again(
        &self,
        at: At,
        disclosure: &Disclosure,
        edition: &Edition,
    ) -> Checks<Vec<Inquiry>> {
        let recorded = self.recorded(disclosure.observation)?;
        let facts = recorded.observation.facts();
        let within = earliest_for(at)..=at.time;
        let parties = self.recipients(edition, &disclosure.recipient, within)?;
        let taxonomies = self.in_force.taxonomies()?;
        let limits = self.in_force.limits();
        let ask = |party: &Party| {
            inquiry_for_disclosure(
                facts,
                &disclosure.scope,
                party,
                &edition.agreement,
                limits_in_force(limits.iter(), facts, &taxonomies),
                disclosure.issued_at,
            )
        };
        Ok(parties.iter().map(ask).collect())
    }

    /// The disclosure of an entry that was walked past.
    pub(super) fn disclosure_of(&self, entry: u64) -> Checks<Disclosure> {
        let missing = || Rule::Unchecked.broken(format!("entry {entry} is not at hand"));
        let bytes = self.bundle.entry(entry).ok_or_else(missing)?;
        let body = Entry::decode(&bytes).and_then(|entry| entry.body());
        let statement = match body {
            Ok(Body::Disclosed(disclosed)) => disclosed.disclosure,
            Ok(Body::OfferedAgain(offer)) => offer.disclosure.ok_or_else(missing)?,
            _ => return Err(missing()),
        };
        Disclosure::from_own_ledger(&statement)
            .map_err(|error| Rule::Unchecked.broken(error_chain(&error)))
    }
}
