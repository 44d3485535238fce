//! Attempts to leave a directory. What is outside must neither be read nor changed.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, symlink},
    sync::atomic::{AtomicBool, Ordering},
};

use super::*;

/// Paths that are none.
const PATHS: [&str; 16] = [
    "../outside/secret.txt",
    "../../outside/secret.txt",
    "a/../../../outside/secret.txt",
    "./../outside/secret.txt",
    "..",
    ".",
    "",
    "/etc/passwd",
    "//etc/passwd",
    "a//../../outside",
    "..\\outside\\secret.txt",
    "C:\\Windows\\win.ini",
    "\\\\server\\share",
    "file:///etc/passwd",
    "a\0/../../outside",
    "a/\u{0}",
];

#[tokio::test]
async fn no_text_leads_out() {
    let world = World::new();
    let (own, path) = world.own();
    fs::create_dir(path.join("a")).expect("a directory");
    for text in PATHS {
        assert!(own.read(text).await.is_err(), "{text:?}");
        assert!(own.write(text, "x").await.is_err(), "{text:?}");
        assert!(own.append(text, "x").await.is_err(), "{text:?}");
        assert!(own.remove(text).await.is_err(), "{text:?}");
        assert!(own.list_in(text).await.is_err(), "{text:?}");
        assert!(own.metadata(text).await.is_err(), "{text:?}");
    }
    assert!(world.outside_is_untouched());
}

/// Things in the directory by which a path could lead out: how they are made, and the path that uses them.
type Trap = (&'static str, fn(&World, &Path), &'static str);

const TRAPS: [Trap; 14] = [
    ("a link to a file", |world, own| symlink(world.path("outside/secret.txt"), own.join("x")).expect("a link"), "x"),
    ("a relative link", |_, own| symlink("../../../outside/secret.txt", own.join("x")).expect("a link"), "x"),
    ("a link to a directory", |world, own| symlink(world.path("outside"), own.join("x")).expect("a link"), "x/secret.txt"),
    ("a link up", |_, own| symlink("../../..", own.join("x")).expect("a link"), "x/outside/secret.txt"),
    ("a link to the root", |_, own| symlink("/", own.join("x")).expect("a link"), "x/etc/passwd"),
    (
        "a link to a link",
        |world, own| {
            symlink(world.path("outside/secret.txt"), own.join("y")).expect("a link");
            symlink("y", own.join("x")).expect("a link");
        },
        "x",
    ),
    (
        "a link in a directory below",
        |world, own| {
            fs::create_dir(own.join("d")).expect("a directory");
            symlink(world.path("outside"), own.join("d/x")).expect("a link");
        },
        "d/x/secret.txt",
    ),
    ("a link to where nothing is", |world, own| symlink(world.path("outside/new.txt"), own.join("x")).expect("a link"), "x"),
    ("a link to itself", |_, own| symlink("x", own.join("x")).expect("a link"), "x"),
    ("a link of the system", |_, own| symlink("/proc/self/root", own.join("x")).expect("a link"), "x/etc/passwd"),
    ("the current directory", |_, own| symlink("/proc/self/cwd", own.join("x")).expect("a link"), "x/Cargo.toml"),
    (
        "a second name of a file",
        |world, own| fs::hard_link(world.path("outside/secret.txt"), own.join("x")).expect("a link"),
        "x",
    ),
    (
        "a pipe",
        |_, own| {
            rustix::fs::mknodat(rustix::fs::CWD, own.join("x"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
                .expect("a pipe")
        },
        "x",
    ),
    ("a link to a device", |_, own| symlink("/dev/zero", own.join("x")).expect("a link"), "x"),
];

#[tokio::test]
async fn no_link_and_no_device_leads_out() {
    for (name, set, path) in TRAPS {
        let world = World::new();
        let (own, on_disk) = world.own();
        set(&world, &on_disk);
        let read = own.read(path).await.expect_err(name);
        assert!(["forbidden_path", "not_found"].contains(&read.code()), "{name}: {} {read}", read.code());
        let written = own.write(path, "x").await.expect_err(name);
        assert!(["forbidden_path", "not_found"].contains(&written.code()), "{name}: {} {written}", written.code());
        assert!(own.append(path, "x").await.is_err(), "{name}");
        assert!(own.create(path, "x").await.is_err(), "{name}");
        assert!(!matches!(own.metadata(path).await, Ok(Some(_))), "{name}");
        assert!(own.list_in(path).await.is_err(), "{name}");
        let listed = own.list().await.expect("a list");
        assert!(listed.iter().all(|entry| entry.path.as_str() != "x"), "{name}");
        // A link itself may be removed; what it leads to may not.
        let _ = own.remove(path).await;
        assert!(world.outside_is_untouched(), "{name}");
    }
}

#[tokio::test]
async fn a_device_is_not_read() {
    // Somebody declares the directory of all devices.
    let world = World::new();
    let devices = Path::new("/dev");
    let files = Files::new(plugin("diary", &[devices]), None, Arc::clone(&world.port) as _);
    let folder = files.declared("/dev").expect("declared");
    for device in ["zero", "null", "full", "tty"] {
        let is_there = fs::metadata(devices.join(device)).is_ok_and(|metadata| metadata.file_type().is_char_device());
        assert!(!is_there || folder.read(device).await.is_err(), "{device}");
        assert!(!is_there || folder.write(device, "x").await.is_err(), "{device}");
    }
}

/// Swaps something in the directory with a link that leads out, again and again, while a plugin uses it.
async fn race(path: &'static str, swap: impl Fn(&Path, &Path) + Send + 'static) {
    let world = World::new();
    let (own, on_disk) = world.own();
    let (going, outside) = (Arc::new(AtomicBool::new(true)), world.path("outside"));
    let swapping = {
        let going = Arc::clone(&going);
        std::thread::spawn(move || {
            while going.load(Ordering::Relaxed) {
                swap(&on_disk, &outside);
            }
        })
    };
    for _ in 0..400 {
        assert!(own.read(path).await.ok().is_none_or(|bytes| bytes != b"secret"), "it was read");
        let _ = own.write(path, "overwritten").await;
        let _ = own.append(path, "overwritten").await;
        let _ = own.remove(path).await;
    }
    going.store(false, Ordering::Relaxed);
    swapping.join().expect("no panic");
    assert!(world.outside_is_untouched());
}

#[tokio::test]
async fn a_directory_that_turns_into_a_link_leads_nowhere() {
    race("d/secret.txt", |own, outside| {
        let _ = fs::remove_dir_all(own.join("d"));
        let _ = fs::create_dir(own.join("d"));
        let _ = fs::remove_dir_all(own.join("d"));
        let _ = symlink(outside, own.join("d"));
        let _ = fs::remove_file(own.join("d"));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_turns_into_a_link_leads_nowhere() {
    race("secret.txt", |own, outside| {
        let _ = fs::write(own.join("y"), "inside");
        let _ = fs::rename(own.join("y"), own.join("secret.txt"));
        let _ = symlink(outside.join("secret.txt"), own.join("z"));
        let _ = fs::rename(own.join("z"), own.join("secret.txt"));
    })
    .await;
}
