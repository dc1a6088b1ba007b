//! The program as an auditor calls it.

#[cfg(test)]
mod calls;
