//! `ambit key card`.

use super::super::backend::Backend;
use super::super::exit::Exit;
use super::super::output::{Outlet, note};
use super::super::reach::note_reach;
use super::OutArguments;
use crate::agree::GetCard;
use crate::failure::Failure;
use crate::partnership::read_card;
use std::path::Path;

pub(super) fn card(home: &Path, arguments: &OutArguments) -> Result<Exit, Failure> {
    let card = Backend::open(home)?.ask(GetCard {})?;
    Outlet::open(arguments.out.as_deref())?.hand_out(&card)?;
    if let Ok(member) = read_card(&card) {
        note_reach(&member.card.addresses);
    }
    note(
        "hand the card over by any way; read the root key's fingerprint out on the telephone: `ambit key show`",
    );
    Ok(Exit::Done)
}
