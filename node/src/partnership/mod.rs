//! Partnerships: identity cards, declarations, what a person reads before signing.
//!
//! ```text
//! declaration ─▶ terms ─▶ armor ══ e-mail ══▶ armor ─▶ plain words ─▶ a person signs
//! ```

mod armor;
mod card;
mod consent;
mod content;
mod declaration;
mod edition;
mod every_key;
mod governance;
mod page;
mod passed;
mod phrases;
mod reach;
mod since;
mod standing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unbuilt;

pub use armor::{
    ArmorError, ArmorLabel, PARTNERSHIP_FILE_BYTES_MAX, PartnershipFile, PartnershipFileError,
    read_armor, write_armor,
};
pub use card::{
    CardError, ComparisonError, card_root, check_card, compared_members, keyring_for, read_card,
    transport_key, write_card,
};
pub use consent::plain_words;
pub use declaration::{Declaration, DeclarationError, DeclaredMember};
pub use edition::{Declined, Partnership};
pub use every_key::KeyStanding;
pub use governance::{Activated, Governance, GovernanceError};
pub use passed::{Passed, passed};
pub use reach::{ANNOUNCE_HINT, Reach, apart};
pub use standing::Standing;
