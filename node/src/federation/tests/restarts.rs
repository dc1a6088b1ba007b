//! Nothing is lost and nothing doubled, whoever restarts when; and nothing leaves before all have signed.
