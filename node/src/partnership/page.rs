//! A page of plain text for people, in lines of at most [`COLUMNS`].
//!
//! Whatever is put on it may come from a stranger: characters that could hide, reorder or colour text are
//! shown as escapes. This module must never let one through.

/// Columns of a page. A word that is longer stands on a line of its own, so that it can be copied.
const COLUMNS: usize = 100;

/// A page being written.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// Starts a section.
    pub(super) fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.fill(text, "", "");
    }

    /// Adds a paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.fill(text, "", "");
    }

    /// Adds an item of a list.
    pub(super) fn item(&mut self, text: &str) {
        self.fill(text, "  * ", "    ");
    }

    /// Adds what belongs to an item.
    pub(super) fn below_item(&mut self, text: &str) {
        self.fill(text, "    ", "    ");
    }

    /// Adds a text word for word, each line behind a bar.
    pub(super) fn verbatim(&mut self, text: &str) {
        for line in text.lines() {
            self.text.push_str("  | ");
            for character in line.chars() {
                if character == '\t' {
                    self.text.push('\t');
                } else {
                    push_visible(&mut self.text, character);
                }
            }
            self.text.push('\n');
        }
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn fill(&mut self, text: &str, first: &str, next: &str) {
        let mut line = first.to_owned();
        let mut is_empty = true;
        for word in text.split_whitespace() {
            let mut visible = String::new();
            word.chars()
                .for_each(|character| push_visible(&mut visible, character));
            let width = line.chars().count() + usize::from(!is_empty) + visible.chars().count();
            if !is_empty && width > COLUMNS {
                self.text.push_str(&line);
                self.text.push('\n');
                next.clone_into(&mut line);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(&visible);
            is_empty = false;
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

fn push_visible(text: &mut String, character: char) {
    if is_deceptive(character) {
        text.extend(character.escape_unicode());
    } else {
        text.push(character);
    }
}

/// Control characters, what turns the direction of writing (Unicode Standard Annex 9), and what is invisible.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_and_long_words_kept() {
        let mut page = Page::default();
        page.heading("HEADING");
        page.item(&format!("{} {}", "word ".repeat(30), "x".repeat(120)));
        let text = page.into_text();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("HEADING"));
        assert!(lines.next().unwrap().starts_with("  * word word"));
        assert!(lines.next().unwrap().starts_with("    word"));
        assert_eq!(lines.next().unwrap().trim_start(), "x".repeat(120));
        assert!(
            text.lines()
                .filter(|line| line.chars().count() > COLUMNS)
                .count()
                == 1
        );
    }

    #[test]
    fn nothing_is_hidden() {
        let mut page = Page::default();
        page.paragraph("not\u{202e}forbidden\u{200b}   \u{1b}[2Kx");
        page.verbatim("a\tb\u{1b}[8m\r\u{2066}\n\nc");
        assert_eq!(
            page.into_text(),
            "not\\u{202e}forbidden\\u{200b} \\u{1b}[2Kx\n  | a\tb\\u{1b}[8m\\u{d}\\u{2066}\n  | \n  | c\n"
        );
    }
}
