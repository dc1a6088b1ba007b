//! The command line: data on standard output, everything else on standard error, exit codes for scripts. One file for
//! each command, beside what they share.
//!
//! It asks the node that runs for the home, or opens the home itself. It decides nothing: what a command may do
//! is the node's to say.

mod arguments;
mod attest;
mod backend;
mod called;
mod clock;
mod codes;
mod complaint;
mod demo;
mod exit;
mod export;
mod facts;
mod files;
mod get;
mod import;
mod init;
mod input;
mod issuer;
mod key;
mod latest;
mod list;
mod manual;
mod named;
mod observe;
mod output;
mod partner;
mod passphrase;
mod peers;
mod profile;
mod prompt;
mod propose_map;
mod reach;
mod run;
mod status;
mod store;
mod table;
mod time;
mod why;

pub use arguments::{Arguments, Command, HomeArgumentError};
pub use attest::{AttestArguments, AttestCommand};
pub use clock::ClockCommand;
pub use complaint::{complain, refuse};
pub use demo::DemoArguments;
pub use exit::Exit;
pub use export::ExportArguments;
pub use facts::{FactOptionError, FactsOptions};
pub use get::GetArguments;
pub use import::ImportArguments;
pub use init::{AnnounceError, InitArguments};
pub use issuer::IssuerCommand;
pub use key::{
    KeyCommand, OutArguments, RootCommand, RootExportArguments, RootOptions, RootRemoveArguments,
    RootUseArguments,
};
pub use list::ListArguments;
pub use manual::{ManualArguments, ManualError};
pub use observe::ObserveArguments;
pub use output::{Format, LogWriter, OutputOption};
pub use partner::{
    AcceptArguments, ComparedOptionError, ComparedOptions, DeclareArguments, DeclineArguments,
    InviteArguments, OfferArguments, PartnerCommand,
};
pub use profile::{ProfileArguments, ProfileCommand};
pub use store::{StoreCheckArguments, StoreCommand};
pub use why::WhyArguments;

use crate::failure::Failure;

/// Does what the arguments say.
///
/// # Errors
/// Whatever goes wrong.
pub fn execute(arguments: &Arguments) -> Result<Exit, Failure> {
    let home = || arguments.home();
    arguments.check_read_only()?;
    if arguments.read_only {
        called::keep_read_only();
    }
    if !matches!(arguments.command, Command::Demo(_)) {
        called::keep_home(arguments.named_home());
    }
    match &arguments.command {
        Command::Demo(demo) => demo::demo(arguments.named_home(), *demo),
        Command::Init(init) => init::init(&home()?, init),
        Command::Run => run::run(&home()?),
        Command::Observe(observe) => observe::observe(&home()?, observe),
        Command::Import(import) if import.propose_map => propose_map::propose_map(import),
        Command::Import(import) => import::import(&home()?, import),
        Command::List(list) => list::list(&home()?, list),
        Command::Get(get) => get::get(&home()?, get),
        Command::Why(why) => why::why(&home()?, why),
        Command::Status { output } => status::status(&home()?, *output),
        Command::Peers { output } => peers::peers(&home()?, *output),
        Command::Key { command } => key::key(&home()?, command),
        Command::Export(export) => export::export(&home()?, export),
        Command::Partner { command } => partner::partner(&home()?, command),
        Command::Attest(attest) => attest::attest(&home()?, attest),
        Command::Issuer { command } => issuer::issuer(&home()?, command),
        Command::Clock { command } => clock::clock(&home()?, command),
        Command::Profile { command } => profile::profile(home, command),
        Command::Store { command } => store::store(&home()?, command),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man(manual) => manual::pages(manual),
    }
}
