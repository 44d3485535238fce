//! What files do when nobody means harm.

use nekro_core::{FileKind, FileSource, MemoryFiles, WriteHow};

use super::*;

#[tokio::test]
async fn memory_and_disk_behave_alike() {
    let world = World::new();
    let memory = Files::new(plugin("diary", &[]), Some("Room 1".into()), Arc::new(MemoryFiles::default()));
    for files in [world.files(), memory] {
        for folder in [files.own(), files.exchange().expect("a conversation")] {
            let code = |error: nekro_core::Error| error.code().to_owned();
            assert_eq!(folder.read("a").await.map_err(code), Err("not_found".to_owned()));
            assert_eq!(folder.list().await.map_err(code), Ok(Vec::new()));
            assert_eq!(folder.list_in("a").await.map_err(code), Err("not_found".to_owned()));
            assert_eq!(folder.metadata("a").await.map_err(code), Ok(None));
            assert_eq!(folder.remove("a").await.map_err(code), Ok(false));
            let written = folder.write("a/b/c.txt", "one").await.expect("written");
            assert_eq!((written.path.as_str(), written.kind, written.bytes), ("a/b/c.txt", FileKind::File, 3));
            assert_eq!(folder.write("a/b/c.txt", "two!").await.expect("written").bytes, 4);
            assert_eq!(folder.append("a/b/c.txt", " three").await.expect("written").bytes, 10);
            assert_eq!(folder.append("new", "x").await.expect("written").bytes, 1);
            assert_eq!(folder.create("new", "x").await.map_err(code), Err("exists".to_owned()));
            assert_eq!(folder.create("a/d", "x").await.expect("written").bytes, 1);
            assert_eq!(folder.read_text("a/b/c.txt").await.map_err(code), Ok("two! three".to_owned()));
            let names = |entries: Vec<nekro_core::FileEntry>| -> Vec<_> {
                entries.into_iter().map(|entry| format!("{:?} {} {}", entry.kind, entry.path, entry.bytes)).collect()
            };
            assert_eq!(
                folder.list().await.map(names).map_err(code),
                Ok(vec!["Directory a 0".to_owned(), "File new 1".to_owned()])
            );
            assert_eq!(
                folder.list_in("a").await.map(names).map_err(code),
                Ok(vec!["Directory a/b 0".to_owned(), "File a/d 1".to_owned()])
            );
            assert_eq!(
                folder.metadata("a").await.map_err(code).map(|entry| entry.map(|entry| entry.kind)),
                Ok(Some(FileKind::Directory))
            );
            for (result, expected) in [
                (folder.read("a").await.map(drop), "not_a_file"),
                (folder.write("a/b", "x").await.map(drop), "not_a_file"),
                (folder.write("new/x", "x").await.map(drop), "not_a_directory"),
                (folder.list_in("new").await.map(drop), "not_a_directory"),
                (folder.remove("a").await.map(drop), "not_empty"),
                (folder.read("../x").await.map(drop), "failed"),
            ] {
                assert_eq!(result.map_err(code), Err(expected.to_owned()));
            }
            assert_eq!(folder.remove("a/b/c.txt").await.map_err(code), Ok(true));
            assert_eq!(folder.read("a/b/c.txt").await.map_err(code), Err("not_found".to_owned()));
        }
    }
}

#[tokio::test]
async fn each_plugin_and_each_conversation_has_its_own() {
    let world = World::new();
    let files = |plugin_id, session: &str| Files::new(plugin(plugin_id, &[]), Some(session.into()), Arc::clone(&world.port) as _);
    files("diary", "Room 1").own().write("a", "own").await.expect("written");
    files("diary", "Room 1").exchange().expect("a conversation").write("b", "shared").await.expect("written");
    assert!(files("notes", "Room 1").own().list().await.expect("a list").is_empty());
    assert_eq!(files("notes", "Room 1").exchange().expect("a conversation").read_text("b").await.expect("text"), "shared");
    for other in ["Room 2", "room 1", "Room%201", "Room 1/", "../Room 1", "", &"long ".repeat(100), &"long ".repeat(101)] {
        let exchange = files("notes", other).exchange().expect("a conversation");
        assert!(exchange.list().await.expect("a list").is_empty(), "{other}");
        exchange.write("b", other).await.expect("written");
    }
    assert_eq!(files("notes", "Room 1").exchange().expect("a conversation").read_text("b").await.expect("text"), "shared");
}

#[tokio::test]
async fn a_directory_of_the_machine_is_used_where_it_is_declared() {
    let world = World::new();
    let outside = world.path("outside");
    let files = Files::new(plugin("diary", &[&outside]), None, Arc::clone(&world.port) as _);
    let declared = files.declared(outside.to_str().expect("text")).expect("declared");
    assert_eq!(declared.read_text("secret.txt").await.expect("text"), "secret");
    for other in [world.path(""), world.path("outside/"), world.path("outside/secret.txt"), "/".into()] {
        assert_eq!(files.declared(other.to_str().expect("text")).expect_err("not declared").code(), "out_of_scope");
    }
    assert_eq!(files.exchange().expect_err("no conversation").code(), "no_session");
}

#[tokio::test]
async fn a_file_is_replaced_as_a_whole() {
    let world = World::new();
    let (own, _) = world.own();
    let (long, short) = ("x".repeat(300_000), "y".repeat(300_000));
    own.write("a", long.clone()).await.expect("written");
    let (reader, writer) = (own.clone(), own.clone());
    let writing = tokio::spawn(async move {
        for text in [&short, &long].into_iter().cycle().take(20) {
            writer.write("a", text.as_bytes()).await.expect("written");
        }
    });
    while !writing.is_finished() {
        let text = reader.read_text("a").await.expect("text");
        assert!(text.len() == 300_000 && (!text.contains('x') || !text.contains('y')));
    }
    writing.await.expect("no panic");
    assert_eq!(own.list().await.expect("a list").len(), 1, "nothing is left beside it");
}

#[tokio::test]
async fn quotas_are_kept_and_named() {
    let limits = FilesSettings { file_bytes: 10, quota_bytes: 25, quota_files: 4 };
    let world = World::with(&limits);
    let (own, path) = world.own();
    let refused = |result: nekro_core::Result<nekro_core::FileEntry>| {
        let error = result.expect_err("too much");
        format!("{}: {}", error.code(), error.hint().unwrap_or_default())
    };
    assert_eq!(refused(own.write("a", "01234567890").await), "too_large: the limit is `files.file_bytes`");
    own.write("a", "0123456789").await.expect("it fits");
    assert_eq!(refused(own.append("a", "x").await), "too_large: the limit is `files.file_bytes`");
    own.write("b", "0123456789").await.expect("it fits");
    let bytes = "over_quota: remove what is not needed; the limit is `files.quota_bytes`";
    assert_eq!(refused(own.write("c", "012345").await), bytes);
    own.write("c", "01234").await.expect("it fits exactly");
    assert_eq!(refused(own.append("c", "x").await), bytes);
    own.write("b", "").await.expect("less is never too much");
    let files = "over_quota: remove what is not needed; the limit is `files.quota_files`";
    assert_eq!(refused(own.write("d/e", "").await), files, "a directory counts too");
    own.write("d", "").await.expect("it fits");
    assert_eq!(refused(own.write("e", "").await), files);
    assert!(own.remove("d").await.expect("removed"));
    own.write("e", "").await.expect("there is room again");
    own.remove("e").await.expect("removed");
    // What somebody else put there counts when it is known, or when there is little room.
    std::fs::write(path.join("f"), "01234567890123456789").expect("a file");
    own.write("b", "01234567").await.expect("nobody looked");
    assert_eq!(refused(own.write("b", "0123456789").await), bytes);
    assert_eq!(own.read("f").await.expect_err("too large").code(), "too_large");
    // Another place has its own.
    world.files().exchange().expect("a conversation").write("a", "0123456789").await.expect("it fits");
}

#[tokio::test]
async fn what_was_never_finished_is_removed_and_not_shown() {
    let world = World::new();
    let (own, path) = world.own();
    let (old, new) = (path.join(".nekro-unfinished-7"), path.join(".nekro-unfinished-8"));
    std::fs::write(&new, "half").expect("a file");
    let file = std::fs::File::create(&old).expect("a file");
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("its time");
    assert!(own.list().await.expect("a list").is_empty());
    own.write("a", "x").await.expect("written");
    assert!(!old.exists() && new.exists(), "somebody may be writing the other");
}

#[tokio::test]
async fn a_file_is_taken_from_a_path_bytes_or_a_data_url_and_is_what_its_content_says() {
    let world = World::new();
    let files = world.files();
    files.exchange().expect("a conversation").write("in/pic.txt", *b"\x89PNG\r\n\x1a\n....").await.expect("written");
    for (source, expected) in [
        ("\"in/pic.txt\"", Ok((Some("pic.txt"), "image/png"))),
        ("\"data:text/html;base64,JVBERi0xLjc=\"", Ok((None, "application/pdf"))),
        ("\"data:image/png,plain\"", Ok((None, "text/plain"))),
        ("\"DATA:,%00%ff\"", Ok((None, "application/octet-stream"))),
        ("\"data:x\"", Err("bad_data_url")),
        ("\"in/other.txt\"", Err("not_found")),
        ("\"https://example.org/a\"", Err("needs_http")),
    ] {
        let source: FileSource = serde_json::from_str(source).expect("a source");
        let taken = files.take(&source).await;
        let taken = taken.as_ref().map(|file| (file.name.as_deref(), file.media_type)).map_err(|error| error.code());
        assert_eq!(taken, expected, "{source:?}");
    }
    assert!(serde_json::from_str::<FileSource>("\"/etc/passwd\"").is_err());
    assert!(serde_json::from_str::<FileSource>("\"file:///etc/passwd\"").is_err());
}

#[tokio::test]
async fn two_writers_of_one_file_leave_one_file_and_a_true_count() {
    let world = World::with(&FilesSettings { quota_files: 20, ..FilesSettings::default() });
    let (own, path) = world.own();
    let port = Arc::clone(&world.port);
    let writes = (0..40).map(|number: u32| {
        let (port, place) = (Arc::clone(&port), nekro_core::FilePlace::Own("diary".into()));
        tokio::spawn(async move {
            use nekro_core::FilesPort as _;
            let file = format!("f{}", number % 4).parse().expect("a path");
            port.write(&place, &file, vec![b'x'; 3], WriteHow::Replace).await
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.expect("no panic").expect("written");
    }
    assert_eq!(std::fs::read_dir(&path).expect("a directory").count(), 4);
    for number in 4..20 {
        own.write(format!("f{number}"), "x").await.expect("there is room for it");
    }
    assert_eq!(own.write("one more", "x").await.expect_err("full").code(), "over_quota");
}
