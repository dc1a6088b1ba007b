//! Operations: what the command line asks of a node, running or not. One list serves both.

use crate::collect::Draft;
use crate::failure::{Failure, FailureKind};
use crate::holding::Filter;
use crate::node::Node;
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

impl Operation {
    /// Runs it on an open node.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn run(self, node: &Node, now: Time) -> Result<Value, Failure> {
        match self {
            Self::Observe { drafts, is_import } => answer(&node.observe(drafts, is_import, now)?),
            Self::List { filter } => answer(&node.list(&filter)?),
            Self::Get { id } => answer(&node.detail(&id)?),
            Self::Latest { submodel } => answer(&node.latest(&submodel)?),
            Self::Why { id, to } => answer(&node.why(&id, &to, now)?),
            Self::Grounds { id } => answer(&node.grounds(&id, now)?),
            Self::Status => answer(&node.status(now)?),
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
            } => answer(&node.declare(&declaration, &cards, &fingerprints, now)?),
            Self::Review { file } => answer(&node.review(&file)?),
            Self::Accept { file, fingerprints } => {
                let accepted = node.accept(&file, &fingerprints, now)?;
                // What was observed before, and lies in the window, is judged for the new recipients now.
                node.catch_up(now)?;
                answer(&accepted)
            }
            Self::Decline {
                file,
                fingerprints,
                reason,
            } => answer(&node.decline(&file, &fingerprints, reason, now)?),
            Self::AcceptClock => answer(&node.accept_clock(now)?),
            Self::ActivateProfile { layer, text } => {
                answer(&node.activate_profile(layer, &text, now)?)
            }
            Self::Invite { partnership } => answer(&node.invite(&partnership)?),
        }
    }
}

fn answer<T: Serialize>(value: &T) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::new(FailureKind::Failed, &error))
}
