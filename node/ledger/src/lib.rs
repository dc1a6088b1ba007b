//! The formats of Ambit: statements, readings, entries, the Merkle tree over them and its checkpoints. `FORMATS.md`
//! beside this crate states all of them byte by byte.
//!
//! Pure: no clock, no randomness, no file, no socket. Whatever is random or the time of day is an argument.
//! Only `codec` names `serde_cbor`, only `keys` names `ed25519-dalek`.

mod attestations;
mod authority;
mod certificate;
mod chain;
mod checkpoint;
mod codec;
mod decision;
mod digest;
mod entry;
mod facts;
mod holding;
mod keyring;
mod keys;
mod names;
mod payload;
mod readings;
mod refusal;
mod statement;
mod statements;
mod terms;
mod time;
mod tree;

pub use attestations::{AttestationError, Attestations, Standing};
pub use authority::{Attestation, Attested, Authorization, Claim, Regime};
pub use certificate::Certificate;
pub use chain::{Chain, ItemBody, Outcome};
pub use checkpoint::{Checkpoint, CheckpointError, Origin};
pub use codec::{CodecError, DEPTH_MAX, ITEM_BYTES_MAX, decode, decode_within, encode, scan};
pub use decision::{
    Action, Agreement, AgreementState, Decision, Footprint, Inquiry, Layer, LayerProfile,
    LayerVerdict, Party, PurposeVerdict, Unnamed, Unsalted, Verdict,
};
pub use digest::{Digest, DisclosureId, GrantId, ObservationId, Salt};
pub use entry::{
    Acknowledged, ActHeard, ActMade, Admitted, AttestationRecorded, Body, CardConfirmed, CardSeen,
    ClockAccepted, ComparedRoot, Corrected, Decided, Declassified, DeriveDecided, Derived,
    Disclosed, EditionStage, ElectronicSignature, Entry, EquivocationProved, Erased, ErasedItem,
    ErasureAttested, ErasureRule, GrantRecorded, Held, Incident, IssuerPinned, KeyCertified,
    KeyRevoked, KeyRotated, Kind, Label, Laid, LimitsSet, MandateRecorded, MemberJoined, Observed,
    OfferedAgain, OnwardNoted, Opened, OutboxEnded, PartnershipDeclined, PartnershipDissolved,
    PartnershipEdition, PartnershipSetAside, PatternEnded, PatternOpened, PatternSigned,
    PeerCheckpoint, ProfileActivated, Refused, ReleasedFromHold, RetainDecided, RetainOutcome,
    Retained, SetAside, SoftwareChanged, TaxonomyActivated, UseDecided, Used, Withdrawal,
    Withdrawn, Withheld,
};
pub use facts::{ExportControl, Facts, input_commitment};
pub use holding::{
    DeriveDecision, DeriveInquiry, DerivedOutput, Holding, HoldingDecision, RetainDecision,
    RetainInquiry, UnsaltedHolding, UseDecision, UseInquiry,
};
pub use keyring::{Keyring, KeyringError};
pub use keys::{
    Fingerprint, FingerprintError, KeyFileError, KeyPurpose, PublicKey, SealKey, SecretKey,
    Signature,
};
pub use names::{
    Assigned, DataClass, IDENTIFIER_BYTES_MAX, Jurisdiction, NAME_BYTES_MAX, Name, NameError,
    OrganizationId, PartnershipId, Purpose,
};
pub use readings::{
    Attachment, EncodedReadings, PartialReadings, Quality, READINGS_MAX, Reading, Readings,
    ReadingsError, When, reading_span,
};
pub use refusal::{RefusalCode, UnknownCode};
pub use statement::{Statement, StatementError, StatementKind, Verified};
pub use statements::{
    Acknowledgement, Act, ActKind, AttestationStatement, Computation, ComputedTerm, Decline,
    Derivation, DerivedInput, Disclosure, ErasureAttestation, ErasureMethod, Function, Gone, Grant,
    HeardActs, Joined, Labels, Mandate, ManifestSignature, Observation, OpenedGrant, Pattern,
    PatternSignature, PersonSignature, RefusedItem, Restriction, Trigger,
};
pub use terms::{
    AddedClass, AdmissionRule, AgreedElement, AgreedPart, AtEnd, Card, Delivery, DerivedTerms,
    ErasureExtent, LegalClause, LegalDocument, Limits, Material, Member, PartnershipTerms, Reach,
    RecordDigest, RequiredAttestation, Role, Scope, SignedCard,
};
pub use time::{OFFSET_SECONDS_MAX, Time, TimeError, has_sixtieth_second};
pub use tree::{
    Frontier, consistency_proof, inclusion_proof, leaf_hash, root, verify_consistency,
    verify_inclusion,
};
