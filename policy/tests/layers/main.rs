//! What the layers answer, what is refused, and what replays.

#[cfg(test)]
mod agreements;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod classes;
#[cfg(test)]
mod explanations;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod holes;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod replays;
#[cfg(test)]
mod scopes;
#[cfg(test)]
mod vectors;
