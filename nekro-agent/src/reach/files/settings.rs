//! The section `[files]` of the settings.

use schemars::JsonSchema;
use serde::Deserialize;

/// Files of plugins and of conversations.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FilesSettings {
    /// How many bytes one file may have.
    pub(crate) file_bytes: u64,
    /// How many bytes all files of one plugin, or of one conversation, may have.
    pub(crate) quota_bytes: u64,
    /// How many files and directories one plugin, or one conversation, may have.
    pub(crate) quota_files: u64,
}

impl Default for FilesSettings {
    fn default() -> Self {
        Self { file_bytes: 32 * 1024 * 1024, quota_bytes: 256 * 1024 * 1024, quota_files: 10_000 }
    }
}
