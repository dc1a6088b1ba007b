//! Options that are one of a few names, for people and for shells that complete.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StringDeserializer};

/// Reads one of these names, which are those that files use for it too.
pub(super) fn one_of<T>(
    names: impl IntoIterator<Item = &'static str>,
) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    let parser = PossibleValuesParser::new(names);
    parser.try_map(|name| T::deserialize(StringDeserializer::<Error>::new(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_ledger::{Layer, Regime};
    use std::ffi::OsStr;

    fn read<T>(parser: &impl TypedValueParser<Value = T>, name: &str) -> Option<T> {
        let command = clap::Command::new("ambit");
        parser.parse_ref(&command, None, OsStr::new(name)).ok()
    }

    #[test]
    fn each_name_is_read_as_what_it_names_and_no_other() {
        let layers = one_of::<Layer>(Layer::ALL.map(Layer::name));
        for layer in Layer::ALL {
            assert_eq!(read(&layers, layer.name()), Some(layer));
        }
        let regimes = one_of::<Regime>(Regime::ALL.map(Regime::name));
        for regime in Regime::ALL {
            assert_eq!(read(&regimes, regime.name()), Some(regime));
        }
        assert_eq!(read(&layers, "trade secret"), None);
        assert_eq!(read(&regimes, "usa"), None);
    }
}
