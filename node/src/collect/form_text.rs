//! What only stands in the form of a time, and is not read: whether it says something that would be passed over.

use super::directives::Directive;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// The texts that stand right behind a part of the time of day, and what they stand behind.
fn behind_times<'a>(
    directives: &'a [Directive],
    texts: &'a [String],
) -> impl Iterator<Item = (&'a Directive, &'a String)> {
    let behind = directives.iter().zip(texts.iter().skip(1));
    behind.filter(|(directive, _)| directive.is_of_day())
}

/// Digits that stand right beside what is read of a time and say something of it, as all but zeros do.
pub(super) fn nameless_digits(directives: &[Directive], texts: &[String]) -> Option<String> {
    let run = |chars: &mut dyn Iterator<Item = char>| -> String {
        chars.take_while(char::is_ascii_digit).collect()
    };
    let behind = behind_times(directives, texts).map(|(_, text)| {
        let text = text.trim_start_matches([':', '.', ',']);
        run(&mut text.chars())
    });
    let before = texts.iter().take(directives.len()).map(|text| {
        let reversed = run(&mut text.chars().rev());
        reversed.chars().rev().collect()
    });
    behind
        .chain(before)
        .find(|digits: &String| digits.contains(|char: char| char != '0'))
}

/// What halves of the day are called in languages that `%p` does not read.
const HALVES: [&str; 8] = ["VORM", "NACHM", "DOP", "ODP", "ΠΜ", "ΜΜ", "ÖÖ", "ÖS"];
/// The same in scripts that part no words.
const HALVES_WITHIN: [&str; 6] = ["午前", "午後", "上午", "下午", "오전", "오후"];

/// Whether a half of the day only stands there: in small letters it is a word of other languages where no time is before it.
pub(super) fn says_half(directives: &[Directive], texts: &[String]) -> bool {
    let is_half = |word: &str| ["AM", "PM"].contains(&word);
    let is_other = |word: &str| HALVES.contains(&word.to_uppercase().as_str());
    let mut anywhere = texts.iter().flat_map(|text| words(text));
    anywhere.any(|word| is_half(&word) || is_other(&word))
        || texts
            .iter()
            .any(|text| HALVES_WITHIN.iter().any(|half| text.contains(half)))
        || behind_times(directives, texts).any(|(_, text)| {
            let first = first_letters(text).to_uppercase();
            is_half(&first) || is_other(&first)
        })
}

/// The first word of a text; letters that stand alone are one, as in `p. m.`.
fn first_letters(text: &str) -> String {
    let mut words = text
        .split(|char: char| !char.is_alphabetic())
        .filter(|word| !word.is_empty())
        .peekable();
    let is_alone = |word: &str| word.chars().count() == 1;
    let mut first = words.next().unwrap_or_default().to_owned();
    if is_alone(&first) {
        while let Some(next) = words.next_if(|word| is_alone(word)) {
            first.push_str(next);
        }
    }
    first
}

/// An offset that only stands there, and is not read, says nothing against the zone of the map.
pub(super) fn offset(
    directives: &[Directive],
    texts: &[String],
    zone: &TimeZone,
) -> Option<String> {
    let fixed = always(zone);
    let behind = behind_times(directives, texts)
        .filter_map(|(directive, text)| offset_at_start(text, directive.ends_times()));
    let anywhere = texts
        .iter()
        .flat_map(|text| words(text))
        .filter_map(|word| {
            let meant = meant_anywhere(&word)?;
            Some((word, meant))
        });
    let last = texts.last().and_then(|text| words(text).pop());
    let last = last
        .filter(|word| word == "Z")
        .map(|word| (word, Meant::Offset(Offset::UTC)));
    let named = texts.iter().flat_map(|text| zones(text));
    let named = named.map(|(word, meant)| (word.to_owned(), meant));
    let all = behind.chain(anywhere).chain(last).chain(named);
    let mut all = all.filter(|(word, _)| zone.iana_name() != Some(word));
    let (word, _) = all.find(|(_, meant)| !meant.is(fixed))?;
    Some(format!(
        "`{word}` may stand for an offset from UTC, and is not read: set `zone` to the offset that it means, such as \"+00:00\", or to \
         the zone that it names; or leave `format` out where times are written as RFC 3339 has them"
    ))
}

/// The one offset that a zone has and had since 1970, where it is one.
fn always(zone: &TimeZone) -> Option<Offset> {
    let days =
        (0..150_i64).filter_map(|half_years| Timestamp::from_second(half_years * 15_778_800).ok());
    let mut offsets = days.map(|day| zone.to_offset(day));
    let first = offsets.next()?;
    offsets.all(|offset| offset == first).then_some(first)
}

enum Meant {
    Offset(Offset),
    /// One that depends on the day.
    Several,
    /// What is known as the name of an offset other than that of UTC.
    Name,
    /// What looks like one.
    Unknown,
}

impl Meant {
    /// Whether it may mean the one offset that the map says: what a name means depends on who wrote it, and one offset for all of
    /// the file is a word of the map's author.
    fn is(&self, said: Option<Offset>) -> bool {
        match self {
            Self::Offset(offset) => said == Some(*offset),
            Self::Several => false,
            Self::Name => said.is_some_and(|said| said != Offset::UTC),
            Self::Unknown => said.is_some(),
        }
    }
}

/// What a text behind a time of day begins with that may be an offset: behind digits that the form fixes, such as a fraction.
fn offset_at_start(text: &str, is_at_end: bool) -> Option<(String, Meant)> {
    let text = text.trim_start_matches(|char: char| char.is_ascii_digit() || ".,:".contains(char));
    let text = text.trim_start().trim_start_matches(['(', '[']);
    let word: String = text.chars().take_while(|char| is_of_word(*char)).collect();
    let meant = meant_by(&word).or_else(|| {
        // Behind seconds nothing of a time follows that a hyphen could part from them.
        let hours = word.strip_prefix('-').filter(|_| is_at_end);
        let hours = hours.and_then(|hours| Offset::from_hours(-hours.parse().ok()?).ok());
        let meant = hours.map(Meant::Offset);
        meant.or_else(|| is_capitals(&word).then_some(Meant::Unknown))
    })?;
    Some((word, meant))
}

/// Whether it looks like what zones are called for short; some words are known to be none.
fn is_capitals(word: &str) -> bool {
    (3..=5).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_uppercase())
        && !["UHR", "MIN", "SEC", "SEK", "HRS", "HORAS"].contains(&word)
}

/// The names of zones as the IANA time zone database has them.
fn zones(text: &str) -> impl Iterator<Item = (&str, Meant)> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric() && !"/_+-".contains(char));
    words.filter(|word| word.contains('/')).filter_map(|word| {
        let zone = TimeZone::get(word).ok()?;
        Some((word, always(&zone).map_or(Meant::Several, Meant::Offset)))
    })
}

/// What a word means that may stand for an offset.
fn meant_by(word: &str) -> Option<Meant> {
    let upper = word.to_ascii_uppercase();
    let letters: String = upper
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    let rest = upper.get(letters.len()..).unwrap_or_default();
    match letters.as_str() {
        "Z" | "UTC" | "GMT" | "UT" | "ZULU" | "WET" if rest.is_empty() => {
            return Some(Meant::Offset(Offset::UTC));
        }
        "UTC" | "GMT" | "UT" => return numeric(rest).or(Some(Meant::Unknown)),
        "" => return numeric(rest),
        _ => {}
    }
    let is_name = rest.is_empty() && (NAMES.contains(&word) || NAMES_BEHIND.contains(&word));
    is_name.then_some(Meant::Name)
}

/// What nobody writes but for an offset.
const NAMES: [&str; 27] = [
    "EDT", "CDT", "MST", "MDT", "PDT", "AKST", "AKDT", "HST", "CET", "CEST", "MEZ", "MESZ", "EET",
    "EEST", "WEST", "MSK", "BST", "JST", "KST", "SGT", "HKT", "AEST", "AEDT", "ACST", "AWST",
    "NZST", "NZDT",
];
/// What stands for an offset behind a time, and for other things elsewhere.
const NAMES_BEHIND: [&str; 12] = [
    "EST", "CST", "PST", "AST", "IST", "ET", "CT", "MT", "PT", "SAST", "WIB", "PKT",
];

/// What a word means, wherever it stands, that stands for nothing else.
fn meant_anywhere(word: &str) -> Option<Meant> {
    let upper = word.to_ascii_uppercase();
    let is_utc = ["UTC", "GMT", "ZULU"]
        .iter()
        .any(|name| upper.starts_with(name));
    let is_numeric =
        word.starts_with('+') && word.chars().filter(char::is_ascii_digit).count() >= 3;
    if is_utc || is_numeric {
        return meant_by(word);
    }
    NAMES.contains(&word).then_some(Meant::Name)
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || "+-\u{2212}:".contains(char)
}

/// Runs of letters, and of what offsets are written with.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|char| !is_of_word(char));
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// An offset in digits; one that is none all the same is not passed over. A hyphen before two digits parts more often than it
/// takes away.
fn numeric(text: &str) -> Option<Meant> {
    let (sign, digits) = if let Some(digits) = text.strip_prefix('+') {
        (1, digits)
    } else {
        (-1, text.strip_prefix(['-', '\u{2212}'])?)
    };
    let count = digits.chars().filter(char::is_ascii_digit).count();
    if count == 0 || (text.starts_with('-') && count < 3) {
        return None;
    }
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None => digits.split_at_checked(digits.len().min(2))?,
    };
    let number = |digits: &str| match digits {
        "" => Some(0),
        digits => digits.parse::<i32>().ok(),
    };
    let seconds = number(hours).zip(number(minutes).filter(|minutes| *minutes < 60));
    let seconds = seconds.map(|(hours, minutes)| sign * (hours * 3_600 + minutes * 60));
    let offset = seconds.and_then(|seconds| Offset::from_seconds(seconds).ok());
    Some(offset.map_or(Meant::Several, Meant::Offset))
}
