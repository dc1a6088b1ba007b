//! What a person is told of the addresses on a card, before it is handed over: later only a new agreement changes them.

use super::output::note;
use crate::config::MeshSettings;
use crate::partnership::{ANNOUNCE_HINT, Reach};
use ambit_ledger::Name;

/// Tells where a card lets nobody, or nobody elsewhere, call its node.
pub(super) fn note_reach(addresses: &[Name]) {
    if let Some(told) = told(Reach::of(addresses)) {
        note(told);
    }
}

/// Tells where others are promised an address, and the node listens on its own machine alone.
pub(super) fn note_listening(mesh: &MeshSettings) {
    if let Some(told) = not_heard(mesh) {
        note(told);
    }
}

fn not_heard(mesh: &MeshSettings) -> Option<String> {
    let listened: Vec<Name> = mesh
        .listen
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let is_apart =
        Reach::of(&mesh.announce) == Reach::Network && Reach::of(&listened) != Reach::Network;
    is_apart.then(|| {
        let at = match &mesh.listen[..] {
            [] => "nowhere".to_owned(),
            listen => format!("on this machine alone, at {}", listen.join(", ")),
        };
        format!(
            "warning: the identity card names an address for others, while the node listens {at}: set `listen` under [mesh] in \
             node.toml, such as listen = [\"/ip4/0.0.0.0/tcp/4001\"], unless something here hands calls on to it"
        )
    })
}

fn told(reach: Reach) -> Option<String> {
    let told = match reach {
        Reach::Network => return None,
        Reach::Nowhere => {
            "warning: the identity card names no address, so this node only calls others, and never connects with another \
             that has none either"
        }
        Reach::OwnMachine => {
            "warning: the identity card names addresses of this machine alone, so no node on another machine can call this one"
        }
    };
    Some(format!(
        "{told}; {ANNOUNCE_HINT}, before the card is handed over"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_others_that_nobody_listens_at_is_told() {
        let mesh = |listen: &str, announce: &[&str]| MeshSettings {
            listen: vec![listen.to_owned()],
            announce: announce.iter().map(|text| text.parse().unwrap()).collect(),
            record_frames: None,
        };
        let (own, all) = ("/ip4/127.0.0.1/tcp/39399", "/ip4/0.0.0.0/tcp/4001");
        let announced = ["/ip4/203.0.113.7/tcp/4001"];
        let told = not_heard(&mesh(own, &announced)).unwrap();
        assert!(told.contains(own) && told.contains("listen = ["), "{told}");
        let deaf = MeshSettings {
            listen: Vec::new(),
            ..mesh(own, &announced)
        };
        assert!(not_heard(&deaf).unwrap().contains("listens nowhere"));
        assert_eq!(not_heard(&mesh(all, &announced)), None);
        assert_eq!(not_heard(&mesh(own, &[])), None);
        assert_eq!(not_heard(&mesh(own, &["/ip4/127.0.0.1/tcp/1"])), None);
    }

    #[test]
    fn a_card_that_lets_nobody_call_is_told_with_the_way_out() {
        assert_eq!(told(Reach::Network), None);
        for (reach, words) in [
            (Reach::Nowhere, "names no address"),
            (Reach::OwnMachine, "of this machine alone"),
        ] {
            let told = told(reach).unwrap();
            assert!(
                told.contains(words) && told.contains("announce = ["),
                "{told}"
            );
        }
    }
}
