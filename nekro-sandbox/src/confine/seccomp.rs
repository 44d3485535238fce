//! The system calls of a worker.
//!
//! Two filters. The first answers "not permitted" to all but a short list, for libraries ask harmless things and live with a refusal. The
//! second ends the process on what no honest worker ever tries.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Installs both filters; for good.
pub(super) fn install() -> Result<(), String> {
    let allowed = filter(allowed()?, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)?;
    let deadly = filter(deadly(), SeccompAction::Allow, SeccompAction::KillProcess)?;
    seccompiler::apply_filter(&deadly).map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&allowed).map_err(|error| error.to_string())
}

fn filter(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> Result<BpfProgram, String> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    SeccompFilter::new(rules, otherwise, matched, arch).and_then(BpfProgram::try_from).map_err(|error| error.to_string())
}

fn allowed() -> Result<Rules, String> {
    let mut rules: Rules = [
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_madvise,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
    ]
    .into_iter()
    .map(|call| (call, Vec::new()))
    .collect();
    let one = |argument, is, value| -> Result<SeccompRule, String> {
        SeccompCondition::new(argument, Length::Dword, is, value)
            .and_then(|condition| SeccompRule::new(vec![condition]))
            .map_err(|error| error.to_string())
    };
    // The socket, and nothing else. A panic's last words go to descriptor 2, which leads nowhere.
    rules.insert(libc::SYS_read, vec![one(0, Is::Eq, 0)?]);
    rules.insert(libc::SYS_recvfrom, vec![one(0, Is::Eq, 0)?]);
    rules.insert(libc::SYS_write, vec![one(0, Is::Eq, 0)?, one(0, Is::Eq, 2)?]);
    // Memory, but none that could hold new code.
    let no_code = || one(2, Is::MaskedEq(libc::PROT_EXEC as u64), 0);
    rules.insert(libc::SYS_mmap, vec![no_code()?]);
    rules.insert(libc::SYS_mprotect, vec![no_code()?]);
    // Abort is a signal to oneself.
    rules.insert(libc::SYS_tgkill, vec![one(0, Is::Eq, u64::from(std::process::id()))?]);
    Ok(rules)
}

fn deadly() -> Rules {
    let mut calls = vec![
        libc::SYS_accept4,
        libc::SYS_add_key,
        libc::SYS_bind,
        libc::SYS_bpf,
        libc::SYS_chroot,
        libc::SYS_clone,
        libc::SYS_clone3,
        libc::SYS_connect,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_finit_module,
        libc::SYS_init_module,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_io_uring_setup,
        libc::SYS_kexec_load,
        libc::SYS_keyctl,
        libc::SYS_kill,
        libc::SYS_listen,
        libc::SYS_memfd_create,
        libc::SYS_mount,
        libc::SYS_open_by_handle_at,
        libc::SYS_perf_event_open,
        libc::SYS_personality,
        libc::SYS_pidfd_getfd,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_send_signal,
        libc::SYS_pivot_root,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_ptrace,
        libc::SYS_recvmsg,
        libc::SYS_request_key,
        libc::SYS_sendmsg,
        libc::SYS_sendto,
        libc::SYS_setns,
        libc::SYS_shmget,
        libc::SYS_socket,
        libc::SYS_tkill,
        libc::SYS_umount2,
        libc::SYS_unshare,
        libc::SYS_userfaultfd,
    ];
    #[cfg(target_arch = "x86_64")]
    calls.extend([libc::SYS_fork, libc::SYS_vfork, libc::SYS_modify_ldt]);
    calls.into_iter().map(|call| (call, Vec::new())).collect()
}
