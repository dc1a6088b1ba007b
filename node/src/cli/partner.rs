//! `ambit partner`: from a declaration to an agreement that all members have signed.
//!
//! A fingerprint is taken from a person who compared it, never from a card. Without a person at a terminal it
//! has to be an option.

use super::backend::Backend;
use super::failure::{CommandError, ContentError, Exit};
use super::inspect::partners_table;
use super::key::OutArguments;
use super::output::{Format, Outlet, OutputOption, note, print, print_json, read_text};
use super::prompt;
use super::table::{pairs, shown};
use crate::agree::Proposal;
use crate::api::Operation;
use crate::holding::PartnerStatus;
use crate::partnership::{Declaration, PartnershipFile, card_root, read_card};
use ambit_ledger::{Fingerprint, FingerprintError, Name, OrganizationId, PartnershipId};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What to do with partnerships.
#[derive(Clone, Debug, Subcommand)]
pub enum PartnerCommand {
    /// Declare a partnership: sign its terms, and write the invitation for the other members
    Declare {
        /// The declaration, TOML; cards are named relative to it
        file: PathBuf,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own options describe it")]
        compared: ComparedOptions,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own option describes it")]
        out: OutArguments,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own option describes it")]
        output: OutputOption,
    },
    /// Read an invitation, and sign it; or take in what another member signed or declined
    Accept {
        /// The partnership file
        file: PathBuf,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own options describe it")]
        compared: ComparedOptions,
        /// Sign without being asked: the terms were read before. Fingerprints are still to be compared
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own option describes it")]
        out: OutArguments,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own option describes it")]
        output: OutputOption,
    },
    /// Decline an invitation
    Decline {
        /// The partnership file
        file: PathBuf,
        /// Why, for the other members to read
        #[arg(long, value_name = "TEXT")]
        reason: Name,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own options describe it")]
        compared: ComparedOptions,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own option describes it")]
        out: OutArguments,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own option describes it")]
        output: OutputOption,
    },
    /// Write the partnership file of a partnership again, with all signatures there are
    Invite {
        /// Which
        partnership: PartnershipId,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own option describes it")]
        out: OutArguments,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own option describes it")]
        output: OutputOption,
    },
    /// Show the partnerships and who has signed
    List {
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own option describes it")]
        output: OutputOption,
    },
}

/// Fingerprints that a person compared.
#[derive(Clone, Debug, Default, Args)]
pub struct ComparedOptions {
    /// Another member's root fingerprint as its own people told it: 64 hexadecimal digits
    #[arg(long = "fingerprint", value_name = "ORG=HEX", value_parser = compared)]
    pub fingerprints: Vec<(OrganizationId, Fingerprint)>,
}

/// Why `ORG=HEX` cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ComparedOptionError {
    /// No `=` in it.
    #[error("`{0}` is not ORG=HEX")]
    NoFingerprint(String),
    /// Not an organization's id.
    #[error("`{0}` is not an organization's id")]
    Organization(String),
    /// Not a fingerprint.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
}

fn compared(text: &str) -> Result<(OrganizationId, Fingerprint), ComparedOptionError> {
    let (organization, fingerprint) = text
        .rsplit_once('=')
        .ok_or_else(|| ComparedOptionError::NoFingerprint(text.to_owned()))?;
    let organization = organization
        .parse()
        .map_err(|_| ComparedOptionError::Organization(organization.to_owned()))?;
    Ok((organization, fingerprint.parse()?))
}

#[derive(Debug, thiserror::Error)]
enum PartnerCommandError {
    #[error(
        "the root fingerprint of `{0}` was not compared: ask for it on the telephone and give it as --fingerprint '{0}=HEX'"
    )]
    NotCompared(OrganizationId),
    #[error("the root fingerprint of `{0}` is not the one it told you; nothing was signed")]
    Differs(OrganizationId),
    #[error("a fingerprint is given for `{0}`, which is none of the other members")]
    Stranger(OrganizationId),
    #[error("two fingerprints are given for `{0}`; give the one it told you")]
    Twice(OrganizationId),
    #[error("nobody can be asked to sign here: read the terms, then give --yes")]
    Unread,
    #[error("nothing was signed")]
    Unsigned,
}

impl From<PartnerCommandError> for CommandError {
    fn from(error: PartnerCommandError) -> Self {
        let exit = match error {
            PartnerCommandError::NotCompared(_)
            | PartnerCommandError::Stranger(_)
            | PartnerCommandError::Twice(_)
            | PartnerCommandError::Unread => Exit::Usage,
            PartnerCommandError::Differs(_) => Exit::Verification,
            PartnerCommandError::Unsigned => Exit::Failed,
        };
        Self::new(exit, error)
    }
}

type Fingerprints = BTreeMap<OrganizationId, Fingerprint>;

pub(super) fn partner(home: &Path, command: &PartnerCommand) -> Result<Exit, CommandError> {
    match command {
        PartnerCommand::Declare {
            file,
            compared,
            out,
            output,
        } => declare(home, file, compared, out, *output),
        PartnerCommand::Accept {
            file,
            compared,
            yes,
            out,
            output,
        } => accept(home, file, compared, *yes, out, *output),
        PartnerCommand::Decline {
            file,
            reason,
            compared,
            out,
            output,
        } => {
            let given = compared.read()?;
            let operation = Operation::Decline {
                file: read_text(file)?,
                fingerprints: given,
                reason: reason.clone(),
            };
            let outlet = Outlet::open(out.out.as_deref())?;
            let proposal: Proposal = Backend::open(home)?.ask(operation)?;
            write_file_of(&proposal, outlet, *output)?;
            note(format!(
                "declined `{}`: hand the file to the other members",
                proposal.partnership
            ));
            Ok(Exit::Done)
        }
        PartnerCommand::Invite {
            partnership,
            out,
            output,
        } => {
            let partnership = partnership.clone();
            let outlet = Outlet::open(out.out.as_deref())?;
            let proposal: Proposal = Backend::open(home)?.ask(Operation::Invite { partnership })?;
            write_file_of(&proposal, outlet, *output)?;
            Ok(Exit::Done)
        }
        PartnerCommand::List { output } => {
            let partners: Vec<PartnerStatus> = Backend::open(home)?.ask(Operation::Partners)?;
            output.print(&partners, |partners| partners_table(partners))?;
            if partners.is_empty() {
                note("no partnership is known here");
            }
            Ok(Exit::Done)
        }
    }
}

fn declare(
    home: &Path,
    file: &Path,
    compared: &ComparedOptions,
    out: &OutArguments,
    output: OutputOption,
) -> Result<Exit, CommandError> {
    let text = read_text(file)?;
    let declaration = Declaration::parse(&text).map_err(ContentError::of(file))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut given = compared.read()?;
    let mut cards = Vec::new();
    let mut found = Fingerprints::new();
    for member in declaration.members() {
        let path = folder.join(&member.card);
        let card = read_text(&path)?;
        let read = read_card(&card).map_err(ContentError::of(&path))?;
        let root = card_root(&read).map_err(ContentError::of(&path))?;
        if let Some(told) = member.fingerprint {
            let before = given.insert(read.organization.clone(), told);
            if before.is_some_and(|before| before != told) {
                return Err(PartnerCommandError::Twice(read.organization).into());
            }
        }
        found.insert(read.organization, root);
        cards.push(card);
    }
    let fingerprints = compare(&found, given)?;
    let outlet = Outlet::open(out.out.as_deref())?;
    let proposal: Proposal = Backend::open(home)?.ask(Operation::Declare {
        declaration: text,
        cards,
        fingerprints,
    })?;
    write_file_of(&proposal, outlet, output)?;
    note(format!(
        "declared and signed `{}`: hand the invitation to {}, who run `ambit partner accept FILE`",
        proposal.partnership,
        names(proposal.others.keys())
    ));
    Ok(Exit::Done)
}

fn accept(
    home: &Path,
    file: &Path,
    compared: &ComparedOptions,
    is_read: bool,
    out: &OutArguments,
    output: OutputOption,
) -> Result<Exit, CommandError> {
    let text = read_text(file)?;
    let given = compared.read()?;
    let parsed = PartnershipFile::read(&text).map_err(ContentError::of(file))?;
    let backend = Backend::open(home)?;
    // A file that declines proposes nothing that could be read and signed.
    let fingerprints = if parsed.decline.is_some() {
        given
    } else {
        let review = Operation::Review { file: text.clone() };
        agree(&backend.ask(review)?, given, is_read, output.output)?
    };
    let outlet = Outlet::open(out.out.as_deref())?;
    let proposal: Proposal = backend.ask(Operation::Accept {
        file: text,
        fingerprints,
    })?;
    if outlet.is_file() {
        outlet.hand_out(&proposal.file)?;
    }
    output.print(&proposal, |proposal| {
        proposal_table(proposal, parsed.decline.is_some())
    })?;
    if parsed.decline.is_none() {
        note(what_is_next(
            &proposal,
            backend.is_running(),
            out.out.as_deref(),
        ));
    }
    Ok(Exit::Done)
}

/// Shows the terms, has fingerprints compared and asks for consent, unless that was done before.
fn agree(
    proposal: &Proposal,
    given: Fingerprints,
    is_read: bool,
    format: Format,
) -> Result<Fingerprints, CommandError> {
    if proposal.is_known {
        return Ok(given);
    }
    let words = format!("{}\n", proposal.words.trim_end());
    match format {
        Format::Table => print(&words)?,
        Format::Json if is_read => {}
        Format::Json => note(&words),
    }
    if !is_read && !prompt::is_interactive() {
        return Err(PartnerCommandError::Unread.into());
    }
    let fingerprints = compare(&proposal.others, given)?;
    if !is_read && !prompt::is_confirmed("\nSign these terms in the name of your organization?")? {
        return Err(PartnerCommandError::Unsigned.into());
    }
    Ok(fingerprints)
}

/// Takes for each other member the fingerprint that was given, or asks a person to compare the one found.
fn compare(found: &Fingerprints, given: Fingerprints) -> Result<Fingerprints, CommandError> {
    if let Some(stranger) = given
        .keys()
        .find(|organization| !found.contains_key(*organization))
    {
        return Err(PartnerCommandError::Stranger(stranger.clone()).into());
    }
    let mut fingerprints = given;
    for (organization, root) in found {
        match fingerprints.get(organization) {
            Some(told) if told == root => {}
            Some(_) => return Err(PartnerCommandError::Differs(organization.clone()).into()),
            None if !prompt::is_interactive() => {
                return Err(PartnerCommandError::NotCompared(organization.clone()).into());
            }
            None => {
                let question = format!(
                    "\nRoot fingerprint of {}:\n  {root}\nIs it what {} told you, on a number you had before?",
                    shown(organization.as_str()),
                    shown(organization.as_str())
                );
                if !prompt::is_confirmed(&question)? {
                    return Err(PartnerCommandError::Differs(organization.clone()).into());
                }
                fingerprints.insert(organization.clone(), *root);
            }
        }
    }
    Ok(fingerprints)
}

impl ComparedOptions {
    fn read(&self) -> Result<Fingerprints, PartnerCommandError> {
        let mut fingerprints = Fingerprints::new();
        for (organization, fingerprint) in &self.fingerprints {
            let before = fingerprints.insert(organization.clone(), *fingerprint);
            if before.is_some_and(|before| before != *fingerprint) {
                return Err(PartnerCommandError::Twice(organization.clone()));
            }
        }
        Ok(fingerprints)
    }
}

/// Hands out the partnership file: where `-o` says, else on standard output, within the answer if that is JSON.
fn write_file_of(
    proposal: &Proposal,
    outlet: Outlet<'_>,
    output: OutputOption,
) -> Result<(), CommandError> {
    if outlet.is_file() || output.output == Format::Table {
        outlet.hand_out(&proposal.file)?;
    }
    match output.output {
        Format::Table => Ok(()),
        Format::Json => print_json(proposal),
    }
}

fn proposal_table(proposal: &Proposal, is_declined: bool) -> String {
    let stage = match (proposal.is_active, is_declined) {
        (true, _) => "active",
        (false, true) => "declined",
        (false, false) => "proposed",
    };
    pairs([
        ("partnership", proposal.partnership.to_string()),
        ("edition", proposal.edition.to_string()),
        ("stage", stage.to_owned()),
        ("signed", names(&proposal.signed)),
    ])
}

fn what_is_next(proposal: &Proposal, is_running: bool, written: Option<&Path>) -> String {
    let file = match written {
        Some(path) => format!("`{}`", path.display()),
        None => format!("ambit partner invite {} -o FILE", proposal.partnership),
    };
    let waiting = if proposal.is_active {
        "all members have signed".to_owned()
    } else {
        let unsigned = proposal
            .others
            .keys()
            .filter(|member| !proposal.signed.contains(*member));
        format!("not yet signed by {}", names(unsigned))
    };
    let way = if is_running {
        "the running node tells the members it reaches"
    } else {
        "`ambit run` tells the members it reaches"
    };
    format!("{waiting}; {way}; to those it does not reach, hand over the file: {file}")
}

fn names<'a>(organizations: impl IntoIterator<Item = &'a OrganizationId>) -> String {
    let names: Vec<&str> = organizations
        .into_iter()
        .map(OrganizationId::as_str)
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> OrganizationId {
        text.parse().unwrap()
    }

    #[test]
    fn a_fingerprint_option_names_an_organization() {
        let (organization, fingerprint) =
            compared(&format!("did:web:a.example={}", "ab ".repeat(32))).unwrap();
        assert_eq!(organization.as_str(), "did:web:a.example");
        assert_eq!(fingerprint, "ab".repeat(32).parse().unwrap());
        for text in ["did:web:a.example", "did:web:a.example=12", "=00"] {
            assert!(compared(text).is_err(), "{text}");
        }
    }

    #[test]
    fn compared_fingerprints_are_those_found() {
        let root: Fingerprint = "ab".repeat(32).parse().unwrap();
        let other: Fingerprint = "cd".repeat(32).parse().unwrap();
        let found = Fingerprints::from([(id("a"), root)]);
        assert_eq!(compare(&found, found.clone()).unwrap(), found);
        let differs = compare(&found, Fingerprints::from([(id("a"), other)])).unwrap_err();
        assert_eq!(differs.exit(), Exit::Verification);
        let stranger = Fingerprints::from([(id("a"), root), (id("b"), other)]);
        assert_eq!(compare(&found, stranger).unwrap_err().exit(), Exit::Usage);
        let twice = ComparedOptions {
            fingerprints: vec![(id("a"), root), (id("a"), other)],
        };
        assert!(matches!(twice.read(), Err(PartnerCommandError::Twice(_))));
    }
}
