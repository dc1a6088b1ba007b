//! What `ambit-audit` can be asked.

use ambit_audit::{Allowance, MemoryLimit, TimeLimit};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

/// Audit a ledger offline, from a bundle and the roots you trust
#[derive(Debug, Parser)]
#[command(name = "ambit-audit", version, about, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 verified, 1 integrity failure, 2 usage, 3 evidence incomplete, or a limit \
                          of time or memory reached (the report names it), 4 a decision replays differently, 5 equivocation proved, 6 unreadable, \
                          74 the report or the pages could not be written";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check signatures, the tree and its checkpoint, and that every entry follows from those above it
    Verify(Audit),
    /// Verify, and judge every recorded decision again
    Replay(Audit),
    /// Verify two bundles of one ledger, and prove it where its owner signed two histories
    Compare(Compare),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the manual pages
    Man {
        /// The folder, made if it is not there; pages of the same names are replaced
        #[arg(short = 'o', long = "out", value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The bundle, as `ambit export -o BUNDLE` wrote it
    pub(crate) bundle: PathBuf,
    /// Root fingerprints that were compared out of band, as `ambit key trust -o FILE` wrote them; without any, the
    /// evidence is incomplete
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Vec<PathBuf>,
    /// For people or for programs; errors take the same form on standard error
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// A bundle of the ledger
    pub(crate) first: PathBuf,
    /// Another one of the same ledger: from another day, or as somebody else got it
    pub(crate) second: PathBuf,
    /// Root fingerprints that were compared out of band; without that of the ledger's owner nothing is proved
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Vec<PathBuf>,
    /// For people or for programs; errors take the same form on standard error
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// What an audit may take before it ends with exit code 3.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Limits {
    /// How long the audit of one bundle may take; 0 for as long as it takes. Without it 1 s for each MiB and 20 s for each MiB
    /// of policy text that came with no version of the program, and 10 s at least
    #[arg(long, value_name = "N")]
    limit_seconds: Option<u64>,
    /// How much memory the program may take, in MiB; 0 for as much as it takes. Without it 128, or twice the bundle's size
    /// where that is more
    #[arg(long, value_name = "N")]
    limit_mib: Option<u64>,
}

impl Limits {
    pub(crate) fn allowance(self) -> Allowance {
        Allowance {
            time: self.limit_seconds.map(|seconds| match seconds {
                0 => TimeLimit::None,
                seconds => TimeLimit::Seconds(seconds),
            }),
            memory: self.limit_mib.map(|mib| match mib {
                0 => MemoryLimit::None,
                mib => MemoryLimit::Mib(mib),
            }),
            memory_in_use: Some(memory_in_use),
        }
    }
}

/// The bytes of memory that this program takes; `None` where the system does not say.
fn memory_in_use() -> Option<u64> {
    let stats = memory_stats::memory_stats()?;
    u64::try_from(stats.physical_mem).ok()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Table,
    Json,
}

impl Output {
    /// The form that a call asks for, even one that is not understood.
    pub(crate) fn wanted(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Self {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let is_json = arguments.iter().any(|argument| argument == "--output=json")
            || arguments
                .windows(2)
                .any(|pair| matches!(pair, [one, other] if one == "--output" && other == "json"));
        if is_json { Self::Json } else { Self::Table }
    }
}
