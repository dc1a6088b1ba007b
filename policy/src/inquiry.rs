//! Puts inquiries together.

use ambit_ledger::{
    Action, Agreement, Facts, Footprint, Inquiry, Limits, OrganizationId, Party, Scope, Time,
};

/// Asks whether the owner may disclose. `issued_at` is when the disclosure is, or was, signed.
#[must_use]
pub fn inquiry_for_disclosure(
    facts: &Facts,
    scope: &Scope,
    recipient: &Party,
    agreement: &Agreement,
    limits: Option<&Limits>,
    issued_at: Time,
) -> Inquiry {
    Inquiry {
        limits: limits.cloned(),
        ..inquiry(
            Action::Disclose,
            facts,
            scope,
            recipient,
            agreement,
            &facts.owner,
            0,
            issued_at,
        )
    }
}

/// Asks whether a holder may hand on; `hop` is the length of the chain before it, at least 1.
#[must_use]
pub fn inquiry_for_forwarding(
    facts: &Facts,
    scope: &Scope,
    recipient: &Party,
    agreement: &Agreement,
    discloser: &OrganizationId,
    hop: u32,
    issued_at: Time,
) -> Inquiry {
    inquiry(
        Action::OnwardDisclose,
        facts,
        scope,
        recipient,
        agreement,
        discloser,
        hop,
        issued_at,
    )
}

/// Asks whether the recipient may take in what was disclosed to it. `issued_at` is as the disclosure states.
#[must_use]
pub fn inquiry_for_admission(
    facts: &Facts,
    scope: &Scope,
    recipient: &Party,
    agreement: &Agreement,
    discloser: &OrganizationId,
    hop: u32,
    issued_at: Time,
) -> Inquiry {
    inquiry(
        Action::Admit,
        facts,
        scope,
        recipient,
        agreement,
        discloser,
        hop,
        issued_at,
    )
}

#[expect(
    clippy::too_many_arguments,
    reason = "they are the fields of what is put together"
)]
fn inquiry(
    action: Action,
    facts: &Facts,
    scope: &Scope,
    recipient: &Party,
    agreement: &Agreement,
    discloser: &OrganizationId,
    hop: u32,
    issued_at: Time,
) -> Inquiry {
    Inquiry {
        action,
        recipient: recipient.clone(),
        discloser: discloser.clone(),
        footprint: Footprint::from(facts),
        scope: scope.clone(),
        limits: None,
        partnership: agreement.clone(),
        retention_days: scope.hold_until.days_since(issued_at.start_of_day()),
        hop,
    }
}
