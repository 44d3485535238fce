//! What a webhook says, in a line. Free of plugin types.
//!
//! The payloads are described at <https://docs.github.com/webhooks/webhook-events-and-payloads>; of each, only what a line needs is read.

use schemars::JsonSchema;
use serde::Deserialize;

/// The most characters of a title or a message that are told.
const MOST_OF_A_TITLE: usize = 120;

/// What all payloads have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Payload {
    /// What was done, such as `opened`.
    action: Option<String>,
    /// Where.
    repository: Option<Repository>,
    /// By whom.
    sender: Option<Account>,
    /// The branch or tag that was pushed.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// What was pushed.
    commits: Option<Vec<Commit>>,
    /// Whether a branch was deleted by the push.
    deleted: Option<bool>,
    /// The issue.
    issue: Option<Item>,
    /// The pull request.
    pull_request: Option<Item>,
    /// The release.
    release: Option<Release>,
    /// The workflow's run.
    workflow_run: Option<Run>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
struct Repository {
    full_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
struct Account {
    login: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
struct Commit {
    message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
struct Item {
    number: u64,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    merged: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
struct Release {
    tag_name: String,
    #[serde(default)]
    html_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
struct Run {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
}

impl Payload {
    /// Returns the repository, as `owner/name` in lower case: that is how GitHub compares them.
    pub(crate) fn repository(&self) -> Option<String> {
        self.repository.as_ref().map(|repository| repository.full_name.to_lowercase())
    }

    /// Says in a line what happened; `None` for what is not worth one.
    pub(crate) fn line(&self, event: &str) -> Option<String> {
        let repository = plain(&self.repository.as_ref()?.full_name);
        let who = self.sender.as_ref().map_or("somebody".to_owned(), |sender| plain(&sender.login));
        let action = self.action.as_deref().unwrap_or_default();
        let line = match event {
            "push" if self.deleted == Some(true) => format!("{who} deleted {}", self.branch()?),
            "push" => {
                let commits = self.commits.as_deref().filter(|commits| !commits.is_empty())?;
                let last = plain(commits.last()?.message.lines().next().unwrap_or_default());
                let count = if commits.len() == 1 { "a commit".to_owned() } else { format!("{} commits", commits.len()) };
                format!("{who} pushed {count} to {}: {last}", self.branch()?)
            }
            "issues" if matches!(action, "opened" | "closed" | "reopened") => {
                format!("{who} {action} the issue {}", self.issue.as_ref()?.told())
            }
            "pull_request" if matches!(action, "opened" | "closed" | "reopened" | "ready_for_review") => {
                let pull = self.pull_request.as_ref()?;
                let action = match action {
                    "closed" if pull.merged == Some(true) => "merged",
                    "ready_for_review" => "asks for review of",
                    action => action,
                };
                format!("{who} {action} the pull request {}", pull.told())
            }
            "issue_comment" if action == "created" => format!("{who} commented on {}", self.issue.as_ref()?.told()),
            "release" if action == "published" => {
                let release = self.release.as_ref()?;
                format!("{who} released {}{}", plain(&release.tag_name), link(release.html_url.as_deref()))
            }
            "workflow_run" if action == "completed" => {
                let run = self.workflow_run.as_ref().filter(|run| run.conclusion.as_deref() == Some("failure"))?;
                let name = run.name.as_deref().map_or("a workflow".to_owned(), plain);
                format!("{name} failed{}", link(run.html_url.as_deref()))
            }
            "star" if action == "created" => format!("{who} gave a star"),
            _ => return None,
        };
        Some(format!("{repository}: {line}"))
    }

    fn branch(&self) -> Option<String> {
        let reference = self.reference.as_deref()?;
        Some(plain(reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("refs/tags/")).unwrap_or(reference)))
    }
}

impl Item {
    fn told(&self) -> String {
        let title = self.title.as_deref().map(|title| format!(" {}", plain(title))).unwrap_or_default();
        format!("#{}{title}{}", self.number, link(self.html_url.as_deref()))
    }
}

/// Returns a link to GitHub, and to nowhere else.
fn link(url: Option<&str>) -> String {
    let is_plain =
        |url: &&str| url.starts_with("https://github.com/") && !url.contains(|one: char| one.is_whitespace() || one.is_control());
    url.filter(is_plain).map(|url| format!(" <{url}>")).unwrap_or_default()
}

/// Returns a text of a stranger's as one line that is not Markdown.
fn plain(text: &str) -> String {
    let mut line = String::new();
    for one in text.chars().take(MOST_OF_A_TITLE) {
        match one {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '!' | '#' | '@' | '|' | '~' => line.extend(['\\', one]),
            one if one.is_control() => line.push(' '),
            one => line.push(one),
        }
    }
    if text.chars().nth(MOST_OF_A_TITLE).is_some() {
        line.push('…');
    }
    line
}

/// Reads a repository's name, `owner/name`, in lower case.
pub(crate) fn repository(text: &str) -> Option<String> {
    let (owner, name) = text.trim().trim_start_matches("https://github.com/").split_once('/')?;
    let is_name = |part: &str| {
        !part.is_empty() && part.len() <= 100 && part.chars().all(|one| one.is_ascii_alphanumeric() || "-_.".contains(one))
    };
    (is_name(owner) && is_name(name)).then(|| format!("{owner}/{name}").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_is_one_line_and_no_markdown() {
        assert_eq!(plain("a\n[b](c) `d` <e>"), "a \\[b\\](c) \\`d\\` \\<e\\>");
        assert_eq!(plain(&"ä".repeat(200)).chars().count(), MOST_OF_A_TITLE + 1);
        assert_eq!(link(Some("https://github.com.evil.example/")), "");
        assert_eq!(link(Some("https://github.com/a b")), "");
    }

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        assert_eq!(repository("Octo-Cat/Hello.World").as_deref(), Some("octo-cat/hello.world"));
        assert_eq!(repository("https://github.com/a/b").as_deref(), Some("a/b"));
        for wrong in ["", "a", "/", "a/", "a/b/c", "a b/c", "../x/y"] {
            assert_eq!(repository(wrong), None, "{wrong}");
        }
    }
}
