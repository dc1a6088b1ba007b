//! The form of a time, as `strptime` has it: whether it says each part of a time once, and no more than is read.

use super::instant::Zone;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// A directive, without flags and width.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Directive(String);

/// The directives of a form, and the text between them.
fn parts(form: &str) -> (Vec<Directive>, Vec<String>) {
    let (mut directives, mut texts) = (Vec::new(), Vec::new());
    let mut text = String::new();
    let mut chars = form.chars();
    while let Some(first) = chars.next() {
        if first != '%' {
            text.push(first);
            continue;
        }
        let mut name = String::new();
        for next in chars.by_ref() {
            let is_flag = "-_0^#".contains(next) || next.is_ascii_digit();
            if !is_flag {
                name.push(next);
            }
            if !is_flag && !":.".contains(next) {
                break;
            }
        }
        directives.push(Directive(name));
        texts.push(std::mem::take(&mut text));
    }
    texts.push(text);
    (directives, texts)
}

impl Directive {
    /// The parts of a time that it says.
    fn says(&self) -> &'static [&'static str] {
        match self.0.as_str() {
            "Y" => &["year"],
            "C" => &["century"],
            "y" => &["year of the century"],
            "m" | "b" | "B" | "h" => &["month"],
            "d" | "e" => &["day"],
            "F" => &["year", "month", "day"],
            "D" => &["year of the century", "month", "day"],
            "j" => &["month", "day"],
            "H" | "k" | "I" | "l" => &["hour"],
            "M" => &["minute"],
            "S" => &["second"],
            "T" => &["hour", "minute", "second"],
            "R" => &["hour", "minute"],
            "f" | "N" | ".f" | ".N" => &["fraction of the second"],
            "p" | "P" => &["half of the day"],
            "Q" | ":Q" => &["offset"],
            name if name.trim_start_matches(':') == "z" => &["offset"],
            _ => &[],
        }
    }

    /// What texts can be made by, and none is read by.
    fn is_unread(&self) -> bool {
        ["c", "x", "X", "r", "Z"].contains(&self.0.as_str())
    }

    /// Whether it says a part of the time of day: behind it an offset may stand.
    fn is_of_day(&self) -> bool {
        let of_day = [
            "hour",
            "minute",
            "second",
            "fraction of the second",
            "half of the day",
        ];
        self.says().iter().any(|part| of_day.contains(part))
    }
}

/// Whether it is `%s`, and nothing but a fraction behind it.
fn counts_seconds(directives: &[Directive], texts: &[String]) -> bool {
    let is_mark = |text: &String| ["", ".", ","].contains(&text.trim());
    let names: Vec<&str> = directives
        .iter()
        .map(|directive| directive.0.as_str())
        .collect();
    let is_alone = matches!(names[..], ["s"] | ["s", "f" | "N" | ".f" | ".N"]);
    is_alone && texts.iter().all(is_mark)
}

/// What is wrong with a form, for times in a zone where one is set.
pub(super) fn fault(form: &str, zone: Option<&Zone>) -> Option<String> {
    let (directives, texts) = parts(form);
    let has = |names: &[&str]| {
        let mut named = directives.iter();
        named.any(|directive| names.contains(&directive.0.as_str()))
    };
    if let Some(unread) = directives.iter().find(|directive| directive.is_unread()) {
        return Some(format!(
            "`%{}` is not read here: say each part of a time by a directive of its own",
            unread.0
        ));
    }
    if has(&["s"]) && !counts_seconds(&directives, &texts) {
        return Some(
            "`%s` counts the seconds since 1970, and stands alone or with their fraction, as %s%.f"
                .to_owned(),
        );
    }
    if has(&["C"]) && !form.contains("%C%y") {
        return Some(
            "`%C` is the first half of a year, and goes with the other one, as %C%y".to_owned(),
        );
    }
    if has(&["I", "l"]) && !has(&["p", "P"]) {
        return Some(
            "`%I` is an hour of twelve, and needs `%p` for AM or PM; write `%H` for one of 24"
                .to_owned(),
        );
    }
    if has(&["p", "P"]) && !has(&["I", "l"]) {
        return Some(
            "`%p` says which half of the day it is, and goes with an hour of twelve, `%I`"
                .to_owned(),
        );
    }
    if !has(&["p", "P"]) && half_in_text(&directives, &texts) {
        return Some("AM or PM only stands there, and is not read: write `%I` and `%p`".to_owned());
    }
    said_twice(&once(&directives, &texts)).or_else(|| offset_in_text(&directives, &texts, zone?))
}

/// A zone in brackets behind an offset says the same, which is held against it.
fn once(directives: &[Directive], texts: &[String]) -> Vec<Directive> {
    let bracketed = directives.iter().zip(texts);
    let bracketed =
        bracketed.filter(|(directive, text)| !(directive.0.ends_with('Q') && text.ends_with('[')));
    bracketed.map(|(directive, _)| directive.clone()).collect()
}

/// The texts that stand right behind a part of the time of day.
fn behind_times<'a>(
    directives: &'a [Directive],
    texts: &'a [String],
) -> impl Iterator<Item = &'a String> {
    let behind = directives.iter().zip(texts.iter().skip(1));
    let behind = behind.filter(|(directive, _)| directive.is_of_day());
    behind.map(|(_, text)| text)
}

/// Whether a half of the day only stands there: in small letters it is a word of other languages where no time is before it.
fn half_in_text(directives: &[Directive], texts: &[String]) -> bool {
    let is_half = |word: &String| ["AM", "PM"].contains(&word.as_str());
    let mut anywhere = texts.iter().flat_map(|text| words(text));
    anywhere.any(|word| is_half(&word))
        || behind_times(directives, texts).any(|text| {
            let first = words(text).into_iter().next();
            first.is_some_and(|word| is_half(&word.to_ascii_uppercase()))
        })
}

/// The last one would count, whatever the others say.
fn said_twice(directives: &[Directive]) -> Option<String> {
    let mut said: Vec<(&str, &Directive)> = Vec::new();
    for directive in directives {
        for part in directive.says() {
            // A year of the century and the whole one are two words for one thing; with a century they are not.
            let is_same = |known: &str| {
                known == *part
                    || [known, part].contains(&"year")
                        && ["century", "year of the century"]
                            .iter()
                            .any(|other| [known, part].contains(other))
            };
            if let Some((_, first)) = said.iter().find(|(known, _)| is_same(known)) {
                let (one, other) = (&first.0, &directive.0);
                return Some(format!(
                    "`%{one}` and `%{other}` both say the {part}, and one of them would be passed over: say each part of a time once"
                ));
            }
            said.push((part, directive));
        }
    }
    None
}

/// An offset that only stands there, and is not read, says nothing against the zone of the map.
fn offset_in_text(directives: &[Directive], texts: &[String], zone: &Zone) -> Option<String> {
    let Zone::Of(zone) = zone else {
        return None;
    };
    let is_read = |directive: &Directive| directive.says().contains(&"offset");
    if directives.iter().any(is_read) {
        return None;
    }
    let fixed = always(zone);
    let behind = behind_times(directives, texts).filter_map(|text| offset_at_start(text));
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
    behind.chain(anywhere).chain(last).find_map(|(word, meant)| {
        let is_so = match meant {
            Meant::Offset(offset) => fixed == Some(offset),
            // What it means depends on who wrote it; one offset for all of the file is a word of the map's author.
            Meant::Zone => fixed.is_some(),
        };
        (!is_so).then(|| {
            format!(
                "`{word}` may stand for an offset from UTC, and is not read: set `zone` to the offset that it means, such as \"+00:00\", or \
                 leave `format` out where times are written as RFC 3339 has them"
            )
        })
    })
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
    Zone,
}

/// What a text behind a time of day begins with that may be an offset: behind digits that the form fixes, such as a fraction.
fn offset_at_start(text: &str) -> Option<(String, Meant)> {
    let text = text.trim_start_matches(|char: char| char.is_ascii_digit() || ".,:".contains(char));
    let text = text.trim_start().trim_start_matches(['(', '[']);
    let word: String = text.chars().take_while(|char| is_of_word(*char)).collect();
    let meant = meant_by(&word)?;
    Some((word, meant))
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
        "Z" | "UTC" | "GMT" | "UT" | "ZULU" if rest.is_empty() => {
            return Some(Meant::Offset(Offset::UTC));
        }
        "UTC" | "GMT" | "UT" => return numeric(rest).or(Some(Meant::Zone)),
        "" => return numeric(rest),
        _ => {}
    }
    let is_name = rest.is_empty() && (NAMES.contains(&word) || NAMES_BEHIND.contains(&word));
    is_name.then_some(Meant::Zone)
}

/// What nobody writes but for an offset.
const NAMES: [&str; 27] = [
    "EDT", "CDT", "MST", "MDT", "PDT", "AKST", "AKDT", "HST", "CET", "CEST", "MEZ", "MESZ", "EET",
    "EEST", "WEST", "MSK", "BST", "JST", "KST", "SGT", "HKT", "AEST", "AEDT", "ACST", "AWST",
    "NZST", "NZDT",
];
/// What stands for an offset behind a time, and for other things elsewhere.
const NAMES_BEHIND: [&str; 13] = [
    "EST", "CST", "PST", "AST", "IST", "WET", "ET", "CT", "MT", "PT", "SAST", "WIB", "PKT",
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
    NAMES.contains(&word).then_some(Meant::Zone)
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
    Some(offset.map_or(Meant::Zone, Meant::Offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(form: &str, zone: &str) -> Option<String> {
        let zone: Option<Zone> = (!zone.is_empty()).then(|| zone.parse().unwrap());
        fault(form, zone.as_ref())
    }

    #[test]
    fn what_says_each_part_once_is_good() {
        for (form, zone) in [
            ("%Y-%m-%dT%H:%M:%S%.f", "Europe/Berlin"),
            ("%d.%m.%Y %-H:%M Uhr", "Europe/Berlin"),
            ("%d %b %y, %I:%M:%S %p", "America/New_York"),
            ("%C%y%m%d %T", "UTC"),
            ("%a %F %R", "UTC"),
            ("%F %T%:z[%Q]", "in-value"),
            ("%F %TZ", "UTC"),
            ("%F %TZ", "Etc/UTC"),
            ("%F %T.000Z", "GMT"),
            ("%F %T GMT+1", "+01:00"),
            ("%Y-%m-%d-%H-00", "Europe/Berlin"),
            ("%F %T Nr. Z. 3", "Europe/Berlin"),
            ("IST %F %T", "Europe/Berlin"),
            ("%F %H:%M UHR", "Europe/Berlin"),
            ("%F %T OK", "Europe/Berlin"),
            ("am %d.%m.%Y um %H:%M", "Europe/Berlin"),
            ("%HH%MMIN%SSEC %F", "Europe/Berlin"),
            ("%H:%M:%S DE %F", "Europe/Berlin"),
            ("%F %T %:::z", "in-value"),
            ("%s%.3f", ""),
            ("%s.%3f", ""),
            ("%F %TZ", ""),
            ("%F %T UTC", "+00:00"),
            ("%F %T+05:00", "+05:00"),
            ("%F %T MEZ", "+01:00"),
            ("%G-W%V-%u %T", "UTC"),
            ("%s%.f", ""),
            ("%d-%m-%Y %H-%M", "Europe/Berlin"),
            ("%Y%j %T", "UTC"),
        ] {
            assert_eq!(fault_of(form, zone), None, "{form}");
        }
    }

    #[test]
    fn what_would_pass_something_over_is_not() {
        for (form, zone, why) in [
            ("%H:%M %p", "UTC", "`%p` says which half"),
            ("%F %p", "UTC", "`%p` says which half"),
            ("%F %I:%M", "UTC", "needs `%p`"),
            ("%s %d", "", "stands alone"),
            ("%F %y", "UTC", "both say the year"),
            ("%d.%m.%Y %d", "UTC", "`%d` and `%d` both say the day"),
            ("%F %H:%M:%S %T", "UTC", "both say the hour"),
            ("%F %T.%f %N", "UTC", "both say the fraction"),
            ("%F %j", "UTC", "both say the month"),
            ("%b %m %d %Y", "UTC", "both say the month"),
            ("%C %Y", "UTC", "`%C` is the first half"),
            ("%F %TZ", "Europe/Berlin", "`Z` may stand for an offset"),
            ("%F %T+05:00", "Europe/Berlin", "`+05:00` may stand"),
            ("%F %T+05:00", "+06:00", "`+05:00` may stand"),
            ("%F %T -0800", "UTC", "`-0800` may stand"),
            ("%F %T UTC", "Europe/Berlin", "`UTC` may stand"),
            ("%F %T EST", "America/New_York", "`EST` may stand"),
            ("%FT%H:%M:%S.000Z", "Europe/Berlin", "`Z` may stand"),
            (
                "%FT%H:%M:%S.0000000+01:00",
                "Europe/Berlin",
                "`+01:00` may stand",
            ),
            ("%FT%H:%M:00Z", "Europe/Berlin", "`Z` may stand"),
            ("%F %H:%M:00+0000", "Europe/Berlin", "`+0000` may stand"),
            ("%F %T UTC+02:00", "Europe/Berlin", "`UTC+02:00` may stand"),
            (
                "%F %T (GMT+01:00)",
                "Europe/Berlin",
                "`GMT+01:00` may stand",
            ),
            ("%F %T +2", "Europe/Berlin", "`+2` may stand"),
            ("%F %T \u{2212}05:00", "America/New_York", "may stand"),
            ("%F %T utc", "Europe/Berlin", "`utc` may stand"),
            ("%F %T Zulu", "Europe/Berlin", "`Zulu` may stand"),
            ("%F %T SGT", "Asia/Singapore", "`SGT` may stand"),
            ("%F %T+99:99", "Europe/Berlin", "may stand"),
            ("%F %I:%M %p EST", "America/New_York", "`EST` may stand"),
            ("%H:%M:%S %d.%m.%Y UTC", "Europe/Berlin", "`UTC` may stand"),
            ("%H:%M:%S %d.%m.%YZ", "Europe/Berlin", "`Z` may stand"),
            ("%F %T Uhr UTC", "Europe/Berlin", "`UTC` may stand"),
            ("%F %T/UTC", "Europe/Berlin", "`UTC` may stand"),
            ("%FT%T_Z", "Europe/Berlin", "`Z` may stand"),
            ("%F %T Etc/UTC", "Europe/Berlin", "`UTC` may stand"),
            ("(UTC) %F %T", "Europe/Berlin", "`UTC` may stand"),
            (
                "UTC+02:00 %F %T",
                "America/New_York",
                "`UTC+02:00` may stand",
            ),
            ("%F %T Uhr MEZ", "Europe/Berlin", "`MEZ` may stand"),
            ("%F %T PM", "UTC", "AM or PM only stands there"),
            ("%F %T pm", "UTC", "AM or PM only stands there"),
            ("%F %T %:Q %z", "in-value", "both say the offset"),
            ("%F %T %z, %:::z", "in-value", "both say the offset"),
            ("%d.%m.%y%C", "UTC", "`%C` is the first half"),
            ("%c", "UTC", "`%c` is not read"),
            ("%F %r", "UTC", "`%r` is not read"),
            ("%F %T %Z", "UTC", "`%Z` is not read"),
        ] {
            let fault = fault_of(form, zone).unwrap_or_default();
            assert!(fault.contains(why), "{form}: {fault}");
        }
    }
}
