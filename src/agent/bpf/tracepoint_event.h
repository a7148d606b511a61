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
  PICKET_TP_ARGV = 1, /* of the exec before by the same pid; followed by a prefix of argv */
  PICKET_TP_CALL = 2, /* of the exec that may follow by the same thread; followed by a prefix of argv */
  PICKET_TP_TYPES = 3,
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
  __u64 argv_total;
};

/* The one element of the map `shared`, which user space maps. */
struct picket_tracepoint_shared {
  __u32 waiting;
  __u32 no_calls; /* PICKET_TP_ARGV works here: PICKET_TP_CALL is not needed */
  __u64 wake_bytes;
};

/* What differs between kernels is a constant of 64 bits in the programs, PICKET_TP_PATCH + one of these, which the
 * loader replaces by the number. */
#define PICKET_TP_PATCH 0x7069636b70617400ULL
enum picket_tracepoint_patch {
  PICKET_TP_AT_FILENAME = 0,  /* offset of the field in the context, of sched_process_exec */
  PICKET_TP_AT_CHILD = 1,     /* child_pid of sched_process_fork */
  PICKET_TP_AT_RESULT = 2,    /* ret of sys_exit_execve */
  PICKET_TP_WORD_BYTES = 3,   /* of the kernel's architecture */
  PICKET_TP_AT_STACK = 4,     /* offset of the user's stack pointer in struct pt_regs */
  PICKET_TP_AT_THREAD = 5,    /* old_pid of sched_process_exec */
  PICKET_TP_AT_ARGV = 6,      /* argv of sys_enter_execve or sys_enter_execveat */
  PICKET_TP_PATCHES = 7,
};

/* Maps; the programs know them by name. */
enum picket_tracepoint_map {
  PICKET_TP_MAP_RING = 0,
  PICKET_TP_MAP_ACCOUNTS = 1,
  PICKET_TP_MAP_SCRATCH = 2,
  PICKET_TP_MAP_PARENTS = 3,
  PICKET_TP_MAP_SHARED = 4,
  PICKET_TP_MAPS = 5,
};
enum { PICKET_TP_PARENTS_MAX = 1024 };
enum { PICKET_TP_SCRATCH_BYTES = sizeof(struct picket_tracepoint_event) + 3 * PICKET_TP_ARGV_BYTES_MAX };

#endif
