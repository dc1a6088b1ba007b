//! How this program was called, for whatever is far from its arguments. Commands that words name are to be called with the home
//! that was given, since without it they would mean another node, or make one.

use crate::platform::shell_path;
use std::path::Path;
use std::sync::OnceLock;

/// The home as it was given to this call, in a form that a shell reads.
static GIVEN: OnceLock<String> = OnceLock::new();

/// Whether nothing is to be written to the home.
static READ_ONLY: OnceLock<()> = OnceLock::new();

/// How a command of this program is named in words.
const NAMED: &str = "`ambit ";

/// Keeps the home that this call names. One that the environment names holds for the next call too.
pub(super) fn keep_home(given: Option<&Path>) {
    if let Some(home) = given {
        // A process reads its arguments once.
        let _ = GIVEN.set(shell_path(home));
    }
}

/// Keeps that nothing is to be written to the home.
pub(super) fn keep_read_only() {
    let _ = READ_ONLY.set(());
}

/// Whether nothing is to be written to the home.
pub(super) fn is_read_only() -> bool {
    READ_ONLY.get().is_some()
}

/// The same words, in which each command of this program repeats the home that was given.
pub(super) fn called(text: &str) -> String {
    with_home(text, GIVEN.get().map(String::as_str))
}

fn with_home(text: &str, home: Option<&str>) -> String {
    let Some(home) = home else {
        return text.to_owned();
    };
    let mut parts = text.split(NAMED);
    let mut repeated = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        repeated.push_str(NAMED);
        if !part.starts_with("--home") {
            repeated.push_str(&format!("--home {home} "));
        }
        repeated.push_str(part);
    }
    repeated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Suggestion;

    #[test]
    fn what_a_stranger_named_so_is_no_command() {
        let suggested = Suggestion::new("partner invite").operand("x`ambit $(touch P)");
        assert_eq!(
            with_home(&suggested.to_string(), Some(r"'it'\''s'")),
            r"`ambit --home 'it'\''s' partner invite 'x`''ambit $(touch P)'`"
        );
    }

    #[test]
    fn each_command_repeats_the_home_once() {
        let text = "`ambit list` and `ambit --home a init`; `ambit-audit verify` and ambit itself";
        assert_eq!(with_home(text, None), text);
        assert_eq!(
            with_home(text, Some("'my home'")),
            "`ambit --home 'my home' list` and `ambit --home a init`; `ambit-audit verify` and ambit itself"
        );
    }
}
