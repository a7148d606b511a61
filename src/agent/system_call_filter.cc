// The seccomp filter of the running agent: a list of what it uses, and a shorter one of what ends it.
#include <cstddef>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/hardening.h"

namespace picket::agent {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#elif defined(__arm__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_ARM;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_RISCV64;
#else
#error "no seccomp architecture: add it here"
#endif

// Each is one of these on some architectures only, hence the many #ifdefs; sorted by purpose.
constexpr int kAllowed[] = {
    // files
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_close,
    SYS_openat,
    SYS_lseek,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_faccessat,
    SYS_fcntl,
    SYS_flock,
    SYS_ioctl,
    SYS_dup,
    SYS_dup3,
    SYS_getcwd,
    SYS_umask,
    SYS_statx,
    SYS_fstatfs,
    SYS_statfs,
    SYS_utimensat,
    SYS_fgetxattr,
    SYS_getxattr,
    SYS_lgetxattr,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_splice,
    SYS_sendfile,
    // memory
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_membarrier,
    // waiting and time
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_signalfd4,
    SYS_pipe2,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_restart_syscall,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
    SYS_fanotify_init,
    SYS_fanotify_mark,
    // sockets
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept4,
    SYS_getsockname,
    SYS_getpeername,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_sendmmsg,
    SYS_recvmmsg,
    SYS_shutdown,
    // what collectors and response ask of the kernel
    SYS_bpf,
    SYS_perf_event_open,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrandom,
    // the process itself
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getgroups,
    SYS_capget,
    SYS_getrusage,
    SYS_times,
    SYS_prlimit64,
    SYS_prctl,
    SYS_getpriority,
    SYS_setpriority,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_setscheduler,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_sigaltstack,
    SYS_tgkill,
    SYS_exit,
    SYS_exit_group,
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_openat2
    SYS_openat2,
#endif
#ifdef SYS_close_range
    SYS_close_range,
#endif
#ifdef SYS_fstat
    SYS_fstat,
#endif
#ifdef SYS_newfstatat
    SYS_newfstatat,
#endif
#ifdef SYS_mmap
    SYS_mmap,
#endif
#ifdef SYS_getrlimit
    SYS_getrlimit,
#endif
#ifdef SYS_gettimeofday
    SYS_gettimeofday,
#endif
#ifdef SYS_ppoll
    SYS_ppoll,
#endif
#ifdef SYS_pselect6
    SYS_pselect6,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_open  // the older forms, on architectures that have them
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_mkdir,
    SYS_unlink,
    SYS_rename,
    SYS_rmdir,
    SYS_chmod,
    SYS_readlink,
    SYS_dup2,
    SYS_pipe,
    SYS_poll,
    SYS_epoll_wait,
    SYS_inotify_init,
#endif
#if defined(SYS_select)
    SYS_select,
#endif
#if defined(SYS_accept)
    SYS_accept,
#endif
#if defined(SYS_time)
    SYS_time,
#endif
#if defined(SYS_arch_prctl)
    SYS_arch_prctl,
#endif
#if defined(__arm__)  // 32 bits: wide offsets, wide time, and calls of the architecture
    SYS_mmap2,
    SYS__llseek,
    SYS_fstat64,
    SYS_stat64,
    SYS_lstat64,
    SYS_fstatat64,
    SYS_fcntl64,
    SYS_ftruncate64,
    SYS_statfs64,
    SYS_fstatfs64,
    SYS_getuid32,
    SYS_geteuid32,
    SYS_getgid32,
    SYS_getegid32,
    SYS_getgroups32,
    SYS_ugetrlimit,
    SYS__newselect,
    SYS_send,
    SYS_recv,
    SYS_sigreturn,
    SYS_clock_gettime64,
    SYS_clock_nanosleep_time64,
    SYS_ppoll_time64,
    SYS_pselect6_time64,
    SYS_futex_time64,
    SYS_timerfd_settime64,
    SYS_recvmmsg_time64,
    SYS_rt_sigtimedwait_time64,
    SYS_utimensat_time64,
    SYS_clock_getres_time64,
    0x0f0002 /* cacheflush */,
    0x0f0005 /* set_tls */,
#endif
};

/// What an attacker who runs code in the agent would reach for. It ends the process, so that it is seen.
constexpr int kFatal[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_reboot,
    SYS_swapon,
    SYS_keyctl,
    SYS_add_key,
    SYS_memfd_create,
    SYS_setuid,
    SYS_setresuid,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
};

constexpr std::uint32_t kFail = SECCOMP_RET_ERRNO | 1 /* EPERM */;
constexpr std::uint32_t kNoSuchCall = SECCOMP_RET_ERRNO | 38 /* ENOSYS: glibc then uses clone */;

class Program {
 public:
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  void answer(std::uint32_t action) { add(BPF_RET | BPF_K, action); }
  /// `action` when the loaded value is `value`.
  void answer_if(std::uint32_t value, std::uint32_t action) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(action);
  }
  void add(int code, std::uint32_t k, std::uint8_t if_true = 0, std::uint8_t if_false = 0) {
    code_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, k});
  }
  [[nodiscard]] sock_fprog program() { return {static_cast<unsigned short>(code_.size()), code_.data()}; }

 private:
  std::vector<sock_filter> code_;
};

/// clone() that makes a thread is allowed, any other ends the process; the number stays loaded.
void add_clone(Program& program) {
  program.add(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
  // The low half of the first argument; big-endian architectures would need the other offset, and there is none here.
  program.load(offsetof(seccomp_data, args));
  program.add(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
  program.answer(SECCOMP_RET_ALLOW);
  program.answer(SECCOMP_RET_KILL_PROCESS);
}

}  // namespace

Result<> filter_system_calls() {
  Program program;
  program.load(offsetof(seccomp_data, arch));
  program.add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
  program.answer(SECCOMP_RET_KILL_PROCESS);
  program.load(offsetof(seccomp_data, nr));
  add_clone(program);
  for (const int number : kFatal) program.answer_if(static_cast<std::uint32_t>(number), SECCOMP_RET_KILL_PROCESS);
  program.answer_if(SYS_clone3, kNoSuchCall);
  for (const int number : kAllowed) program.answer_if(static_cast<std::uint32_t>(number), SECCOMP_RET_ALLOW);
  program.answer(kFail);
  const sock_fprog code = program.program();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("agent.hardening.no_new_privs");
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &code, 0, 0) != 0) {
    return errno == EINVAL ? Result<>(fail(Errc::unsupported, "agent.hardening.seccomp"))
                           : Result<>(fail_errno("agent.hardening.seccomp"));
  }
  return {};
}

}  // namespace picket::agent
