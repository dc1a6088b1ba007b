//! The operations that are served, in one list: it makes both what each is called on the wire and who answers it.

use crate::agree::{
    AcceptClock, AcceptProposal, ActivateProfile, Attest, DeclarePartnership, DeclineProposal,
    GetCard, ListAttestations, ListIssuers, PinIssuer, ReviewProposal, TakeAttestation,
    UnpinIssuer, WriteInvitation,
};
use crate::failure::{Failure, FailureKind};
use crate::holding::{
    AskGrounds, AskWhy, GetLatest, GetObservation, GetRoot, GetStatus, GetTrust, ListObservations,
    ListPartnerships, ListPeers, ShowProfile,
};
use crate::node::{Ask, Node};
use crate::release::{Observe, Offer};
use ambit_ledger::Time;

/// An operation with its name on the wire.
pub trait Operation: Ask {
    /// `POST /v1/operations/NAME`.
    const NAME: &'static str;
}

/// An operation that a node does not know.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no operation of this node; a node of another version may be running, start it again"
)]
struct UnknownOperation(String);

macro_rules! operations {
    ($($operation:ty: $name:literal,)*) => {
        $(impl Operation for $operation {
            const NAME: &'static str = $name;
        })*

        /// Answers an operation that came as JSON, with JSON.
        pub(super) fn answer(
            name: &str,
            request: &[u8],
            node: &Node,
            now: Time,
        ) -> Result<Vec<u8>, Failure> {
            match name {
                $($name => answer_to::<$operation>(request, node, now),)*
                _ => Err(Failure::new(FailureKind::Usage, &UnknownOperation(name.to_owned()))),
            }
        }
    };
}

operations! {
    Observe: "observe",
    Offer: "offer",
    ListObservations: "list",
    GetObservation: "get",
    GetLatest: "latest",
    AskWhy: "why",
    AskGrounds: "grounds",
    GetStatus: "status",
    ListPeers: "peers",
    GetRoot: "root",
    GetTrust: "trust",
    GetCard: "card",
    ListPartnerships: "partnerships",
    DeclarePartnership: "declare",
    ReviewProposal: "review",
    AcceptProposal: "accept",
    DeclineProposal: "decline",
    WriteInvitation: "invite",
    ActivateProfile: "activate-profile",
    ShowProfile: "show-profile",
    AcceptClock: "accept-clock",
    Attest: "attest",
    TakeAttestation: "take-attestation",
    ListAttestations: "attestations",
    PinIssuer: "pin-issuer",
    UnpinIssuer: "unpin-issuer",
    ListIssuers: "issuers",
}

fn answer_to<A: Ask>(request: &[u8], node: &Node, now: Time) -> Result<Vec<u8>, Failure> {
    let asked: A = serde_json::from_slice(request)
        .map_err(|error| Failure::new(FailureKind::Usage, &error))?;
    let answer = asked.answer(node, now)?;
    serde_json::to_vec(&answer).map_err(|error| Failure::new(FailureKind::Failed, &error))
}
