//! `ambit`: the node and its command line.

use ambit_node::cli::{Arguments, Exit, LogWriter, complain, execute, refuse};
use ambit_node::failure::{Failure, FailureKind};
use mimalloc::MiMalloc;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// What one import took is given back to the system before the next: the system's own keeps, for each thread, as much as that ever
/// had at once.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ambit_node::platform::keep_memory_private();
    let given: Vec<OsString> = std::env::args_os().collect();
    let exit = match Arguments::read(&given) {
        Ok(arguments) => {
            start(&arguments).unwrap_or_else(|failure| complain(&failure, arguments.format()))
        }
        Err(error) => refuse(&error, &given),
    };
    exit.into()
}

fn start(arguments: &Arguments) -> Result<Exit, Failure> {
    tracing_subscriber::fmt()
        .with_env_filter(filter(arguments)?)
        .with_writer(|| LogWriter)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    execute(arguments)
}

/// What RUST_LOG says cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("RUST_LOG is `{text}`, which cannot be read")]
struct LogFilterError {
    text: String,
    source: ParseError,
}

fn filter(arguments: &Arguments) -> Result<EnvFilter, Failure> {
    match std::env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(&text)
            .map_err(|source| Failure::new(FailureKind::Usage, &LogFilterError { text, source })),
        _ => Ok(EnvFilter::new(arguments.log_filter())),
    }
}
