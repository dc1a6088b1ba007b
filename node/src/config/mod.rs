//! A node's home: its configuration, its keys, and who may read them.

mod files;
mod home;
mod settings;

pub use files::{check_private, open_private, sync_folder, write_private};
pub use home::{Home, HomeError, KeyRing};
pub use settings::{
    ApiSettings, AttestationSettings, ExampleSettings, MeshSettings, OrganizationSettings,
    Settings, SettingsError,
};
