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
mod profiles;
mod recorded;
mod root;
mod status;
mod unasked;
mod why;

pub use export::{ExportError, GetTrust};
pub use get::{GetObservation, HeldTerms, ObservationDetail, ReadingView};
pub use grounds::{AskGrounds, Derivable, Grounds, Holding};
pub use held::InspectError;
pub(crate) use latest::path_order;
pub use latest::{Element, GetLatest, Latest, value_form};
pub use list::{Filter, Item, ListObservations, PAGE_MAX};
pub use partnerships::{ListPartnerships, PartnershipStatus};
pub use peers::{ListPeers, PeerStatus};
pub use profiles::{ProfileStatus, ProfileText, ShowProfile, ShowProfileError, shipped_text};
pub use recorded::{Outcome, RecipientAnswer, Recorded};
pub use root::GetRoot;
pub(crate) use status::withheld_by;
pub use status::{GetStatus, PairStatus, Status};
pub use unasked::Unasked;
pub use why::{AskWhy, DeterminingPolicy, LayerAnswer, PolicyAnswer, PurposeAnswer, Says, Why};
