//! `ambit export`: the bundle for an auditor, there as a whole or not at all.

use super::backend::Backend;
use super::called::is_read_only;
use super::exit::Exit;
use super::files::FileError;
use super::output::{NewFile, OutputOption, note};
use super::store::named;
use super::table::pairs;
use crate::api::BUNDLE_FAILED;
use crate::failure::{Failure, FailureKind};
use crate::holding::ExportError;
use ambit_audit::{Bundle, BundleError, BundleWriteError};
use clap::Args;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Where to write the bundle.
#[derive(Clone, Debug, Args)]
pub struct ExportArguments {
    /// The file; replaced as a whole where it exists. It holds all readings in plain: hand it over as such
    #[arg(short = 'o', long = "out", value_name = "BUNDLE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub output: OutputOption,
}

#[derive(Debug, Serialize)]
struct Exported {
    bundle: PathBuf,
    entries: u64,
    /// Those whose readings cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readings_left_out: Vec<u64>,
    bytes: u64,
}

/// How many entries are named in a table, at most.
const SHOWN_MAX: usize = 32;
/// More than any failure takes.
const FAILURE_BYTES_MAX: u64 = 64 * 1024;

/// The running node's bundle cannot be read back.
#[derive(Debug, thiserror::Error)]
#[error(
    "the bundle that the node sent cannot be read; nothing was written: use the program of the node that runs, or stop it and export again"
)]
struct SentError(#[source] BundleError);

pub(super) fn export(home: &Path, arguments: &ExportArguments) -> Result<Exit, Failure> {
    let path = &arguments.out;
    let backend = Backend::open(home)?;
    let mut entries = 0;
    let mut bytes = 0;
    let mut readings_left_out = Vec::new();
    NewFile::create(path)?.finish(|file| {
        entries = match &backend {
            Backend::Running(client) => {
                let out = BufWriter::new(&mut *file);
                receive(client.bundle()?, out).map_err(|error| sent_error(path, error))?
            }
            Backend::Opened(node) if is_read_only() => {
                let salvaged = node
                    .salvage(BufWriter::new(&mut *file))
                    .map_err(|error| export_error(path, error))?;
                readings_left_out = salvaged.left_out;
                salvaged.entries
            }
            Backend::Opened(node) => {
                node.export(BufWriter::new(&mut *file))
                    .map_err(|error| export_error(path, error))?
                    .1
            }
        };
        bytes = length(file, path)?;
        Ok(())
    })?;
    let exported = Exported {
        bundle: path.clone(),
        entries,
        readings_left_out,
        bytes,
    };
    arguments.output.print(&exported, exported_table)?;
    note(format!(
        "try it: `ambit key trust -o trust.toml && ambit-audit replay {} --trust trust.toml`; where other members' \
         statements are in it, add a --trust file of each, as it told you its fingerprint",
        crate::platform::shell_path(path)
    ));
    if exported.readings_left_out.is_empty() {
        return Ok(Exit::Done);
    }
    note("the bundle is not whole, and its audit says so of each entry above; keep the home as it is".to_owned());
    Ok(Exit::Verification)
}

/// Writes a bundle as it comes, once its shape was checked. Returns the number of its entries.
fn receive(sent: impl Read, out: impl Write) -> Result<u64, ReceiveError> {
    let mut copying = Copying {
        sent,
        out,
        last: [0; 4],
        failed: None,
    };
    let checked = Bundle::check(&mut copying);
    if let Some(error) = copying.failed {
        return Err(ReceiveError::Write(error));
    }
    match checked {
        Ok(entries) => {
            copying.out.flush().map_err(ReceiveError::Write)?;
            Ok(entries)
        }
        Err(error) => {
            Err(failure_in(copying).map_or(ReceiveError::Sent(error), ReceiveError::Failed))
        }
    }
}

/// What the node said instead of the rest.
fn failure_in<R: Read, W>(copying: Copying<R, W>) -> Option<Failure> {
    if copying.last != BUNDLE_FAILED {
        return None;
    }
    let mut failure = Vec::new();
    let read = copying
        .sent
        .take(FAILURE_BYTES_MAX)
        .read_to_end(&mut failure);
    read.ok()
        .and_then(|_| serde_json::from_slice(&failure).ok())
}

enum ReceiveError {
    Sent(BundleError),
    Failed(Failure),
    Write(std::io::Error),
}

fn sent_error(path: &Path, error: ReceiveError) -> Failure {
    match error {
        ReceiveError::Sent(error) => Failure::new(FailureKind::Failed, &SentError(error)),
        ReceiveError::Failed(failure) => failure,
        ReceiveError::Write(error) => FileError::write(path)(error).into(),
    }
}

/// Reads what is sent, and writes it down.
struct Copying<R, W> {
    sent: R,
    out: W,
    /// The last bytes of it.
    last: [u8; 4],
    /// Why it could not be written.
    failed: Option<std::io::Error>,
}

impl<R: Read, W: Write> Read for Copying<R, W> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.sent.read(bytes)?;
        let copied = bytes.get(..read).unwrap_or_default();
        if let Err(error) = self.out.write_all(copied) {
            self.failed = Some(error);
            return Err(std::io::ErrorKind::Other.into());
        }
        for byte in copied.iter().skip(read.saturating_sub(4)) {
            self.last.rotate_left(1);
            self.last[3] = *byte;
        }
        Ok(read)
    }
}

fn length(file: &File, path: &Path) -> Result<u64, FileError> {
    file.metadata()
        .map(|metadata| metadata.len())
        .map_err(FileError::read(path))
}

fn export_error(path: &Path, error: ExportError) -> Failure {
    match error {
        ExportError::Write(BundleWriteError::Write(source)) => {
            FileError::write(path)(source).into()
        }
        error => Failure::new(FailureKind::Failed, &error),
    }
}

fn exported_table(exported: &Exported) -> String {
    let mut rows = vec![
        ("bundle", exported.bundle.display().to_string()),
        ("entries", exported.entries.to_string()),
        ("bytes", exported.bytes.to_string()),
    ];
    let left_out = &exported.readings_left_out;
    if !left_out.is_empty() {
        let shown = left_out.get(..SHOWN_MAX).unwrap_or(left_out);
        let named = named(shown, left_out.len() as u64);
        rows.push((
            "left out",
            format!("readings that cannot be read, of entries {named}"),
        ));
    }
    pairs(rows)
}
