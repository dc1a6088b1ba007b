//! Collection: turns what sources report (delimited files, AAS submodels, single values) into readings and the facts
//! that hold for them, grouped as observations will be.
//!
//! It reads only what it is given: no clock, no key, no store. It must never guess: what a map does not declare is
//! recognised without doubt or refused, and a missing value is a quality, never a zero.

mod cell;
mod draft;
mod facts_file;
mod import;
mod instant;
mod layout;
mod map;
mod map_file;
mod observe;
mod propose;
mod recognise;
mod sample;
mod text;

#[cfg(test)]
mod tests;

pub use draft::{BLOCK_BYTES_MAX, Draft, DraftFacts};
pub use facts_file::{FactsError, FactsFile};
pub use import::{Import, ImportError, Report, UnreadableRow, import};
pub use instant::ZoneError;
pub use layout::LayoutError;
pub use map::{Map, MapError};
pub use observe::{ObserveError, ObservedSubmodels, observe_submodel, observe_values};
pub use propose::{ProposeError, propose_map};
pub use recognise::RecognitionError;
