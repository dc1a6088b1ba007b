//! The inbound enforcement point itself: verifies one item that a link brings, judges it with this node's own layers,
//! and says what to commit.
//!
//! It reads no clock, opens no socket and commits nothing. It must never take in what it could not verify to
//! the last byte, and never reject what it merely could not decide.

use crate::collect::check_ahead;
use crate::node::{Counterpart, Deciding, JudgedWrites};
use crate::partnership::Governance;
use crate::store::{StoreError, Write};
use ambit_ledger::{
    CodecError, Disclosure, EditionStage, Facts, Name, Observation, ObservationId, Readings,
    ReadingsError, RefusalCode, Time, Verdict,
};
use ambit_policy::{
    Unchecked, check_scope, inquiry_for_admission, unchecked_in_disclosure, unchecked_in_facts,
};

/// What one item of a link brings.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The observation's statement.
    pub observation: &'a [u8],
    /// The disclosure's statement.
    pub disclosure: &'a [u8],
    /// The readings block.
    pub readings: &'a [u8],
}

/// What becomes of it.
#[derive(Debug)]
pub enum Admission<'g> {
    /// Taken in, once this is committed.
    Admit(JudgedWrites<'g>),
    /// Refused with a code that names no private layer, and until when that is true where it ends.
    Refuse(RefusalCode, Option<Time>),
    /// Nobody can say now: it holds up nothing behind it, and comes again.
    SetAside(RefusalCode, Option<Time>),
}

/// Judges one item that was verified, for the partnership and the sender it was verified for; it came under this number.
///
/// # Errors
/// [`StoreError`] where recorded decisions cannot be read.
pub fn admit<'g>(
    deciding: &mut Deciding<'g>,
    from: Counterpart<'g>,
    (seq, incoming, verified): (u64, Incoming<'_>, Verified),
    now: Time,
) -> Result<Admission<'g>, StoreError> {
    let partnership = from.partnership();
    let in_force = deciding.in_force();
    let Some(me) = partnership.terms().member(in_force.organization()) else {
        return Ok(Admission::Refuse(RefusalCode::WrongPartnership, None));
    };
    let inquiry = inquiry_for_admission(
        &verified.facts,
        &verified.disclosure.scope,
        &in_force.party(me, now),
        partnership.agreement(),
        from.organization(),
        0,
        verified.disclosure.issued_at,
    );
    let judgement = deciding.decide(partnership.layers(), &inquiry, now)?;
    let until = judgement.decision.true_until;
    let verdict = judgement.decision.verdict();
    if verdict != Verdict::Admissible {
        deciding.leave_unrecorded(&judgement.digest);
    }
    Ok(match verdict {
        Verdict::Withheld => Admission::Refuse(RefusalCode::NotAdmissible, until),
        Verdict::Undecided => Admission::SetAside(RefusalCode::Undecided, until),
        Verdict::Admissible => {
            let mut judged = judgement.judged;
            judged.push(Write::Admitted {
                id: verified.id,
                edition: verified.disclosure.edition,
                facts: Box::new(verified.facts),
                elements: verified.elements,
                statement: incoming.observation.to_vec(),
                disclosure: incoming.disclosure.to_vec(),
                hold_until: verified.disclosure.scope.hold_until,
                decision: judgement.digest,
                seq,
                readings: incoming.readings.to_vec(),
            });
            Admission::Admit(judged)
        }
    })
}

/// What is said of an item whose statements and readings were verified. Only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) id: ObservationId,
    facts: Facts,
    /// Each path of its readings with the latest instant of it.
    elements: Vec<(Name, Time)>,
    disclosure: Disclosure,
}

/// Verifies one item: signatures, who it is from and for, terms within the agreement, readings.
///
/// # Errors
/// The code to refuse it with, or to set it aside.
pub fn verify(
    governance: &Governance,
    from: Counterpart<'_>,
    incoming: Incoming<'_>,
    now: Time,
) -> Result<Verified, RefusalCode> {
    let (partnership, sender) = (from.partnership(), from.organization());
    let keyring = governance.keyring_under(partnership);
    let disclosure = Disclosure::verify(incoming.disclosure, keyring)
        .map_err(|error| RefusalCode::from(&error))?;
    let observation = Observation::verify(incoming.observation, keyring, disclosure.issued_at)
        .map_err(|error| RefusalCode::from(&error))?;
    let facts = observation.facts();
    // The owner discloses what it made itself.
    if [&facts.issuer, &facts.owner, &disclosure.discloser] != [sender; 3] {
        return Err(RefusalCode::WrongOrigin);
    }
    let unchecked = [
        unchecked_in_disclosure(&disclosure),
        unchecked_in_facts(facts),
    ];
    if let Some(unchecked) = unchecked.into_iter().flatten().next() {
        return Err(match unchecked {
            Unchecked::HandedOn | Unchecked::UnderMandate => RefusalCode::WrongOrigin,
            Unchecked::Derived | Unchecked::InPart => RefusalCode::WrongChain,
            // A later version may know what a correction replaces, and whether grants hold.
            Unchecked::Correcting | Unchecked::Granted => RefusalCode::NewerVersion,
        });
    }
    if disclosure.recipient != *governance.organization() {
        return Err(RefusalCode::WrongRecipient);
    }
    if disclosure.observation != observation.id() {
        return Err(RefusalCode::WrongObservation);
    }
    let terms = partnership.terms();
    if disclosure.partnership != terms.partnership
        || disclosure.edition != partnership.edition()
        || partnership.stage() != EditionStage::Active
    {
        return Err(RefusalCode::WrongPartnership);
    }
    let latest = disclosure
        .issued_at
        .plus_seconds(crate::clock::APART_SECONDS_MAX);
    if latest < terms.declared_at || disclosure.issued_at >= terms.until.min(terms.lease_until) {
        return Err(RefusalCode::WiderTerms);
    }
    // One of the two clocks is wrong, and nobody here can say which; by and by the item is in time.
    if disclosure.issued_at > now.plus_seconds(crate::clock::APART_SECONDS_MAX)
        || check_ahead(facts.observed_to, now).is_err()
    {
        return Err(RefusalCode::ClocksApart);
    }
    // Nobody discloses what was not observed yet: dated back, it would verify by a key that had ended.
    if latest < facts.observed_to {
        return Err(RefusalCode::WiderTerms);
    }
    let taxonomies = governance.layers().taxonomies();
    // A later version of them may have it.
    if taxonomies.check_class(&facts.data_class).is_err() {
        return Err(RefusalCode::UnknownClass);
    }
    check_scope(terms, &disclosure.scope, disclosure.issued_at, taxonomies)
        .map_err(|_| RefusalCode::WiderTerms)?;
    let elements = Readings::latest_instants_in(incoming.readings, facts);
    let elements = elements.map_err(|error| match error {
        ReadingsError::Codec(CodecError::TooLarge { .. }) | ReadingsError::TooLarge(_) => {
            RefusalCode::TooLarge
        }
        ReadingsError::Codec(_) => RefusalCode::NotCanonical,
        ReadingsError::Count(_)
        | ReadingsError::Backwards(_)
        | ReadingsError::SpansMinutes
        | ReadingsError::Quality(_)
        | ReadingsError::Element(_)
        | ReadingsError::Part
        | ReadingsError::Digest
        | ReadingsError::Facts => RefusalCode::WrongReadings,
    })?;
    Ok(Verified {
        id: observation.id(),
        facts: facts.clone(),
        elements,
        disclosure,
    })
}
