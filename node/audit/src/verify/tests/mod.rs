//! Each rule, broken: what is found, and where.

mod acknowledgements;
mod admissions;
mod attestations;
mod completeness;
mod disclosures;
mod forgeries;
mod hostile;
mod ledgers;
mod offers;
mod partnerships;
mod rules;
mod withdrawals;
