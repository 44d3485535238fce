//! What native code inside a worker could do, had it broken out of the interpreter: each attempt in a process of its own, confined as a worker is.

#![expect(unsafe_code, reason = "an attempt to break out asks the kernel itself")]

use std::{
    collections::BTreeSet,
    ffi::CString,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    ptr::null,
};

use nekro_sandbox::Layer;

const ALLOWED: i32 = 10;
const DENIED: i32 = 11;

/// Attempts, and whether one that succeeds would change the machine: those are made behind all walls only.
const ATTEMPTS: &[(&str, bool)] = &[
    ("read a file", false),
    ("write a file", true),
    ("read the host's environment", false),
    ("open a socket", false),
    ("connect by TCP", false),
    ("connect to an abstract socket", false),
    ("fork", false),
    ("start a thread", false),
    ("execute a program", false),
    ("signal the host", false),
    ("trace the host", false),
    ("read the host's memory", false),
    ("map executable memory", false),
    ("make memory executable", false),
    ("make a file in memory", false),
    ("set up io_uring", false),
    ("load a BPF program", false),
    ("leave a namespace", false),
    ("become root", false),
    ("write to another descriptor", false),
    ("duplicate a descriptor", false),
    ("map two gibibytes", false),
    ("change a mode", true),
    ("mount", true),
    ("raise a limit", false),
    ("take a descriptor of the host", false),
    ("open by openat2", false),
    ("link", true),
    ("ask for a handle", false),
];

/// Makes an attempt, if this process was started for one.
pub(crate) fn attempt_if_asked() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, asked, name, host, off] = &arguments[..] else { return };
    if asked != "attempt" {
        return;
    }
    let off = serde_json::from_str(off).expect("a list of layers");
    let host = host.parse().expect("a process id");
    nekro_sandbox::confine_for_test(off);
    let allowed = attempt(name, host);
    // SAFETY: nothing is left to do, and nothing may run that could fail behind the walls.
    unsafe { libc::_exit(if allowed { ALLOWED } else { DENIED }) }
}

fn attempt(name: &str, host: libc::pid_t) -> bool {
    let c = |text: &str| CString::new(text).expect("it has no zero");
    let passwd = c("/etc/passwd");
    // SAFETY: every pointer lives for its call; whatever the calls do to this process, it ends at once.
    unsafe {
        let good = |result: libc::c_long| result >= 0;
        match name {
            "read a file" => good(libc::open(passwd.as_ptr(), libc::O_RDONLY).into()),
            "write a file" => good(libc::open(c("/tmp/nekro-attempt").as_ptr(), libc::O_RDWR | libc::O_CREAT, 0o600).into()),
            "read the host's environment" => {
                good(libc::open(c(&format!("/proc/{host}/environ")).as_ptr(), libc::O_RDONLY).into())
            }
            "open a socket" => good(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0).into()),
            "connect by TCP" => {
                let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
                let mut address: libc::sockaddr_in = std::mem::zeroed();
                address.sin_family = libc::AF_INET as u16;
                address.sin_port = 80_u16.to_be();
                address.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
                let connected = libc::connect(socket, (&raw const address).cast(), 16);
                // "Refused" means that somebody could have answered.
                connected == 0 || (socket >= 0 && *libc::__errno_location() == libc::ECONNREFUSED)
            }
            "connect to an abstract socket" => {
                let socket = libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0);
                let mut address: libc::sockaddr_un = std::mem::zeroed();
                address.sun_family = libc::AF_UNIX as u16;
                for (to, from) in address.sun_path.iter_mut().zip(b"\0nekro-attempt") {
                    *to = *from as libc::c_char;
                }
                let connected = libc::connect(socket, (&raw const address).cast(), 16);
                connected == 0 || (socket >= 0 && *libc::__errno_location() == libc::ECONNREFUSED)
            }
            "fork" => match libc::fork() {
                0 => libc::_exit(0),
                child => child > 0,
            },
            "start a thread" => std::thread::Builder::new().spawn(|| ()).is_ok(),
            "execute a program" => {
                let arguments = [null::<libc::c_char>()];
                good(libc::execve(c("/bin/true").as_ptr(), arguments.as_ptr(), arguments.as_ptr()).into())
            }
            "signal the host" => libc::kill(host, 0) == 0,
            "trace the host" => good(libc::ptrace(libc::PTRACE_SEIZE, host, 0, 0)),
            "read the host's memory" => {
                let mut bytes = [0_u8; 8];
                let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: 8 };
                let remote = libc::iovec { iov_base: 0x40_0000 as *mut _, iov_len: 8 };
                // "Bad address" means that only the address was wrong.
                libc::process_vm_readv(host, &raw const local, 1, &raw const remote, 1, 0) >= 0
                    || *libc::__errno_location() == libc::EFAULT
            }
            "map executable memory" => {
                libc::mmap(null::<u8>().cast_mut().cast(), 4096, 7, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
                    != libc::MAP_FAILED
            }
            "make memory executable" => {
                let page = libc::mmap(null::<u8>().cast_mut().cast(), 4096, 3, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
                libc::mprotect(page, 4096, 5) == 0
            }
            "make a file in memory" => good(libc::memfd_create(c("x").as_ptr(), 0).into()),
            "set up io_uring" => {
                let mut parameters = [0_u8; 256];
                good(libc::syscall(libc::SYS_io_uring_setup, 4, parameters.as_mut_ptr()))
            }
            "load a BPF program" => {
                let attributes = [0_u64; 16];
                good(libc::syscall(libc::SYS_bpf, 0, attributes.as_ptr(), 128))
            }
            "leave a namespace" => libc::unshare(libc::CLONE_NEWUSER) == 0,
            "become root" => libc::setuid(0) == 0,
            "write to another descriptor" => libc::write(5, b"x".as_ptr().cast(), 1) >= 0,
            "duplicate a descriptor" => good(libc::dup(0).into()),
            "map two gibibytes" => {
                libc::mmap(null::<u8>().cast_mut().cast(), 2 << 30, 3, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
                    != libc::MAP_FAILED
            }
            "change a mode" => libc::chmod(c("/tmp").as_ptr(), 0o1777) == 0,
            "mount" => libc::mount(c("none").as_ptr(), c("/tmp").as_ptr(), c("tmpfs").as_ptr(), 0, null()) == 0,
            "raise a limit" => {
                let none = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
                libc::setrlimit(libc::RLIMIT_NPROC, &raw const none) == 0
            }
            "take a descriptor of the host" => {
                let process = libc::syscall(libc::SYS_pidfd_open, host, 0);
                process >= 0 && good(libc::syscall(libc::SYS_pidfd_getfd, process, 1, 0))
            }
            "open by openat2" => {
                let how = [0_u64; 3];
                good(libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, passwd.as_ptr(), how.as_ptr(), 24))
            }
            "link" => libc::symlink(passwd.as_ptr(), c("/tmp/nekro-attempt-link").as_ptr()) == 0,
            "ask for a handle" => {
                let mut handle = [0_u8; 256];
                handle[0] = 128;
                let mut mount = 0;
                good(libc::syscall(
                    libc::SYS_name_to_handle_at,
                    libc::AT_FDCWD,
                    passwd.as_ptr(),
                    handle.as_mut_ptr(),
                    &raw mut mount,
                    0,
                ))
            }
            _ => unreachable!("no such attempt: {name}"),
        }
    }
}

/// Makes an attempt in a process of its own, and tells whether it succeeded.
fn succeeds(name: &str, off: &BTreeSet<Layer>) -> bool {
    let off = serde_json::to_string(off).expect("a list of layers");
    let status = Command::new("/proc/self/exe")
        .args(["attempt", name, &std::process::id().to_string(), &off])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it starts");
    match (status.code(), status.signal()) {
        // Zero: another program took over, and was content.
        (Some(ALLOWED | 0), _) => true,
        (Some(DENIED), _) | (None, Some(libc::SIGSYS)) => false,
        other => panic!("{name}: {other:?}"),
    }
}

pub(crate) fn nothing_is_possible_behind_the_walls() {
    for (name, _) in ATTEMPTS {
        assert!(!succeeds(name, &BTreeSet::new()), "{name}");
    }
}

/// What one layer alone stops: by each, what gets through without it. New code in memory is of use to somebody only who runs code already, a
/// handle of a file cannot be opened without a capability, and a script's own memory is limited by the interpreter too.
const BY_ONE_LAYER: &[(Layer, &[&str])] = &[
    (Layer::SystemCalls, &["map executable memory", "make memory executable", "ask for a handle"]),
    (Layer::ResourceLimits, &["map two gibibytes"]),
];

pub(crate) fn two_layers_at_least_stop_each_attempt_but_those_that_are_known() {
    for layer in Layer::ALL {
        let off = BTreeSet::from([layer]);
        let known = BY_ONE_LAYER.iter().find(|(known, _)| *known == layer).map_or(&[][..], |(_, names)| *names);
        let through: Vec<_> =
            ATTEMPTS.iter().filter(|(_, changes)| !changes).map(|(name, _)| *name).filter(|name| succeeds(name, &off)).collect();
        assert_eq!(through, known, "without {layer}");
    }
}

pub(crate) fn without_walls_most_of_it_is_possible() {
    // What shows that the attempts are real.
    let off = BTreeSet::from(Layer::ALL);
    let through = ATTEMPTS.iter().filter(|(_, changes)| !changes).filter(|(name, _)| succeeds(name, &off)).count();
    assert!(through >= 15, "{through}");
}
