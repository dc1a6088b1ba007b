//! The demo: the example of a supplier with two competing customers, run in one process.
//!
//! Three whole nodes with their own homes, keys, databases, links over loopback and programming interfaces:
//! nothing is simulated. Everything is in one temporary folder, which is gone when the demo ends; or in a folder that a
//! person names, and then it stays.

mod example;
mod next;
mod party;
mod report;
mod story;

use crate::agree::PartnerError;
use crate::collect;
use crate::failure::{Failure, FailureKind};
use crate::holding::{ExportError, InspectError};
use crate::node::OpenError;
use crate::platform::{create_private_folder, shell_path};
use crate::release::ObserveError;
use crate::service::ServiceError;
use crate::store::StoreError;
use ambit_audit::{BundleError, TrustError};
use ambit_ledger::OrganizationId;
use example::CAST;
use party::Party;
use report::DemoReport;
use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// When the demo ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoEnd {
    /// After the audit.
    Audit,
    /// When it is interrupted.
    Interrupt,
}

/// For whom it reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoOutput {
    /// Tables for people.
    Table,
    /// One JSON object.
    Json,
}

/// How the demo went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoOutcome {
    /// Every ledger audits clean, and holds the very observations of the example.
    AsExpected,
    /// Some ledger does not; the report says which.
    Differs,
    /// It was interrupted before there was a report.
    Interrupted,
}

/// The demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The system gives no threads.
    #[error("failed to start the threads that the nodes run on")]
    Runtime(#[source] std::io::Error),
    /// The folder for the three homes cannot be made.
    #[error("failed to make a temporary folder; set TMPDIR to one that can be written")]
    Folder(#[source] std::io::Error),
    /// The folder that was named holds something.
    #[error("`{0}` is not empty; name a new folder for the three homes of the demo")]
    Occupied(PathBuf),
    /// The folder that was named cannot be made.
    #[error("failed to make `{path}`")]
    Place {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The report cannot be written.
    #[error("failed to write the report; see to where standard output goes, then try again")]
    Write(#[source] std::io::Error),
    /// The system has no port left on the loopback address.
    #[error(
        "failed to find a free port on the loopback address; end programs that hold many, then try again"
    )]
    Port(#[source] std::io::Error),
    /// Something that is in this program does not fit it.
    #[error("`{0}` in the example cannot be used; this is a fault of the program")]
    Example(String),
    /// The supplier's root key is not the one the customer was told.
    #[error(
        "the supplier's root key is not the one that `{0}` was told; this is a fault of the program"
    )]
    Fingerprint(OrganizationId),
    /// What crosses the mesh does not arrive.
    #[error(
        "waited {seconds} seconds for {what}; run `ambit demo` again on a machine that is less busy"
    )]
    Unsettled {
        /// For what.
        what: &'static str,
        /// How long.
        seconds: u64,
    },
    /// The facts of the example cannot be read.
    #[error(transparent)]
    Facts(#[from] collect::FactsError),
    /// A map of the example cannot be read.
    #[error(transparent)]
    Map(#[from] collect::MapError),
    /// A file of the example cannot be imported.
    #[error(transparent)]
    Import(#[from] collect::ImportError),
    /// A node cannot be made or opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A node cannot start, or cannot go on.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A partnership cannot be declared or accepted.
    #[error(transparent)]
    Partner(#[from] PartnerError),
    /// Observations cannot be made.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// A node cannot be looked at.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// A store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A bundle cannot be written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A bundle cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A trust file cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A task broke off.
    #[error("a task of the demo broke off; this is a fault of the program")]
    Task(#[from] tokio::task::JoinError),
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        let is_closed = |source: &std::io::Error| source.kind() == std::io::ErrorKind::BrokenPipe;
        let kind = if matches!(&error, DemoError::Write(source) if is_closed(source)) {
            FailureKind::Gone
        } else if matches!(error, DemoError::Unsettled { .. }) {
            FailureKind::TryAgain
        } else {
            FailureKind::Failed
        };
        Self::new(kind, &error)
    }
}

/// Where the three homes of the demo are.
#[derive(Debug)]
enum Homes {
    /// Gone when the demo ends.
    Temporary(tempfile::TempDir),
    /// Named by a person, and kept.
    Named(PathBuf),
}

impl Homes {
    fn make(named: Option<&Path>) -> Result<Self, DemoError> {
        let Some(path) = named else {
            let mut folder = tempfile::Builder::new();
            let folder = folder.prefix("ambit-demo-").tempdir();
            return folder.map(Self::Temporary).map_err(DemoError::Folder);
        };
        let failed = |source| DemoError::Place {
            path: path.to_owned(),
            source,
        };
        match create_private_folder(path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                if std::fs::read_dir(path).map_err(failed)?.next().is_some() {
                    return Err(DemoError::Occupied(path.to_owned()));
                }
            }
            Err(error) => return Err(failed(error)),
        }
        std::path::absolute(path).map(Self::Named).map_err(failed)
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Named(path) => path,
        }
    }

    fn end(self) -> Result<(), DemoError> {
        match self {
            Self::Temporary(folder) => folder.close().map_err(DemoError::Folder),
            Self::Named(path) => {
                tell(&format!("the three homes are in {}", shell_path(&path)));
                Ok(())
            }
        }
    }
}

/// Runs the demo: the report goes to standard output, everything else to standard error. `interrupt` ends it
/// at any moment; the nodes are stopped, and their folder is removed all the same unless it was `named`.
///
/// # Errors
/// Any [`DemoError`].
pub fn run(
    end: DemoEnd,
    output: DemoOutput,
    named: Option<&Path>,
    interrupt: impl Future<Output = ()>,
) -> Result<DemoOutcome, DemoError> {
    let runtime = tokio::runtime::Runtime::new().map_err(DemoError::Runtime)?;
    let homes = Homes::make(named)?;
    let outcome = runtime.block_on(play_until(homes.path(), end, output, interrupt));
    // Waits for work that was cut off on other threads: after this, nobody writes into the folder.
    drop(runtime);
    homes.end()?;
    outcome
}

async fn play_until(
    folder: &Path,
    end: DemoEnd,
    output: DemoOutput,
    interrupt: impl Future<Output = ()>,
) -> Result<DemoOutcome, DemoError> {
    let mut parties = Vec::new();
    let mut outcome = DemoOutcome::Interrupted;
    let done = tokio::select! {
        // Waited for before anything is done, so that it never comes to nobody.
        biased;
        () = interrupt => Ok(()),
        done = play(folder, end, output, &mut parties, &mut outcome) => done,
    };
    tell("stopping the nodes");
    for party in parties {
        party.stop().await;
    }
    done.map(|()| outcome)
}

async fn play(
    folder: &Path,
    end: DemoEnd,
    output: DemoOutput,
    parties: &mut Vec<Party>,
    outcome: &mut DemoOutcome,
) -> Result<(), DemoError> {
    let ports = party::free_ports(CAST.len()).map_err(DemoError::Port)?;
    for (character, port) in CAST.iter().zip(ports) {
        parties.push(Party::start(character, folder, port).await?);
        tell(&format!(
            "{} runs a node for {}",
            character.name,
            character.organization()?
        ));
    }
    let (supplier, customers) = parties
        .split_first()
        .ok_or_else(|| DemoError::Example("the organizations".to_owned()))?;
    story::agree(supplier, customers).await?;
    story::share(supplier, customers).await?;
    tell("everything is acknowledged; auditing the three ledgers");
    let report = DemoReport::collect(parties).await?;
    *outcome = if report.is_as_expected() {
        DemoOutcome::AsExpected
    } else {
        DemoOutcome::Differs
    };
    let text = match output {
        DemoOutput::Table => format!("\n{report}"),
        DemoOutput::Json => {
            serde_json::to_string_pretty(&report).map_err(|error| DemoError::Write(error.into()))?
        }
    };
    print(&text)?;
    if end == DemoEnd::Audit {
        return Ok(());
    }
    let commands = next::commands(supplier, customers).await?;
    match output {
        DemoOutput::Table => print(&commands)?,
        DemoOutput::Json => tell(&commands),
    }
    Err(first_failure(parties).await)
}

/// Waits until a node cannot go on.
async fn first_failure(parties: &[Party]) -> DemoError {
    let failures = parties.iter().map(|party| Box::pin(party.until_it_fails()));
    futures::future::select_all(failures).await.0
}

fn print(text: &str) -> Result<(), DemoError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(DemoError::Write)
}

/// Says on standard error how far it is.
fn tell(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}
