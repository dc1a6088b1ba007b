//! How an agreement stands: computed for an instant each time it is asked, in one place, and kept nowhere.

use super::edition::Partnership;
use super::passed::{Passed, passed};
use ambit_ledger::{AgreementState, EditionStage, Time};
use serde::{Deserialize, Serialize};

/// How an agreement stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Some members have signed. Nothing is sent.
    Proposed,
    /// A member declined it before all had signed.
    Declined,
    /// All have signed, and it is not over.
    Active,
    /// All have signed, and nothing is released until the lease is renewed; or some have, and nobody else signs it any more.
    LeaseRunOut,
    /// Its end is past. Nothing is judged for it; another edition, or a corrected clock, would undo that.
    Ended,
}

impl Standing {
    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Declined => "declined",
            Self::Active => "active",
            Self::LeaseRunOut => "lease run out",
            Self::Ended => "ended",
        }
    }

    /// Whether nothing goes under it any more, or until its lease is renewed.
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::LeaseRunOut | Self::Ended => true,
            Self::Proposed | Self::Declined | Self::Active => false,
        }
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl Partnership {
    /// How it stands at an instant.
    #[must_use]
    pub fn standing(&self, now: Time) -> Standing {
        let is_declined = self.declined().is_some();
        match (self.stage(), passed(self.terms(), now)) {
            (EditionStage::Proposed, _) if is_declined => Standing::Declined,
            (_, Some(Passed::Ended { .. })) => Standing::Ended,
            (_, Some(Passed::LeaseRanOut { .. })) => Standing::LeaseRunOut,
            (EditionStage::Proposed, None) => Standing::Proposed,
            (EditionStage::Active, None) => Standing::Active,
        }
    }

    /// How it stands, as decisions and entries put it.
    #[must_use]
    pub fn state(&self, now: Time) -> AgreementState {
        match (self.standing(now), self.stage()) {
            (Standing::Ended, _) => AgreementState::Ended,
            (Standing::Declined, _) | (_, EditionStage::Proposed) => AgreementState::Proposed,
            (
                Standing::Proposed | Standing::Active | Standing::LeaseRunOut,
                EditionStage::Active,
            ) => AgreementState::Active,
        }
    }

    /// Since when it stands so, where time alone made it so.
    #[must_use]
    pub fn standing_since(&self, now: Time) -> Option<Time> {
        match self.standing(now) {
            Standing::Ended => Some(self.terms().until),
            Standing::LeaseRunOut => Some(self.terms().lease_until),
            Standing::Proposed | Standing::Declined | Standing::Active => None,
        }
    }

    /// Whether what is observed is judged for its members: all have signed, and it is not over. Under a lease that
    /// has run out it is undecided.
    #[must_use]
    pub fn is_judged(&self, now: Time) -> bool {
        match self.standing(now) {
            Standing::Active | Standing::LeaseRunOut => self.stage() == EditionStage::Active,
            Standing::Proposed | Standing::Declined | Standing::Ended => false,
        }
    }
}
