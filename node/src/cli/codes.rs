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
            "it is signed with a key that the issuer's root does not certify for that time; the two clocks may be apart, or \
             the sender's keys new"
        }
        RefusalCode::BadSignature => {
            "its signature does not verify; it was altered, or its key is another"
        }
        RefusalCode::WrongOrigin => "its issuer is not the one who sent it",
        RefusalCode::WrongRecipient => "it was disclosed to somebody else",
        RefusalCode::WrongObservation => "its disclosure is of another observation",
        RefusalCode::WrongPartnership => {
            "it was disclosed under another agreement, or another edition of this one"
        }
        RefusalCode::WiderTerms => "its terms are wider than the agreement's",
        RefusalCode::WrongReadings => "its readings are not those that were signed",
        RefusalCode::NotAdmissible => {
            "the recipient's own layers say no; what is attested there, its profiles or the agreement decide"
        }
        RefusalCode::TooLarge => "it is larger than a node takes; observe it in smaller parts",
        RefusalCode::Duplicate => "the recipient has it already; nothing is to be done",
        RefusalCode::WrongChain => "the disclosures by which it was passed on do not hold together",
        RefusalCode::Undecided => {
            "a layer of the recipient's errs, or cannot say; its status shows which profile cannot judge"
        }
        RefusalCode::ClocksApart => "the clocks of the two nodes are minutes apart; set them right",
        RefusalCode::NewerVersion => "it takes a newer version of the recipient's program",
        RefusalCode::RootNotCompared => {
            "nobody at the recipient has compared the root of an organization that signed it"
        }
        RefusalCode::UnknownClass => {
            "it names a class, a purpose or a place that the recipient's taxonomies lack"
        }
        RefusalCode::RecordChanged => "a recipient's record changed since it was judged",
        RefusalCode::Unknown(_) => "a later version of the program knows what it means",
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
