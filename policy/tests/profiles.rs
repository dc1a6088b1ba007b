//! Profiles: what is taken and what is refused.

use ambit_ledger::Layer;
use ambit_policy::*;
#[test]
fn defaults_parse() {
    for layer in Layer::ALL {
        if let Some(text) = default_profile(layer) {
            if let Err(e) = Profile::parse(layer, text) { panic!("{layer}: {e}") }
        }
    }
}
