//! `ambit peers`: the other members, whether they are connected, and what waits for them.

use super::backend::Backend;
use super::codes::note_codes;
use super::exit::Exit;
use super::output::{Format, OutputOption, note};
use super::partner::state_text;
use super::status::{WAITS, not_taken_text};
use super::table::{or_none, shown, table};
use crate::failure::Failure;
use crate::holding::{ListPeers, PeerStatus};
use std::collections::BTreeMap;
use std::path::Path;

pub(super) fn peers(home: &Path, output: OutputOption) -> Result<Exit, Failure> {
    let peers = Backend::open(home)?.ask(ListPeers {})?;
    output.print(&peers, |peers| peers_table(peers))?;
    for peer in &peers {
        if let Some(why) = &peer.why_not_connected {
            let organization = &peer.organization;
            note(shown(&format!("`{organization}` is not connected: {why}")));
        }
        for trouble in &peer.troubles {
            let organization = &peer.organization;
            note(shown(&format!("ALARM: `{organization}`: {trouble}")));
        }
    }
    if output.output == Format::Table {
        let counts = peers.iter().filter(|peer| !peer.state.is_over());
        let counts = counts.flat_map(|peer| [&peer.not_taken, &peer.refused, &peer.set_aside]);
        note_codes(counts.flat_map(BTreeMap::keys));
        if peers.iter().any(|peer| peer.waiting > 0) {
            note(WAITS);
        }
    }
    if peers.is_empty() {
        note("no partnership has another member; `ambit partner list` shows the partnerships");
    }
    Ok(Exit::Done)
}

fn peers_table(peers: &[PeerStatus]) -> String {
    let header = [
        "organization",
        "name",
        "partnership",
        "state",
        "connected",
        "waiting",
        "acknowledged",
        "not taken",
        "kept back",
        "withheld",
        "undecided",
        "refused here",
        "set aside here",
        "peer id",
        "addresses",
    ];
    table(
        &header,
        peers.iter().map(|peer| {
            vec![
                peer.organization.to_string(),
                peer.name.clone(),
                peer.partnership.to_string(),
                state_text(peer.state, peer.since),
                connected(peer.connected).to_owned(),
                waiting(peer),
                peer.acknowledged.to_string(),
                not_taken_text(&peer.not_taken),
                peer.kept_back.to_string(),
                peer.withheld.to_string(),
                peer.undecided.to_string(),
                not_taken_text(&peer.refused),
                not_taken_text(&peer.set_aside),
                or_none(peer.peer_id.as_deref()),
                or_none(Some(peer.addresses.join(", ")).filter(|text| !text.is_empty())),
            ]
        }),
    )
}

/// What waits, and what will wait for ever.
fn waiting(peer: &PeerStatus) -> String {
    match peer.stranded {
        0 => peer.waiting.to_string(),
        stranded => format!("{} ({stranded} will not go)", peer.waiting),
    }
}

fn connected(connected: Option<bool>) -> &'static str {
    match connected {
        Some(true) => "yes",
        Some(false) => "no",
        None => "this node is not running",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partnership::Standing;

    #[test]
    fn a_node_that_does_not_run_says_so() {
        let peer = |connected| PeerStatus {
            organization: "did:web:a.example".parse().unwrap(),
            name: "A".to_owned(),
            partnership: "a/b/c".parse().unwrap(),
            state: Standing::Active,
            since: None,
            peer_id: None,
            addresses: Vec::new(),
            connected,
            why_not_connected: None,
            waiting: 3,
            stranded: 0,
            acknowledged: 4,
            withheld: 5,
            undecided: 6,
            not_taken: BTreeMap::from([("not-admissible".to_owned(), 7)]),
            kept_back: 8,
            refused: BTreeMap::new(),
            set_aside: BTreeMap::new(),
            troubles: Vec::new(),
        };
        let shown = peers_table(&[peer(None), peer(Some(true)), peer(Some(false))]);
        let cells: Vec<Vec<&str>> = shown
            .lines()
            .skip(1)
            .map(|line| {
                line.split("  ")
                    .map(str::trim)
                    .filter(|cell| !cell.is_empty())
                    .collect()
            })
            .collect();
        for (row, connected) in cells.iter().zip(["this node is not running", "yes", "no"]) {
            let expected = [
                "did:web:a.example",
                "A",
                "a/b/c",
                "active",
                connected,
                "3",
                "4",
                "not-admissible 7",
                "8",
                "5",
                "6",
                "0",
                "0",
                "-",
                "-",
            ];
            assert_eq!(*row, expected);
        }
        assert_eq!(cells.len(), 3);
        let over = PeerStatus {
            waiting: 0,
            stranded: 7,
            ..peer(Some(false))
        };
        assert!(peers_table(&[over]).contains("0 (7 will not go)"));
    }
}
