//! `ambit export`: the bundle for an auditor, there as a whole or not at all.

use super::backend::Backend;
use super::exit::Exit;
use super::files::FileError;
use super::output::{NewFile, OutputOption, note};
use super::table::pairs;
use crate::failure::{Failure, FailureKind};
use crate::holding::ExportError;
use ambit_audit::{Bundle, BundleError, BundleWriteError};
use clap::Args;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write as _};
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
    bytes: u64,
}

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
    NewFile::create(path)?.finish(|file| {
        entries = match &backend {
            Backend::Running(client) => {
                let sent = client.bundle()?;
                let bundle = Bundle::read(sent.as_slice())
                    .map_err(|error| Failure::new(FailureKind::Failed, &SentError(error)))?;
                file.write_all(&sent).map_err(FileError::write(path))?;
                u64::try_from(bundle.entries().len()).unwrap_or(u64::MAX)
            }
            Backend::Opened(node) => {
                let (writer, entries) = node
                    .export(BufWriter::new(&mut *file))
                    .map_err(|error| export_error(path, error))?;
                drop(writer);
                entries
            }
        };
        bytes = length(file, path)?;
        Ok(())
    })?;
    let exported = Exported {
        bundle: path.clone(),
        entries,
        bytes,
    };
    arguments.output.print(&exported, exported_table)?;
    note(format!(
        "try it: `ambit key trust -o trust.toml && ambit-audit replay {} --trust trust.toml`; where other members' \
         statements are in it, add a --trust file of each, as it told you its fingerprint",
        crate::platform::shell_path(path)
    ));
    Ok(Exit::Done)
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
    pairs([
        ("bundle", exported.bundle.display().to_string()),
        ("entries", exported.entries.to_string()),
        ("bytes", exported.bytes.to_string()),
    ])
}
