//! Tests of the formats from outside the crate: frozen bytes, another COSE library, what is refused and why.
//!
//! Every seed, salt and time is fixed, so that a failure can be run again.

#[cfg(test)]
mod cose;
#[cfg(test)]
mod decoders;
#[cfg(test)]
mod entries;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod key_files;
#[cfg(test)]
mod observation_statements;
#[cfg(test)]
mod other_statements;
#[cfg(test)]
mod readings;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod stated;
#[cfg(test)]
mod statement_rules;
#[cfg(test)]
mod vectors;
