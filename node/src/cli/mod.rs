//! The command line: data on standard output, everything else on standard error, exit codes for scripts.
//!
//! It asks the node that runs for the home, or opens the home itself. It decides nothing: what a command may do
//! is the node's to say.

mod arguments;
mod backend;
mod clock;
mod export;
mod facts;
mod failure;
mod import;
mod init;
mod inspect;
mod key;
mod manual;
mod observe;
mod output;
mod partner;
mod peers;
mod profile;
mod prompt;
mod run;
mod submodel;
mod table;
mod why;

pub use arguments::{Arguments, Command, HomeArgumentError};
pub use clock::ClockCommand;
pub use export::ExportArguments;
pub use facts::{FactOptionError, FactsOptions};
pub use failure::{CommandError, Exit, one_line};
pub use import::ImportArguments;
pub use init::{AnnounceError, InitArguments};
pub use inspect::{GetArguments, ListArguments};
pub use key::{KeyCommand, OutArguments};
pub use manual::{ManualArguments, ManualError};
pub use observe::ObserveArguments;
pub use output::{Format, OutputOption};
pub use partner::{ComparedOptionError, ComparedOptions, PartnerCommand};
pub use profile::{LayerError, ProfileArguments, ProfileCommand};
pub use run::DemoArguments;
pub use why::WhyArguments;

/// Does what the arguments say.
///
/// # Errors
/// Whatever goes wrong, with the exit code it ends in.
pub fn execute(arguments: &Arguments) -> Result<Exit, CommandError> {
    let home = || arguments.home();
    match &arguments.command {
        Command::Demo(demo) => run::demo(*demo),
        Command::Init(init) => init::init(&home()?, init),
        Command::Run => run::run(&home()?),
        Command::Observe(observe) => observe::observe(&home()?, observe),
        Command::Import(import) if import.propose_map => import::propose(import),
        Command::Import(import) => import::import(&home()?, import),
        Command::List(list) => inspect::list(&home()?, list),
        Command::Get(get) => inspect::get(&home()?, get),
        Command::Why(why) => why::why(&home()?, why),
        Command::Status { output } => inspect::status(&home()?, *output),
        Command::Peers { output } => peers::peers(&home()?, *output),
        Command::Key { command } => key::key(&home()?, command),
        Command::Export(export) => export::export(&home()?, export),
        Command::Partner { command } => partner::partner(&home()?, command),
        Command::Clock { command } => clock::clock(&home()?, command),
        Command::Profile { command } => profile::profile(home, command),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man(manual) => manual::pages(manual),
    }
}
