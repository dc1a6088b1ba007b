//! Slips of the pen: which known name was likely meant, for messages that suggest it.

/// The most names that are suggested: who reads more than three reads none.
const SUGGESTED_MAX: usize = 3;

/// The known names that an unknown one is likely to be a slip of, nearest first, at most three; upper and lower case are
/// the same.
pub fn likely_meant<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| Some((slips(&wanted, &name.to_lowercase())?, name)))
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter()
        .take(SUGGESTED_MAX)
        .map(|(_, name)| name)
        .collect()
}

/// How many slips two names are apart, in their ends if that is less; `None` where it is more than is likely.
fn slips(wanted: &str, known: &str) -> Option<usize> {
    let tail = known.rsplit([':', '/']).next().unwrap_or(known);
    let short = wanted.rsplit([':', '/']).next().unwrap_or(wanted);
    let distance = distance(wanted, known).min(distance(short, tail));
    let allowed = short.chars().count().min(tail.chars().count()) / 3;
    (distance <= allowed).then_some(distance)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, left) in left.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut previous = index + 1;
        next.push(previous);
        for (pair, right) in row.windows(2).zip(&right) {
            let &[diagonal, above] = pair else { continue };
            previous = (diagonal + usize::from(left != *right))
                .min(above + 1)
                .min(previous + 1);
            next.push(previous);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
