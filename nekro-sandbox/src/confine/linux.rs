//! Entering the layers on Linux, in an order in which no layer stands in the way of a later one.

use std::collections::BTreeSet;

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus, Scope};
use rustix::{
    process::{DumpableBehavior, Gid, Resource, Rlimit, Signal, Uid, getrlimit, setrlimit},
    thread::{CapabilitySet, CapabilitySets, UnshareFlags},
};

use super::{Confinement, Layer, Standing, seccomp};

/// `nobody`, by custom.
const NOBODY: u32 = 65_534;
/// Behind the engine's own limit on memory: what the process may have in all, beside the pages it shares.
const DATA: u64 = 512 << 20;
/// Deep recursion in the interpreter needs it.
const STACK: u64 = 64 << 20;
/// Of a worker's whole life; each script has a limit of its own.
const CPU_SECONDS: u64 = 3_600;

type Tried = Result<String, String>;

/// What comes before anything is opened: the process forgets what it inherited, and ends with its host.
pub(crate) fn early(off: &BTreeSet<Layer>) -> Confinement {
    let mut report = Confinement::default();
    layer(&mut report, off, Layer::Inheritance, forget);
    layer(&mut report, off, Layer::EndsWithHost, end_with_host);
    let hard = getrlimit(Resource::Stack).maximum;
    // Without it, deep recursion ends the worker and not the script alone.
    _ = setrlimit(Resource::Stack, Rlimit { current: Some(hard.map_or(STACK, |hard| hard.min(STACK))), maximum: hard });
    report
}

/// Everything else, once what has to be opened is open.
pub(crate) fn enter(off: &BTreeSet<Layer>, report: &mut Confinement) {
    layer(report, off, Layer::Identity, become_nobody);
    layer(report, off, Layer::UserNamespace, || unshare(UnshareFlags::NEWUSER));
    layer(report, off, Layer::NetworkNamespace, || unshare(UnshareFlags::NEWNET));
    layer(report, off, Layer::OtherNamespaces, || {
        unshare(
            UnshareFlags::NEWIPC | UnshareFlags::NEWUTS | UnshareFlags::NEWPID | UnshareFlags::NEWNS | UnshareFlags::NEWCGROUP,
        )
    });
    if !off.contains(&Layer::Identity)
        && let Err(why) = drop_capabilities()
    {
        report.set(Layer::Identity, Standing::Missing(why));
    }
    // Another identity makes the kernel forget the first of these.
    if !off.contains(&Layer::EndsWithHost)
        && let Err(why) = end_with_host()
    {
        report.set(Layer::EndsWithHost, Standing::Missing(why));
    }
    layer(report, off, Layer::NoNewPrivileges, || {
        rustix::thread::set_no_new_privs(true).map_err(|error| error.to_string())?;
        Ok("for good".into())
    });
    layer(report, off, Layer::Landlock, landlock);
    layer(report, off, Layer::ResourceLimits, limit);
    layer(report, off, Layer::SystemCalls, || seccomp::install().map(|()| "about twenty allowed".into()));
}

fn layer(report: &mut Confinement, off: &BTreeSet<Layer>, layer: Layer, enter: impl FnOnce() -> Tried) {
    let standing = if off.contains(&layer) {
        Standing::Off
    } else {
        match enter() {
            Ok(what) => Standing::InForce(what),
            Err(why) => Standing::Missing(why),
        }
    };
    report.set(layer, standing);
}

fn said<T>(what: &str, result: Result<T, rustix::io::Errno>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error}"))
}

#[expect(unsafe_code, reason = "closing descriptors by number has no safe form")]
fn forget() -> Tried {
    // SAFETY: nothing of this process has opened a descriptor yet: what is above the standard ones is the host's.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
    if closed != 0 {
        return Err(format!("close_range: {}", std::io::Error::last_os_error()));
    }
    if std::env::vars_os().next().is_some() {
        return Err("the environment is not empty".into());
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o777));
    Ok("a socket and the image".into())
}

fn end_with_host() -> Tried {
    said("prctl", rustix::process::set_parent_process_death_signal(Some(Signal::KILL)))?;
    said("prctl", rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable))?;
    Ok("killed by the kernel, no core, not traceable".into())
}

fn become_nobody() -> Tried {
    if !rustix::process::geteuid().is_root() {
        return Ok(format!("user {}", rustix::process::getuid().as_raw()));
    }
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    said("setgroups", rustix::thread::set_thread_groups(&[]))?;
    said("setresgid", rustix::thread::set_thread_res_gid(group, group, group))?;
    said("setresuid", rustix::thread::set_thread_res_uid(user, user, user))?;
    Ok(format!("user {NOBODY}"))
}

fn drop_capabilities() -> Result<(), String> {
    let none = CapabilitySet::empty();
    said("capset", rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }))
}

#[expect(unsafe_code, reason = "leaving a namespace has no safe form")]
fn unshare(flags: UnshareFlags) -> Tried {
    // SAFETY: there is one thread, and no descriptor table or file system that another one could share.
    said("unshare", unsafe { rustix::thread::unshare_unsafe(flags) })?;
    Ok("its own".into())
}

fn landlock() -> Tried {
    const ABI: ABI = ABI::V6;
    let status = (|| {
        Ruleset::default()
            .handle_access(AccessFs::from_all(ABI))?
            .handle_access(AccessNet::from_all(ABI))?
            .scope(Scope::from_all(ABI))?
            .create()?
            .restrict_self()
    })()
    .map_err(|error: landlock::RulesetError| error.to_string())?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok("everything it knows".into()),
        RulesetStatus::PartiallyEnforced => Ok("what this kernel knows of it".into()),
        RulesetStatus::NotEnforced => Err("this kernel does not have it".into()),
    }
}

fn limit() -> Tried {
    let limits = [
        (Resource::Data, DATA),
        (Resource::Cpu, CPU_SECONDS),
        (Resource::Nofile, 3),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
    ];
    for (resource, most) in limits {
        let most = getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
        said("setrlimit", setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }))?;
    }
    Ok(format!("{} MiB, no files, no processes", DATA >> 20))
}
