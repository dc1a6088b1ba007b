//! What a ledger's bundle says, read entry by entry.

use ambit_audit::Bundle;
use ambit_ledger::{Body, Disclosure, Entry, Frontier, ObservationId, leaf_hash};
use std::collections::BTreeSet;

/// Every root that was ever shown is that of a beginning of this ledger: nothing was taken out or changed.
#[track_caller]
pub fn check_heads(bundle: &Bundle, heads: &[(u64, String)]) {
    let mut frontier = Frontier::default();
    let mut roots = vec![frontier.root().to_string()];
    for entry in bundle.entries() {
        frontier.append(leaf_hash(&entry));
        roots.push(frontier.root().to_string());
    }
    for (size, root) in heads {
        assert_eq!(
            &roots[usize::try_from(*size).unwrap()],
            root,
            "at {size} entries"
        );
    }
}

/// What the entries of one ledger say.
#[derive(Default)]
pub struct Contents {
    /// Sequence numbers and observations put into outboxes,
    pub disclosed: Vec<(u64, ObservationId)>,
    /// and taken in.
    pub admitted: Vec<(u64, ObservationId)>,
}

impl Contents {
    /// Reads the entries; no key slot is used by two of them, and nothing was refused.
    #[track_caller]
    pub fn read(bundle: &Bundle) -> Self {
        let mut contents = Self::default();
        let (mut slots, mut observations) = (BTreeSet::new(), BTreeSet::new());
        for entry in bundle.entries() {
            let (statement, slot) = match Entry::decode(&entry).unwrap().body().unwrap() {
                Body::Observed(observed) => (observed.observation, observed.slot),
                Body::Admitted(admitted) => {
                    let id = ObservationId::of(&admitted.observation);
                    contents.admitted.push((admitted.seq, id));
                    (admitted.observation, admitted.slot)
                }
                Body::Disclosed(disclosed) => {
                    let statement = &disclosed.disclosure;
                    let disclosure = Disclosure::from_own_ledger(statement).unwrap();
                    contents
                        .disclosed
                        .push((disclosed.seq, disclosure.observation));
                    continue;
                }
                refused @ Body::Refused(_) => panic!("{refused:?}"),
                _ => continue,
            };
            assert!(slots.insert(slot), "slot {slot} is used twice");
            let id = ObservationId::of(&statement);
            assert!(observations.insert(id), "{id} is there twice");
        }
        contents
    }
}
