//! Requests against a server on this machine, with names that a test makes up. No name is looked up and nobody else is asked.

mod behaviour;
mod bypass;
mod server;

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use nekro_core::{BoxFuture, ConfigDecl, Http, Location, PluginDecl, ScopeDecl};

use self::server::Server;
use super::{Egress, HttpSettings, resolver::Lookup};

/// The addresses of names, as a test says. A name with several has the first at the first look-up, and so on; the last stays.
#[derive(Default)]
struct Script(Mutex<HashMap<String, Vec<Vec<IpAddr>>>>);

impl Script {
    /// Reads lines such as `api.test 127.0.0.1 ::1`; after a `|` stands what the next look-up is told.
    fn of(lines: &[&str]) -> Arc<Self> {
        let addresses = |look: &str| look.split_whitespace().map(|text| text.parse().expect("an address")).collect();
        let read = |line: &&str| {
            let (name, looks) = line.split_once(' ').expect("a name and addresses");
            (name.to_owned(), looks.split('|').rev().map(addresses).collect())
        };
        Arc::new(Self(Mutex::new(lines.iter().map(read).collect())))
    }
}

impl Lookup for Script {
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut names = self.0.lock().expect("nothing panics");
        let found =
            names.get_mut(name).map(|looks| if looks.len() > 1 { looks.pop().unwrap_or_default() } else { looks[0].clone() });
        Box::pin(std::future::ready(found.ok_or_else(|| io::Error::other("there is no such name"))))
    }
}

/// A plugin that declares these hosts.
fn plugin(id: &'static str, hosts: &[&str]) -> &'static PluginDecl {
    let hosts: Vec<&'static str> = hosts.iter().map(|host| &*Box::leak((*host).to_owned().into_boxed_str())).collect();
    let scopes = Box::leak(Box::new([ScopeDecl { capability: "http", entries: Box::leak(hosts.into_boxed_slice()) }]));
    Box::leak(Box::new(PluginDecl {
        id,
        docs: "",
        title: None,
        category: None,
        version: "1.0.0",
        authors: "",
        license: "",
        repository: "",
        package: "weather",
        requires: &[],
        scopes,
        migrations: &[],
        location: Location { file: "lib.rs", line: 1 },
        config: ConfigDecl { read: |_| Ok(Box::new(())), schema: None },
    }))
}

/// Settings with which no test waits.
fn settings(networks: &[&str]) -> HttpSettings {
    HttpSettings {
        allowed_networks: networks.iter().map(|network| network.parse().expect("a network")).collect(),
        retry_delay: Duration::ZERO,
        ..HttpSettings::default()
    }
}

/// A plugin's handle, with the names of a script.
fn http(hosts: &[&str], settings: &HttpSettings, script: &Arc<Script>) -> Http {
    Http::new(plugin("weather", hosts), Arc::new(Egress::with_lookup(settings, Arc::clone(script) as _)))
}
