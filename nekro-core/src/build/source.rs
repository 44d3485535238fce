//! A plugin's own source: whether it has unsafe code, and whether it has a build script.
//!
//! Whoever wants to know what a plugin may do reads its signatures. These two are ways around them, and so a reviewer wants to know of them.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use serde::Deserialize;

use crate::plugin::PluginDecl;

/// What is known of a plugin's source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) unsafe_code: bool,
    pub(super) build_script: bool,
}

/// Whether the compiler holds a package to its own `forbid(unsafe_code)`. It does so for those of a directory: for all others, Cargo turns
/// lints off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forbid {
    Counts,
    IsIdle,
}

/// Reads the source of a plugin; `None` if it is not where the compiler says. `root` is where relative paths start from.
pub(super) fn read(plugin: &PluginDecl, root: &Path, forbid: Forbid) -> Option<io::Result<Source>> {
    let file = original(&root.join(plugin.location.file));
    let (directory, manifest) = file.ancestors().skip(1).find_map(|directory| {
        let text = fs::read_to_string(directory.join("Cargo.toml")).ok()?;
        let manifest: CargoToml = toml::from_str(&text).ok()?;
        (manifest.package.name == plugin.package).then(|| (directory.to_owned(), manifest))
    })?;
    Some(read_package(&directory, &file, &manifest.package, forbid))
}

fn read_package(directory: &Path, root_file: &Path, package: &Package, forbid: Forbid) -> io::Result<Source> {
    let script = match &package.build {
        Some(toml::Value::Boolean(false)) => None,
        Some(toml::Value::String(file)) => Some(directory.join(file)),
        _ => Some(directory.join("build.rs")).filter(|file| file.is_file() || package.build.is_some()),
    };
    let forbidden = forbid == Forbid::Counts && forbids(&fs::read_to_string(root_file)?);
    let mut files = Vec::new();
    source_files(directory, &["tests", "benches", "examples", "target"], &mut files)?;
    let mut unsafe_code = false;
    for file in files.iter().filter(|file| !forbidden && script.as_ref() != Some(file)) {
        unsafe_code |= is_unsafe(&String::from_utf8_lossy(&fs::read(file)?));
    }
    Ok(Source { unsafe_code, build_script: script.is_some() })
}

/// What is read of a `Cargo.toml`.
#[derive(Deserialize)]
struct CargoToml {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    build: Option<toml::Value>,
}

/// Returns the path as it was before the compiler was told to shorten it.
fn original(path: &Path) -> PathBuf {
    if path.exists() {
        return path.to_owned();
    }
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let pairs = flags
        .split('\u{1f}')
        .filter_map(|flag| flag.trim_start_matches("--remap-path-prefix").trim_start_matches('=').split_once('='));
    let before = pairs.filter_map(|(from, to)| Some(Path::new(from).join(path.strip_prefix(to).ok()?)));
    before.into_iter().find(|path| path.exists()).unwrap_or_else(|| path.to_owned())
}

/// Collects the source files of a package: not those of tests, and not those of a package within.
fn source_files(directory: &Path, without: &[&str], files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let (entry, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
        let (kind, name) = (entry?, path.file_name().and_then(|name| name.to_str()).unwrap_or_default());
        let is_left_out = name.starts_with('.') || without.contains(&name) || path.join("Cargo.toml").exists();
        if kind.is_dir() && !is_left_out {
            source_files(&path, &[], files)?;
        } else if !kind.is_dir() && path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Tells whether a text has the keyword `unsafe`. What is no Rust is searched for the word.
fn is_unsafe(text: &str) -> bool {
    TokenStream::from_str(text).map_or_else(|_| text.contains("unsafe"), |tokens| has_word(tokens, "unsafe"))
}

fn has_word(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => has_word(group.stream(), word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Tells whether a crate's root file says `#![forbid(unsafe_code)]`.
fn forbids(text: &str) -> bool {
    let Ok(tokens) = TokenStream::from_str(text) else { return false };
    let tokens: Vec<_> = tokens.into_iter().collect();
    tokens.windows(3).any(|three| match three {
        [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(group)] => {
            let is_inner = hash.as_char() == '#' && bang.as_char() == '!' && group.delimiter() == Delimiter::Bracket;
            let mut inside = group.stream().into_iter();
            match (inside.next(), inside.next()) {
                (Some(TokenTree::Ident(name)), Some(TokenTree::Group(lints))) if is_inner => {
                    name == "forbid" && has_word(lints.stream(), "unsafe_code")
                }
                _ => false,
            }
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_is_a_keyword_and_neither_a_comment_nor_a_text() {
        for (text, expected) in [
            ("fn a() { unsafe { b() } }", true),
            ("unsafe impl Send for A {}", true),
            ("#[unsafe(no_mangle)] fn a() {}", true),
            ("macro_rules! a { () => { unsafe {} } }", true),
            ("// unsafe\n/* unsafe /* unsafe */ */ /// unsafe\nfn a() {}", false),
            ("fn a() -> &'static str { \"unsafe\" }", false),
            ("const A: &str = r#\"\" unsafe {}\"#; const B: char = '\"'; const C: &[u8] = b\"unsafe\";", false),
            ("#![deny(unsafe_code)] fn r#unsafe() {} fn not_unsafe() {}", false),
            ("this is } no Rust, and says unsafe", true),
        ] {
            assert_eq!(is_unsafe(text), expected, "{text}");
        }
    }

    #[test]
    fn a_crate_forbids_unsafe_code_at_its_root_and_without_conditions() {
        for (text, expected) in [
            ("//! Docs.\n#![forbid(unsafe_code)]\nfn a() {}", true),
            ("#![allow(x)] #![forbid(missing_docs, unsafe_code)]", true),
            ("#![deny(unsafe_code)]", false),
            ("#![cfg_attr(test, forbid(unsafe_code))]", false),
            ("#[forbid(unsafe_code)] fn a() {}", false),
            ("// #![forbid(unsafe_code)]", false),
        ] {
            assert_eq!(forbids(text), expected, "{text}");
        }
    }

    #[test]
    fn a_package_is_read_without_its_tests() {
        let place = env::temp_dir().join(format!("nekro-source-{}", std::process::id()));
        let write = |file: &str, text: &str| {
            let file = place.join(file);
            fs::create_dir_all(file.parent().expect("it has one")).expect("a directory");
            fs::write(file, text).expect("a file");
        };
        let read = |build: Option<toml::Value>, forbid| {
            let package = Package { name: "a".to_owned(), build };
            let Source { unsafe_code, build_script } =
                read_package(&place, &place.join("src/lib.rs"), &package, forbid).expect("it is there");
            (unsafe_code, build_script)
        };
        write("src/lib.rs", "#![forbid(unsafe_code)] mod deep;");
        write("src/deep/mod.rs", "fn a() {}");
        for elsewhere in ["tests/a.rs", "examples/a.rs", "inner/a.rs", "build.rs"] {
            write(elsewhere, "unsafe fn a() {}");
        }
        write("inner/Cargo.toml", "");
        assert_eq!(read(None, Forbid::IsIdle), (false, true));
        assert_eq!(read(Some("build.rs".into()), Forbid::IsIdle), (false, true));
        // Now it is a file like any other.
        assert_eq!(read(Some(false.into()), Forbid::IsIdle), (true, false));
        assert_eq!(read(Some(false.into()), Forbid::Counts), (false, false));
        write("src/deep/mod.rs", "unsafe fn a() {}");
        fs::remove_file(place.join("build.rs")).expect("it is there");
        assert_eq!(read(None, Forbid::IsIdle), (true, false));
        assert_eq!(read(None, Forbid::Counts), (false, false));
        fs::remove_dir_all(&place).expect("it is there");
    }
}
