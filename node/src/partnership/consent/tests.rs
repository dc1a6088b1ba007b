//! The page as a person sees it.

use super::super::card::sample::{member, signed};
use super::super::declaration::{Declaration, sample};
use super::*;
use ambit_ledger::{Authorization, Card, Claim, Digest, Regime, Salt};

const PLATES: &str = "did:web:plates.example";

fn sample(text: &str) -> (PartnershipTerms, String) {
    let mut aero = member("did:web:aero.example", "Aero", "US", 2);
    aero.claims = [
        Claim {
            issuer: "did:web:tuev.example".parse().unwrap(),
            what: "iso27001".parse().unwrap(),
            number: None,
            not_after: "2027-05-31T23:59:59Z".parse().unwrap(),
            authorization: None,
        },
        Claim {
            issuer: "did:web:ddtc.example".parse().unwrap(),
            what: "export-licence".parse().unwrap(),
            number: Some("17".parse().unwrap()),
            not_after: "2027-05-31T23:59:59Z".parse().unwrap(),
            authorization: Some(Authorization {
                authority: "did:web:ddtc.example".parse().unwrap(),
                number: "TAA-1".parse().unwrap(),
                not_after: "2027-01-01T00:00:00Z".parse().unwrap(),
                regime: Regime::Itar,
                items: ["VIII(h)".parse().unwrap()].into(),
                destinations: ["DE".parse().unwrap()].into(),
            }),
        },
    ]
    .into();
    let plates = member(PLATES, "Plates", "DE", 1);
    let (terms, profile) = Declaration::parse(text)
        .unwrap()
        .terms(
            aero,
            vec![plates],
            "2026-05-01T08:00:00Z".parse().unwrap(),
            Salt::from_bytes([3; 32]),
            &Taxonomies::builtin(),
        )
        .unwrap();
    (terms, profile.text().to_owned())
}

fn words(terms: &PartnershipTerms, me: &str, profile: &str) -> String {
    words_at("2026-05-02T08:00:00Z", terms, me, profile)
}

fn words_at(now: &str, terms: &PartnershipTerms, me: &str, profile: &str) -> String {
    plain_words(
        terms,
        &me.parse().unwrap(),
        profile,
        &["did:web:aero.example".parse().unwrap()].into(),
        &Taxonomies::builtin(),
        now.parse().unwrap(),
    )
}

#[test]
fn the_whole_page() {
    let (mut terms, _) = sample(sample::FULL);
    terms.profile = Digest::of(b"permit ...");
    let page = words(&terms, PLATES, "permit ...");
    assert_eq!(page, GOLDEN.trim_start(), "{page}");
}

#[test]
fn what_is_absent_is_said_to_be_absent() {
    let (terms, profile) = sample(sample::MINIMAL);
    let page = words(&terms, PLATES, &profile);
    for sentence in [
        "  * Parts: every part of the program, and what names no part.\n",
        "At most 1 day, counted",
        "No. Whoever receives it may not pass it on.\n",
        "WHAT MAY BE DERIVED FROM IT\nNothing.\n",
        "The lease ends with the agreement, so nobody needs to renew it.\n",
        "Nobody added rules by hand.\n",
    ] {
        assert!(page.contains(sentence), "{sentence}\n{page}");
    }
    let all = sample::MINIMAL.replace("onward_hops = 0", "onward_hops = 3\nerasure = \"all\"");
    let (terms, profile) = sample(&all);
    let page = words(&terms, PLATES, &profile);
    assert!(page.contains("and the facts about them too."), "{page}");
    assert!(
        page.contains("Yes, at most 3 times, from member to member"),
        "{page}"
    );
}

#[test]
fn a_stranger_can_hide_nothing() {
    let (mut terms, profile) = sample(sample::FULL);
    terms.title = "good\" SIGNATURES \u{202e}evil".parse().unwrap();
    terms.forbids = Some("a\u{1b}[2J\r\nb".to_owned());
    let mut card = Card::clone(&terms.members[0].card);
    card.certificates.pop();
    terms.members[0].card = signed(card, 2);
    let page = words(&terms, PLATES, &profile.replace("permit", "forbid"));
    assert!(
        page.contains("\"good' SIGNATURES \\u{202e}evil\"\n"),
        "{page}"
    );
    assert!(page.contains("  | a\\u{1b}[2J\n  | b\n"), "{page}");
    assert!(
        page.contains("DO NOT SIGN: the terms are to be applied"),
        "{page}"
    );
    assert!(
        page.contains("DO NOT SIGN: the card of `did:web:aero.example`"),
        "{page}"
    );
    let outsider = words(&terms, "did:web:x.example", &profile);
    assert!(
        outsider.contains("You (did:web:x.example) are not a member"),
        "{outsider}"
    );
    assert!(!outsider.contains("WHAT YOU WOULD RECEIVE"), "{outsider}");
}

#[test]
fn what_a_card_does_not_state_is_said() {
    let (mut terms, profile) = sample(sample::FULL);
    let mut card = Card::clone(&terms.members[0].card);
    card.hosting.clear();
    card.personnel.clear();
    terms.members[0].card = signed(card, 2);
    let page = words(&terms, PLATES, &profile);
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = "Stores data in: not stated. Nationalities with access: not stated.";
    assert!(flat.contains(said), "{page}");
}

#[test]
fn the_page_says_what_holds_now() {
    let future = sample::FULL
        .replace("2017-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
        .replace("2018-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
    for (text, now, said, dated) in [
        (
            sample::FULL,
            "2027-06-29T23:59:59Z",
            "It is 2027-06-29 23:59:59 UTC, and none of its ends has passed.",
            "from 2017-01-01 00:00 UTC (past) up to, but without, 2018-01-01 00:00 UTC (past)",
        ),
        (
            sample::FULL,
            "2027-06-30T00:00:00Z",
            "DO NOT SIGN: it is 2027-06-30 00:00 UTC. The lease ran out on 2027-06-30 00:00 UTC.",
            "Nothing is disclosed from 2027-06-30 00:00 UTC (past) on",
        ),
        (
            sample::FULL,
            "2027-12-31T00:00:00Z",
            "DO NOT SIGN: it is 2027-12-31 00:00 UTC. This agreement ended on 2027-12-31 00:00 UTC.",
            "Disclosed: before 2027-12-31 00:00 UTC (past).",
        ),
        (
            sample::FULL,
            "2026-05-02T08:00:00Z",
            "The window of observed time is over:",
            "Disclosed: before 2027-12-31 00:00 UTC. No new data",
        ),
        (
            &future,
            "2026-05-02T08:00:00Z",
            "The window of observed time has not begun:",
            "up to, but without, 2028-01-01 00:00 UTC.",
        ),
    ] {
        let (terms, profile) = sample(text);
        let page = words_at(now, &terms, PLATES, &profile);
        let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [said, dated] {
            assert!(flat.contains(words), "{words}\n{page}");
        }
        assert_eq!(
            flat.contains("does not sign it"),
            said.contains("DO NOT SIGN"),
            "{page}"
        );
    }
}

#[test]
fn instants_are_as_exact_as_they_need_to_be() {
    assert_eq!(
        instant("2026-05-01T08:00:30.5Z".parse().unwrap()),
        "2026-05-01 08:00:30.5 UTC"
    );
    assert_eq!(
        instant("2026-05-01T08:30:00Z".parse().unwrap()),
        "2026-05-01 08:30 UTC"
    );
}

const GOLDEN: &str = r##"
AGREEMENT aero/plates/f-one, EDITION 1: "Supplier quality for program F-ONE"
"Aero" (did:web:aero.example) proposed it on 2026-05-01 08:00 UTC. Nothing is disclosed under it
until all members have signed.

WHAT HOLDS NOW
It is 2026-05-02 08:00 UTC, and none of its ends has passed.
The window of observed time is over: nothing that is observed from now on is in it.

MEMBERS, AS EACH STATES OF ITSELF
  * "Aero" (did:web:aero.example). Seat: United States. Stores data in: United States. Nationalities
    with access: United States. Claims, unverified, that did:web:ddtc.example attests
    "export-licence", number "17", until 2027-05-31 23:59:59 UTC (authorization "TAA-1" of
    did:web:ddtc.example for VIII(h) to DE, until 2027-01-01 00:00 UTC). Claims, unverified, that
    did:web:tuev.example attests "iso27001" until 2027-05-31 23:59:59 UTC. Address of its node:
    /ip4/127.0.0.1/tcp/4001.
  * "Plates" (did:web:plates.example). This is you. Seat: Germany. Stores data in: Germany.
    Nationalities with access: Germany. Address of its node: /ip4/127.0.0.1/tcp/4001.

WHAT YOU WOULD SHARE
Your node would disclose to "Aero" (did:web:aero.example), by itself and without asking again, each
observation that you own and that fits all of this:
  * Data: Quality data (quality), with everything within: Calibration of measuring equipment; First
    article inspection reports; Measured characteristics of a part; Certificates of material and
    test; Non-conformances and corrective action; Statistical process control charts.
  * Program: "F-ONE" as named by "Aero" (did:web:aero.example).
  * Parts: only "PLATE-1" as named by "Aero" (did:web:aero.example) and "P1" as named by "Plates"
    (did:web:plates.example).
  * Observed: from 2017-01-01 00:00 UTC (past) up to, but without, 2018-01-01 00:00 UTC (past). Data
    that is already held from that time is included.
  * Disclosed: before 2027-12-31 00:00 UTC. No new data after that.
Nothing goes out that your own rules or the limits you set do not admit. No other member sees those.
With the readings go the facts about them: what was observed, when and by which source; its owner,
class, program, export control classification and whether it is a trade secret; and, where stated,
its design authority, site, asset, part, revision, serial number, lot, order and process.

WHAT IT MAY BE USED FOR
  * Quality of a supplier's deliveries (urn:ambit:purpose:supplier-quality).
Nothing else.

HOW LONG IT MAY BE KEPT
At most 365 days, counted from the start of the UTC day on which the owner disclosed it. Passing it
on, or deriving something from it, does not make that longer. Only a legal hold does.
Then the readings are erased. The facts about them outlive the readings: they stay with each
recipient as evidence, for good.
This is agreed and recorded. It is not yet enforced: this version of the program erases nothing by
itself, so people have to see to it.
A person who has read data can copy it. These terms and the signed records are the evidence of what
was agreed; software cannot take back what was read.

WHETHER IT MAY BE PASSED ON
Yes, at most once, from member to member and on the same or narrower terms. Never to anyone else.

WHAT MAY BE DERIVED FROM IT
Other data may be derived from it, within this:
  * It may become: Statistical process control charts (spc).
  * For: "Aero" (did:web:aero.example).
  * To be used for: Statistical process control (urn:ambit:purpose:quality.spc).

WHAT YOU WOULD RECEIVE
Data of the same kind from "Aero" (did:web:aero.example), as far as they own it and their own rules
admit it. All of the above then binds you: what it may be used for, how long it may be kept, whether
it may be passed on.

LEASE
Nothing is disclosed from 2027-06-30 00:00 UTC on. This version cannot renew a lease: a new
agreement is needed then.
Named to renew the lease of "Aero" (did:web:aero.example): did:web:trustee.example.

WHAT THIS VERSION CANNOT DO
DO NOT SIGN: the terms ask for what nodes of this version do not do yet.
  * `onward_hops`: nothing is passed on; set it to 0.
  * `derived`: nothing is derived under terms; leave it out.
  * `deputies`: nobody renews a lease; leave it out for `did:web:aero.example`.

RULES
Nodes apply these terms as a policy that is made of them. Its SHA-256 is
a192e90add6c6df27a08fe4b9262de202afa1b1455cf828773618d19b49107ed.
Rules added by hand, in the policy language Cedar. They can only forbid what is above, never allow
more. Word for word, each line behind a bar:
  | @id("no-flatness")
  | forbid (principal, action, resource)
  | when { resource.semanticId == "urn:example:flatness" };
End of the rules added by hand.
For all observations alike in what policies read, your node asks once: 1 rule for each of 1 purpose.

ROOT FINGERPRINTS: COMPARE THEM BEFORE YOU SIGN
Call each organization on a number you already have, not on one from the message in which this came,
or meet in person. Have it read its fingerprint out. If a digit differs, do not sign.
  * "Aero" (did:web:aero.example):
    ba3d 1aae ca98 dd24 6f34 c89c ead5 413e 368a 61cd da1b edc6 84c6 b7ea 6262 820f
  * "Plates" (did:web:plates.example), yours, to be read out to the others:
    9290 018f 1b52 4058 50c9 e1f1 9e5f 868c d3b8 c4ca eb9c 1975 1e6b 55ca f3cc ff44

SIGNATURES
Signed already: "Aero" (did:web:aero.example).
Not yet signed: "Plates" (did:web:plates.example).
"##;
