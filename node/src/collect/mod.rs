//! Collection: turns what sources report (delimited files, AAS submodels, single values) into readings and the facts
//! that hold for them, grouped as observations will be.
//!
//! It reads only what it is given: no clock, no key, no store. It must never guess: what a map does not declare is
//! recognised without doubt or refused, and a missing value is a quality, never a zero.

mod cell;
mod directives;
mod draft;
mod fact_columns;
mod facts;
mod form;
mod form_digits;
mod form_text;
mod import;
mod instant;
mod layout;
mod map;
mod map_file;
mod observe;
mod propose;
mod raw;
mod recognise;
mod sampled_table;
mod text;
mod zone;

#[cfg(test)]
mod tests;

pub use draft::{BLOCK_BYTES_MAX, Draft};
pub use facts::{DraftFacts, FACTS_TEMPLATE, FactsError, FactsFile, fact_members, is_flag};
pub use import::{Import, ImportError, ImportReport, UnreadableRow, import};
pub use instant::{AHEAD_SECONDS_MAX, AheadError, check_ahead};
pub use layout::LayoutError;
pub use map::{Map, MapError};
pub use observe::{CollectError, ObservedSubmodels, observe_submodel, observe_values};
pub use propose::{ProposeError, propose_map};
pub use recognise::RecognitionError;
pub use zone::{ZoneError, zone_of};
