//! Attestations: by pinned issuers or by this ledger's organization, and counted only while they stand and are in force.

use super::Audit;
use super::fault::{At, Checks};
use super::in_force::Edition;
use super::instants::{check_made_here, latest_for};
use super::keys::unverified;
use crate::report::{AttestedBy, error_chain};
use crate::rule::Rule;
use ambit_ledger::{
    AttestationError, AttestationRecorded, Decision, IssuerPinned, OrganizationId, Party, Time,
};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

impl Audit<'_> {
    /// Whose attestations count is this organization's choice; that it knew whose root it was, an auditor compares.
    pub(super) fn issuer_pinned(&mut self, at: At, body: &IssuerPinned) {
        let is_other = Rule::Certificate.check(body.issuer != self.own, || {
            "it pins the ledger's own organization, whose keys stand in *key certified*".to_owned()
        });
        if is_other.is_err() {
            return self.note(at, is_other);
        }
        self.trust_root(at, &body.issuer, body.root);
        for certificate in &body.certificates {
            let checked = self.certify(at, &body.issuer, certificate);
            self.note(at, checked.map(|_| ()));
        }
        let pinned = self.attestations.pin(body);
        let checked = pinned.map_err(|error| Rule::Certificate.broken(error_chain(&error)));
        self.note(at, checked);
    }

    pub(super) fn attested(&mut self, at: At, body: &AttestationRecorded) {
        let verified = self
            .attestations
            .verify(&body.attestation, &self.keys.known.ring);
        let checked = match verified {
            Ok(verified) => {
                self.report.checked_mut().signatures += 1;
                let stated_at = verified.statement.at;
                let is_own = verified.statement.issuer == self.own;
                let said = &verified.statement.attestation;
                self.report.add_attested(AttestedBy {
                    entry: at.index,
                    subject: said.subject.clone(),
                    what: said.what.clone(),
                    number: said.number.clone(),
                    not_before: said.not_before,
                    not_after: said.not_after,
                    issuer: verified.statement.issuer.clone(),
                    is_own_word: is_own,
                });
                self.attestations.take(verified);
                if is_own {
                    check_made_here(Rule::Attestation, at, stated_at)
                } else {
                    Rule::Attestation.check(stated_at <= latest_for(at), || {
                        format!("stated at {stated_at}, recorded at {}", at.time)
                    })
                }
            }
            Err(AttestationError::Statement(error)) => Err(unverified(&error)),
            Err(
                error @ (AttestationError::Unpinned(_)
                | AttestationError::OfItself(_)
                | AttestationError::Older { .. }),
            ) => Err(Rule::Attestation.broken(error_chain(&error))),
        };
        self.note(at, checked);
    }

    /// Whatever a decision counts was attested above it, of the very organization, and not over.
    pub(super) fn check_attested(&self, decision: &Decision) -> Checks {
        let recipient = &decision.inquiry.recipient;
        for attested in &recipient.attested {
            let said = &attested.attestation;
            let is_supported = said.subject == recipient.organization
                && !said.is_over(decision.now)
                && self.attestations.support(attested);
            Rule::Attestation.check(is_supported, || {
                format!(
                    "`{}` is counted as attested of `{}` by `{}`",
                    said.what, recipient.organization, attested.issuer
                )
            })?;
        }
        Ok(())
    }

    /// A member as policies may have read it within a span of time in which nothing was recorded: its record, with what
    /// was attested of it, which can only have ended.
    pub(super) fn parties(
        &self,
        edition: &Edition,
        organization: &OrganizationId,
        within: RangeInclusive<Time>,
    ) -> Option<Vec<Party>> {
        let recorded = edition.parties.get(organization)?;
        let ends = self.attestations.ends(organization);
        // Policies compare instants by the millisecond.
        let (start, end) = (within.start().as_millis(), within.end().as_millis());
        let ends = ends.filter(|ends| (start + 1..=end).contains(&ends.as_millis()));
        let instants: BTreeSet<Time> = ends.chain([*within.start()]).collect();
        let read = |when| Party {
            attested: self.attestations.of(organization, when),
            ..recorded.clone()
        };
        Some(instants.into_iter().map(read).collect())
    }
}
