//! Files that come from somewhere: a path, bytes, a data URL, or the network.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{Files, SandboxPath, data_url};
use crate::{
    capability::Http,
    error::{Error, Result},
};

/// Where a file comes from. As an argument it is a text: a path in the conversation's directory, a data URL, or a URL.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileSource {
    /// A file of the conversation.
    Path(SandboxPath),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A file inside of a text, such as `data:text/plain,hello`.
    DataUrl(String),
    /// A file of another machine.
    Url(String),
}

/// A file that was taken.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenFile {
    /// What it is called, if it has a name that can be one here.
    pub name: Option<String>,
    /// What it is: by its content, whatever anybody says.
    pub media_type: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Files {
    /// Takes a file from anywhere but the network.
    ///
    /// # Errors
    ///
    /// As [`FilesPort`](super::FilesPort) says, `bad_data_url`, and `needs_http` for a URL.
    pub async fn take(&self, source: &FileSource) -> Result<TakenFile> {
        let (name, bytes) = match source {
            FileSource::Path(path) => (Some(path.name().to_owned()), self.exchange()?.read(path).await?),
            FileSource::Bytes(bytes) => (None, bytes.clone()),
            FileSource::DataUrl(url) => {
                let wrong = || Error::new("the data URL cannot be read").with_code("bad_data_url");
                (None, data_url::read(url).ok_or_else(wrong)?.1)
            }
            FileSource::Url(_) => {
                return Err(Error::new("this takes no file from the network")
                    .with_code("needs_http")
                    .with_hint("give the path of a file of this conversation, or a data URL"));
            }
        };
        Ok(TakenFile { name, media_type: self.media_type(&bytes), bytes })
    }

    /// Takes a file from anywhere, also from the hosts that the plugin declares.
    ///
    /// # Errors
    ///
    /// As [`Files::take`] and [`HttpPort::send`](crate::HttpPort::send) say, and `http_status`.
    pub async fn take_from(&self, http: &Http, source: &FileSource) -> Result<TakenFile> {
        let FileSource::Url(url) = source else { return self.take(source).await };
        let answer = http.get(url).send().await?.success()?;
        let path = answer.url().split(['?', '#']).next().unwrap_or_default();
        let name = path.splitn(4, '/').nth(3).and_then(|path| path.rsplit('/').next());
        let name = name.and_then(|name| name.parse::<SandboxPath>().ok()).map(|name| name.to_string());
        Ok(TakenFile { name, media_type: self.media_type(answer.bytes()), bytes: answer.into_bytes() })
    }
}

impl<'de> Deserialize<'de> for FileSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
        if begins("data:") {
            return Ok(Self::DataUrl(text));
        }
        if begins("https://") || begins("http://") {
            return Ok(Self::Url(text));
        }
        text.parse().map(Self::Path).map_err(D::Error::custom)
    }
}

impl JsonSchema for FileSource {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FileSource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

impl fmt::Debug for FileSource {
    // A file inside of a text is no text to read, and a query may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::DataUrl(url) => write!(f, "DataUrl({} bytes)", url.len()),
            Self::Url(url) => f.debug_tuple("Url").field(&url.split('?').next().unwrap_or(url)).finish(),
        }
    }
}

impl fmt::Debug for TakenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakenFile")
            .field("name", &self.name)
            .field("media_type", &self.media_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}
