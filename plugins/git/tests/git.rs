//! The tools on a real repository, which each test makes, and on one that was made to harm.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use expect_test::{Expect, expect};
use nekro_core::{
    BoxFuture, PluginDecl, ProcessOutput, ProcessPort, ProcessRequest, Result,
    testing::{FakeOutput, Host},
};
use nekro_plugin_git::{Change, Git, TreeKind};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Runs the machine's git, with nothing of this process's environment.
struct Machine {
    home: PathBuf,
}

impl ProcessPort for Machine {
    fn run(&self, _: &'static PluginDecl, request: ProcessRequest) -> BoxFuture<'_, Result<ProcessOutput>> {
        let mut command = git(&self.home);
        command.args(&request.arguments).envs(request.variables.iter().map(|(name, value)| (name, value)));
        let ended = command.output().expect("git is there, a test has looked");
        let mut output = ProcessOutput::new(request.program, ended.status.code());
        (output.stdout, output.stderr) = (ended.stdout, ended.stderr);
        Box::pin(std::future::ready(Ok(output)))
    }
}

fn git(home: &Path) -> Command {
    let mut command = Command::new("git");
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.env("HOME", home).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").current_dir(home);
    command
}

/// A directory with the repository `site` in it.
struct World {
    place: TempDir,
}

impl World {
    /// Makes it; `None`, with a message, on a machine without git.
    fn new() -> Option<Self> {
        let place = tempfile::tempdir().expect("a directory");
        if git(place.path()).arg("--version").output().is_err() {
            eprintln!("skipped: there is no git on this machine");
            return None;
        }
        let world = Self { place };
        world.git(&["init", "--quiet", "--initial-branch=main", "site"]);
        world.write("README.md", "# Tea\n\nGreen tea.\n");
        world.write("src/brew.txt", "boil\nwait\n");
        world.commit("Add tea", "Ada", 1);
        world.write("src/brew.txt", "boil\nwait longer\npour\n");
        world.commit("Wait longer\n\nIt was too thin.", "Grace", 2);
        Some(world)
    }

    fn site(&self) -> PathBuf {
        self.place.path().join("site")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.site().join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("it is made");
        fs::write(path, text).expect("it is written");
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        let done = git(self.place.path()).args(arguments).output().expect("git runs");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    #[track_caller]
    fn in_site(&self, arguments: &[&str]) -> String {
        self.git(&[&["-C", "site"], arguments].concat())
    }

    #[track_caller]
    fn commit(&self, message: &str, author: &str, day: u8) {
        self.in_site(&["add", "--all"]);
        let name = format!("user.name={author}");
        let date = format!("2030-01-0{day}T12:00:00+01:00");
        let mut command = git(self.place.path());
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        command.args(["-C", "site", "-c", &name, "-c", "user.email=tea@example.org", "commit", "--quiet", "-m", message]);
        assert!(command.status().expect("git runs").success());
    }

    fn host(&self) -> Host {
        self.host_with(json!({}))
    }

    fn host_with(&self, more: Value) -> Host {
        let mut config = json!({ "repositories": { "site": self.site() } });
        let fields = config.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        let machine = Machine { home: self.place.path().to_owned() };
        Host::builder::<Git>().config(config).port::<dyn ProcessPort>(Arc::new(machine)).start()
    }
}

#[track_caller]
fn ask(host: &Host, tool: &str, arguments: Value) -> Value {
    host.call_as(tool, arguments).unwrap_or_else(|error| panic!("{tool}: {error}"))
}

#[track_caller]
fn refused(host: &Host, tool: &str, arguments: Value, expected: Expect) {
    let error = host.call(tool, arguments).expect_err("it is refused");
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    expected.assert_eq(&format!("{}: {error}{hint}", error.code()));
}

#[test]
fn the_history_is_listed_newest_first() {
    let Some(world) = World::new() else { return };
    let host = world.host();
    let log = ask(&host, "log", json!({}));
    let titles = |log: &Value| -> Vec<String> {
        let commits = log["commits"].as_array().expect("a list").iter();
        commits.map(|commit| commit["title"].as_str().expect("a title").to_owned()).collect()
    };
    assert_eq!(titles(&log), ["Wait longer", "Add tea"]);
    let first = &log["commits"][0];
    assert_eq!(first["author"], "Grace <tea@example.org>");
    assert_eq!(first["date"], "2030-01-02T12:00:00+01:00");
    assert_eq!(first["message"], "It was too thin.");
    assert_eq!(first["parents"], json!([log["commits"][1]["hash"]]));
    assert_eq!(log["more"], false);
    for (arguments, expected, more) in [
        (json!({ "limit": 1 }), vec!["Wait longer"], true),
        (json!({ "limit": 1, "skip": 1 }), vec!["Add tea"], false),
        (json!({ "path": "README.md" }), vec!["Add tea"], false),
        (json!({ "author": "grace" }), vec!["Wait longer"], false),
        (json!({ "author": ".*" }), vec![], false),
        (json!({ "text": "too THIN" }), vec!["Wait longer"], false),
        (json!({ "revision": "HEAD~1" }), vec!["Add tea"], false),
        (json!({ "path": "*.md" }), vec![], false),
    ] {
        let log = ask(&host, "log", arguments.clone());
        assert_eq!(
            (titles(&log), &log["more"]),
            (expected.into_iter().map(str::to_owned).collect(), &json!(more)),
            "{arguments}"
        );
    }
}

#[test]
fn a_commit_is_shown_with_what_it_changed() {
    let Some(world) = World::new() else { return };
    let shown = ask(&world.host(), "show", json!({ "revision": "main" }));
    assert_eq!(shown["title"], "Wait longer");
    let changes = shown["changes"].as_str().expect("a text");
    assert!(changes.contains("src/brew.txt | 3 ++-") && changes.contains("-wait\n+wait longer\n+pour\n"), "{changes}");
    let other = ask(&world.host(), "show", json!({ "path": "README.md" }));
    assert_eq!((&other["changes"], &other["left_out"]), (&json!(""), &json!(0)));
}

#[test]
fn the_state_tells_what_is_not_committed() {
    let Some(world) = World::new() else { return };
    world.write("src/brew.txt", "boil\n");
    world.write("new file", "x");
    world.write("staged", "x");
    world.in_site(&["add", "staged"]);
    fs::remove_file(world.site().join("README.md")).expect("it is removed");
    let host = world.host();
    let status: nekro_plugin_git::Status = host.call_as("status", json!({ "repository": "site" })).expect("a state");
    assert_eq!((status.branch.as_deref(), status.more), (Some("main"), 0));
    let changes: Vec<_> = status.changes.iter().map(|one| (one.path.as_str(), one.staged, one.unstaged)).collect();
    assert_eq!(
        changes,
        [
            ("README.md", None, Some(Change::Deleted)),
            ("src/brew.txt", None, Some(Change::Modified)),
            ("staged", Some(Change::Added), None),
            ("new file", None, Some(Change::Untracked)),
        ]
    );
}

#[test]
fn differences_are_of_two_revisions_or_of_the_files() {
    let Some(world) = World::new() else { return };
    world.write("README.md", "# Coffee\n");
    let host = world.host();
    let changes = |arguments| ask(&host, "diff", arguments)["changes"].as_str().expect("a text").to_owned();
    assert!(changes(json!({})).contains("-# Tea\n-\n-Green tea.\n+# Coffee\n"));
    assert_eq!(changes(json!({ "path": "src" })), "");
    let between = changes(json!({ "from": "HEAD~1", "to": "HEAD" }));
    assert!(between.contains("+wait longer") && !between.contains("Coffee"), "{between}");
    assert!(changes(json!({ "to": "HEAD~1" })).contains("+wait\n"));
}

#[test]
fn long_differences_are_cut_and_counted() {
    let Some(world) = World::new() else { return };
    world.write("README.md", &"ä line that is new\n".repeat(200));
    let cut = ask(&world.host_with(json!({ "max_characters": 1_000 })), "diff", json!({}));
    assert_eq!(cut["changes"].as_str().expect("a text").chars().count(), 1_000);
    assert!(cut["left_out"].as_u64() > Some(1_000), "{cut}");
}

#[test]
fn each_line_is_told_with_its_commit() {
    let Some(world) = World::new() else { return };
    let host = world.host();
    let blamed: Vec<nekro_plugin_git::BlamedLines> = host.call_as("blame", json!({ "path": "src/brew.txt" })).expect("lines");
    let told: Vec<_> = blamed.iter().map(|part| (part.author.as_str(), part.first_line, part.lines.join("|"))).collect();
    assert_eq!(told, [("Ada", 1, "boil".to_owned()), ("Grace", 2, "wait longer|pour".to_owned())]);
    assert_eq!(blamed[1].title, "Wait longer");
    let one = ask(&host, "blame", json!({ "path": "src/brew.txt", "first_line": 3, "lines": 5 }));
    assert_eq!(one[0]["lines"], json!(["pour"]));
}

#[test]
fn files_are_listed_and_read_as_they_were() {
    let Some(world) = World::new() else { return };
    world.write("src/brew.txt", "not committed");
    let host = world.host();
    let listing: nekro_plugin_git::Listing = host.call_as("files", json!({})).expect("a list");
    let entries: Vec<_> = listing.entries.iter().map(|entry| (entry.path.as_str(), entry.kind, entry.bytes)).collect();
    assert_eq!(entries, [("README.md", TreeKind::File, Some(18)), ("src", TreeKind::Directory, None)]);
    for arguments in [json!({ "recursive": true }), json!({ "directory": "src/" })] {
        let listing = ask(&host, "files", arguments);
        assert!(listing["entries"].as_array().expect("a list").iter().any(|entry| entry["path"] == "src/brew.txt"), "{listing}");
    }
    let part = ask(&host, "read", json!({ "path": "src/brew.txt", "first_line": 2, "lines": 1 }));
    assert_eq!((&part["text"], &part["lines"]), (&json!("wait longer"), &json!(3)));
    let old = ask(&host, "read", json!({ "path": "src/brew.txt", "revision": "HEAD~1" }));
    assert_eq!(old["text"], "boil\nwait");
}

#[test]
fn what_is_not_there_is_told_with_the_way_out() {
    let Some(world) = World::new() else { return };
    world.write("picture", "\0\u{1}");
    world.write("large", &"x".repeat(2_000));
    world.commit("Add more", "Ada", 3);
    let host = world.host_with(json!({ "max_file_bytes": 1_000 }));
    refused(
        &host,
        "log",
        json!({ "repository": "other" }),
        expect!["not_found: no repository is called `other` (one of `site`)"],
    );
    refused(
        &host,
        "log",
        json!({ "revision": "nothing" }),
        expect!["not_found: the repository `site` has no revision `nothing` (`git.log` lists commits)"],
    );
    refused(
        &host,
        "read",
        json!({ "path": "nothing" }),
        expect!["not_found: there is no `nothing` at this revision (`git.files` lists files)"],
    );
    refused(
        &host,
        "read",
        json!({ "path": "src" }),
        expect!["not_a_file: `src` is not a file (`git.files` lists what is in it)"],
    );
    refused(
        &host,
        "files",
        json!({ "directory": "README.md" }),
        expect!["not_a_directory: `README.md` is not a directory (`git.read` reads files)"],
    );
    refused(&host, "read", json!({ "path": "picture" }), expect!["not_text: `picture` is not text"]);
    refused(
        &host,
        "read",
        json!({ "path": "large" }),
        expect!["too_large: `large` has 2000 bytes, and 1000 are read at most (the limit is `plugins.git.max_file_bytes`)"],
    );
    refused(
        &host,
        "blame",
        json!({ "path": "src/brew.txt", "first_line": 9 }),
        expect![
            "no_lines: git tells nothing of line 9 of `src/brew.txt` (the file may be shorter: `git.read` tells how many lines it has)"
        ],
    );
    let empty = Host::of::<Git>();
    refused(
        &empty,
        "status",
        json!({}),
        expect!["not_found: there are no repositories (the operator names them in `plugins.git.repositories`)"],
    );
}

#[test]
fn no_argument_is_taken_for_an_option_or_leads_elsewhere() {
    let host = Host::builder::<Git>()
        .config(json!({ "repositories": { "site": "/srv/site" } }))
        .output("git", FakeOutput::text(""))
        .start();
    for (tool, arguments) in [
        ("log", json!({ "revision": "--output=/tmp/x" })),
        ("show", json!({ "revision": "-p" })),
        ("diff", json!({ "from": "a..b" })),
        ("diff", json!({ "to": "HEAD:secret" })),
        ("read", json!({ "path": "../secret" })),
        ("read", json!({ "path": "/etc/passwd" })),
        ("blame", json!({ "path": "a\0b" })),
        ("files", json!({ "directory": ".." })),
    ] {
        assert_eq!(host.call(tool, arguments.clone()).expect_err("it is refused").code(), "invalid_arguments", "{arguments}");
    }
    assert!(host.runs().is_empty(), "git was not even asked");
    let error =
        Host::builder::<Git>().config(json!({ "repositories": { "site": "site" } })).try_start().expect_err("no directory");
    assert!(error.contains("absolute directory"), "{error}");
}

#[test]
fn names_that_look_like_options_are_names() {
    let Some(world) = World::new() else { return };
    world.write("--output=x", "strange\n");
    world.write(":(top)README.md", "stranger\n");
    world.commit("Add --help", "--version", 3);
    let host = world.host();
    for (path, text) in [("--output=x", "strange"), (":(top)README.md", "stranger")] {
        assert_eq!(ask(&host, "read", json!({ "path": path }))["text"], text);
        assert_eq!(ask(&host, "blame", json!({ "path": path }))[0]["lines"], json!([text]));
        assert_eq!(ask(&host, "log", json!({ "path": path }))["commits"].as_array().expect("a list").len(), 1);
        assert!(ask(&host, "show", json!({ "path": path }))["changes"].as_str().expect("a text").contains(text));
    }
    assert_eq!(ask(&host, "log", json!({ "author": "--version" }))["commits"][0]["title"], "Add --help");
    assert!(!world.site().join("x").exists());
}

#[test]
#[cfg(unix)]
fn a_repository_made_to_harm_runs_nothing_and_leads_nowhere() {
    use std::os::unix::fs::PermissionsExt as _;

    let Some(world) = World::new() else { return };
    let evidence = world.place.path().join("evidence");
    let evil = world.place.path().join("evil");
    fs::write(&evil, format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", evidence.display())).expect("a program");
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).expect("it may run");
    let evil = evil.to_str().expect("a path");
    let secret = world.place.path().join("secret");
    fs::write(&secret, "hunter2 is the password\n").expect("a secret");
    for (key, value) in [
        ("core.fsmonitor", evil),
        ("core.pager", evil),
        ("core.sshCommand", evil),
        ("pager.log", evil),
        ("pager.show", evil),
        ("diff.external", evil),
        ("diff.evil.command", evil),
        ("diff.evil.textconv", evil),
        ("filter.evil.clean", evil),
        ("filter.evil.smudge", evil),
        ("filter.ev=il.process", evil),
        ("filter.ev=il.required", "true"),
        ("gpg.program", evil),
        ("log.showSignature", "true"),
        ("alias.log", "!evil"),
        ("color.diff", "always"),
        ("blame.ignoreRevsFile", secret.to_str().expect("a path")),
        ("core.worktree", "/"),
        ("core.hooksPath", world.place.path().to_str().expect("a path")),
    ] {
        world.in_site(&["--git-dir=.git", "config", key, value]);
    }
    fs::write(world.site().join(".git/info/attributes"), "*.txt diff=evil filter=evil\n*.md diff=evil filter=ev=il\n")
        .expect("attributes");
    world.write("src/brew.txt", "changed\n");
    world.write("README.md", "# Changed\n");
    let host = world.host();
    let status = ask(&host, "status", json!({}));
    assert_eq!(status["changes"].as_array().expect("a list").len(), 2, "{status}");
    for (tool, arguments) in [
        ("log", json!({})),
        ("show", json!({})),
        ("diff", json!({})),
        ("diff", json!({ "to": "HEAD~1" })),
        ("blame", json!({ "path": "src/brew.txt" })),
        ("files", json!({})),
        ("read", json!({ "path": "src/brew.txt" })),
    ] {
        let told = host.call(tool, arguments).map_or_else(|error| format!("{error} {:?}", error.hint()), |reply| reply.json);
        assert!(!told.contains("hunter2") && !told.contains("\\u001b"), "{tool}: {told}");
        // Only this one reads the file that the configuration names, and cannot.
        assert_eq!(told.contains("git tells nothing"), tool == "blame", "{tool}: {told}");
    }
    assert_eq!(fs::read_to_string(&evidence).unwrap_or_default(), "", "something ran");
}

#[test]
fn only_the_repository_that_was_named_is_read() {
    let Some(world) = World::new() else { return };
    // A directory within a repository, one that leads to another repository by a file, and one that is none.
    for (name, gitfile) in
        [("site/src", None), ("elsewhere", Some(format!("gitdir: {}/.git\n", world.site().display()))), ("none", None)]
    {
        let directory = world.place.path().join(name);
        fs::create_dir_all(&directory).expect("a directory");
        if let Some(text) = gitfile {
            fs::write(directory.join(".git"), text).expect("a file");
        }
        let host = world.host_with(json!({ "repositories": { "it": directory } }));
        let error = host.call("log", json!({})).expect_err(name);
        assert_eq!(error.code(), "no_repository", "{name}: {error}");
    }
    world.git(&["clone", "--quiet", "--bare", "site", "bare"]);
    let host = world.host_with(json!({ "repositories": { "it": world.place.path().join("bare"), "other": "/nowhere" } }));
    refused(&host, "log", json!({}), expect!["ambiguous: it is not said which repository is meant (one of `it`, `other`)"]);
    assert_eq!(ask(&host, "log", json!({ "repository": "it" }))["commits"].as_array().expect("a list").len(), 2);
    refused(
        &host,
        "status",
        json!({ "repository": "it" }),
        expect!["bare: the repository `it` is bare: it has no files beside its commits (compare two revisions instead)"],
    );
    assert_eq!(ask(&host, "repositories", json!({})), json!(["it", "other"]));
}
