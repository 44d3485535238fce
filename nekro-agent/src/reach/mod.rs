//! What plugins reach outside of the agent: other machines, files, programs; each behind a border of its own.

mod files;
mod http;
mod model;
mod process;
mod secrets;

use std::{env, path::PathBuf, sync::Arc};

use nekro_core::{FilesPort, HttpPort, PluginDecl, Ports, ProcessPort, SecretsPort};

#[cfg(feature = "mcp")]
pub(crate) use self::process::Group as ProcessGroup;
pub(crate) use self::{
    files::FilesSettings,
    http::HttpSettings,
    model::{Asked, PluginModelSettings},
    process::ProcessSettings,
    secrets::SecretsSettings,
};
use self::{
    files::LocalFiles,
    http::Egress,
    process::{Programs, Runner},
    secrets::Vault,
};

/// The borders of one agent.
#[derive(Debug)]
pub(crate) struct Reach {
    http: Arc<Egress>,
    files: Arc<LocalFiles>,
    process: Arc<Runner>,
    programs: Programs,
    vault: Vault,
}

impl Reach {
    /// Builds them for some plugins, whose files are kept below a directory. The programs that they declare are looked for now.
    pub(crate) fn new(
        plugins: &[&'static PluginDecl],
        root: PathBuf,
        (http, files, process): (&HttpSettings, &FilesSettings, &ProcessSettings),
        secrets: &SecretsSettings,
    ) -> Self {
        let programs = Programs::find(plugins, env::var_os("PATH").as_deref());
        let files = Arc::new(LocalFiles::new(root, files));
        let process = Arc::new(Runner::new(process, programs.clone(), Arc::clone(&files)));
        let vault = Vault::new(secrets);
        Self { http: Arc::new(Egress::new(http)), files, process, programs, vault }
    }

    /// Returns them as the ports that plugins are lent.
    pub(crate) fn ports(&self) -> Ports {
        Ports::new()
            .with::<dyn HttpPort>(Arc::clone(&self.http) as _)
            .with::<dyn FilesPort>(Arc::clone(&self.files) as _)
            .with::<dyn ProcessPort>(Arc::clone(&self.process) as _)
            .with::<dyn SecretsPort>(Arc::new(self.vault.clone()))
    }

    /// Returns the secrets that plugins declare and nobody has given them: the plugin, the secret, and the way to give it.
    pub(crate) fn missing_secrets<'a>(
        &'a self,
        plugins: impl IntoIterator<Item = &'static PluginDecl> + 'a,
    ) -> impl Iterator<Item = (&'static PluginDecl, &'static str, String)> + 'a {
        self.vault.missing(plugins)
    }

    /// Returns where the files of plugins and conversations are.
    #[cfg(feature = "sandbox")]
    pub(crate) fn files(&self) -> Arc<dyn FilesPort> {
        Arc::clone(&self.files) as _
    }

    /// Returns the programs that plugins declare and that are not installed.
    pub(crate) fn missing_programs(&self) -> impl Iterator<Item = &'static str> {
        self.programs.missing()
    }
}
