//! A node's home: its configuration, its keys, and who may read them.

mod home;
mod organization_id;
mod settings;

pub use home::{Home, HomeError, NodeKeys};
pub use organization_id::{OrganizationIdError, check_organization_id};
pub use settings::{
    ApiSettings, ClaimSettings, ExampleSettings, MeshSettings, OrganizationSettings, Settings,
    SettingsError,
};
