//! The formats of Ambit: statements, readings, entries, the Merkle tree over them and its checkpoints.
//!
//! Pure: no clock, no randomness, no file, no socket. Whatever is random or the time of day is an argument.
//! Only `codec` names `serde_cbor`, only `keys` names `ed25519-dalek`.

mod authority;
mod chain;
mod checkpoint;
mod codec;
mod decision;
mod digest;
mod entry;
mod facts;
mod keyring;
mod keys;
mod names;
mod readings;
mod refusal;
mod statement;
mod statements;
mod terms;
mod time;
mod tree;

pub use authority::{Attestation, Attested, Authorization, Claim, Regime};
pub use chain::{Chain, ItemBody, Outcome};
pub use checkpoint::{Checkpoint, CheckpointError, Origin};
pub use codec::{CodecError, DEPTH_MAX, ITEM_BYTES_MAX, decode, decode_within, encode, scan};
pub use decision::{
    Action, Agreement, AgreementState, Decision, Footprint, Inquiry, Layer, LayerProfile,
    LayerVerdict, Party, PurposeVerdict, Verdict,
};
pub use digest::{Digest, DisclosureId, ObservationId, Salt};
pub use entry::{
    Acknowledged, Admitted, Body, ComparedRoot, Decided, Disclosed, EditionStage, Entry,
    KeyCertified, Kind, LimitsSet, Observed, Opened, PartnershipDeclined, PartnershipEdition,
    ProfileActivated, Refused, TaxonomyActivated, Withdrawn, Withheld,
};
pub use facts::{ExportControl, Facts};
pub use keyring::{Certificate, Keyring, KeyringError};
pub use keys::{
    Fingerprint, FingerprintError, KeyFileError, KeyPurpose, PublicKey, SecretKey, Signature,
};
pub use names::{
    Assigned, DataClass, Jurisdiction, NAME_BYTES_MAX, Name, NameError, OrganizationId,
    PartnershipId, Purpose,
};
pub use readings::{
    EncodedReadings, Quality, READINGS_MAX, Reading, Readings, ReadingsError, When, reading_span,
};
pub use refusal::RefusalCode;
pub use statement::{Statement, StatementError, StatementKind, Verified};
pub use statements::{
    Acknowledgement, Decline, Disclosure, ManifestSignature, Observation, RefusedItem,
};
pub use terms::{DerivedTerms, ErasureExtent, Limits, Member, PartnershipTerms, Scope};
pub use time::{Time, TimeError, time_text};
pub use tree::{
    Frontier, consistency_proof, inclusion_proof, leaf_hash, root, verify_consistency,
    verify_inclusion,
};
