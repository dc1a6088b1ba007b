//! The form of a time, as `strptime` has it: whether it says each part of a time once, and no more than is read.

use super::directives::{Directive, parts};
use super::form_digits::{Digits, digits_of, wrong_digits};
use super::form_text;
use super::zone::{Zone, unit_of_count};

/// The form of a time, read once for all the values that are held to it.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// As `strptime` has it, or the word for a count since 1970.
    text: String,
    directives: Vec<Directive>,
    /// What stands between them.
    texts: Vec<String>,
    digits: Vec<Digits>,
}

impl Form {
    pub(super) fn new(text: String) -> Self {
        let (directives, texts) = parts(&text);
        Self {
            digits: digits_of(&directives, &texts),
            text,
            directives,
            texts,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a text has other digits than this form, as [`wrong_digits`] says.
    pub(super) fn wrong_digits(&self, text: &str) -> Option<&'static str> {
        wrong_digits(&self.digits, text)
    }

    /// What an error says besides, where directives are easily taken for others.
    pub(super) fn hint(&self) -> &'static str {
        if self
            .directives
            .iter()
            .any(|directive| directive.name == "s")
        {
            "; `%s` counts seconds: write \"epoch-milliseconds\", \"epoch-microseconds\" or \"epoch-nanoseconds\" where smaller units are counted"
        } else if self.directives.iter().any(Directive::is_offset) {
            "; `%z` reads +0200, `%:z` +02:00, `%:::z` +02 too, and `%Q` or `%:Q` also the name of a zone"
        } else {
            ""
        }
    }

    /// Whether an offset and the name of a zone are read, so that neither can be the other.
    pub(super) fn says_offset_and_zone(&self) -> bool {
        let is_only_offset = |directive: &Directive| directive.is_offset() && !directive.is_zone();
        self.directives.iter().any(Directive::is_zone) && self.directives.iter().any(is_only_offset)
    }

    /// Whether it says no time of day.
    pub(super) fn is_of_date(&self) -> bool {
        !self.directives.iter().any(Directive::is_of_day)
    }

    /// What is wrong with a form, for times in a zone where one is set.
    pub(super) fn fault(&self, zone: Option<&Zone>) -> Option<String> {
        if unit_of_count(&self.text).is_some() {
            let is_set = matches!(zone, Some(Zone::Of(_)));
            return is_set.then(|| "a count since 1970 is of UTC: leave `zone` out".to_owned());
        }
        let (directives, texts) = (&self.directives[..], &self.texts[..]);
        let has = |names: &[&str]| {
            let mut named = directives.iter();
            named.any(|directive| names.contains(&directive.name.as_str()))
        };
        if has(&["C"]) || has(&["g"]) {
            return Some(
                "half of a year is not read by itself: write `%Y` or `%G` for all four digits"
                    .to_owned(),
            );
        }
        if let Some(unread) = directives
            .iter()
            .find(|directive| directive.says().is_none())
        {
            return Some(format!(
                "`%{}` is not read here: say each part of a time by a directive of its own",
                unread.name
            ));
        }
        if has(&["s"]) && !counts_seconds(directives, texts) {
            return Some(
                "`%s` counts the seconds since 1970, and stands alone or with their fraction, as %s%.f"
                    .to_owned(),
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
        if let Some(digits) = form_text::nameless_digits(directives, texts) {
            return Some(format!(
                "`{digits}` only stands there beside a part of the time, and is not read: read it by a directive, such as `%M` for minutes"
            ));
        }
        if !has(&["p", "P"]) && form_text::says_half(directives, texts) {
            return Some(
                "a half of the day only stands there, and is not read: write `%I` and `%p` where times say AM or PM, and mend the \
                 file where they say it in another way"
                    .to_owned(),
            );
        }
        let said_twice = said_twice(&once(directives, texts)).or_else(|| two_days(directives));
        said_twice.or_else(|| {
            let reads_offset = has(&["s"]) || directives.iter().any(Directive::is_offset);
            match zone? {
                Zone::InValue if !reads_offset => Some(
                    "the map says that values carry their offset, and nothing in the form reads one: write `%z` for +0200, `%:z` for \
                     +02:00, `%:::z` for +02 too, `%Q` for the name of a zone; where they end in Z, leave `format` out or set zone = \
                     \"UTC\""
                        .to_owned(),
                ),
                Zone::Of(zone) if !reads_offset => form_text::offset(directives, texts, zone),
                _ => None,
            }
        })
    }
}

/// Whether it is `%s`, and nothing but a fraction behind it.
fn counts_seconds(directives: &[Directive], texts: &[String]) -> bool {
    let is_mark = |text: &String| ["", ".", ","].contains(&text.trim());
    let names: Vec<&str> = directives
        .iter()
        .map(|directive| directive.name.as_str())
        .collect();
    let is_alone = matches!(names[..], ["s"] | ["s", "f" | "N" | ".f"]);
    is_alone && texts.iter().all(is_mark)
}

/// A zone in brackets behind an offset says the same, which is held against it.
fn once(directives: &[Directive], texts: &[String]) -> Vec<Directive> {
    let bracketed = directives.iter().zip(texts);
    let bracketed = bracketed.filter(|(directive, text)| !is_bracketed(directive, text));
    bracketed.map(|(directive, _)| directive.clone()).collect()
}

fn is_bracketed(directive: &Directive, text: &str) -> bool {
    directive.is_zone() && text.ends_with('[')
}

/// The last one would count, whatever the others say.
fn said_twice(directives: &[Directive]) -> Option<String> {
    let mut said: Vec<(&str, &Directive)> = Vec::new();
    for directive in directives {
        for part in directive.says().unwrap_or_default() {
            // A year of the century and the whole one are two words for one thing.
            let is_year = |part: &str| ["year", "year of the century"].contains(&part);
            let is_same = |known: &str| known == *part || is_year(known) && is_year(part);
            if let Some((_, first)) = said.iter().find(|(known, _)| is_same(known)) {
                let (one, other) = (&first.name, &directive.name);
                return Some(format!(
                    "`%{one}` and `%{other}` both say the {part}, and one of them would be passed over: say each part of a time once"
                ));
            }
            said.push((part, directive));
        }
    }
    None
}

/// A day of the month, one of the year and a week each say which day it is, and one of them would be passed over.
fn two_days(directives: &[Directive]) -> Option<String> {
    let by = |part: &str| {
        directives
            .iter()
            .find(|directive| directive.says_part(part))
    };
    let of_month = by("day").or_else(|| by("month"));
    let said = [of_month, by("day of the year"), by("week")];
    let said: Vec<&Directive> = said.into_iter().flatten().collect();
    let [one, other, ..] = said[..] else {
        return mixed_weeks(directives);
    };
    Some(format!(
        "`%{}` and `%{}` both say which day of the year it is, and one of them would be passed over: say it once",
        one.name, other.name
    ))
}

/// The years of ISO weeks are others than those of the calendar, and of other weeks.
fn mixed_weeks(directives: &[Directive]) -> Option<String> {
    let has = |part: &str| directives.iter().any(|directive| directive.says_part(part));
    (has("year of the weeks") != has("week of such a year")).then(|| {
        "`%G` is the year of the weeks of ISO 8601, and goes with `%V`; the other weeks and days go with `%Y`".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(form: &str, zone: &str) -> Option<String> {
        let zone: Option<Zone> = (!zone.is_empty()).then(|| zone.parse().unwrap());
        Form::new(form.to_owned()).fault(zone.as_ref())
    }

    #[test]
    fn what_says_each_part_once_is_good() {
        for (form, zone) in [
            ("%Y-%m-%dT%H:%M:%S%.f", "Europe/Berlin"),
            ("%d.%m.%Y %-H:%M Uhr", "Europe/Berlin"),
            ("%d %b %y, %I:%M:%S %p", "America/New_York"),
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
            ("%Y %W %u", "UTC"),
            ("%G-W%V %a", "UTC"),
            ("%F %T %Q", "in-value"),
            ("%F %T%:Q", "in-value"),
            ("%F %T Europe/Berlin", "Europe/Berlin"),
            ("%F %T Asia/Tokyo", "+09:00"),
            ("%F %T-05", "-05:00"),
            ("%F %T EAT", "+03:00"),
            ("%F %T WET", "UTC"),
            ("%Y年%m月%d日 %H時%M分", "Asia/Tokyo"),
            ("epoch-milliseconds", ""),
            ("epoch-nanoseconds", "in-value"),
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
            ("%F %j", "UTC", "both say which day"),
            ("%G-W%V-%u %m", "UTC", "both say which day"),
            ("%F %V", "UTC", "both say which day"),
            ("%u %A %G-W%V", "UTC", "both say the day of the week"),
            ("%Y %W %U %u", "UTC", "both say the week"),
            ("%Y-W%V-%u", "UTC", "`%G` is the year of the weeks"),
            ("%G %Y-%m-%d", "UTC", "both say the year"),
            ("%G-%m-%d", "UTC", "`%G` is the year of the weeks"),
            ("%C%y-%m-%d", "UTC", "write `%Y`"),
            ("%g-W%V-%u", "UTC", "write `%Y`"),
            ("%F %q", "UTC", "`%q` is not read"),
            ("%F %T", "in-value", "nothing in the form reads one"),
            ("%F %TZ", "in-value", "zone = \"UTC\""),
            ("%F %H:30", "UTC", "`30` only stands there"),
            ("%F %H:%M:60", "UTC", "`60` only stands there"),
            ("%d.%m.19%y", "UTC", "`19` only stands there"),
            ("epoch-milliseconds", "UTC", "leave `zone` out"),
            (
                "%F %T Europe/Berlin",
                "America/New_York",
                "`Europe/Berlin` may stand",
            ),
            ("%F %T Asia/Tokyo", "UTC", "`Asia/Tokyo` may stand"),
            ("%F %T EAT", "Europe/Berlin", "`EAT` may stand"),
            ("%F %T (ACDT)", "Europe/London", "`ACDT` may stand"),
            ("%F %T MEST", "Europe/Berlin", "`MEST` may stand"),
            ("%F %T CET", "UTC", "`CET` may stand"),
            ("%F %T-05", "Europe/Berlin", "`-05` may stand"),
            ("%F %T.000-5", "Europe/Berlin", "`-5` may stand"),
            ("%d/%m/%Y %H:%M:%S p. m.", "UTC", "a half of the day only"),
            ("%d/%m/%Y %H:%M:%S p.m.", "UTC", "a half of the day only"),
            ("%d.%m.%Y %H:%M nachm.", "UTC", "a half of the day only"),
            (
                "%Y年%m月%d日午後%H時",
                "Asia/Tokyo",
                "a half of the day only",
            ),
            ("%H:%M μμ", "UTC", "a half of the day only"),
            ("%b %m %d %Y", "UTC", "both say the month"),
            ("%C %Y", "UTC", "write `%Y`"),
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
            ("%F %T PM", "UTC", "a half of the day only"),
            ("%F %T pm", "UTC", "a half of the day only"),
            ("%F %T %:Q %z", "in-value", "both say the offset"),
            ("%F %T %z, %:::z", "in-value", "both say the offset"),
            ("%c", "UTC", "`%c` is not read"),
            ("%F %r", "UTC", "`%r` is not read"),
            ("%F %T %Z", "UTC", "`%Z` is not read"),
        ] {
            let fault = fault_of(form, zone).unwrap_or_default();
            assert!(fault.contains(why), "{form}: {fault}");
        }
    }
}
