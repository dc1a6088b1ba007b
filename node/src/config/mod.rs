//! A node's home: its configuration, its keys, and who may read them.

mod home;
mod locked_key;
mod organization_id;
mod root;
mod settings;

pub use home::{Home, HomeError, NodeKeys};
pub use locked_key::{
    KeyFile, LockedKey, LockedKeyError, Passphrase, PassphraseError, PassphraseRefused,
};
pub use organization_id::{OrganizationIdError, check_organization_id};
pub use root::{ProvedRoot, RootFileError, read_root_file};
pub use settings::{
    ApiSettings, ClaimSettings, ExampleSettings, MeshSettings, OrganizationSettings, Settings,
    SettingsError,
};
