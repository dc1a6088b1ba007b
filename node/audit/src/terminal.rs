//! Texts from elsewhere, made fit for a terminal: both programs show what they did not write.

/// A text in which nothing can colour, reorder or hide what stands on a terminal. It becomes one line.
#[must_use]
pub fn shown(text: &str) -> String {
    let is_hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars()
        .flat_map(|character| {
            let escaped = is_hidden(character).then(|| character.escape_unicode());
            let plain = escaped.is_none().then_some(character);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// The same for a text of several lines, which stay apart.
#[must_use]
pub fn lines_shown(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    let lines = lines.map(|line| match line.strip_suffix('\n') {
        Some(line) => format!("{}\n", shown(line)),
        None => shown(line),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_escaped() {
        assert_eq!(
            shown("a\u{1b}[2J\u{202e}b\nü"),
            "a\\u{1b}[2J\\u{202e}b\\u{a}ü"
        );
    }

    #[test]
    fn what_reorders_is_escaped_and_all_else_stays() {
        assert_eq!(lines_shown("a\u{202e}b\n  | ü"), "a\\u{202e}b\n  | ü");
    }

    #[test]
    fn lines_stay_apart() {
        assert_eq!(lines_shown("a\u{7}\n\nb"), "a\\u{7}\n\nb");
    }
}
