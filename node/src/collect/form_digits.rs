//! How many digits the numbers of a text have, by the form of a time. `strptime` takes fewer, also where only all of them tell
//! which number is which.

use super::directives::Directive;

/// What the digits of a text must be besides, which `strptime` lets pass: as many numbers as the form has, each of as many digits.
/// Where numbers follow each other with nothing between, only all their digits tell which is which. None where they are.
pub(super) fn wrong_digits(digits: &[Digits], text: &str) -> Option<&'static str> {
    let runs: Vec<usize> = text
        .split(|char: char| !char.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .map(str::len)
        .collect();
    (!fit(digits, &runs)).then_some(
        "its numbers are not those of the form, or have other digits: four for a year (`%Y`; `%y` reads two), all of them where \
         numbers follow each other with nothing between, and as many as a fraction says",
    )
}

/// Runs of digits in a text.
#[derive(Clone, Debug)]
pub(super) enum Digits {
    /// One of so many, at least and at most.
    Run(usize, usize),
    /// One that may be absent.
    Fraction,
    /// Those of an offset or of the name of a zone.
    OfOffset,
}

/// The runs of digits that a text of this form has.
pub(super) fn digits_of(directives: &[Directive], texts: &[String]) -> Vec<Digits> {
    let mut found = Numbers::default();
    for (at, text) in texts.iter().enumerate() {
        for char in text.chars() {
            if char.is_ascii_digit() {
                found.add(1, 1);
            } else {
                found.end();
            }
        }
        if let Some(directive) = directives.get(at) {
            directive.add_digits(&mut found);
        }
    }
    found.end();
    found.runs
}

/// The numbers of a form while its runs of digits are put together.
#[derive(Default)]
struct Numbers {
    runs: Vec<Digits>,
    /// The numbers since the last that was parted from the next.
    adjacent: Vec<(usize, usize)>,
}

impl Numbers {
    fn add(&mut self, least: usize, most: usize) {
        self.adjacent.push((least, most));
    }

    /// Something else than a digit comes. Of numbers right behind each other, all but the last have all their digits.
    fn end(&mut self) {
        let adjacent = std::mem::take(&mut self.adjacent);
        let most = adjacent.iter().map(|(_, most)| most).sum();
        let least = match adjacent[..] {
            [] => return,
            [(least, _)] => least,
            _ => most,
        };
        self.runs.push(Digits::Run(least, most));
    }

    /// One that has any of these digits also behind another number: that of a fraction, which begins with the first.
    fn add_last(&mut self, least: usize, most: usize) {
        let before: usize = self.adjacent.drain(..).map(|(_, most)| most).sum();
        self.runs.push(Digits::Run(before + least, before + most));
    }

    /// Several, parted from each other.
    fn add_parted(&mut self, numbers: &[(usize, usize)]) {
        for (at, (least, most)) in numbers.iter().enumerate() {
            if at > 0 {
                self.end();
            }
            self.add(*least, *most);
        }
    }

    fn put(&mut self, digits: Digits) {
        self.end();
        self.runs.push(digits);
    }
}

/// Whether runs of digits of these lengths are those.
fn fit(digits: &[Digits], runs: &[usize]) -> bool {
    let Some((first, digits)) = digits.split_first() else {
        return runs.is_empty();
    };
    let is_fit = |least: usize, most: usize| {
        runs.split_first()
            .is_some_and(|(run, rest)| (least..=most).contains(run) && fit(digits, rest))
    };
    match first {
        Digits::Run(least, most) => is_fit(*least, *most),
        Digits::Fraction => is_fit(1, FRACTION_DIGITS_MAX) || fit(digits, runs),
        // Hours, minutes and seconds.
        Digits::OfOffset => {
            (0..=3).any(|count| runs.get(count..).is_some_and(|rest| fit(digits, rest)))
        }
    }
}

/// Instants are in whole nanoseconds.
const FRACTION_DIGITS_MAX: usize = 9;
/// A count of seconds that 64 bits hold has no more.
const COUNT_DIGITS_MAX: usize = 19;

impl Directive {
    /// The digits of what it reads, with those that it stands for.
    fn add_digits(&self, numbers: &mut Numbers) {
        let within = |most: usize| (1, self.width.unwrap_or(most).max(most));
        match self.name.as_str() {
            "Y" | "G" => numbers.add(4, 4),
            "y" => numbers.add(2, 2),
            "m" | "d" | "e" | "H" | "k" | "I" | "l" | "M" | "S" | "U" | "W" | "V" => {
                let (least, most) = within(2);
                numbers.add(least, most);
            }
            "j" => numbers.add(1, 3),
            "u" | "w" => numbers.add(1, 1),
            "s" => numbers.add(1, COUNT_DIGITS_MAX),
            "f" | "N" => match self.width.filter(|width| *width <= FRACTION_DIGITS_MAX) {
                Some(width) => numbers.add(width, width),
                None => numbers.add_last(1, FRACTION_DIGITS_MAX),
            },
            ".f" => numbers.put(Digits::Fraction),
            "F" => numbers.add_parted(&[(4, 4), (1, 2), (1, 2)]),
            "D" => numbers.add_parted(&[(1, 2), (1, 2), (2, 2)]),
            "T" => numbers.add_parted(&[(1, 2), (1, 2), (1, 2)]),
            "R" => numbers.add_parted(&[(1, 2), (1, 2)]),
            _ if self.is_offset() => numbers.put(Digits::OfOffset),
            _ => numbers.end(),
        }
    }
}
