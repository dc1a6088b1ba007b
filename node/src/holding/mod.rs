//! Holding: what the node holds, and what can be said of it. Observations and the terms they are held on, how the node
//! stands, why something was or was not disclosed, the bundle for an auditor.
//!
//! Looking records nothing and changes nothing.

mod export;
mod get;
mod grounds;
mod held;
mod latest;
mod list;
mod partnerships;
mod peers;
mod status;
mod tally;
mod why;

pub use export::{ExportError, GetTrust};
pub use get::{GetObservation, HeldTerms, ObservationDetail, ReadingView};
pub use grounds::{AskGrounds, Derivable, Grounds, Holding};
pub use held::InspectError;
pub use latest::{Element, GetLatest, value_form};
pub use list::{Filter, Item, ListObservations};
pub use partnerships::{ListPartnerships, PartnershipStatus};
pub use peers::{ListPeers, Peer};
pub(crate) use status::withheld_by;
pub use status::{GetStatus, Held, Pair, Status};
pub(crate) use tally::Tally;
pub use why::{AskWhy, LayerAnswer, PolicyAnswer, PurposeAnswer, Says, Why};
