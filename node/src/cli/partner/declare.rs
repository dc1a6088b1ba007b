//! `ambit partner declare`: signs terms, and writes the invitation.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::files::ContentError;
use super::super::input::{FileKind, read_text};
use super::super::key::OutArguments;
use super::super::output::{Outlet, OutputOption, note, note_as_is};
use super::super::table::shown;
use super::compare::{ComparedOptions, Fingerprints, NotComparedError, compare};
use super::{names, write_file_of};
use crate::agree::{DeclarePartnership, Proposal};
use crate::failure::Failure;
use crate::partnership::{
    ANNOUNCE_HINT, Declaration, PartnershipFile, apart, card_root, read_card,
};
use clap::Args;
use std::path::{Path, PathBuf};

/// What to declare.
#[derive(Clone, Debug, Args)]
pub struct DeclareArguments {
    /// The declaration, TOML; cards are named relative to it
    pub file: PathBuf,
    #[command(flatten)]
    pub compared: ComparedOptions,
    #[command(flatten)]
    pub out: OutArguments,
    #[command(flatten)]
    pub output: OutputOption,
}

pub(super) fn declare(home: &Path, arguments: &DeclareArguments) -> Result<Exit, Failure> {
    let file = &arguments.file;
    let text = read_text(file, FileKind::Declaration)?;
    let declaration = Declaration::parse(&text).map_err(ContentError::of(file))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut given = arguments.compared.read()?;
    let mut cards = Vec::new();
    let mut found = Fingerprints::new();
    for member in declaration.members() {
        let path = folder.join(&member.card);
        let card = read_text(&path, FileKind::Card)?;
        let read = read_card(&card).map_err(ContentError::of(&path))?;
        let root = card_root(&read).map_err(ContentError::of(&path))?;
        if let Some(told) = member.fingerprint {
            let before = given.insert(read.card.organization.clone(), told);
            if before.is_some_and(|before| before != told) {
                return Err(NotComparedError::Twice(read.card.organization.clone()).into());
            }
        }
        found.insert(read.card.organization.clone(), root);
        cards.push(card);
    }
    let fingerprints = compare(&found, given)?;
    let outlet = Outlet::open(arguments.out.out.as_deref())?;
    let proposal = Backend::open(home)?.ask(DeclarePartnership {
        declaration: text,
        cards,
        fingerprints,
    })?;
    write_file_of(&proposal, outlet, arguments.output)?;
    if let Some(warning) = apart_told(&proposal) {
        note(shown(&warning));
    }
    note_as_is(shown(&format!(
        "declared and signed `{}`: hand the invitation to {}, who run `ambit partner accept FILE`",
        proposal.partnership,
        names(proposal.others.keys())
    )));
    Ok(Exit::Done)
}

/// Whose nodes never connect, by the cards in the agreement.
fn apart_told(proposal: &Proposal) -> Option<String> {
    let terms = PartnershipFile::read(&proposal.file)
        .ok()?
        .unverified_terms()
        .ok()??;
    let apart = apart(&terms.members);
    let apart = apart.iter().map(|member| &member.card.organization);
    let apart = names(apart);
    (!apart.is_empty()).then(|| {
        format!(
            "warning: the nodes of {apart} never connect with each other, as no card of theirs names an address, unless they are \
             members of another agreement that does; let one of them {ANNOUNCE_HINT}, take its new card from `ambit key card`, \
             and declare under another name"
        )
    })
}
