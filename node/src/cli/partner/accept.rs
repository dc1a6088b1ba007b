//! `ambit partner accept`: a person reads the terms, compares fingerprints, and signs.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::key::OutArguments;
use super::super::output::{Format, Outlet, OutputOption, note, print};
use super::super::prompt;
use super::super::table::{pairs, shown};
use super::compare::{ComparedOptions, Fingerprints, compare};
use super::{names, read_file};
use crate::agree::{AcceptProposal, Proposal, ReviewProposal};
use crate::failure::{Failure, FailureKind};
use crate::platform::Suggestion;
use clap::Args;
use std::path::{Path, PathBuf};

/// What to accept.
#[derive(Clone, Debug, Args)]
pub struct AcceptArguments {
    /// The partnership file
    pub file: PathBuf,
    #[command(flatten)]
    pub compared: ComparedOptions,
    /// Sign without being asked: the terms were read before. Fingerprints are still to be compared
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub out: OutArguments,
    #[command(flatten)]
    pub output: OutputOption,
}

#[derive(Debug, thiserror::Error)]
enum ConsentError {
    #[error("nobody can be asked to sign here: read the terms, then give --yes")]
    Unread,
    #[error("nothing was signed")]
    Unsigned,
}

impl From<ConsentError> for Failure {
    fn from(error: ConsentError) -> Self {
        let kind = match error {
            ConsentError::Unread => FailureKind::Usage,
            ConsentError::Unsigned => FailureKind::Failed,
        };
        Self::new(kind, &error)
    }
}

pub(super) fn accept(home: &Path, arguments: &AcceptArguments) -> Result<Exit, Failure> {
    let (file, output) = (&arguments.file, arguments.output);
    let (text, parsed) = read_file(file)?;
    let given = arguments.compared.read()?;
    let backend = Backend::open(home)?;
    // A file that declines proposes nothing that could be read and signed.
    let fingerprints = if parsed.decline.is_some() {
        given
    } else {
        let review = ReviewProposal { file: text.clone() };
        consent(&backend.ask(review)?, given, arguments.yes, output.output)?
    };
    let outlet = Outlet::open(arguments.out.out.as_deref())?;
    let proposal = backend.ask(AcceptProposal {
        file: text,
        fingerprints,
    })?;
    if outlet.is_file() {
        outlet.hand_out(&proposal.file)?;
    }
    output.print(&proposal, |proposal| {
        proposal_table(proposal, parsed.decline.is_some())
    })?;
    if parsed.decline.is_some() {
        note("the file says that the agreement is declined: nothing was signed");
    } else {
        note(shown(&what_is_next(
            &proposal,
            backend.is_running(),
            arguments.out.out.as_deref(),
        )));
    }
    Ok(Exit::Done)
}

/// Shows the terms, has fingerprints compared and asks for consent, unless that was done before.
fn consent(
    proposal: &Proposal,
    given: Fingerprints,
    is_read: bool,
    format: Format,
) -> Result<Fingerprints, Failure> {
    if proposal.is_known {
        return Ok(given);
    }
    let words = format!("{}\n", proposal.words.trim_end());
    match format {
        Format::Table => print(&words)?,
        Format::Json if is_read => {}
        Format::Json => note(&words),
    }
    if proposal.over.is_some() {
        // Nobody is to telephone for what the node refuses to sign.
        return Ok(given);
    }
    if !proposal.differs.is_empty() {
        // The same of what it refuses to sign because it is not so.
        return Ok(given);
    }
    if !is_read && !prompt::is_interactive() {
        return Err(ConsentError::Unread.into());
    }
    let fingerprints = compare(&proposal.others, given)?;
    if !is_read && !prompt::is_confirmed("\nSign these terms in the name of your organization?")? {
        return Err(ConsentError::Unsigned.into());
    }
    Ok(fingerprints)
}

fn proposal_table(proposal: &Proposal, is_declined: bool) -> String {
    let state = match (&proposal.over, proposal.is_active, is_declined) {
        (Some(over), true, _) => over,
        (None, true, _) => "active",
        (_, false, true) => "declined",
        (_, false, false) => "proposed",
    };
    pairs([
        ("partnership", proposal.partnership.to_string()),
        ("edition", proposal.edition.to_string()),
        ("state", state.to_owned()),
        ("signed", names(&proposal.signed)),
    ])
}

fn what_is_next(proposal: &Proposal, is_running: bool, written: Option<&Path>) -> String {
    if let Some(over) = &proposal.over {
        return format!("nothing is disclosed under it: it is over ({over})");
    }
    let file = match written {
        Some(path) => format!("`{}`", path.display()),
        None => Suggestion::new("partner invite")
            .operand(&proposal.partnership)
            .words("-o FILE")
            .to_string(),
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
        "the running node tells"
    } else {
        "`ambit run` tells"
    };
    format!(
        "{waiting}; {way} the members that it reaches and that have the agreement already; to all others hand over the file: {file}"
    )
}
