//! How near two names are, for messages that suggest what was meant.

/// How near two names are, 0 for nearest; `None` where it is no likely slip.
pub(crate) fn nearness(wanted: &str, known: &str) -> Option<usize> {
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
