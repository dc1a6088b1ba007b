//! A node's home: its configuration, its keys, and who may read them.

mod home;
mod settings;

pub use home::{Home, HomeError, NodeKeys};
pub use settings::{
    ApiSettings, ClaimSettings, ExampleSettings, MeshSettings, OrganizationSettings, Settings,
    SettingsError,
};
