//! The rows of the metamodel's tables: one row gives a member its JSON type, its accessor and its documentation.
//!
//! A row is `accessor: kind "member"`, where the kind is one of
//!
//! | kind | JSON | accessor |
//! | --- | --- | --- |
//! | `text` | a text | `Option<&str>` |
//! | `flag` | a boolean | `Option<bool>` |
//! | `one T` | an object of type `T` | `Option<T>` |
//! | `several T` | an array of `T` | `Vec<T>`, empty where it is absent |
//! | `given T` | an array of `T` | `Option<Vec<T>>`, for absence is a missing value |
//! | `object check` | an object that `check` passes | `Option<&Map<String, Value>>` |
//!
//! Whoever has rows has `fn get(&self, name: &str) -> Option<&Value>` for them to look into.

/// The JSON type of a row's kind.
macro_rules! shape {
    (text) => {
        $crate::shape::Shape::Text
    };
    (flag) => {
        $crate::shape::Shape::Flag
    };
    (one $of:ident) => {
        $crate::shape::Shape::Object(<$of as $crate::whole::Whole>::check)
    };
    (several $of:ident) => {
        $crate::shape::Shape::Array(<$of as $crate::whole::Whole>::check)
    };
    (given $of:ident) => {
        $crate::shape::Shape::Array(<$of as $crate::whole::Whole>::check)
    };
    (object $check:ident) => {
        $crate::shape::Shape::Object($check)
    };
}
pub(crate) use shape;

/// What the accessor of a row's kind returns.
macro_rules! answer {
    (text) => { Option<&str> };
    (flag) => { Option<bool> };
    (one $of:ident) => { Option<$of> };
    (several $of:ident) => { Vec<$of> };
    (given $of:ident) => { Option<Vec<$of>> };
    (object $check:ident) => { Option<&::serde_json::Map<String, ::serde_json::Value>> };
}
pub(crate) use answer;

/// How the accessor of a row's kind looks at the member.
macro_rules! look {
    ($member:expr, text) => {
        $member?.as_str()
    };
    ($member:expr, flag) => {
        $member?.as_bool()
    };
    ($member:expr, one $of:ident) => {
        <$of as $crate::whole::Whole>::checked($member?)
    };
    ($member:expr, several $of:ident) => {
        $crate::whole::several::<$of>($member).unwrap_or_default()
    };
    ($member:expr, given $of:ident) => {
        $crate::whole::several::<$of>($member)
    };
    ($member:expr, object $check:ident) => {
        $member?.as_object()
    };
}
pub(crate) use look;

/// Makes the rows of one type: the JSON types of its members as a constant, and an accessor for each.
macro_rules! rows {
    (
        $type:ident $shapes:ident
        $($(#[$documentation:meta])+ $accessor:ident: $kind:ident $($of:ident)? $member:literal,)*
    ) => {
        impl $type {
            pub(crate) const $shapes: &'static [(&'static str, $crate::shape::Shape)] =
                &[$(($member, $crate::table::shape!($kind $($of)?))),*];

            $(
                $(#[$documentation])+
                #[must_use]
                pub fn $accessor(&self) -> $crate::table::answer!($kind $($of)?) {
                    $crate::table::look!(self.get($member), $kind $($of)?)
                }
            )*
        }
    };
}
pub(crate) use rows;
