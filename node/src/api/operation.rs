//! Operations: what the command line asks of a node, running or not. One list serves both.

use crate::collect::Draft;
use crate::node::{
    AcceptClockError, ActivateError, Filter, InspectError, Node, ObserveError as NodeObserveError,
    PartnerError, Proposal,
};
use ambit_ledger::{Fingerprint, Layer, Name, OrganizationId, PartnershipId, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Operation {
    /// Signs, judges and commits drafts.
    Observe {
        /// What was collected.
        drafts: Vec<Draft>,
        /// Whether the same again is to add nothing.
        is_import: bool,
    },
    /// Lists observations.
    List {
        /// Which.
        filter: Filter,
    },
    /// Shows one observation.
    Get {
        /// The start of its id.
        id: String,
    },
    /// The latest value of each element of a submodel.
    Latest {
        /// The submodel's id.
        submodel: String,
    },
    /// Judges one observation for one organization.
    Why {
        /// The start of its id.
        id: String,
        /// The organization.
        to: OrganizationId,
    },
    /// On what terms an observation is held, and whom this node's own goes to.
    Grounds {
        /// The start of its id.
        id: String,
    },
    /// How the node stands.
    Status,
    /// This node's identity card.
    Card,
    /// The trust file for this node's own root.
    Trust,
    /// The partnerships.
    Partners,
    /// The other members of every partnership, and who of them is connected.
    Peers,
    /// Declares a partnership.
    Declare {
        /// The declaration's text.
        declaration: String,
        /// The other members' identity cards.
        cards: Vec<String>,
        /// The root fingerprints that were compared.
        fingerprints: BTreeMap<OrganizationId, Fingerprint>,
    },
    /// What a partnership file proposes, for a person to read.
    Review {
        /// The file's text.
        file: String,
    },
    /// Signs a proposal, or takes in what others signed.
    Accept {
        /// The file's text.
        file: String,
        /// The root fingerprints that were compared.
        fingerprints: BTreeMap<OrganizationId, Fingerprint>,
    },
    /// Declines a proposal.
    Decline {
        /// The file's text.
        file: String,
        /// The root fingerprints that were compared; without them the answer is only a file.
        fingerprints: BTreeMap<OrganizationId, Fingerprint>,
        /// Why.
        reason: Name,
    },
    /// Confirms what the clock says.
    AcceptClock,
    /// Puts a profile in force for one of this node's own layers.
    ActivateProfile {
        /// The layer.
        layer: Layer,
        /// Its Cedar text.
        text: String,
    },
    /// The partnership file of a partnership, to be handed over again.
    Invite {
        /// Which.
        partnership: PartnershipId,
    },
}

/// Why an operation failed, in the classes that exit codes tell apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// What went wrong, and how to mend it.
    pub message: String,
}

/// The classes of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// It failed.
    Failed,
    /// It was asked wrongly.
    Usage,
    /// A signature or a fingerprint is not what it has to be.
    Verification,
    /// It is not there.
    NotFound,
    /// The caller has no right to it.
    NotAuthorized,
    /// It may work later.
    TryAgain,
}

impl Failure {
    /// A failure of a class, with all causes in its text.
    pub fn new(kind: FailureKind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        Self { kind, message }
    }
}

impl Operation {
    /// Runs it on an open node.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn run(self, node: &Node, now: Time) -> Result<Value, Failure> {
        match self {
            Self::Observe { drafts, is_import } => {
                let report = node
                    .observe(drafts, is_import, now)
                    .map_err(|error| observe_failure(&error))?;
                answer(&report)
            }
            Self::List { filter } => answer(&node.list(&filter).map_err(|e| inspect_failure(&e))?),
            Self::Get { id } => answer(&node.detail(&id).map_err(|e| inspect_failure(&e))?),
            Self::Latest { submodel } => {
                answer(&node.latest(&submodel).map_err(|e| inspect_failure(&e))?)
            }
            Self::Why { id, to } => {
                answer(&node.why(&id, &to, now).map_err(|e| inspect_failure(&e))?)
            }
            Self::Grounds { id } => {
                answer(&node.grounds(&id, now).map_err(|e| inspect_failure(&e))?)
            }
            Self::Status => answer(&node.status(now).map_err(|e| inspect_failure(&e))?),
            Self::Card => answer(&node.card()),
            Self::Trust => answer(
                &node
                    .trust()
                    .map_err(|error| Failure::new(FailureKind::Failed, &error))?,
            ),
            Self::Partners => answer(&node.partner_list()),
            Self::Peers => answer(&node.peers()),
            Self::Declare {
                declaration,
                cards,
                fingerprints,
            } => proposal(node.declare(&declaration, &cards, &fingerprints, now)),
            Self::Review { file } => proposal(node.review(&file)),
            Self::Accept { file, fingerprints } => {
                let accepted = proposal(node.accept(&file, &fingerprints, now))?;
                // What was observed before, and lies in the window, is judged for the new recipients now.
                node.catch_up(now)
                    .map_err(|error| observe_failure(&error))?;
                Ok(accepted)
            }
            Self::Decline {
                file,
                fingerprints,
                reason,
            } => proposal(node.decline(&file, &fingerprints, reason, now)),
            Self::AcceptClock => answer(
                &node
                    .accept_clock(now)
                    .map_err(|error| accept_clock_failure(&error))?,
            ),
            Self::ActivateProfile { layer, text } => answer(
                &node
                    .activate_profile(layer, &text, now)
                    .map_err(|error| activate_failure(&error))?,
            ),
            Self::Invite { partnership } => proposal(node.invite(&partnership)),
        }
    }
}

fn answer<T: Serialize>(value: &T) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::new(FailureKind::Failed, &error))
}

fn proposal(result: Result<Proposal, PartnerError>) -> Result<Value, Failure> {
    match result {
        Ok(proposal) => answer(&proposal),
        Err(error) => Err(Failure::new(error.kind(), &error)),
    }
}

fn inspect_failure(error: &InspectError) -> Failure {
    let kind = match error {
        InspectError::Store(_) => FailureKind::Failed,
        InspectError::NotFound(_)
        | InspectError::NoSubmodel(_)
        | InspectError::NoPartnership(_) => FailureKind::NotFound,
        InspectError::Ambiguous { .. } | InspectError::NotAnId(_) => FailureKind::Usage,
    };
    Failure::new(kind, error)
}

fn observe_failure(error: &NodeObserveError) -> Failure {
    let kind = match error {
        NodeObserveError::Clock(_) => FailureKind::TryAgain,
        NodeObserveError::Store(_)
        | NodeObserveError::Governance(_)
        | NodeObserveError::Readings(_)
        | NodeObserveError::Owner(_)
        | NodeObserveError::DataClass(_)
        | NodeObserveError::Randomness(_) => FailureKind::Failed,
    };
    Failure::new(kind, error)
}

fn activate_failure(error: &ActivateError) -> Failure {
    let kind = match error {
        ActivateError::Clock(_) => FailureKind::TryAgain,
        ActivateError::Profile(_)
        | ActivateError::Layer(_)
        | ActivateError::Store(_)
        | ActivateError::Governance(_)
        | ActivateError::Judge(_) => FailureKind::Failed,
    };
    Failure::new(kind, error)
}

fn accept_clock_failure(error: &AcceptClockError) -> Failure {
    let kind = match error {
        AcceptClockError::Clock(_) => FailureKind::TryAgain,
        AcceptClockError::Home(_) => FailureKind::Failed,
    };
    Failure::new(kind, error)
}
