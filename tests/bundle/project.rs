//! Small projects that are built for a test, each in a directory of its own below the target directory. They share what they compile.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// An agent with a bundle and plugins.
pub(crate) struct Project {
    name: &'static str,
    directory: PathBuf,
}

impl Project {
    /// Makes one of which nothing is built yet.
    pub(crate) fn new(name: &'static str) -> Self {
        let project = Self { name, directory: Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundle").join(name) };
        // What an earlier run has left there.
        let _ = fs::remove_dir_all(&project.directory);
        project.write(
            "Cargo.toml",
            &format!(
                "[workspace]\nmembers = ['*']\nexclude = ['src']\nresolver = '3'\n\
                 [profile.dev]\ndebug = false\n\
                 [package]\nname = 'agent-{name}'\nversion = '1.0.0'\nedition = '2024'\n\
                 [dependencies]\nbundle = {{ path = 'bundle' }}\n{core}\n\
                 [build-dependencies]\nbundle = {{ path = 'bundle' }}\n{core}\n",
                core = core("features = ['build'], ")
            ),
        );
        project.write("build.rs", "fn main() { nekro_core::build::write(bundle::PLUGINS) }\n");
        project.write(
            "src/main.rs",
            "nekro_core::embed_manifest!();
             fn main() {
                 let registry = nekro_core::kernel::Registry::of_bundle(bundle::PLUGINS).expect(\"it was checked\");
                 match nekro_core::manifest::verify(&registry) {
                     Ok(()) => println!(\"all is well\"),
                     Err(error) => println!(\"{error}\\n({})\", error.hint()),
                 }
             }\n",
        );
        fs::copy(Path::new(ROOT).join("Cargo.lock"), project.directory.join("Cargo.lock")).expect("the versions that are there");
        project
    }

    /// Adds a bundle that depends on crates and names some of them.
    pub(crate) fn bundle(self, depends: &[&str], names: &str) -> Self {
        let dependencies = depends.iter().map(|name| format!("{name} = {{ path = '../{name}' }}\n")).collect::<String>();
        let manifest = format!("[dependencies]\n{}\n{dependencies}", core(""));
        self.package("bundle", &manifest, &format!("#![deny(unused_crate_dependencies)]\nnekro_core::bundle! {{ {names} }}\n"))
    }

    /// Adds a plugin: `id` is what it calls itself.
    pub(crate) fn plugin(self, name: &str, id: &str) -> Self {
        let code = format!(
            "use nekro_core::prelude::*;
             /// A plugin for a test.
             #[plugin(id = \"{id}\")]
             pub struct It;
             /// Does something.
             #[tool]
             fn act(/** With what. */ what: u8) -> u8 {{ what }}\n"
        );
        self.package(name, &format!("[dependencies]\n{}\n", core("")), &code)
    }

    /// Adds a package. The version keeps it apart from those of the same name in other projects, which Cargo would take for the same.
    pub(crate) fn package(self, name: &str, manifest: &str, code: &str) -> Self {
        let package = format!("[package]\nname = '{name}'\nversion = '1.0.0-{}'\nedition = '2024'\n", self.name);
        self.write(&format!("{name}/Cargo.toml"), &(package + manifest));
        self.write(&format!("{name}/src/lib.rs"), code);
        self
    }

    /// Writes a file.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let file = self.directory.join(file);
        fs::create_dir_all(file.parent().expect("it is below the project")).expect("the target directory can be written to");
        fs::write(file, text).expect("the target directory can be written to");
    }

    /// Makes a link in the place of a file.
    #[cfg(unix)]
    pub(crate) fn link(&self, file: &str, target: &str) {
        let file = self.directory.join(file);
        let _ = fs::remove_file(&file);
        std::os::unix::fs::symlink(target, file).expect("the target directory can be written to");
    }

    /// Changes a file.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.directory.join(file)).expect("it was written");
        assert!(text.contains(from), "{text}");
        self.write(file, &text.replace(from, to));
    }

    /// Builds it, and returns what was said about it.
    #[track_caller]
    pub(crate) fn builds(&self) -> String {
        let (success, text) = self.cargo(&["build", "--verbose"]);
        assert!(success, "{text}");
        text
    }

    /// Expects that it cannot be built for these reasons.
    #[track_caller]
    pub(crate) fn fails(&self, reasons: &[&str]) {
        let (success, text) = self.cargo(&["build"]);
        assert!(!success, "it was built");
        for reason in reasons {
            assert!(text.contains(reason), "`{reason}` is not in:\n{text}");
        }
    }

    /// Builds and starts it, and returns what it prints.
    #[track_caller]
    pub(crate) fn runs(&self) -> String {
        let (success, text) = self.cargo(&["run", "--quiet"]);
        assert!(success, "{text}");
        text
    }

    /// Returns the program, which has been built.
    pub(crate) fn program(&self) -> Vec<u8> {
        let name = format!("agent-{}{}", self.name, std::env::consts::EXE_SUFFIX);
        fs::read(self.target().join("debug").join(name)).expect("it was built")
    }

    fn cargo(&self, arguments: &[&str]) -> (bool, String) {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO"))
            .args(arguments)
            .args(["--offline", "--color", "never", "--target-dir"])
            .arg(self.target())
            .current_dir(&self.directory)
            .output()
            .expect("Cargo starts");
        (status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
    }

    /// What is compiled for one project serves the others: only the packages in their own directories differ.
    fn target(&self) -> PathBuf {
        self.directory.parent().expect("it is below the target directory").join("target")
    }
}

/// A line for `Cargo.toml`.
pub(crate) fn core(more: &str) -> String {
    format!("nekro-core = {{ {more}path = '{ROOT}/nekro-core' }}")
}
