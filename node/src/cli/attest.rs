//! `ambit attest`: what this organization says of others, and what issuers say whom it pinned.

use super::backend::Backend;
use super::exit::Exit;
use super::files::ContentError;
use super::input::{FileKind, read_text};
use super::named::one_of;
use super::output::{Format, Outlet, OutputOption, note, note_as_is};
use super::table::{or_none, pairs, shown, table};
use super::time::start_of;
use crate::agree::{Attest, Attesting, ListAttestations, TakeAttestation};
use crate::failure::{Failure, FailureKind};
use crate::partnership::{ArmorLabel, read_armor};
use ambit_ledger::{Authorization, Jurisdiction, Name, OrganizationId, Regime, Time};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// What to attest.
#[derive(Clone, Debug, Args)]
#[command(subcommand_negates_reqs = true, after_long_help = EXAMPLES)]
pub struct AttestArguments {
    #[command(subcommand)]
    pub command: Option<AttestCommand>,
    /// Of whom: a member of a partnership of yours
    #[arg(value_name = "ORGANIZATION", required_unless_present = "file")]
    pub organization: Option<OrganizationId>,
    /// Take in what another issuer attests, whom `ambit issuer pin` pinned
    #[arg(long, value_name = "FILE", conflicts_with_all = ["organization", "what", "number", "until", "end", "regime", "out"])]
    pub file: Option<PathBuf>,
    /// What it is, as policies ask for it: ddtc-registered for ITAR. A licence may have any name, such as export-licence
    #[arg(long = "as", value_name = "WHAT", required_unless_present = "file")]
    pub what: Option<Name>,
    /// Its number in the register; of a licence the one that data name as `licence` under export_control
    #[arg(long, value_name = "N")]
    pub number: Option<Name>,
    /// Until when it is true: RFC 3339, or a date for the start of its day in UTC. The same number again replaces it
    #[arg(long, value_name = "TIME", value_parser = start_of, required_unless_present_any = ["file", "end"])]
    pub until: Option<Time>,
    /// End it now
    #[arg(long, conflicts_with_all = ["until", "regime"])]
    pub end: bool,
    /// The rules a licence is granted under: itar, ear, eu-dual-use
    #[arg(long, value_name = "REGIME", value_parser = one_of::<Regime>(Regime::ALL.map(Regime::name)), requires_all = ["authority", "item", "destination", "number"])]
    pub regime: Option<Regime>,
    /// Who granted the licence, such as did:web:bis.example
    #[arg(long, value_name = "ORGANIZATION", requires = "regime")]
    pub authority: Option<OrganizationId>,
    /// An item it covers, word for word as data name it (usml, eccn, eu_annex_i): VIII(h), 9E003; again for more
    #[arg(long, value_name = "ITEM", requires = "regime")]
    pub item: Vec<Name>,
    /// A country it may go to, or a group of them: DE, EU; again for more. Seat, hosting and personnel must lie in them
    #[arg(long, value_name = "JURISDICTION", requires = "regime")]
    pub destination: Vec<Jurisdiction>,
    /// Write what is signed into a file too, to hand over
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputOption,
}

const EXAMPLES: &str = "\
Seat, hosting and personnel are what an organization states and signs itself; check them. Registrations and licences count
only where another attests them: at both ends, and until they end.

1. The supplier looks its customer up in the register, and writes down what it found:
  ambit attest did:web:customer.example --as ddtc-registered --number M12345 --until 2027-03-31 -o customer.att
  or, for a licence of a customer in Singapore, which counts for data with export_control = { ..., eccn = \"9E003\", licence = \"D1234567\" }:
  ambit attest did:web:customer.example --as export-licence --number D1234567 --until 2027-03-31 --regime ear \\
      --authority did:web:bis.example --item 9E003 --destination SG -o customer.att
2. The customer gets that file and the supplier's card, compares the fingerprint on the telephone, and takes it in:
  ambit issuer pin supplier.card
  ambit attest --file customer.att
3. What counts now, at either end, and why an observation still does not cross:
  ambit attest list
  ambit why OBSERVATION --to did:web:customer.example
4. Renewed, it is said again with a later --until; revoked, it ends. The customer takes in the new file too:
  ambit attest did:web:customer.example --as ddtc-registered --number M12345 --end -o customer.att";

/// What else to do with attestations.
#[derive(Clone, Debug, Subcommand)]
pub enum AttestCommand {
    /// Show what is attested of whom, and whether it counts now
    List {
        #[command(flatten)]
        output: OutputOption,
    },
}

impl AttestArguments {
    /// Whether it only shows what is attested.
    pub(super) fn only_lists(&self) -> bool {
        matches!(self.command, Some(AttestCommand::List { .. }))
    }

    /// For whom it answers.
    pub(super) fn format(&self) -> Format {
        match &self.command {
            Some(AttestCommand::List { output }) => output.or(self.output).output,
            None => self.output.output,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum AttestArgumentsError {
    #[error("name the organization, and what is attested of it with --as; or a file with --file")]
    Nothing,
    #[error("`ambit attest list` lists everything, and takes nothing of what is attested")]
    List,
}

pub(super) fn attest(home: &Path, arguments: &AttestArguments) -> Result<Exit, Failure> {
    if let Some(AttestCommand::List { output }) = &arguments.command {
        // Options that go everywhere may stand before `list`, so the parser does not tell them apart.
        let is_bare = arguments.organization.is_none() && arguments.file.is_none();
        if !is_bare || arguments.what.is_some() {
            return Err(Failure::new(
                FailureKind::Usage,
                &AttestArgumentsError::List,
            ));
        }
        return list(home, output.or(arguments.output));
    }
    let attested = match &arguments.file {
        Some(file) => {
            let text = read_text(file, FileKind::Attestation)?;
            // Looked at here first, so that what is no attestation is told before anything else is wrong.
            read_armor(ArmorLabel::Attestation, &text).map_err(ContentError::of(file))?;
            let taken = Backend::open(home)?.ask(TakeAttestation { file: text });
            taken.map_err(|error| refused(file, error))?
        }
        None => {
            let asked = asked(arguments)
                .ok_or_else(|| Failure::new(FailureKind::Usage, &AttestArgumentsError::Nothing))?;
            // Nothing is signed for a file that cannot be written.
            let outlet = Outlet::open(arguments.out.as_deref())?;
            let attested = Backend::open(home)?.ask(asked)?;
            if outlet.is_file() {
                outlet.hand_out(&attested.file)?;
                note_as_is(format!(
                    "hand it over: whoever pinned {} takes it in with `ambit attest --file FILE`",
                    shown(attested.issuer.as_str())
                ));
            } else if arguments.end {
                note(
                    "it counts no longer at this node; at the other end it does until that is told: say the same again \
                     with -o FILE, and hand the file over",
                );
            } else {
                note(
                    "it counts at this node; the other end has to count it too: say the same again with -o FILE, and \
                     hand the file over",
                );
            }
            attested
        }
    };
    arguments.output.print(&attested, attestation_text)?;
    if let Some(remark) = &attested.remark {
        note(remark);
    }
    Ok(Exit::Done)
}

/// Why an attestation was not taken in, with the file it is in.
fn refused(file: &Path, error: Failure) -> Failure {
    match error.kind {
        FailureKind::Failed | FailureKind::Verification | FailureKind::NotFound => Failure {
            message: format!("failed to take in `{}`: {}", file.display(), error.message),
            ..error
        },
        FailureKind::Usage
        | FailureKind::NotAuthorized
        | FailureKind::TryAgain
        | FailureKind::Gone => error,
    }
}

fn asked(arguments: &AttestArguments) -> Option<Attest> {
    let authorization = match (
        arguments.regime,
        &arguments.authority,
        &arguments.number,
        arguments.until,
    ) {
        (Some(regime), Some(authority), Some(number), Some(until)) => Some(Authorization {
            authority: authority.clone(),
            number: number.clone(),
            not_after: until,
            regime,
            items: arguments.item.iter().cloned().collect(),
            destinations: arguments.destination.iter().cloned().collect(),
        }),
        _ => None,
    };
    Some(Attest {
        subject: arguments.organization.clone()?,
        what: arguments.what.clone()?,
        number: arguments.number.clone(),
        until: arguments.until,
        authorization,
    })
}

fn list(home: &Path, output: OutputOption) -> Result<Exit, Failure> {
    let attested = Backend::open(home)?.ask(ListAttestations {})?;
    output.print(&attested, |attested| attestations_table(attested))?;
    if attested.is_empty() {
        note("nothing is attested here of anybody; `ambit attest --help` says how");
    }
    Ok(Exit::Done)
}

fn attestation_text(attested: &Attesting) -> String {
    pairs([
        ("of", attested.subject.to_string()),
        ("what", attested.what.to_string()),
        (
            "number",
            or_none(attested.number.as_ref().map(ToString::to_string)),
        ),
        ("issuer", attested.issuer.to_string()),
        ("from", attested.not_before.clone()),
        ("until", attested.not_after.clone()),
        ("allows", or_none(attested.allows.clone())),
        ("now", attested.now.words().to_owned()),
    ])
}

fn attestations_table(attested: &[Attesting]) -> String {
    let header = [
        "of", "what", "number", "issuer", "from", "until", "allows", "now",
    ];
    let rows = attested.iter().map(|attested| {
        vec![
            attested.subject.to_string(),
            attested.what.to_string(),
            or_none(attested.number.as_ref().map(ToString::to_string)),
            attested.issuer.to_string(),
            attested.not_before.clone(),
            attested.not_after.clone(),
            or_none(attested.allows.clone()),
            attested.now.words().to_owned(),
        ]
    });
    table(&header, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_organization_states_itself_is_told_from_what_another_attests() {
        let rule = "Seat, hosting and personnel are what an organization states and signs itself; check them. \
                    Registrations and licences count only where another attests them";
        for text in [EXAMPLES, include_str!("../../../README.md")] {
            let words: Vec<&str> = text.split_whitespace().collect();
            assert!(words.join(" ").contains(rule), "{text}");
        }
    }
}
