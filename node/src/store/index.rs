//! The index keys of an entry: what is found again from its index and body alone.

use super::StoreError;
use super::finding::{FoundBy, expiry_of};
use super::index_key::Hashes;
use super::keys::{self, BoxKey};
use super::reader::{own_acknowledgement, own_disclosure, own_observation};
use ambit_ledger::{Body, Digest, Name, ObservationId, OfferedAgain, Time, Withdrawn, Withheld};
use std::collections::BTreeSet;

/// Of how many codes an acknowledgement is found again, and an outbox counts: more than there are.
pub(crate) const UNTAKEN_CODES_MAX: usize = 16;

/// One index key of an entry, before the entry has its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The key leads to the entry. A later entry's stands in the place of an earlier one's with the same key.
    Leads(Vec<u8>),
    /// The entry holds an observation, to which its id leads and all of this, unless an earlier one holds it: what was there
    /// never is away while a later one is on its way to the disk. Of a new one there is none.
    Holds {
        id: ObservationId,
        found_by: FoundBy,
        is_new: bool,
    },
    /// The entry says until when an observation is held, where that ends in the stretch of this number.
    Expires(ObservationId, u64),
    /// The entry is one of those that say what is in force.
    Control,
    /// The entry put the item of this number into an outbox.
    Queues(BoxKey, u64),
    /// The entry says what became of an observation for an outbox's recipient.
    Outcome(ObservationId, BoxKey),
    /// The entry keeps an observation from an outbox's recipient, because of this decision where one was made.
    Withholds(BoxKey, Option<Digest>),
    /// The entry acknowledges items of an outbox that were not taken, with the code of this number.
    Untaken(BoxKey, u16),
}

pub(super) fn observed_marks(
    id: ObservationId,
    is_new: bool,
    found_by: FoundBy,
    import: Option<&Digest>,
) -> Vec<Mark> {
    let mut marks = vec![Mark::Holds {
        id,
        found_by,
        is_new,
    }];
    marks.extend(import.map(|import| Mark::Leads(keys::import(import))));
    marks
}

pub(super) fn admitted_marks(
    id: &ObservationId,
    found_by: FoundBy,
    edition: &Digest,
    hold_until: Time,
) -> Vec<Mark> {
    vec![
        Mark::Holds {
            id: *id,
            found_by,
            is_new: false,
        },
        Mark::Leads(keys::admitted(edition, id)),
        Mark::Expires(*id, expiry_of(hold_until)),
    ]
}

pub(super) fn disclosed_marks(observation: &ObservationId, outbox: &BoxKey, seq: u64) -> Vec<Mark> {
    vec![
        Mark::Queues(*outbox, seq),
        Mark::Outcome(*observation, *outbox),
    ]
}

pub(super) fn offered_marks(offer: &OfferedAgain) -> Vec<Mark> {
    let outbox = BoxKey::new(&offer.partnership, &offer.recipient);
    vec![
        Mark::Queues(outbox, offer.seq),
        Mark::Leads(keys::offered(&offer.first, offer.seq)),
    ]
}

/// The index keys of an entry of this node's own ledger; `elements` are those of the readings of the observation in it, where
/// they are known.
pub(super) fn marks_of(
    body: &Body,
    hashes: &mut Hashes<'_>,
    elements: Option<&[(Name, Time)]>,
) -> Result<Vec<Mark>, StoreError> {
    let marks = match body {
        Body::Observed(observed) => {
            let observation = own_observation(&observed.observation)?;
            let found_by = FoundBy::of(hashes, observation.facts(), elements);
            observed_marks(observation.id(), false, found_by, observed.import.as_ref())
        }
        Body::Admitted(admitted) => {
            let observation = own_observation(&admitted.observation)?;
            let found_by = FoundBy::of(hashes, observation.facts(), elements);
            let disclosure = own_disclosure(&admitted.disclosure)?;
            let hold_until = disclosure.scope.hold_until;
            admitted_marks(&observation.id(), found_by, &disclosure.edition, hold_until)
        }
        Body::Decided(decided) => vec![
            Mark::Leads(keys::class(&decided.decision.class_key)),
            Mark::Leads(keys::decision(&decided.decision.digest())),
        ],
        Body::Disclosed(disclosed) => {
            let disclosure = own_disclosure(&disclosed.disclosure)?;
            let outbox = BoxKey::new(&disclosure.partnership, &disclosure.recipient);
            disclosed_marks(&disclosure.observation, &outbox, disclosed.seq)
        }
        Body::OfferedAgain(offer) => offered_marks(offer),
        Body::Acknowledged(acknowledged) => acknowledged_marks(&acknowledged.acknowledgement)?,
        Body::Withheld(withheld) => withheld_marks(withheld),
        Body::Withdrawn(withdrawn) => withdrawn_marks(withdrawn),
        Body::Opened(_)
        | Body::KeyCertified(_)
        | Body::PartnershipEdition(_)
        | Body::PartnershipDeclined(_)
        | Body::IssuerPinned(_)
        | Body::AttestationRecorded(_)
        | Body::ProfileActivated(_)
        | Body::TaxonomyActivated(_)
        | Body::LimitsSet(_) => vec![Mark::Control],
        Body::Laid(_) | Body::Refused(_) | Body::SetAside(_) | Body::Unread { .. } => Vec::new(),
    };
    Ok(marks)
}

/// Leads to what was not taken and may be another time. Of more codes than any honest recipient uses, only the first.
fn acknowledged_marks(statement: &[u8]) -> Result<Vec<Mark>, StoreError> {
    let statement = own_acknowledgement(statement)?;
    let outbox = BoxKey::new(&statement.partnership, &statement.recipient);
    let codes: BTreeSet<u16> = statement
        .not_taken()
        .filter(|item| item.code.may_come_again())
        .map(|item| item.code.number())
        .collect();
    let codes = codes.into_iter().take(UNTAKEN_CODES_MAX);
    let key = keys::acknowledged(&outbox, &statement.incarnation, statement.upto);
    let reaches = Mark::Leads(key);
    let untaken = codes.map(|code| Mark::Untaken(outbox, code));
    Ok(untaken.chain([reaches]).collect())
}

fn withheld_marks(withheld: &Withheld) -> Vec<Mark> {
    let outbox = BoxKey::new(&withheld.partnership, &withheld.recipient);
    vec![
        Mark::Outcome(withheld.observation, outbox),
        Mark::Withholds(outbox, withheld.decision),
    ]
}

fn withdrawn_marks(withdrawn: &Withdrawn) -> Vec<Mark> {
    let outbox = BoxKey::new(&withdrawn.partnership, &withdrawn.recipient);
    vec![
        Mark::Leads(keys::withdrawn(&outbox, withdrawn.seq)),
        Mark::Outcome(withdrawn.observation, outbox),
        Mark::Withholds(outbox, withdrawn.grounds.decision()),
    ]
}
