//! The packages that a program is built from, as Cargo tells them.
//!
//! `cargo tree` knows to the feature what a build uses, and asks for nothing that the build has not fetched. (`cargo metadata` would want the
//! packages of the workspace's tests, too, and cannot tell their features from the program's.)

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::lockfile::Lockfile;
use crate::manifest::Package;

/// What Cargo says of the program that is being built.
#[derive(Debug)]
pub(super) struct Packages {
    pub(super) all: Vec<Package>,
    /// The agent's package.
    pub(super) agent: usize,
    /// The directory that relative paths of source files start from.
    pub(super) root: PathBuf,
    /// What the answer depends on, beside the plugins.
    pub(super) files: Vec<PathBuf>,
}

/// Asks Cargo.
///
/// # Errors
///
/// If Cargo is not there, or says no.
pub(super) fn read() -> Result<Packages, String> {
    let manifest = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("Cargo.toml");
    let project = cargo(&["locate-project", "--workspace", "--message-format", "plain"], &manifest)?;
    let root = Path::new(project.trim()).parent().unwrap_or(Path::new("/")).to_owned();
    let target = variable("TARGET")?;
    let features = env::var("CARGO_CFG_FEATURE").unwrap_or_default();
    let tree = cargo(
        &[
            "tree",
            "--locked",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "depth",
            "--format",
            "\t{p}\t{l}\t",
            "--target",
            &target,
            "--no-default-features",
            "--features",
            &features,
        ],
        &manifest,
    )?;
    let file = root.join("Cargo.lock");
    let text = fs::read_to_string(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let lock = Lockfile::parse(&text).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let (all, agent, mut directories) = packages(&tree, &lock)?;
    directories.insert(root.clone());
    let mut files: Vec<_> = directories.into_iter().map(|directory| directory.join("Cargo.toml")).collect();
    files.push(file);
    Ok(Packages { all, agent, root, files })
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("Cargo has not set `{name}`"))
}

/// Runs Cargo on a package.
fn cargo(arguments: &[&str], manifest: &Path) -> Result<String, String> {
    let mut command = Command::new(variable("CARGO")?);
    command.args(arguments).arg("--manifest-path").arg(manifest).env("CARGO_TERM_COLOR", "never");
    // Cargo keeps there what it has learned of the compiler. The directory of the build is locked, or none of ours.
    command.env("CARGO_TARGET_DIR", Path::new(&variable("OUT_DIR")?).join("cargo"));
    let said = |problem: &dyn std::fmt::Display| format!("`cargo {}` {problem}", arguments[0]);
    let output = command.output().map_err(|error| said(&format_args!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(said(&format_args!("failed: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    String::from_utf8(output.stdout).map_err(|error| said(&format_args!("printed no text: {error}")))
}

/// One line of the tree.
struct Line<'a> {
    depth: usize,
    name: &'a str,
    version: &'a str,
    /// What stands in parentheses: where it is from.
    place: Option<&'a str>,
    is_macro: bool,
    license: &'a str,
}

impl<'a> Line<'a> {
    /// Reads `1⇥anstyle v1.0.14 (somewhere)⇥MIT OR Apache-2.0⇥ (*)`.
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split('\t');
        let depth = fields.next()?.parse().ok()?;
        let (name, rest) = fields.next()?.split_once(' ')?;
        let (version, notes) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_macro = notes.starts_with("(proc-macro)");
        let place = notes.trim_start_matches("(proc-macro)").trim();
        let place = place.strip_prefix('(').and_then(|place| place.strip_suffix(')'));
        Some(Self { depth, name, version: version.strip_prefix('v')?, place, is_macro, license: fields.next()? })
    }
}

/// A package that is being put together.
#[derive(Default)]
struct Found {
    checksum: Option<String>,
    license: String,
    is_macro: bool,
    dependencies: BTreeSet<Key>,
}

/// Name, version and source.
type Key = (String, String, String);

type List = (Vec<Package>, usize, BTreeSet<PathBuf>);

/// Puts the lines together: a package stands there once for each that depends on it. Returns the agent's position, too, and the directories
/// of the packages that lie in one.
fn packages(tree: &str, lock: &Lockfile) -> Result<List, String> {
    let mut found: BTreeMap<Key, Found> = BTreeMap::new();
    let mut way: Vec<Key> = Vec::new();
    let mut directories = BTreeSet::new();
    for text in tree.lines().filter(|line| !line.is_empty()) {
        let line = Line::parse(text).ok_or_else(|| format!("`cargo tree` printed a line that is not understood: {text}"))?;
        let locked = lock.find(line.name, line.version, line.place);
        let locked = locked.ok_or_else(|| format!("`Cargo.lock` does not have {} {}", line.name, line.version))?;
        let key = (line.name.to_owned(), line.version.to_owned(), locked.source());
        if key.2 == crate::manifest::PATH {
            directories.extend(line.place.map(PathBuf::from));
        }
        let package = found.entry(key.clone()).or_default();
        package.checksum.clone_from(&locked.checksum);
        line.license.clone_into(&mut package.license);
        package.is_macro |= line.is_macro;
        way.truncate(line.depth);
        if let Some(above) = way.last() {
            found.get_mut(above).expect("it stands in a line before").dependencies.insert(key.clone());
        }
        way.push(key);
    }
    let agent = way.into_iter().next().ok_or("`cargo tree` printed nothing")?;
    let linked = linked(&agent, &found);
    let positions: BTreeMap<_, _> = found.keys().enumerate().map(|(at, key)| (key, at)).collect();
    let package = |(key, found): (&Key, &Found)| Package {
        name: key.0.clone(),
        version: key.1.clone(),
        source: key.2.clone(),
        checksum: found.checksum.clone(),
        license: found.license.clone(),
        linked: linked.contains(key),
        dependencies: found.dependencies.iter().map(|key| positions[key]).collect(),
    };
    Ok((found.iter().map(package).collect(), positions[&agent], directories))
}

/// Returns what is reached from the agent other than through a macro.
fn linked(agent: &Key, found: &BTreeMap<Key, Found>) -> BTreeSet<Key> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![agent]);
    while let Some(key) = next.pop() {
        let package = &found[key];
        if !package.is_macro && reached.insert(key.clone()) {
            next.extend(&package.dependencies);
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "
        package = [
            { name = 'agent', version = '1.0.0' },
            { name = 'core', version = '1.0.0' },
            { name = 'macros', version = '1.0.0' },
            { name = 'quote', version = '2.0.0+spec', source = 'registry+https://example.com/index', checksum = 'abc' },
            { name = 'serde', version = '1.0.0', source = 'registry+https://example.com/index', checksum = 'def' },
        ]";

    #[test]
    fn a_package_is_linked_unless_it_is_needed_by_macros_only() {
        let tree = "0\tagent v1.0.0 (/home/ada (x)/agent)\tMIT\t\n\
                    1\tcore v1.0.0 (/home/ada (x)/core)\tMIT OR Apache-2.0\t\n\
                    2\tmacros v1.0.0 (proc-macro) (/home/ada (x)/macros)\t\t\n\
                    3\tquote v2.0.0+spec\tMIT\t\n\
                    2\tserde v1.0.0\tMIT\t\n\
                    1\tserde v1.0.0\tMIT\t (*)\n";
        let lock = Lockfile::parse(LOCK).expect("it is right");
        let (packages, agent, directories) = packages(tree, &lock).expect("it is right");
        let show = |package: &Package| {
            let Package { name, source, checksum, linked, dependencies, .. } = package;
            format!("{name} {source} {checksum:?} {linked} {dependencies:?}")
        };
        let expected = [
            "agent path None true [1, 4]",
            "core path None true [2, 4]",
            "macros path None false [3]",
            "quote registry+https://example.com/index Some(\"abc\") false []",
            "serde registry+https://example.com/index Some(\"def\") true []",
        ];
        assert_eq!(packages.iter().map(show).collect::<Vec<_>>(), expected);
        assert_eq!((agent, packages[agent].license.as_str()), (0, "MIT"));
        let expected = ["/home/ada (x)/agent", "/home/ada (x)/core", "/home/ada (x)/macros"].map(PathBuf::from);
        assert_eq!(directories, BTreeSet::from(expected));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let lock = Lockfile::parse(LOCK).expect("it is right");
        for (tree, error) in [
            ("", "`cargo tree` printed nothing"),
            ("agent v1.0.0\n", "`cargo tree` printed a line that is not understood: agent v1.0.0"),
            ("0\tother v1.0.0\tMIT\t\n", "`Cargo.lock` does not have other 1.0.0"),
        ] {
            assert_eq!(packages(tree, &lock).expect_err("it is wrong"), error);
        }
    }
}
