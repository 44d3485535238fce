//! The packages of a program as an SBOM: CycloneDX 1.6, as JSON.
//!
//! The same program gives the same bytes: nothing in it is a time, or chance.

use std::collections::BTreeMap;

use nekro_core::manifest::{PATH, Package, Provenance};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::surface::{Plugin, Surface};

/// The registry that a package URL means if it names none.
const USUAL_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Describes a program.
pub(crate) fn document(surface: &Surface, provenance: &Provenance) -> Value {
    let refs = references(&provenance.packages);
    let plugins: BTreeMap<_, _> = provenance.plugins.iter().map(|plugin| (plugin.package, plugin.id.as_str())).collect();
    let one = |at: usize| {
        let plugin = plugins.get(&at).and_then(|id| Some((*id, surface.plugins.get(*id)?)));
        component(&provenance.packages[at], &refs[at], plugin)
    };
    let mut agent = one(provenance.agent);
    agent["type"] = "application".into();
    // It is what is described, and no part of itself.
    agent.as_object_mut().map(|agent| agent.remove("scope"));
    let components: Vec<_> = (0..refs.len()).filter(|at| *at != provenance.agent).map(one).collect();
    let dependencies = provenance.packages.iter().zip(&refs).map(|(package, reference)| {
        json!({ "ref": reference, "dependsOn": package.dependencies.iter().map(|at| &refs[*at]).collect::<Vec<_>>() })
    });
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": agent,
            "tools": { "components": [{ "type": "application", "name": "nekro", "version": env!("CARGO_PKG_VERSION") }] },
        },
        "components": components,
        "dependencies": dependencies.collect::<Vec<_>>(),
    });
    document.sort_all_objects();
    document["serialNumber"] = serial_number(&document).into();
    document
}

/// Makes a name for each package: the version is part of it, and what tells two of them apart.
fn references(packages: &[Package]) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut reference = |package: &Package| {
        let name = format!("{}@{}", package.name, package.version);
        let count = seen.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { name } else { format!("{name}#{count}") }
    };
    packages.iter().map(&mut reference).collect()
}

fn component(package: &Package, reference: &str, plugin: Option<(&str, &Plugin)>) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference,
        "name": package.name,
        "version": package.version,
        "purl": purl(package),
        // What has only run while the program was compiled is no part of it.
        "scope": if package.linked { "required" } else { "excluded" },
    });
    if let Some(license) = license(&package.license) {
        component["licenses"] = json!([license]);
    }
    let is_digest = |checksum: &&String| checksum.len() == 64 && checksum.bytes().all(|one| one.is_ascii_hexdigit());
    if let Some(checksum) = package.checksum.as_ref().filter(is_digest) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum.to_ascii_lowercase() }]);
    }
    if let Some((id, plugin)) = plugin {
        component["properties"] = properties(id, plugin);
    }
    component
}

fn properties(id: &str, plugin: &Plugin) -> Value {
    let mut properties = vec![
        ("nekro:plugin".to_owned(), id.to_owned()),
        ("nekro:unsafe_code".to_owned(), plugin.unsafe_code.name().to_owned()),
        ("nekro:build_script".to_owned(), plugin.build_script.name().to_owned()),
    ];
    for (name, capability) in &plugin.capabilities {
        let name = format!("nekro:capability:{name}");
        // One without bounds is said, too.
        let scopes = if capability.scope.is_empty() { vec![String::new()] } else { capability.scope.iter().cloned().collect() };
        properties.extend(scopes.into_iter().map(|scope| (name.clone(), scope)));
    }
    properties.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// Returns a package URL.
fn purl(package: &Package) -> String {
    let base = format!("pkg:cargo/{}@{}", percent(&package.name), percent(&package.version));
    match package.source.split_once('+') {
        _ if package.source == USUAL_REGISTRY => base,
        // Without a qualifier it would name whatever has this name in the usual registry.
        _ if package.source == PATH => format!("{base}?download_url=file://."),
        Some(("git", _)) => format!("{base}?vcs_url={}", percent(&package.source)),
        Some((_, registry)) => format!("{base}?repository_url={}", percent(registry)),
        None => format!("{base}?repository_url={}", percent(&package.source)),
    }
}

/// Escapes what may not stand in a part of a package URL.
fn percent(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' | b'/' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Returns a licence as SPDX expression, or as a mere name if it is none.
fn license(text: &str) -> Option<Value> {
    if text.trim().is_empty() {
        return None;
    }
    // What Cargo took for "or" before there were expressions.
    let expression = text.replace('/', " OR ");
    let is_word = |word: &str| {
        let word = word.trim_matches(['(', ')']);
        !word.is_empty() && word.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '.' | '+' | ':'))
    };
    let words: Vec<_> = expression.split_whitespace().collect();
    let is_joined = words.iter().enumerate().all(|(at, word)| (at % 2 == 1) == matches!(*word, "AND" | "OR" | "WITH"));
    if words.len() % 2 == 1 && is_joined && words.iter().all(|word| is_word(word)) {
        return Some(json!({ "expression": words.join(" ") }));
    }
    Some(json!({ "license": Map::from_iter([("name".to_owned(), Value::from(text))]) }))
}

/// Makes a number of the content: another content has another one.
fn serial_number(document: &Value) -> String {
    let digest = Sha256::digest(document.to_string());
    let mut bytes: [u8; 16] = *digest.first_chunk().expect("a digest has 32 bytes");
    // RFC 9562: version 8, which is of our own making, and the usual variant.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check_purl(source: &str, expected: Expect) {
        let json = json!({
            "name": "dice", "version": "1.0.0+a", "source": source, "checksum": null, "license": "", "linked": true, "dependencies": [],
        });
        expected.assert_eq(&purl(&serde_json::from_value(json).expect("a package")));
    }

    #[test]
    fn a_package_url_tells_where_a_package_is_from() {
        check_purl(USUAL_REGISTRY, expect!["pkg:cargo/dice@1.0.0%2Ba"]);
        check_purl(PATH, expect!["pkg:cargo/dice@1.0.0%2Ba?download_url=file://."]);
        check_purl(
            "git+https://example.com/dice?branch=a#01",
            expect!["pkg:cargo/dice@1.0.0%2Ba?vcs_url=git%2Bhttps://example.com/dice%3Fbranch%3Da%2301"],
        );
        check_purl("sparse+https://example.com/", expect!["pkg:cargo/dice@1.0.0%2Ba?repository_url=https://example.com/"]);
    }

    #[test]
    fn a_licence_is_an_expression_if_it_can_be() {
        for (text, expected) in [
            ("MIT", json!({ "expression": "MIT" })),
            ("MIT/Apache-2.0", json!({ "expression": "MIT OR Apache-2.0" })),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", json!({ "expression": "(MIT OR Apache-2.0) AND Unicode-3.0" })),
            ("Apache-2.0 WITH LLVM-exception", json!({ "expression": "Apache-2.0 WITH LLVM-exception" })),
            ("ask me", json!({ "license": { "name": "ask me" } })),
            ("MIT OR", json!({ "license": { "name": "MIT OR" } })),
        ] {
            assert_eq!(license(text), Some(expected));
        }
        assert_eq!(license(" "), None);
    }
}
