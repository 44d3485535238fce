//! What plugins reach outside of the agent: other machines, files, programs; each behind a border of its own.

mod files;
mod http;
mod model;
mod process;

use std::{env, path::PathBuf, sync::Arc};

use nekro_core::{FilesPort, HttpPort, PluginDecl, Ports, ProcessPort};

pub(crate) use self::{
    files::FilesSettings,
    http::HttpSettings,
    model::{Asked, PluginModelSettings},
    process::ProcessSettings,
};
use self::{
    files::LocalFiles,
    http::Egress,
    process::{Programs, Runner},
};

/// The borders of one agent.
#[derive(Debug)]
pub(crate) struct Reach {
    http: Arc<Egress>,
    files: Arc<LocalFiles>,
    process: Arc<Runner>,
    programs: Programs,
}

impl Reach {
    /// Builds them for some plugins, whose files are kept below a directory. The programs that they declare are looked for now.
    pub(crate) fn new(
        plugins: &[&'static PluginDecl],
        root: PathBuf,
        (http, files, process): (&HttpSettings, &FilesSettings, &ProcessSettings),
    ) -> Self {
        let programs = Programs::find(plugins, env::var_os("PATH").as_deref());
        let files = Arc::new(LocalFiles::new(root, files));
        let process = Arc::new(Runner::new(process, programs.clone(), Arc::clone(&files)));
        Self { http: Arc::new(Egress::new(http)), files, process, programs }
    }

    /// Returns them as the ports that plugins are lent.
    pub(crate) fn ports(&self) -> Ports {
        Ports::new()
            .with::<dyn HttpPort>(Arc::clone(&self.http) as _)
            .with::<dyn FilesPort>(Arc::clone(&self.files) as _)
            .with::<dyn ProcessPort>(Arc::clone(&self.process) as _)
    }

    /// Returns the programs that plugins declare and that are not installed.
    pub(crate) fn missing_programs(&self) -> impl Iterator<Item = &'static str> {
        self.programs.missing()
    }
}
