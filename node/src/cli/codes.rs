//! What the codes mean with which an item was not taken, and what to do.

use super::output::note;
use ambit_ledger::RefusalCode;
use std::collections::BTreeSet;

/// Explains each code that a table counts, once.
pub(super) fn note_codes<'a>(names: impl IntoIterator<Item = &'a String>) {
    let names: BTreeSet<&str> = names.into_iter().map(String::as_str).collect();
    let codes = RefusalCode::ALL.iter().copied();
    for code in codes.filter(|code| names.contains(code.name())) {
        note(explained(code));
    }
}

fn explained(code: RefusalCode) -> String {
    let comes_again = if code.may_come_again() {
        "comes again by itself once that has changed"
    } else {
        "refused for good"
    };
    format!("{code}: {}; {comes_again}", meaning(code))
}

/// What a recipient means with a code, and what to do there or at the sender.
const fn meaning(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::NotCanonical => {
            "the sender's bytes break a rule of their format; its operator asks whoever makes its program"
        }
        RefusalCode::Unexpected
        | RefusalCode::Replayed
        | RefusalCode::Skipped
        | RefusalCode::ChainBroken => {
            "the sender's link was out of step; if it goes on, compare the two ledgers with `ambit-audit compare`"
        }
        RefusalCode::UnknownKey => {
            "it is signed with a key that the issuer's root does not certify for that time; the two clocks may be apart, \
             the sender's keys new, or its key ended on a card that the recipient took in"
        }
        RefusalCode::BadSignature => {
            "its signature does not verify: it was altered, or its key is another; the sender's `ambit-audit verify` says"
        }
        RefusalCode::WrongOrigin => {
            "its issuer is not the one who sent it; its owner discloses it itself, under an agreement of its own"
        }
        RefusalCode::WrongRecipient => {
            "it was disclosed to somebody else; whoever makes the sender's program is to be asked"
        }
        RefusalCode::WrongObservation => {
            "its disclosure is of another observation; whoever makes the sender's program is to be asked"
        }
        RefusalCode::WrongPartnership => {
            "it was disclosed under another agreement, or another edition of this one; once both have the same, it is disclosed anew"
        }
        RefusalCode::WiderTerms => {
            "its terms are wider than the agreement's, or it was issued before or after it, or before it was observed; the sender's clock may be wrong"
        }
        RefusalCode::WrongReadings => {
            "its readings are not those that were signed; the sender's store may be damaged: its `ambit-audit verify` says"
        }
        RefusalCode::NotAdmissible => {
            "the recipient's own layers say no; what is attested there, its profiles or the agreement decide"
        }
        RefusalCode::TooLarge => "it is larger than a node takes; observe it in smaller parts",
        RefusalCode::Duplicate => "the recipient has it already; nothing is to be done",
        RefusalCode::WrongChain => {
            "it was derived or is a part of something, which this version does not take in"
        }
        RefusalCode::Undecided => {
            "a layer of the recipient's errs, or cannot say; its log names the layer and says why, and so does its status until its \
             node is started again"
        }
        RefusalCode::ClocksApart => {
            "the clocks of the two nodes were minutes apart when it came; where one still is wrong, set it right: it is asked for again \
             within an hour"
        }
        RefusalCode::NewerVersion => {
            "it takes a newer version of the recipient's program; update it there"
        }
        RefusalCode::RootNotCompared => {
            "nobody at the recipient has compared the root of an organization that signed it; its operator does"
        }
        RefusalCode::UnknownClass => {
            "it names a class, a purpose or a place that the recipient's version does not know; update it there"
        }
        RefusalCode::RecordChanged => {
            "a recipient's record changed since it was judged; it is judged anew"
        }
        RefusalCode::Unknown(_) => "a later version of the program knows what it means; update it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_whether_it_comes_again() {
        for code in RefusalCode::ALL {
            let text = explained(*code);
            assert!(text.starts_with(&format!("{code}: ")), "{text}");
            assert_ne!(text.ends_with("for good"), code.may_come_again(), "{text}");
        }
    }
}
