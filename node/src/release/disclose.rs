//! The outbound enforcement point itself: signs what was observed, judges it for each recipient, and says what to
//! commit.
//!
//! It reads no clock and no randomness of its own, opens no socket and commits nothing. It must never hand
//! out a disclosure whose decision is not part of the same commit or of an earlier one.

use crate::collect::Draft;
use crate::node::{Counterpart, Deciding, InForce, JudgedWrites, Judgement};
use crate::store::{StoreError, Write};
use ambit_ledger::{
    AgreementState, Body, Digest, Disclosure, DisclosureId, EncodedReadings, Facts, Member, Name,
    Observation, ObservationId, OrganizationId, ReadingsError, Salt, Scope, SecretKey,
    StatementError, Time, Verdict, Withdrawal, Withdrawn, Withheld,
};
use ambit_policy::{inquiry_for_disclosure, limits_in_force, name_members, scope_for};
use std::collections::BTreeSet;

/// An observation that was signed and is not yet committed.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its id.
    pub id: ObservationId,
    /// Its facts.
    pub facts: Facts,
    /// Each path of its readings with the latest instant of it.
    pub elements: Vec<(Name, Time)>,
    /// Its statement.
    pub statement: Vec<u8>,
    /// The readings block.
    pub readings: Vec<u8>,
    /// The fingerprint of what it was collected from.
    pub import: Option<Digest>,
}

/// What was collected cannot be one observation.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Its readings.
    #[error(transparent)]
    Readings(#[from] ReadingsError),
    /// Its facts.
    #[error(
        "the facts cannot be an observation that others take; shorten the longest names among them, or mend what is named"
    )]
    Facts(#[from] StatementError),
}

/// Signs what was collected; `readings` are the draft's.
///
/// # Errors
/// [`SignError`] where they cannot be one observation.
pub fn sign(
    draft: Draft,
    readings: &EncodedReadings,
    issuer: &OrganizationId,
    key: &SecretKey,
    salt: Salt,
    import: Option<Digest>,
) -> Result<Signed, SignError> {
    let (observed_from, observed_to) = readings.span();
    let reading_count = readings.count();
    let digest = readings.digest(&salt);
    let elements = readings.latest_instants();
    let readings = readings.block(&salt)?;
    let given = draft.facts;
    let facts = Facts {
        issuer: issuer.clone(),
        source: given.source,
        site: given.site,
        area: None,
        cell: None,
        grid_cell: None,
        asset: given.asset,
        submodel: given.submodel,
        semantic_id: given.semantic_id,
        part: given.part,
        revision: given.revision,
        serial: given.serial,
        lot: given.lot,
        order: given.order,
        process: given.process,
        program: given.program,
        data_class: given.data_class,
        owner: given.owner,
        design_authority: given.design_authority,
        trade_secret: given.trade_secret,
        export_control: given.export_control,
        observed_from,
        observed_to,
        grants: BTreeSet::new(),
        inputs: BTreeSet::new(),
        corrects: None,
        readings: digest,
        reading_count,
    };
    let statement = Observation::issue(&facts, key)?;
    Ok(Signed {
        id: ObservationId::of(&statement),
        facts,
        elements,
        statement,
        readings,
        import,
    })
}

/// What release decided for one observation and one recipient.
#[derive(Clone, Debug)]
pub struct Release<'g> {
    /// The answer.
    pub verdict: Verdict,
    /// The decision; absent where no limits cover the observation, so nothing was asked.
    pub judgement: Option<Judgement<'g>>,
    /// The terms it is disclosed on, where it is.
    pub scope: Option<Scope>,
}

impl<'g> Release<'g> {
    /// What was decided, to be committed.
    pub(super) fn into_judged(self, in_force: &'g InForce<'g>) -> JudgedWrites<'g> {
        self.judgement
            .map_or_else(|| in_force.nothing_judged(), |judgement| judgement.judged)
    }

    /// Withheld without asking any layer.
    #[must_use]
    pub fn unasked() -> Self {
        Self {
            verdict: Verdict::Withheld,
            judgement: None,
            scope: None,
        }
    }
}

/// Judges one observation for one recipient under one partnership, with every layer.
///
/// # Errors
/// [`StoreError`] where recorded decisions cannot be read.
pub fn judge_for<'g>(
    deciding: &mut Deciding<'g>,
    to: Counterpart<'g>,
    facts: &Facts,
    now: Time,
) -> Result<Release<'g>, StoreError> {
    let unasked = Release::unasked();
    let in_force = deciding.in_force();
    let taxonomies = in_force.layers().taxonomies();
    let Some(limits) = limits_in_force(in_force.limits(), facts, taxonomies) else {
        return Ok(unasked);
    };
    let partnership = to.partnership();
    let terms = partnership.terms();
    let scope = scope_for(terms, limits, facts, to.organization(), taxonomies, now);
    if scope.purposes.is_empty() {
        // The agreement and the limits have no purpose in common: there is nothing to ask.
        return Ok(unasked);
    }
    let mut ask = |member: &Member, scope: &Scope| {
        let inquiry = inquiry_for_disclosure(
            facts,
            scope,
            &in_force.party(member, now),
            partnership.agreement(),
            Some(limits),
            now,
        );
        deciding.decide(partnership.layers(), &inquiry, now)
    };
    // What was decided of the members that are named, or not, is committed with the rest.
    let mut judged = in_force.nothing_judged();
    let mut scope = name_members(
        scope,
        terms,
        &facts.owner,
        to.organization(),
        |id, scope| {
            let Some(member) = terms.member(id) else {
                return Ok(BTreeSet::new());
            };
            let judgement = ask(member, scope)?;
            judged.extend(judgement.judged);
            Ok::<_, StoreError>(judgement.decision.admitted())
        },
    )?;
    let mut judgement = ask(to.member(), &scope)?;
    judged.extend(judgement.judged);
    judgement.judged = judged;
    let verdict = judgement.decision.verdict();
    scope.purposes = judgement.decision.admitted();
    Ok(Release {
        verdict,
        scope: (verdict == Verdict::Admissible).then_some(scope),
        judgement: Some(judgement),
    })
}

/// Signs the disclosure of one observation to one recipient, where it may leave, and says what to commit for it.
///
/// # Errors
/// [`StoreError::Unsigned`].
pub(super) fn release_to<'g>(
    in_force: &'g InForce<'g>,
    release: Release<'g>,
    to: Counterpart<'g>,
    observation: ObservationId,
    context: &DisclosureContext<'_>,
) -> Result<JudgedWrites<'g>, StoreError> {
    let undecided = release.verdict == Verdict::Undecided;
    Ok(match disclose(release, to, observation, context)? {
        Ok(Disclosed {
            mut judged,
            statement,
            ..
        }) => {
            judged.push(Write::Disclosed {
                outbox: to.outbox(),
                observation,
                statement,
            });
            judged
        }
        Err(judgement) => {
            let (decision, mut judged) = match judgement {
                Some(judgement) => (Some(judgement.digest), judgement.judged),
                None => (None, in_force.nothing_judged()),
            };
            judged.push(Write::Entry(Body::Withheld(Withheld {
                observation,
                partnership: to.partnership_id().clone(),
                recipient: to.organization().clone(),
                decision,
                undecided,
            })));
            judged
        }
    })
}

/// A disclosure that was signed and is not yet committed.
pub(super) struct Disclosed<'g> {
    /// SHA-256 of the decision.
    pub(super) decision: Digest,
    /// What is to be committed before it.
    pub(super) judged: JudgedWrites<'g>,
    /// The statement.
    pub(super) statement: Vec<u8>,
}

/// Signs the disclosure of what was admitted; else gives back what was decided, where anything was.
pub(super) fn disclose<'g>(
    release: Release<'g>,
    to: Counterpart<'g>,
    observation: ObservationId,
    context: &DisclosureContext<'_>,
) -> Result<Result<Disclosed<'g>, Option<Judgement<'g>>>, StoreError> {
    let (scope, judgement) = match (release.scope, release.judgement) {
        (Some(scope), Some(judgement)) => (scope, judgement),
        (_, judgement) => return Ok(Err(judgement)),
    };
    let disclosure = Disclosure {
        discloser: context.discloser.clone(),
        observation,
        leaves: BTreeSet::new(),
        partnership: to.partnership_id().clone(),
        edition: to.partnership().edition(),
        recipient: to.organization().clone(),
        scope,
        parent: None,
        mandate: None,
        derivation: None,
        decisions: [judgement.digest].into(),
        issued_at: context.now,
        salt: context.salt,
    };
    Ok(Ok(Disclosed {
        decision: judgement.digest,
        judged: judgement.judged,
        statement: disclosure.issue(context.key)?,
    }))
}

/// What signing a disclosure takes besides its content.
#[derive(Debug)]
pub(super) struct DisclosureContext<'a> {
    /// Who discloses.
    pub discloser: &'a OrganizationId,
    /// Its statement key.
    pub key: &'a SecretKey,
    /// Random.
    pub salt: Salt,
    /// The instant that was judged at.
    pub now: Time,
}

/// What becomes of a disclosure when its frame is written.
#[derive(Debug)]
pub(super) enum Again<'g> {
    /// It may leave, once this is committed.
    Leaves {
        /// SHA-256 of the decision.
        decision: Digest,
        /// What to commit.
        judged: JudgedWrites<'g>,
    },
    /// It is taken back, by committing both.
    TakenBack {
        /// What was decided.
        judged: JudgedWrites<'g>,
        /// The entry that takes it back.
        withdrawn: Withdrawn,
    },
}

/// Judges a disclosure again when its frame is written, for the very terms it has: membership, limits, time
/// may have changed since it was enqueued.
///
/// # Errors
/// [`StoreError`] where recorded decisions cannot be read.
pub(super) fn judge_again<'g>(
    deciding: &mut Deciding<'g>,
    disclosure: &Disclosure,
    facts: &Facts,
    item: (DisclosureId, u64),
    now: Time,
) -> Result<Again<'g>, StoreError> {
    let (id, seq) = item;
    let in_force = deciding.in_force();
    let take_back = |grounds: Withdrawal, judged: JudgedWrites<'g>| Again::TakenBack {
        judged,
        withdrawn: Withdrawn {
            disclosure: id,
            observation: disclosure.observation,
            partnership: disclosure.partnership.clone(),
            recipient: disclosure.recipient.clone(),
            seq,
            grounds,
        },
    };
    let Some(partnership) = in_force.partnership(&disclosure.partnership) else {
        let state = AgreementState::Closed;
        return Ok(take_back(
            Withdrawal::Agreement { state },
            in_force.nothing_judged(),
        ));
    };
    // Under an agreement that is over nothing is asked.
    if !partnership.is_judged(now) {
        let state = partnership.state(now);
        return Ok(take_back(
            Withdrawal::Agreement { state },
            in_force.nothing_judged(),
        ));
    }
    let edition = partnership.edition();
    if edition != disclosure.edition {
        return Ok(take_back(
            Withdrawal::Edition { edition },
            in_force.nothing_judged(),
        ));
    }
    let Some(member) = partnership.terms().member(&disclosure.recipient) else {
        return Ok(take_back(Withdrawal::Membership, in_force.nothing_judged()));
    };
    let taxonomies = in_force.layers().taxonomies();
    let inquiry = inquiry_for_disclosure(
        facts,
        &disclosure.scope,
        &in_force.party(member, now),
        partnership.agreement(),
        limits_in_force(in_force.limits(), facts, taxonomies),
        disclosure.issued_at,
    );
    let judgement = deciding.decide(partnership.layers(), &inquiry, now)?;
    if judgement.decision.admitted() == disclosure.scope.purposes {
        return Ok(Again::Leaves {
            decision: judgement.digest,
            judged: judgement.judged,
        });
    }
    let grounds = Withdrawal::Judged {
        decision: judgement.digest,
        undecided: judgement.decision.verdict() == Verdict::Undecided,
    };
    Ok(take_back(grounds, judgement.judged))
}
