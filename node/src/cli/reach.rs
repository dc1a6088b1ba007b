//! What a person is told of the addresses on a card, before it is handed over: later only a new agreement changes them.

use super::output::note;
use crate::partnership::{ANNOUNCE_HINT, Reach};
use ambit_ledger::Name;

/// Tells where a card lets nobody, or nobody elsewhere, call its node.
pub(super) fn note_reach(addresses: &[Name]) {
    if let Some(told) = told(Reach::of(addresses)) {
        note(told);
    }
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
