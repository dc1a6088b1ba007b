//! Frozen bytes, one case per rule, and both ends against each other over a link that breaks.

mod acknowledgement;
mod asking;
mod exchange;
mod frames;
mod properties;
mod receiver;
mod refusals;
mod sender;
mod set_aside;

use super::{Frame, Hello, Parties, Versions};
use ambit_ledger::{Digest, Salt};

const SENDER_STORE: Salt = Salt::from_bytes([1; 32]);
const RECIPIENT_STORE: Salt = Salt::from_bytes([2; 32]);
/// What the recipient judges by.
const GROUNDS: Digest = Digest::from_bytes([3; 32]);
/// What it judges by once something has changed.
const OTHER_GROUNDS: Digest = Digest::from_bytes([4; 32]);

fn parties() -> Parties {
    Parties {
        partnership: "urn:ambit:partnership:wing".parse().unwrap(),
        edition: Digest::of(b"edition 1"),
        sender: "did:web:supplier.example".parse().unwrap(),
        recipient: "did:web:oem.example".parse().unwrap(),
    }
}

/// The Hello of a sender that knows nothing of the recipient.
fn first_hello() -> Hello {
    let parties = parties();
    Hello {
        versions: Versions::OWN,
        partnership: parties.partnership,
        edition: parties.edition,
        incarnation: SENDER_STORE,
        peer_incarnation: None,
        cursor: 0,
        chain: None,
        credit: 0,
    }
}

fn bytes(frame: &Frame) -> Vec<u8> {
    frame.encode().unwrap()
}

/// Three parts that differ from item to item.
fn parts(seq: u64) -> [Vec<u8>; 3] {
    ["observation", "disclosure", "readings"].map(|part| format!("{part} {seq}").into_bytes())
}
