//! What is over is not signed. Before anything is signed or recorded under terms, their ends are held against now.
//!
//! Signatures under what has ended would make an agreement that looks alive and under which nothing can be disclosed.

use crate::clock::APART_SECONDS_MAX;
use crate::partnership::{Passed, passed};
use ambit_ledger::{OrganizationId, PartnershipId, PartnershipTerms, Time};

/// Terms whose end has passed, or an instant that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PastError {
    /// The agreement ended.
    #[error(
        "`{partnership}` ended at {at}, and it is {now} now; nothing was signed: {anew} that ends later, under another name"
    )]
    Ended {
        /// The agreement.
        partnership: PartnershipId,
        /// When it ended.
        at: Time,
        /// Now.
        now: Time,
        /// How there is a new one.
        anew: Anew,
    },
    /// Its lease ran out.
    #[error(
        "the lease of `{partnership}` ran out at {at}, and it is {now} now; nothing was signed: {anew} with a later lease, under another name"
    )]
    LeaseRanOut {
        /// The agreement.
        partnership: PartnershipId,
        /// When its lease ran out.
        at: Time,
        /// Now.
        now: Time,
        /// How there is a new one.
        anew: Anew,
    },
    /// It was signed before the terms that it answers.
    #[error(
        "`{by}` answered at {at}, and the terms were declared at {declared_at}: one of the two clocks is wrong; nothing was recorded: once it is right, ask `{by}` to answer anew"
    )]
    Early {
        /// Who answered.
        by: OrganizationId,
        /// When, by its clock.
        at: Time,
        /// When the terms were declared, by the declarer's.
        declared_at: Time,
    },
    /// It was declared or signed at an instant that has not come here.
    #[error(
        "`{by}` signed at {at}, and it is {now} here: one of the two clocks is wrong; nothing was recorded: set it right, and if it is that of `{by}`, ask for it signed anew"
    )]
    Ahead {
        /// Who signed.
        by: OrganizationId,
        /// When, by its clock.
        at: Time,
        /// Now.
        now: Time,
    },
}

/// How there is a new agreement in the place of one that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anew {
    /// This node declared it.
    Declared,
    /// Another did, and is asked.
    Asked(OrganizationId),
}

impl std::fmt::Display for Anew {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Declared => formatter.write_str("declare a new agreement"),
            Self::Asked(declarer) => write!(formatter, "ask `{declarer}` for a new agreement"),
        }
    }
}

/// Checks that nothing is recorded that was signed minutes after it: no ledger that holds it would pass an audit.
pub(super) fn check_signed(by: &OrganizationId, at: Time, now: Time) -> Result<(), PastError> {
    if at <= now.plus_seconds(APART_SECONDS_MAX) {
        return Ok(());
    }
    let by = by.clone();
    Err(PastError::Ahead { by, at, now })
}

/// The same of an answer to terms, which nobody gives before they are declared.
pub(super) fn check_answered(
    terms: &PartnershipTerms,
    by: &OrganizationId,
    at: Time,
    now: Time,
) -> Result<(), PastError> {
    check_signed(by, at, now)?;
    if terms.declared_at <= at.plus_seconds(APART_SECONDS_MAX) {
        return Ok(());
    }
    Err(PastError::Early {
        by: by.clone(),
        at,
        declared_at: terms.declared_at,
    })
}

/// Checks that something can still be disclosed under these terms, and that their time has come.
pub(super) fn check_timely(
    terms: &PartnershipTerms,
    me: &OrganizationId,
    now: Time,
) -> Result<(), PastError> {
    check_signed(&terms.declarer, terms.declared_at, now)?;
    let partnership = terms.partnership.clone();
    let anew = if terms.declarer == *me {
        Anew::Declared
    } else {
        Anew::Asked(terms.declarer.clone())
    };
    match passed(terms, now) {
        None => Ok(()),
        Some(Passed::Ended { at }) => Err(PastError::Ended {
            partnership,
            at,
            now,
            anew,
        }),
        Some(Passed::LeaseRanOut { at }) => Err(PastError::LeaseRanOut {
            partnership,
            at,
            now,
            anew,
        }),
    }
}
