//! What is asked, whichever action it is about: what slice, class and interval are made of.

use ambit_ledger::{
    Agreement, DeriveInquiry, Footprint, Holding, Inquiry, Limits, OrganizationId, Party,
    RetainInquiry, Scope, UseInquiry,
};

/// One question, by reference.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asking<'a> {
    /// May it be disclosed, forwarded or admitted?
    Transfer(&'a Inquiry),
    /// May it still be held?
    Retain(&'a RetainInquiry),
    /// May this be made of it?
    Derive(&'a DeriveInquiry),
    /// May someone use it?
    Use(&'a UseInquiry),
}

impl<'a> Asking<'a> {
    /// What is held, where something is.
    pub(crate) fn holding(self) -> Option<&'a Holding> {
        match self {
            Self::Transfer(_) => None,
            Self::Retain(inquiry) => Some(&inquiry.holding),
            Self::Derive(inquiry) => Some(&inquiry.holding),
            Self::Use(inquiry) => Some(&inquiry.holding),
        }
    }

    pub(crate) fn footprint(self) -> &'a Footprint {
        match self {
            Self::Transfer(inquiry) => &inquiry.footprint,
            Self::Retain(RetainInquiry { holding, .. })
            | Self::Derive(DeriveInquiry { holding, .. })
            | Self::Use(UseInquiry { holding, .. }) => &holding.footprint,
        }
    }

    pub(crate) fn scope(self) -> &'a Scope {
        match self {
            Self::Transfer(inquiry) => &inquiry.scope,
            Self::Retain(RetainInquiry { holding, .. })
            | Self::Derive(DeriveInquiry { holding, .. })
            | Self::Use(UseInquiry { holding, .. }) => &holding.scope,
        }
    }

    /// The owner's limits, which nobody but the owner knows.
    pub(crate) fn limits(self) -> Option<&'a Limits> {
        match self {
            Self::Transfer(inquiry) => inquiry.limits.as_ref(),
            Self::Retain(_) | Self::Derive(_) | Self::Use(_) => self.holding()?.limits.as_ref(),
        }
    }

    pub(crate) fn partnership(self) -> &'a Agreement {
        match self {
            Self::Transfer(inquiry) => &inquiry.partnership,
            Self::Retain(RetainInquiry { holding, .. })
            | Self::Derive(DeriveInquiry { holding, .. })
            | Self::Use(UseInquiry { holding, .. }) => &holding.partnership,
        }
    }

    /// The organization that gets or holds the data.
    pub(crate) fn party(self) -> &'a Party {
        match self {
            Self::Transfer(inquiry) => &inquiry.recipient,
            Self::Retain(RetainInquiry { holding, .. })
            | Self::Derive(DeriveInquiry { holding, .. })
            | Self::Use(UseInquiry { holding, .. }) => &holding.holder,
        }
    }

    /// Who disclosed it.
    pub(crate) fn discloser(self) -> &'a OrganizationId {
        match self {
            Self::Transfer(inquiry) => &inquiry.discloser,
            Self::Retain(RetainInquiry { holding, .. })
            | Self::Derive(DeriveInquiry { holding, .. })
            | Self::Use(UseInquiry { holding, .. }) => &holding.discloser,
        }
    }
}
