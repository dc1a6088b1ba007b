//! Questions to the person at the terminal. Where there is none, nobody has answered.

use super::files::TerminalError;
use crate::failure::Failure;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Whether somebody can answer.
pub(super) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks until the answer is yes or no. The end of the input is a no.
pub(super) fn is_confirmed(question: &str) -> Result<bool, Failure> {
    loop {
        let mut out = std::io::stderr().lock();
        write!(out, "{question} (yes/no) ")
            .and_then(|()| out.flush())
            .map_err(TerminalError)?;
        let mut line = String::new();
        let length = std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(TerminalError)?;
        match (length, line.trim().to_ascii_lowercase().as_str()) {
            (0, _) | (_, "no" | "n") => return Ok(false),
            // One letter is struck by accident.
            (_, "yes") => return Ok(true),
            _ => {}
        }
    }
}
