//! `ambit partner offer`: what was withheld, judged again.

use super::super::backend::Backend;
use super::super::codes::note_codes;
use super::super::exit::Exit;
use super::super::output::{Format, OutputOption, note};
use super::super::status::not_taken_text;
use super::super::table::{or_none, table};
use crate::failure::Failure;
use crate::holding::withheld_by;
use crate::release::{Offer, Offered};
use ambit_ledger::{OrganizationId, PartnershipId};
use clap::Args;
use std::path::Path;

/// What to judge again.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = COLUMNS)]
pub struct OfferArguments {
    /// Under which partnership
    pub partnership: PartnershipId,
    /// For this member alone
    #[arg(long, value_name = "ORG")]
    pub to: Option<OrganizationId>,
    /// Say what would be disclosed, and disclose nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub output: OutputOption,
}

const COLUMNS: &str = "\
What the table counts, in observations for one member:
  RELEASED        withheld before, and admissible now: it goes
  STILL WITHHELD  a layer says no now too; WITHHELD BY names the layers
  UNDECIDED       nobody can say; it is judged again when what it depends on changes
  OFFERED AGAIN   the member did not take it before and asked for it; it goes again now
  KEPT BACK       the member did not take it before and asked for it, but this node no longer lets it leave: a layer here
                  says no, or cannot say. `ambit why OBSERVATION --to ORG` says which; once that has changed, this
                  command offers it again
  NOT TAKEN       what the member did not take, by its code, as `ambit status` counts it. It asks for it itself once its
                  own grounds change, but for what it refused for good";

pub(super) fn offer(home: &Path, arguments: &OfferArguments) -> Result<Exit, Failure> {
    let offered = Backend::open(home)?.ask(Offer {
        partnership: arguments.partnership.clone(),
        to: arguments.to.clone(),
        is_dry_run: arguments.dry_run,
    })?;
    arguments
        .output
        .print(&offered, |offered| offered_table(offered))?;
    let would = offered
        .iter()
        .any(|to| to.released > 0 || to.offered_again > 0);
    if arguments.output.output == Format::Table {
        note_codes(offered.iter().flat_map(|to| to.not_taken.keys()));
    }
    if arguments.dry_run && would && arguments.output.output == Format::Table {
        note("nothing was disclosed; without --dry-run it is");
    }
    Ok(Exit::Done)
}

fn offered_table(offered: &[Offered]) -> String {
    let header = [
        "to",
        "released",
        "still withheld",
        "undecided",
        "withheld by",
        "offered again",
        "kept back",
        "not taken",
    ];
    table(
        &header,
        offered.iter().map(|to| {
            let withheld_by = withheld_by(&to.layers, to.unasked);
            vec![
                to.to.to_string(),
                to.released.to_string(),
                to.withheld.to_string(),
                to.undecided.to_string(),
                or_none(Some(withheld_by).filter(|text| !text.is_empty())),
                to.offered_again.to_string(),
                to.kept_back.to_string(),
                not_taken_text(&to.not_taken),
            ]
        }),
    )
}
