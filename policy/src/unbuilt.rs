//! What terms can say and this version cannot do yet: named before anybody signs, with what to leave out, and by an audit of
//! an agreement that says it all the same.
//!
//! Every field of the terms is looked at here, so that a field that is added does not compile before it was decided
//! whether this version keeps it. This module must never let a term pass that no node would keep.

use ambit_ledger::{AtEnd, Delivery, ErasureExtent, Member, Name, PartnershipTerms};

/// What a node of this version is able to do, by the names that terms use in `needs`.
const ABLE_TO: [&str; 0] = [];

/// Something that terms ask for and this version cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbuilt {
    /// The field of the terms.
    pub field: &'static str,
    /// What it asks for, and what to leave out.
    pub what: String,
}

impl std::fmt::Display for Unbuilt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`: {}", self.field, self.what)
    }
}

/// All that these terms ask for and this version cannot do; empty where it can keep them.
#[must_use]
pub fn unbuilt(terms: &PartnershipTerms) -> Vec<Unbuilt> {
    let mut found = Vec::new();
    // Taken apart in full.
    let PartnershipTerms {
        partnership: _,
        edition: _,
        previous,
        title: _,
        declarer: _,
        declared_at: _,
        sign_by,
        needs,
        program,
        parts,
        lots,
        data_classes: _,
        elements,
        added_classes,
        known,
        purposes: _,
        observed_from: _,
        observed_until: _,
        until: _,
        retention_days: _,
        hold_until,
        keep_days,
        erasure,
        at_end,
        delivery,
        onward_hops,
        derived,
        lease_until: _,
        roles,
        admission,
        documents,
        clauses,
        forbids: _,
        renderer: _,
        profile: _,
        members,
        salt: _,
    } = terms;
    let mut find = |is_asked: bool, field, what: &str| {
        if is_asked {
            let what = what.to_owned();
            found.push(Unbuilt { field, what });
        }
    };
    find(
        !previous.is_empty(),
        "previous",
        "it replaces an edition; declare another agreement instead",
    );
    find(
        sign_by.is_some(),
        "sign_by",
        "no proposal lapses by itself; leave it out",
    );
    find(
        program.is_none(),
        "program",
        "an agreement without a program covers nothing; name one",
    );
    find(
        parts.iter().any(|part| part.revision.is_some()),
        "parts",
        "revisions of parts are not told apart; name the parts without them",
    );
    find(
        !lots.is_empty(),
        "lots",
        "lots are not told apart; leave them out",
    );
    find(
        !elements.is_empty(),
        "elements",
        "observations go whole; leave them out, or name narrower classes",
    );
    find(
        !added_classes.is_empty(),
        "added_classes",
        "the taxonomy is as it is; leave them out",
    );
    find(
        !known.is_empty(),
        "known",
        "facts name members only; leave it out",
    );
    find(
        hold_until.is_some(),
        "hold_until",
        "retention is counted in days only; leave it out",
    );
    find(
        keep_days.is_some(),
        "keep_days",
        "nothing is kept for longer than it may be held; leave it out",
    );
    find(
        *erasure != ErasureExtent::Readings,
        "erasure",
        "only readings can be erased; set it to \"readings\"",
    );
    find(
        *at_end != AtEnd::Hold,
        "at_end",
        "an end does not shorten retention; leave it out",
    );
    find(
        *delivery != Delivery::Push,
        "delivery",
        "data goes as it is observed; leave it out",
    );
    find(
        *onward_hops > 0,
        "onward_hops",
        "nothing is passed on; set it to 0",
    );
    find(
        derived.is_some(),
        "derived",
        "nothing is derived under terms; leave it out",
    );
    find(
        !roles.is_empty(),
        "roles",
        "members are all alike; leave them out",
    );
    find(
        admission.is_some(),
        "admission",
        "nobody joins by himself; leave it out",
    );
    find(
        !documents.is_empty(),
        "documents",
        "documents do not travel; leave them out",
    );
    find(
        !clauses.is_empty(),
        "clauses",
        "clauses for people alone are not shown; leave them out",
    );
    let is_able = |need: &&Name| ABLE_TO.contains(&need.as_str());
    found.extend(
        needs
            .iter()
            .filter(|need| !is_able(need))
            .map(|need| Unbuilt {
                field: "needs",
                what: format!("`{need}` is nothing this version can do"),
            }),
    );
    for member in members {
        unbuilt_of(member, &mut found);
    }
    found
}

fn unbuilt_of(member: &Member, found: &mut Vec<Unbuilt>) {
    let Member {
        card,
        role,
        deputies,
        claims: _,
        evidence,
    } = member;
    let asked = [
        (role.is_some(), "role", "members are all alike"),
        (!deputies.is_empty(), "deputies", "nobody renews a lease"),
        (
            !evidence.is_empty(),
            "evidence",
            "attestations do not travel with terms",
        ),
    ];
    let asked = asked.into_iter().filter(|(is_asked, ..)| *is_asked);
    found.extend(asked.map(|(_, field, what)| Unbuilt {
        field,
        what: format!("{what}; leave it out for `{}`", card.organization),
    }));
}
