/* Records in the rings between our BPF programs and the collectors, and the knobs that both sides share. Read by clang
 * -target bpf, C11 and C++23. Both sides are built together, so there is no version; integers are in host order. */
#ifndef PICKET_AGENT_BPF_EVENT_H
#define PICKET_AGENT_BPF_EVENT_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

enum { PICKET_ARGV_BYTES_MAX = 8192 };  /* longer ones: this prefix, and the whole length */
enum { PICKET_PATH_DEPTH_MAX = 40 };    /* components of a path; deeper ones lose their front, and say so */
enum { PICKET_PATHS_BYTES_MAX = 4096 }; /* all paths of one record */
enum { PICKET_CGROUP_DEPTH_MAX = 16 };  /* levels above a process's control group; a container is among the last */

enum picket_process_type {
  PICKET_EXEC = 0,
  PICKET_FORK = 1,
  PICKET_EXIT = 2,
  PICKET_PROCESS_TYPES = 3,
};

enum picket_flags {
  PICKET_ARGV_LOST = 1,
  PICKET_PATH_CUT = 2,       /* some path is deeper or longer than our bounds */
  PICKET_EXE_DELETED = 4,    /* the program's file has no name any more */
  PICKET_PARENT_DELETED = 8,
  PICKET_PARENT_IS_COMM = 16, /* parent path segment holds the comm: the parent has no memory (kernel thread, gone) */
  PICKET_GRANDPARENT_IS_COMM = 32,
  PICKET_GRANDPARENT_IS_PARENT = 64, /* the same file: its path is not repeated */
  PICKET_EXE_NO_TREE = 128,   /* the program's file never had a folder: a memfd, if it is named so */
  PICKET_EXE_IS_COMM = 256,   /* fork and exit: the path is known from the exec */
  PICKET_ARGV_HASHED = 512,   /* argv_hash is of the whole argv; set where it is longer than what follows */
};

struct picket_stdio {
  __u16 mode;    /* i_mode; 0: not open */
  __u16 family;  /* sockets */
  __u32 rdev;    /* character devices: kernel dev_t, major << 20 | minor */
  __u64 inode;
  __u8 remote[16];  /* network order; 4 bytes for AF_INET */
  __be16 remote_port;
  __u16 pad[3];
};

/* Followed by paths (executable, parent, grandparent, cwd, control group on version 2 and on the first other hierarchy:
 * components from the file up to the root, each ended by NUL), the terminal's name and argv. */
struct picket_process_event {
  __u32 type;
  __u32 flags;
  __u64 time_ns;  /* CLOCK_BOOTTIME */
  __u32 pid, ppid;
  __u32 uid, euid, gid;
  __s32 exit_code;
  __u64 start_ns;
  __u64 argv_total;
  __u64 argv_hash; /* support/argv_hash.h */
  __u32 session;   /* audit's; 0xffffffff: none */
  __u16 executable_bytes, parent_bytes, grandparent_bytes, cwd_bytes, cgroup_bytes, cgroup_v1_bytes, tty_bytes;
  __u16 argv_bytes;
  __u32 pad;
  struct picket_stdio stdio[3];
};

/* Overload. What the full ring refuses is counted, by what it is: the first record of a kind as far as it fits, how often
 * it came, and when it came last. User space takes the places out again. A kind that had to make room for another is only
 * in the account: dropped, less what was taken out here. */
enum { PICKET_COUNTED_RECORD_BYTES = 488 };

struct picket_counted_exec_key {
  __u64 inode;
  __u64 argv_hash; /* support/argv_hash.h, of the whole argv */
  __u64 sockets;   /* hash of which of stdin, stdout, stderr are sockets, and of their peers */
  __u32 dev;
  __u32 uid, euid;
  __u32 pad;
};
struct picket_counted_exec {
  __u64 count;
  __u64 last_ns;
  __u32 bytes; /* of the whole record */
  __u32 pad;
  __u8 record[PICKET_COUNTED_RECORD_BYTES]; /* struct picket_process_event, and what followed it */
};

enum picket_network_type {
  PICKET_WHO = 0, /* followed by the executable's path and argv: the process behind later records */
  PICKET_OPENED = 1,
  PICKET_FAILED = 2,
  PICKET_CLOSED = 3,
  PICKET_NETWORK_TYPES = 4,
};

enum { PICKET_OUT = 1, PICKET_IN = 2 };

struct picket_who_event {
  __u32 type;
  __u32 flags;
  __u32 pid, uid;
  __u64 start_ns;
  __u64 argv_total;
  __u16 executable_bytes, argv_bytes;
  __u32 pad;
};

struct picket_connection_event {
  __u32 type;
  __u16 family;
  __u8 protocol;
  __u8 direction;
  __u64 time_ns;
  __u64 cookie;
  __u32 pid, uid;      /* pid 0: unknown */
  __u64 start_ns;      /* of the process */
  __u64 opened_ns;     /* closed only */
  __u64 bytes_in, bytes_out;
  __u8 local[16], remote[16];
  __u16 local_port;    /* host order */
  __u16 remote_port;   /* host order */
  __s32 error;         /* failed only: errno of the socket */
  __u32 ifindex;       /* of the network interface, in its namespace; 0: unknown */
  __u32 netns;         /* inode of the network namespace; 0: unknown */
};

/* Overload, as above: alike connections whatever their short-lived port is. */
struct picket_counted_connection_key {
  __u8 local[16], remote[16];
  __u16 port; /* host order: the local one of what comes in, the remote one of what goes out */
  __u16 family;
  __u8 protocol, direction;
  __u8 type; /* enum picket_network_type */
  __u8 pad;
  __u32 pid, uid;
};
struct picket_counted_connection {
  __u64 count;
  __u64 last_ns;
  __u64 bytes_in, bytes_out;           /* sums */
  struct picket_connection_event first;
};

/* Exchanges without a connection (UDP, ICMP): one is a socket, a peer and a protocol. It is over when its socket is
 * closed or nothing came for `idle_ns`; one that lasts is reported each PICKET_FLOW_LASTS_NS. */
#define PICKET_FLOW_LASTS_NS 600000000000ULL
enum { PICKET_FLOWS_MAX = 4096 }; /* beside the first peer of each socket, which needs no place in the table */

struct picket_flow_key {
  __u64 cookie; /* of the socket; 0: the kernel's own answers */
  __u8 remote[16];
  __u16 remote_port; /* host order */
  __u8 family;
  __u8 protocol;
  __u32 netns;
};
struct picket_flow {
  __u64 opened_ns, last_ns;
  __u64 bytes_in, bytes_out; /* payload */
  __u64 start_ns;
  __u32 pid, uid;
  __u32 ifindex;
  __u16 local_port;
  __u8 direction; /* 0: nothing is going on */
  __u8 pad;
  __u8 local[16];
};

/* Global variables of each program, seen by user space as skel->bss; layout by name through the skeleton. `waiting` is
 * set by a reader that has gone to sleep: the next record wakes it. Above `wake_bytes` of backlog it is woken anyway,
 * once until it has read. */

#endif
