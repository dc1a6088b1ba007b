//! From where the members' nodes can be called: the addresses on their cards are all that others know, and nobody looks for a
//! node elsewhere.

use super::phrases::{joined, named};
use ambit_ledger::{Member, Name};
use std::net::IpAddr;

/// How a card comes to name an address, for people.
pub const ANNOUNCE_HINT: &str = "set `announce` under [mesh] in node.toml to the address under which peers reach it, such as \
                                 announce = [\"/ip4/203.0.113.7/tcp/4001\"]";

/// From where a node can be called, as its card says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It has no address: it calls others.
    Nowhere,
    /// From its own machine alone.
    OwnMachine,
    /// From others, or so its card says.
    Network,
}

impl Reach {
    /// As these addresses have it.
    #[must_use]
    pub fn of(addresses: &[Name]) -> Self {
        let own = |address: &Name| ip_of(address.as_str()).is_some_and(|ip| ip.is_loopback());
        match addresses {
            [] => Self::Nowhere,
            addresses if addresses.iter().all(own) => Self::OwnMachine,
            _ => Self::Network,
        }
    }
}

/// The IP address at the front of a multiaddress.
fn ip_of(address: &str) -> Option<IpAddr> {
    let mut parts = address.split('/').skip(1);
    match parts.next()? {
        "ip4" | "ip6" => parts.next()?.parse().ok(),
        _ => None,
    }
}

/// The members without an address, where they are several: one of them calls others, two of them never connect.
#[must_use]
pub fn apart(members: &[Member]) -> Vec<&Member> {
    let is_nowhere = |member: &&Member| Reach::of(&member.card.addresses) == Reach::Nowhere;
    let nowhere: Vec<&Member> = members.iter().filter(is_nowhere).collect();
    if nowhere.len() < 2 {
        return Vec::new();
    }
    nowhere
}

/// What a person reads of them before signing.
pub(super) fn apart_words(members: &[Member]) -> Option<String> {
    let apart = apart(members);
    (!apart.is_empty()).then(|| {
        format!(
            "NO ADDRESS: the nodes of {} never connect with each other, as no card of theirs names an address, and nothing goes \
             between them, unless they are members of another agreement that does. Let one of them {ANNOUNCE_HINT}, and have an agreement declared, under another name, with the card \
             that it makes then.",
            joined(apart.into_iter().map(named), "and")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::card::sample::{member, signed};
    use super::*;
    use ambit_ledger::Card;

    #[test]
    fn a_card_says_from_where_its_node_is_called() {
        for (addresses, reach) in [
            (&[][..], Reach::Nowhere),
            (&["/ip4/127.0.0.1/tcp/4001"], Reach::OwnMachine),
            (
                &["/ip4/127.9.9.9/tcp/1", "/ip6/::1/tcp/1"],
                Reach::OwnMachine,
            ),
            (&["/ip6/0:0:0:0:0:0:0:1/tcp/1"], Reach::OwnMachine),
            (
                &["/ip4/127.0.0.1/tcp/1", "/ip4/192.0.2.1/tcp/1"],
                Reach::Network,
            ),
            (&["/ip6/2001:db8::1/tcp/1"], Reach::Network),
        ] {
            let names: Vec<Name> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(Reach::of(&names), reach, "{addresses:?}");
        }
    }

    #[test]
    fn members_without_an_address_are_apart_where_they_are_several() {
        let without = |id: &str, seed| {
            let member = member(id, "M", "DE", seed);
            let mut card = Card::clone(&member.card);
            card.addresses.clear();
            Member::of(signed(card, seed))
        };
        let (one, two) = (
            without("did:web:a.example", 1),
            without("did:web:b.example", 2),
        );
        let reached = member("did:web:c.example", "C", "DE", 3);
        assert!(apart(&[one.clone(), reached.clone()]).is_empty());
        let all = [one, two, reached];
        let apart: Vec<&str> = apart(&all)
            .iter()
            .map(|one| one.card.name.as_str())
            .collect();
        assert_eq!(apart, ["M", "M"]);
        let words = apart_words(&all).unwrap();
        let told = "nodes of \"M\" (did:web:a.example) and \"M\" (did:web:b.example) never connect";
        assert!(
            words.contains(told) && words.contains(ANNOUNCE_HINT),
            "{words}"
        );
        assert_eq!(apart_words(&all[1..]), None);
    }
}
