//! The data types a value may declare (IDTA-01001, `DataTypeDefXsd`), by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

macro_rules! data_types {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A data type of XML Schema that a Property, Range, Qualifier or Extension may declare
        /// (IDTA-01001, `DataTypeDefXsd`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum DataTypeDefXsd {
            $(#[doc = concat!("`", $name, "`")] #[serde(rename = $name)] $variant,)+
        }

        impl DataTypeDefXsd {
            /// All of them, in the order of their names.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name with its prefix, e.g. `xs:double`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

data_types! {
    AnyUri = "xs:anyURI",
    Base64Binary = "xs:base64Binary",
    Boolean = "xs:boolean",
    Byte = "xs:byte",
    Date = "xs:date",
    DateTime = "xs:dateTime",
    Decimal = "xs:decimal",
    Double = "xs:double",
    Duration = "xs:duration",
    Float = "xs:float",
    GDay = "xs:gDay",
    GMonth = "xs:gMonth",
    GMonthDay = "xs:gMonthDay",
    GYear = "xs:gYear",
    GYearMonth = "xs:gYearMonth",
    HexBinary = "xs:hexBinary",
    Int = "xs:int",
    Integer = "xs:integer",
    Long = "xs:long",
    NegativeInteger = "xs:negativeInteger",
    NonNegativeInteger = "xs:nonNegativeInteger",
    NonPositiveInteger = "xs:nonPositiveInteger",
    PositiveInteger = "xs:positiveInteger",
    Short = "xs:short",
    String = "xs:string",
    Time = "xs:time",
    UnsignedByte = "xs:unsignedByte",
    UnsignedInt = "xs:unsignedInt",
    UnsignedLong = "xs:unsignedLong",
    UnsignedShort = "xs:unsignedShort",
}

impl DataTypeDefXsd {
    /// Whether a value of this type is a JSON number in the value-only form (IDTA-01002, "Mapping of Data Types in
    /// ValueOnly-Serialization").
    #[must_use]
    pub fn is_numeric(self) -> bool {
        match self {
            Self::Byte
            | Self::Decimal
            | Self::Double
            | Self::Float
            | Self::Int
            | Self::Integer
            | Self::Long
            | Self::NegativeInteger
            | Self::NonNegativeInteger
            | Self::NonPositiveInteger
            | Self::PositiveInteger
            | Self::Short
            | Self::UnsignedByte
            | Self::UnsignedInt
            | Self::UnsignedLong
            | Self::UnsignedShort => true,
            Self::AnyUri
            | Self::Base64Binary
            | Self::Boolean
            | Self::Date
            | Self::DateTime
            | Self::Duration
            | Self::GDay
            | Self::GMonth
            | Self::GMonthDay
            | Self::GYear
            | Self::GYearMonth
            | Self::HexBinary
            | Self::String
            | Self::Time => false,
        }
    }
}

impl fmt::Display for DataTypeDefXsd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for DataTypeDefXsd {
    type Err = DataTypeDefXsdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|candidate| candidate.as_str() == text)
            .ok_or_else(|| DataTypeDefXsdError {
                value_type: text.to_owned(),
            })
    }
}

/// The name is not one of [`DataTypeDefXsd`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "failed to read the value type `{value_type}`: it is none of the metamodel's, which are written like `xs:double`"
)]
pub struct DataTypeDefXsdError {
    value_type: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_exactly() {
        assert_eq!(DataTypeDefXsd::ALL.len(), 30);
        for value_type in DataTypeDefXsd::ALL {
            assert_eq!(value_type.as_str().parse(), Ok(*value_type));
            let json = serde_json::to_string(value_type).unwrap();
            assert_eq!(json, format!("\"{value_type}\""));
        }
        for rejected in ["double", "xsd:double", "xs:Double", "", "xs:dateTimeStamp"] {
            assert!(rejected.parse::<DataTypeDefXsd>().is_err(), "{rejected}");
        }
    }
}
