//! Holding: what the node holds, and what can be said of it. Observations and the terms they are held on, how the node
//! stands, why something was or was not disclosed, the bundle for an auditor.
//!
//! Looking records nothing and changes nothing.

mod export;
mod grounds;
mod inspect;
mod latest;
mod peers;
mod tally;
mod view;
mod why;

pub use export::ExportError;
pub use grounds::{Derivable, Grounds, Holding};
pub use inspect::InspectError;
pub use latest::{Element, value_form};
pub use peers::Peer;
pub(crate) use tally::Tally;
pub(crate) use view::withheld_by;
pub use view::{Filter, Held, Item, ItemDetail, Pair, PartnerStatus, ReadingView, Status};
pub use why::{LayerAnswer, PolicyAnswer, PurposeAnswer, Says, Why};
