//! The directives of a form of times, as `strptime` has them, and the text between them.

/// A directive, without flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    /// With its colons or its point.
    pub(super) name: String,
    /// How many digits it says.
    pub(super) width: Option<usize>,
}

/// The directives of a form, and the text between them.
pub(super) fn parts(form: &str) -> (Vec<Directive>, Vec<String>) {
    let (mut directives, mut texts) = (Vec::new(), Vec::new());
    let mut text = String::new();
    let mut chars = form.chars();
    while let Some(first) = chars.next() {
        if first != '%' {
            text.push(first);
            continue;
        }
        let (mut name, mut width) = (String::new(), String::new());
        for next in chars.by_ref() {
            if next.is_ascii_digit() {
                width.push(next);
                continue;
            }
            let is_flag = "-_0^#".contains(next);
            if !is_flag {
                name.push(next);
            }
            if !is_flag && !":.".contains(next) {
                break;
            }
        }
        // A zero before the width is a flag.
        let width = width.trim_start_matches('0').parse().ok();
        directives.push(Directive { name, width });
        texts.push(std::mem::take(&mut text));
    }
    texts.push(text);
    (directives, texts)
}

impl Directive {
    /// The parts of a time that it says; nothing where it is not read here.
    pub(super) fn says(&self) -> Option<&'static [&'static str]> {
        Some(match self.name.as_str() {
            "Y" => &["year"],
            "y" => &["year of the century"],
            "m" | "b" | "B" | "h" => &["month"],
            "d" | "e" => &["day"],
            "F" => &["year", "month", "day"],
            "D" => &["year of the century", "month", "day"],
            "j" => &["day of the year"],
            "G" => &["year", "year of the weeks"],
            "V" => &["week", "week of such a year"],
            "U" | "W" => &["week"],
            "u" | "w" | "a" | "A" => &["day of the week"],
            "H" | "k" | "I" | "l" => &["hour"],
            "M" => &["minute"],
            "S" => &["second"],
            "T" => &["hour", "minute", "second"],
            "R" => &["hour", "minute"],
            "f" | "N" | ".f" => &["fraction of the second"],
            "p" | "P" => &["half of the day"],
            "Q" | ":Q" | "z" | ":z" | "::z" | ":::z" => &["offset"],
            "s" => &["seconds since 1970"],
            "n" | "t" | "%" => &[],
            _ => return None,
        })
    }

    pub(super) fn says_part(&self, part: &str) -> bool {
        self.says().is_some_and(|says| says.contains(&part))
    }

    /// Whether it says a part of the time of day: behind it an offset may stand.
    pub(super) fn is_of_day(&self) -> bool {
        let of_day = ["hour", "minute", "half of the day"];
        of_day.iter().any(|part| self.says_part(part)) || self.ends_times()
    }

    /// Whether nothing finer of a time of day can follow but a fraction.
    pub(super) fn ends_times(&self) -> bool {
        self.says_part("second") || self.says_part("fraction of the second")
    }

    pub(super) fn is_offset(&self) -> bool {
        self.says_part("offset")
    }

    /// Whether it reads the name of a zone.
    pub(super) fn is_zone(&self) -> bool {
        self.name.ends_with('Q')
    }
}
