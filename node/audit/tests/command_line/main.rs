//! The program as an auditor calls it.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod codes;
#[cfg(test)]
#[path = "../../src/fixture/mod.rs"]
#[expect(dead_code, reason = "the library's own tests tamper in more ways")]
mod fixture;

#[cfg(test)]
use ambit_audit::{Bundle, BundleWriter, Finding, Report, Rule, Trust, TrustedRoot, verify};
