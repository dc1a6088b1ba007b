//! `ambit status`: how the node stands.

use super::backend::Backend;
use super::codes::note_codes;
use super::exit::Exit;
use super::output::{Format, OutputOption, note};
use super::partner::{note_differences, partnerships_table};
use super::table::{or_none, pairs, shown, table};
use crate::failure::Failure;
use crate::holding::{GetStatus, ProfileStatus, Status, withheld_by};
use crate::node::DECISIONS_BYTES;
use crate::partnership::Standing;
use crate::store::{CACHE_BYTES, Sizes};
use ambit_ledger::{Layer, RefusalCode};
use indicatif::HumanBytes;
use std::collections::BTreeMap;
use std::path::Path;

/// Said where something waits: what is counted as released may still become withdrawn.
pub(super) const WAITS: &str = "what was released and is not acknowledged is judged again before it is sent, and may \
                                then be withdrawn instead";

pub(super) fn status(home: &Path, output: OutputOption) -> Result<Exit, Failure> {
    let backend = Backend::open(home)?;
    let status = backend.ask(GetStatus {})?;
    let is_running = backend.is_running();
    output.print(&status, |status| status_text(status, is_running))?;
    note_differences(&status.partnerships);
    let goes = status
        .pairs
        .iter()
        .filter(|pair| pair.state != Standing::Ended);
    if output.output == Format::Table {
        let counts = status.pairs.iter().filter(|pair| !pair.state.is_over());
        let counts = counts.flat_map(|pair| [&pair.not_taken, &pair.refused, &pair.set_aside]);
        note_codes(counts.flat_map(BTreeMap::keys));
        if goes.clone().any(|pair| pair.released > pair.acknowledged) {
            note(WAITS);
        }
    }
    Ok(Exit::Done)
}

/// What each part takes, in the units of the sizes of files.
fn on_disk(disk: Sizes) -> String {
    let size = |bytes: u64| HumanBytes(bytes).to_string();
    format!(
        "{}: journal {}, database {}, keys {}",
        size(disk.journal + disk.database + disk.keys),
        size(disk.journal),
        size(disk.database),
        size(disk.keys)
    )
}

fn status_text(status: &Status, is_running: bool) -> String {
    let running = if is_running { "yes" } else { "no" };
    let mut rows = vec![
        (
            "organization",
            format!("{} ({})", status.organization, status.name),
        ),
        ("root key", status.root_key.clone()),
        ("running", running.to_owned()),
        ("ledger", format!("{} entries", status.ledger_size)),
        ("tree root", status.tree_root.clone()),
        ("on disk", on_disk(status.disk)),
    ];
    // A command that opened the home itself ends with it.
    if is_running {
        rows.push((
            "in memory",
            format!(
                "a cache of the database of {} at most, decisions of about {} at most",
                HumanBytes(CACHE_BYTES),
                HumanBytes(DECISIONS_BYTES)
            ),
        ));
    }
    let mut text = pairs(rows);
    if let Some(alarm) = &status.clock {
        text.push_str(&format!(
            "\nALARM: nothing is judged, sent or taken in: {}\n",
            shown(alarm)
        ));
    }
    for trouble in &status.troubles {
        text.push_str(&format!("\nALARM: {}\n", shown(trouble)));
    }
    for profile in &status.profiles {
        if let Some(error) = &profile.broken {
            text.push_str(&format!(
                "\nALARM: all is undecided, because the profile of the layer `{}` cannot judge: {}; {}\n",
                profile.layer,
                shown(error),
                way_out(profile.layer),
            ));
        }
    }
    let held = status.held.iter().map(|(origin, held)| {
        vec![
            origin.to_string(),
            held.observations.to_string(),
            held.readings.to_string(),
        ]
    });
    let pairs = status.pairs.iter().map(|pair| {
        let withheld_by = withheld_by(&pair.layers, pair.unasked);
        vec![
            pair.to.to_string(),
            pair.partnership.to_string(),
            pair.state.to_string(),
            pair.released.to_string(),
            pair.acknowledged.to_string(),
            not_taken_text(&pair.not_taken),
            pair.kept_back.to_string(),
            pair.withdrawn.to_string(),
            pair.withheld.to_string(),
            pair.undecided.to_string(),
            or_none(Some(withheld_by).filter(|text| !text.is_empty())),
        ]
    });
    let refused = status
        .pairs
        .iter()
        .filter(|pair| !pair.refused.is_empty() || !pair.set_aside.is_empty())
        .map(|pair| {
            vec![
                pair.to.to_string(),
                pair.partnership.to_string(),
                not_taken_text(&pair.refused),
                not_taken_text(&pair.set_aside),
            ]
        });
    let sections = [
        table(&["held of", "observations", "readings"], held),
        table(
            &[
                "to",
                "partnership",
                "state",
                "released",
                "acknowledged",
                "not taken",
                "kept back",
                "withdrawn",
                "withheld",
                "undecided",
                "withheld by",
            ],
            pairs,
        ),
        table(
            &["of", "partnership", "refused here", "set aside here"],
            refused,
        ),
        partnerships_table(&status.partnerships),
        profiles_table(&status.profiles),
    ];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        text.push('\n');
        text.push_str(section);
    }
    text
}

/// The profiles in force. Those that came with the program say so in a word.
fn profiles_table(profiles: &[ProfileStatus]) -> String {
    let rows = profiles.iter().map(|profile| {
        let origin = match &profile.shipped_with {
            Some(version) => format!("shipped with {version}"),
            None => "operator's own".to_owned(),
        };
        vec![
            profile.layer.to_string(),
            profile.profile.to_string().chars().take(16).collect(),
            origin,
            profile.since.to_string(),
            or_none(profile.anyway.as_ref().map(|reason| shown(reason.as_str()))),
        ]
    });
    let headings = ["layer", "profile", "origin", "since", "in force anyway"];
    table(&headings, rows)
}

/// How many were not taken in, by code, and whether they come again; 0 where all were taken.
pub(super) fn not_taken_text(by_code: &BTreeMap<String, u64>) -> String {
    let all: u64 = by_code.values().sum();
    if all == 0 {
        return "0".to_owned();
    }
    let codes = by_code.iter().map(|(code, count)| {
        let for_good = if is_for_good(code) { " for good" } else { "" };
        format!("{code} {count}{for_good}")
    });
    codes.collect::<Vec<_>>().join(", ")
}

/// Whether what is not taken with a code of this name never comes again.
fn is_for_good(name: &str) -> bool {
    let code = RefusalCode::ALL.iter().find(|code| code.name() == name);
    code.is_some_and(|code| !code.may_come_again())
}

/// How a layer that cannot judge is mended.
fn way_out(layer: Layer) -> String {
    if layer == Layer::Sticky {
        "it comes with the program alone: run the version that it came with, or a later one"
            .to_owned()
    } else {
        format!("replace it with `ambit profile activate --layer {layer} FILE`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_comes_again_is_told_from_what_does() {
        let codes = [
            ("not-admissible", 2),
            ("not-canonical", 7),
            ("undecided", 1),
        ];
        let codes = codes.map(|(code, count)| (code.to_owned(), count));
        assert_eq!(
            not_taken_text(&codes.into()),
            "not-admissible 2, not-canonical 7 for good, undecided 1"
        );
        assert_eq!(not_taken_text(&BTreeMap::new()), "0");
    }
}
