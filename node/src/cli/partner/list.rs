//! `ambit partner list`.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::output::{OutputOption, note};
use super::super::table::{or_none, shown, table};
use crate::agree::DIFFERENCE_HINT;
use crate::failure::Failure;
use crate::holding::{ListPartnerships, PartnershipStatus};
use crate::partnership::Standing;
use ambit_ledger::Time;
use std::path::Path;

pub(super) fn list(home: &Path, output: OutputOption) -> Result<Exit, Failure> {
    let partnerships = Backend::open(home)?.ask(ListPartnerships {})?;
    output.print(&partnerships, |partnerships| {
        partnerships_table(partnerships)
    })?;
    note_differences(&partnerships);
    if partnerships.is_empty() {
        note("no partnership is known here");
    }
    Ok(Exit::Done)
}

/// Tells where the settings say otherwise than the record by which the members go.
pub(in crate::cli) fn note_differences(partnerships: &[PartnershipStatus]) {
    for line in partnerships.iter().filter_map(differences_line) {
        note(line);
    }
}

fn differences_line(partnership: &PartnershipStatus) -> Option<String> {
    if partnership.differs.is_empty() {
        return None;
    }
    let differs = partnership.differs.iter().map(ToString::to_string);
    let differs = differs.collect::<Vec<_>>().join("; ");
    Some(shown(&format!(
        "`{}`: {differs}; {DIFFERENCE_HINT}",
        partnership.partnership
    )))
}

/// The partnerships and who signed them.
pub(in crate::cli) fn partnerships_table(partnerships: &[PartnershipStatus]) -> String {
    table(
        &["partnership", "state", "title", "signed", "not signed"],
        partnerships.iter().map(|partnership| {
            let state = state_text(partnership.state, partnership.since);
            let state = match &partnership.declined {
                Some(declined) => format!("{state} ({})", shown(declined)),
                None => state,
            };
            let members = || partnership.members.iter();
            let signed = members().filter(|(_, signed)| **signed == Some(true));
            let others = members().filter_map(|(member, signed)| match signed {
                Some(true) => None,
                Some(false) => Some(member.to_string()),
                None => Some(format!("{member} (unknown, its root was not compared)")),
            });
            vec![
                partnership.partnership.to_string(),
                state,
                partnership.title.clone(),
                listed(signed.map(|(member, _)| member.to_string()).collect()),
                listed(others.collect()),
            ]
        }),
    )
}

fn listed(members: Vec<String>) -> String {
    or_none(Some(members.join(", ")).filter(|text| !text.is_empty()))
}

/// How an agreement stands, and since when.
pub(in crate::cli) fn state_text(state: Standing, since: Option<Time>) -> String {
    match since {
        Some(since) => format!("{state} since {since}"),
        None => state.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_makes_no_table() {
        assert_eq!(partnerships_table(&[]), "");
    }
}
