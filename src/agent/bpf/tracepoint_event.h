/* Records of the programs on plain tracepoints, for kernels without BTF; see event.h. */
#ifndef PICKET_AGENT_BPF_TRACEPOINT_EVENT_H
#define PICKET_AGENT_BPF_TRACEPOINT_EVENT_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

enum picket_tracepoint_type {
  PICKET_TP_EXEC = 0, /* followed by the path as it was called */
  PICKET_TP_FORK = 1, /* followed by the comm; a thread is none */
  PICKET_TP_EXIT = 2, /* followed by the comm */
  PICKET_TP_HAPPENINGS = 3,
  PICKET_TP_ARGV = 3, /* of the exec before by the same pid; followed by a prefix of argv */
  PICKET_TP_CALL = 4, /* of the exec that may follow by the same thread; followed by a prefix of argv */
  PICKET_TP_TYPES = 5,
};

enum picket_tracepoint_flags {
  PICKET_TP_CUT = 1,  /* argv_total is a lower bound */
  PICKET_TP_LOST = 2, /* some of argv could not be read: a page that is not in memory */
};

enum { PICKET_TP_PATH_BYTES_MAX = 4096, PICKET_TP_ARGV_BYTES_MAX = 8192 };

struct picket_tracepoint_event {
  __u32 type;
  __u32 pid, ppid; /* ppid 0: unknown */
  __u32 uid, gid;  /* real ones */
  __u32 tid; /* the thread that called: an exec gives it the number of its process */
  __u32 flags, text_bytes;
  __u64 time_ns; /* CLOCK_BOOTTIME */
  __u64 argv_total; /* PICKET_TP_EXIT: wait(2) status word */
};

/* The one element of the map `shared`, which user space maps. */
struct picket_tracepoint_shared {
  __u32 waiting;
  __u32 no_calls;  /* PICKET_TP_ARGV works here: PICKET_TP_CALL is not needed */
  __u32 fork_exit; /* PICKET_TP_FORK is wanted (and the programs of PICKET_TP_EXIT are attached) */
  __u32 unused;
  __u64 wake_bytes;
};

/* What differs between kernels is a constant of 64 bits in the programs, PICKET_TP_PATCH + one of these, which the
 * loader replaces by the number. */
#define PICKET_TP_PATCH 0x7069636b70617400ULL
enum picket_tracepoint_patch {
  PICKET_TP_AT_FILENAME = 0,  /* offset of the field in the context, of sched_process_exec */
  PICKET_TP_AT_CHILD = 1,     /* pid of task_newtask */
  PICKET_TP_AT_RESULT = 2,    /* ret of sys_exit_execve */
  PICKET_TP_WORD_BYTES = 3,   /* of the kernel's architecture */
  PICKET_TP_AT_STACK = 4,     /* offset of the user's stack pointer in struct pt_regs */
  PICKET_TP_AT_THREAD = 5,    /* old_pid of sched_process_exec */
  PICKET_TP_AT_ARGV = 6,      /* argv of sys_enter_execve or sys_enter_execveat */
  PICKET_TP_AT_CLONE = 7,     /* clone_flags of task_newtask */
  PICKET_TP_AT_CODE = 8,      /* error_code of sys_enter_exit_group or sys_enter_exit */
  PICKET_TP_AT_SIGNAL = 9,    /* sig, pid and result of signal_generate */
  PICKET_TP_AT_TARGET = 10,
  PICKET_TP_AT_GENERATED = 11,
  PICKET_TP_LEADER_ONLY = 12, /* 1: sys_enter_exit */
  PICKET_TP_PERF_BUFFER = 13, /* 1: the kernel has no ring buffer */
  PICKET_TP_PATCHES = 14,
};

/* Maps; the programs know them by name. */
enum picket_tracepoint_map {
  PICKET_TP_MAP_RING = 0,
  PICKET_TP_MAP_ACCOUNTS = 1,
  PICKET_TP_MAP_SCRATCH = 2,
  PICKET_TP_MAP_PARENTS = 3,
  PICKET_TP_MAP_SHARED = 4,
  PICKET_TP_MAP_ENDS = 5,
  PICKET_TP_MAPS = 6,
};
enum { PICKET_TP_PARENTS_MAX = 1024, PICKET_TP_ENDS_MAX = 1024 };
enum { PICKET_TP_SCRATCH_BYTES = sizeof(struct picket_tracepoint_event) + 3 * PICKET_TP_ARGV_BYTES_MAX };

#endif
