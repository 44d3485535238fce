//! What of the confinement is in force, as data: for the host's decision and for `nekro doctor`.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One layer of the confinement of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// Nothing is inherited: no environment, no descriptor but the socket and the image.
    Inheritance,
    /// It ends with its host.
    EndsWithHost,
    /// It is another user, without groups and capabilities.
    Identity,
    /// A user namespace of its own.
    UserNamespace,
    /// A network of its own, with nothing in it.
    NetworkNamespace,
    /// Namespaces of its own for processes, mounts, inter-process communication and names.
    OtherNamespaces,
    /// No program that it starts could gain rights.
    NoNewPrivileges,
    /// No file, no TCP port, no abstract socket, no signal to others (Landlock).
    Landlock,
    /// Limits of the kernel on memory, files, processes and processor time.
    ResourceLimits,
    /// A list of the few system calls it may make (seccomp).
    SystemCalls,
}

impl Layer {
    /// Every layer, in the order in which they are entered.
    pub const ALL: [Self; 10] = [
        Self::Inheritance,
        Self::EndsWithHost,
        Self::Identity,
        Self::UserNamespace,
        Self::NetworkNamespace,
        Self::OtherNamespaces,
        Self::NoNewPrivileges,
        Self::Landlock,
        Self::ResourceLimits,
        Self::SystemCalls,
    ];

    /// The layers without which there would be one wall only, whatever is configured.
    pub const INDISPENSABLE: [Self; 3] = [Self::Inheritance, Self::NoNewPrivileges, Self::SystemCalls];
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inheritance => "inheritance",
            Self::EndsWithHost => "ends_with_host",
            Self::Identity => "identity",
            Self::UserNamespace => "user_namespace",
            Self::NetworkNamespace => "network_namespace",
            Self::OtherNamespaces => "other_namespaces",
            Self::NoNewPrivileges => "no_new_privileges",
            Self::Landlock => "landlock",
            Self::ResourceLimits => "resource_limits",
            Self::SystemCalls => "system_calls",
        })
    }
}

/// How a layer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// It is in force; with what it is.
    InForce(String),
    /// The system did not let us, and why.
    Missing(String),
    /// It was switched off, for a test.
    Off,
}

/// What of the confinement of a worker is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confinement(BTreeMap<Layer, Standing>);

impl Confinement {
    #[cfg(all(target_os = "linux", feature = "python"))]
    pub(crate) fn set(&mut self, layer: Layer, standing: Standing) {
        self.0.insert(layer, standing);
    }

    /// Returns every layer with how it stands.
    pub fn layers(&self) -> impl Iterator<Item = (Layer, &Standing)> {
        self.0.iter().map(|(layer, standing)| (*layer, standing))
    }

    /// Tells whether a layer is in force.
    pub fn has(&self, layer: Layer) -> bool {
        matches!(self.0.get(&layer), Some(Standing::InForce(_)))
    }

    /// Returns the layers that are not in force.
    pub fn missing(&self) -> Vec<Layer> {
        Layer::ALL.into_iter().filter(|layer| !self.has(*layer)).collect()
    }
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (layer, standing) in self.layers() {
            match standing {
                Standing::InForce(what) => writeln!(f, "{layer}: in force ({what})")?,
                Standing::Missing(why) => writeln!(f, "{layer}: missing ({why})")?,
                Standing::Off => writeln!(f, "{layer}: switched off")?,
            }
        }
        Ok(())
    }
}
