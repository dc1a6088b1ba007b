//! What the layers answer, what is refused, and what replays.

mod agreements;
mod cases;
mod classes;
mod fixture;
mod holes;
mod profiles;
mod replays;
mod scopes;
