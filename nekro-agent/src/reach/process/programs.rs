//! Where the programs are that plugins declare: looked for once, at start, in the operator's path.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use nekro_core::PluginDecl;

/// The programs that the linked plugins declare, with where each is; `None` if it is not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Programs(BTreeMap<&'static str, Option<PathBuf>>);

impl Programs {
    /// Looks for every program of some plugins.
    pub(crate) fn find<'a>(plugins: impl IntoIterator<Item = &'a &'static PluginDecl>, path: Option<&OsStr>) -> Self {
        let declared = plugins.into_iter().flat_map(|plugin| plugin.scope("process"));
        Self(declared.map(|program| (*program, locate(program, path))).collect())
    }

    /// Returns where a program is.
    pub(super) fn get(&self, program: &str) -> Option<&Path> {
        self.0.get(program).and_then(Option::as_deref)
    }

    /// Returns the programs that are not there.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|(_, found)| found.is_none()).map(|(program, _)| *program)
    }
}

fn locate(program: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    if program.starts_with('/') {
        return Some(PathBuf::from(program)).filter(|program| is_program(program));
    }
    // A part that depends on where the agent runs would let whoever can write there choose the program.
    let folders = env::split_paths(path?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(program)).find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    #[cfg(unix)]
    let may_run = |metadata: &fs::Metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = |_: &fs::Metadata| true;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && may_run(&metadata))
}
