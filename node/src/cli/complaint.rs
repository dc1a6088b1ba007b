//! What went wrong, said on standard error: a line for people, one object for programs.

use super::called::called;
use super::exit::Exit;
use super::output::{Format, note, note_as_is};
use super::table::{lines_shown, shown};
use crate::failure::{Failure, FailureKind, flat};
use std::ffi::OsString;

/// Says why a command failed, unless nobody reads on. Returns what it ends with.
pub fn complain(failure: &Failure, format: Format) -> Exit {
    match (failure.kind, format) {
        (FailureKind::Gone, _) => {}
        (_, Format::Json) => {
            let failure = Failure {
                message: called(&failure.message),
                hint: failure.hint.as_deref().map(called),
                ..failure.clone()
            };
            note_as_is(serde_json::json!(failure));
        }
        (_, Format::Table) => {
            note(format!("error: {}", shown(&failure.message)));
            if let Some(hint) = &failure.hint {
                note(format!("hint: {}", shown(hint)));
            }
        }
    }
    failure.kind.into()
}

/// Says why arguments are not understood, or what was asked of them. Returns what it ends with.
pub fn refuse(error: &clap::Error, given: &[OsString]) -> Exit {
    if !error.use_stderr() {
        // Help and version, which are answers.
        let _ = error.print();
        return Exit::Done;
    }
    match asked_format(given) {
        Format::Json => complain(&usage_failure(error), Format::Json),
        Format::Table => {
            // Its words repeat what was given; where that could deceive, they are told without colours.
            if given.iter().any(could_deceive) {
                note_as_is(lines_shown(&error.render().to_string()).trim_end());
            } else {
                let _ = error.print();
            }
            Exit::Usage
        }
    }
}

fn could_deceive(given: &OsString) -> bool {
    let given = given.to_string_lossy();
    shown(&given) != given
}

/// What `--output` says in arguments that could not be read as a whole.
fn asked_format(given: &[OsString]) -> Format {
    let is_json =
        |pair: &[OsString]| matches!(pair, [name, value] if name == "--output" && value == "json");
    if given.windows(2).any(is_json) || given.iter().any(|one| one == "--output=json") {
        Format::Json
    } else {
        Format::Table
    }
}

fn usage_failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let message = text.split("\nUsage:").next().unwrap_or(text);
    Failure {
        kind: FailureKind::Usage,
        message: flat(message),
        hint: Some("`--help` says what can be given".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::arguments::Arguments;
    use super::*;
    use clap::Parser as _;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_form_of_a_complaint_is_the_one_asked_for() {
        for (line, format) in [
            ("ambit list --output json --limit few", Format::Json),
            ("ambit list --limit few --output=json", Format::Json),
            ("ambit list --limit few", Format::Table),
            ("ambit list --output table --part json", Format::Table),
        ] {
            assert_eq!(asked_format(&words(line)), format, "{line}");
        }
    }

    #[test]
    fn an_argument_cannot_steer_a_terminal() {
        let given = words("ambit list --limit \u{7}\u{1b}[2J");
        assert!(given.iter().any(could_deceive));
        assert!(!words("ambit list --limit ü").iter().any(could_deceive));
        let error = Arguments::try_parse_from(given).unwrap_err();
        let told = lines_shown(&error.render().to_string());
        assert!(told.lines().count() > 1, "{told}");
        let is_raw = |character: char| character.is_control() && character != '\n';
        assert!(!told.contains(is_raw), "{told}");
    }

    #[test]
    fn what_is_not_understood_is_told_in_one_line() {
        let error = Arguments::try_parse_from(words("ambit list --limit few")).unwrap_err();
        let failure = usage_failure(&error);
        assert_eq!(failure.kind, FailureKind::Usage);
        assert!(failure.message.contains("invalid value 'few'"), "{failure}");
        assert!(!failure.message.contains('\n'), "{failure}");
        assert!(!failure.message.contains("Usage"), "{failure}");
        assert_eq!(
            refuse(&error, &words("ambit list --limit few")),
            Exit::Usage
        );
    }
}
