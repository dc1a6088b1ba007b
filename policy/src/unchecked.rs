//! What an observation or a disclosure can say and this version does not check: a recipient does not take it in, and an audit
//! does not call it verified.
//!
//! Both are taken apart in full, so that a field that is added does not compile before it was decided whether this version
//! checks it.

use ambit_ledger::{Disclosure, Facts};

/// Something that this version does not check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unchecked {
    /// A disclosure by who has it from another.
    HandedOn,
    /// A disclosure by who has the owner's mandate.
    UnderMandate,
    /// What was made of other observations.
    Derived,
    /// A part of an observation.
    InPart,
    /// An observation that replaces another.
    Correcting,
    /// An observation that moves under an authority's grant.
    Granted,
}

impl std::fmt::Display for Unchecked {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self {
            Self::HandedOn => "is handed on",
            Self::UnderMandate => "is disclosed under a mandate",
            Self::Derived => "was derived",
            Self::InPart => "is a part of an observation",
            Self::Correcting => "corrects something",
            Self::Granted => "rests on grants",
        };
        write!(formatter, "this version does not check what {what}")
    }
}

/// What a disclosure says that this version does not check; absent where its owner discloses all of what it made itself.
#[must_use]
pub fn unchecked_in_disclosure(disclosure: &Disclosure) -> Option<Unchecked> {
    let Disclosure {
        discloser: _,
        observation: _,
        leaves,
        partnership: _,
        edition: _,
        recipient: _,
        scope: _,
        parent,
        mandate,
        derivation,
        decisions,
        issued_at: _,
        salt: _,
    } = disclosure;
    first([
        (parent.is_some(), Unchecked::HandedOn),
        (mandate.is_some(), Unchecked::UnderMandate),
        (
            derivation.is_some() || decisions.len() > 1,
            Unchecked::Derived,
        ),
        (!leaves.is_empty(), Unchecked::InPart),
    ])
}

/// What the facts of an observation say that this version does not check; absent where it stands by itself.
#[must_use]
pub fn unchecked_in_facts(facts: &Facts) -> Option<Unchecked> {
    let Facts {
        issuer: _,
        source: _,
        site: _,
        area: _,
        cell: _,
        grid_cell: _,
        asset: _,
        submodel: _,
        semantic_id: _,
        part: _,
        revision: _,
        serial: _,
        lot: _,
        order: _,
        process: _,
        program: _,
        data_class: _,
        owner: _,
        design_authority: _,
        trade_secret: _,
        export_control: _,
        grants,
        observed_from: _,
        observed_to: _,
        inputs,
        corrects,
        readings: _,
        reading_count: _,
    } = facts;
    first([
        (!inputs.is_empty(), Unchecked::Derived),
        (corrects.is_some(), Unchecked::Correcting),
        (!grants.is_empty(), Unchecked::Granted),
    ])
}

fn first<const N: usize>(said: [(bool, Unchecked); N]) -> Option<Unchecked> {
    let mut said = said.into_iter().filter(|(is_said, _)| *is_said);
    said.next().map(|(_, what)| what)
}
