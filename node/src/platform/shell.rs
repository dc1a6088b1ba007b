//! Words of commands that a person may copy into a shell. Ids, names and numbers come from strangers: what is put into
//! a command here stays one word of it, and is no option.

use std::fmt::{Display, Formatter, Result};
use std::path::Path;

/// What a command would take for one of its own subcommands, did it stand where an operand stands.
const SUBCOMMANDS: [&str; 2] = ["list", "help"];

/// A text as one word for a POSIX shell: quoted where the shell would take it apart or put something in its place.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain =
        |character: char| character.is_alphanumeric() || "/._-+:@%=,~".contains(character);
    // A tilde is a home at the start, and after these in what looks like an assignment; zsh takes `=x` for a program.
    let is_expanded = text.starts_with(['~', '=']) || text.contains("=~") || text.contains(":~");
    if !text.is_empty() && !is_expanded && text.chars().all(is_plain) {
        return text.to_owned();
    }
    shell_quoted(text)
}

/// A text as one word for a POSIX shell, quoted whether that is needed or not.
#[must_use]
pub fn shell_quoted(text: &str) -> String {
    // Within single quotes a shell takes every character as it is, but for the quote itself. A backtick stands at the end of
    // a quotation: with what follows it, it would look like a command of this program, which words repeat with its home.
    let text = text.replace('\'', r"'\''").replace('`', "`''");
    format!("'{text}'")
}

/// A path as one word for a POSIX shell, and no option of the command that it is given to.
#[must_use]
pub fn shell_path(path: &Path) -> String {
    let text = path.display().to_string();
    // `-` alone is standard input or output.
    if text.starts_with('-') && text != "-" {
        return shell_word(&format!("./{text}"));
    }
    shell_word(&text)
}

/// An option with its value, which may begin as an option does.
#[must_use]
pub fn shell_option(name: &str, value: &str) -> String {
    joined(name, value, &shell_word(value))
}

/// The option by which a fingerprint is given once it was compared, with the digits still to be put in.
#[must_use]
pub fn fingerprint_option(organization: &str) -> String {
    let value = format!("{organization}=HEX");
    joined("--fingerprint", &value, &shell_quoted(&value))
}

fn joined(name: &str, value: &str, word: &str) -> String {
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!("{name}{between}{word}")
}

/// A command of this program that a person may copy, between backticks.
#[derive(Clone, Debug)]
pub struct Suggestion {
    command: &'static str,
    operand: Option<String>,
    options: Vec<String>,
}

impl Suggestion {
    /// A command: `partner invite`.
    #[must_use]
    pub fn new(command: &'static str) -> Self {
        Self {
            command,
            operand: None,
            options: Vec::new(),
        }
    }

    /// With what it is about.
    #[must_use]
    pub fn operand(self, operand: impl Display) -> Self {
        Self {
            operand: Some(operand.to_string()),
            ..self
        }
    }

    /// With an option of this value.
    #[must_use]
    pub fn option(self, name: &str, value: impl Display) -> Self {
        self.words(&shell_option(name, &value.to_string()))
    }

    /// With words that are a shell's already.
    #[must_use]
    pub fn words(mut self, words: &str) -> Self {
        self.options.push(words.to_owned());
        self
    }
}

impl Display for Suggestion {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "`ambit {}", self.command)?;
        let operand = self.operand.as_deref();
        let is_marked =
            operand.is_some_and(|text| text.starts_with('-') || SUBCOMMANDS.contains(&text));
        let operand = operand.map(shell_word);
        if let (Some(operand), false) = (&operand, is_marked) {
            write!(formatter, " {operand}")?;
        }
        for option in &self.options {
            write!(formatter, " {option}")?;
        }
        // What stands behind `--` is an operand whatever it is, so that options come before it.
        if let (Some(operand), true) = (&operand, is_marked) {
            write!(formatter, " -- {operand}")?;
        }
        formatter.write_str("`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_word_for_a_shell() {
        for (text, word) in [
            ("/tmp/node-1/a_b.csv", "/tmp/node-1/a_b.csv"),
            ("did:web:a.example", "did:web:a.example"),
            ("customer/supplier/f99", "customer/supplier/f99"),
            ("my node", "'my node'"),
            ("it's", r"'it'\''s'"),
            ("a~b", "a~b"),
            ("~node", "'~node'"),
            ("a=~/b", "'a=~/b'"),
            ("a:~/b", "'a:~/b'"),
            ("=ls", "'=ls'"),
            ("$HOME;x", "'$HOME;x'"),
            ("did:web:x;touch${IFS}P;", "'did:web:x;touch${IFS}P;'"),
            ("x; touch PWNED #", "'x; touch PWNED #'"),
            ("{a,b}*?[c]!", "'{a,b}*?[c]!'"),
            ("`ambit x`", "'`''ambit x`'''"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn a_path_is_no_option() {
        for (path, word) in [
            ("my node", "'my node'"),
            ("-rf", "./-rf"),
            ("-r f", "'./-r f'"),
            ("-", "-"),
        ] {
            assert_eq!(shell_path(Path::new(path)), word);
        }
    }

    #[test]
    fn a_command_takes_what_is_given_as_operands_and_values() {
        let invite = |partnership: &str| {
            Suggestion::new("partner invite")
                .operand(partnership)
                .words("-o FILE")
                .to_string()
        };
        assert_eq!(invite("a/b-c"), "`ambit partner invite a/b-c -o FILE`");
        assert_eq!(
            invite("x; touch P #"),
            "`ambit partner invite 'x; touch P #' -o FILE`"
        );
        assert_eq!(invite("--help"), "`ambit partner invite -o FILE -- --help`");
        assert_eq!(invite("list"), "`ambit partner invite -o FILE -- list`");
        let why = |to: &str| Suggestion::new("why").operand("ab12").option("--to", to);
        assert_eq!(why("a").to_string(), "`ambit why ab12 --to a`");
        assert_eq!(why("-a b").to_string(), "`ambit why ab12 --to='-a b'`");
        assert_eq!(fingerprint_option("a"), "--fingerprint 'a=HEX'");
        assert_eq!(fingerprint_option("-a"), "--fingerprint='-a=HEX'");
    }
}
