//! The node's integration tests: one binary.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod crates;
#[cfg(test)]
mod example;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod golden;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod power_cut;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod skipping;
#[cfg(test)]
mod support;
#[cfg(test)]
mod threats;
