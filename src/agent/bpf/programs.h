/* Loading and attaching our BPF programs through light skeletons: no libbpf at run time. C, because generated skeletons
 * are not C++. Errors are negative errno. */
#ifndef PICKET_AGENT_BPF_PROGRAMS_H
#define PICKET_AGENT_BPF_PROGRAMS_H

#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PICKET_BPF_PROGRAMS_MAX = 10 };
/* The table of what a full ring refuses has a place for so many bytes of the ring (network: for half of them). */
enum { PICKET_RING_BYTES_A_COUNT = 256 };

/* One loaded object with its ring. Descriptors stay owned by the skeleton behind it. */
struct picket_bpf {
  void *skeleton; /* NULL: not loaded */
  int ring_fd;
  int accounts_fd;
  __u32 ring_bytes;
  int program_fds[PICKET_BPF_PROGRAMS_MAX];
  int program_count;
  volatile __u32 *waiting;    /* set to 1: the next record wakes the reader */
  volatile __u64 *wake_bytes; /* backlog above which a record wakes; the program sets it to ~0 then */
  int counts_fd;              /* overload: what the ring refused, see event.h */
  volatile __u64 *counted;    /* how often something was counted there */
  const char *failed_step;    /* static text, after an error */
};

/* exec always; fork and exit when `fork_exit`. */
int picket_process_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int fork_exit);
void picket_process_bpf_close(struct picket_bpf *bpf);

/* What the network program has beside its ring: UDP and ICMP. */
struct picket_flows {
  int hooked;             /* the hooks of the cgroup are in place */
  int second_link;        /* a descriptor that the skeleton has no place for: the caller closes it, after the program */
  int table_fd;           /* picket_flow_key -> picket_flow */
  volatile __u64 *tabled; /* how many were ever put into the table */
  volatile __u64 *idle_ns;
};
/* TCP always; UDP and ICMP when cgroup_fd >= 0 (root of the cgroup2 tree) and all hooks attach. */
int picket_network_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int cgroup_fd, struct picket_flows *flows);
void picket_network_bpf_close(struct picket_bpf *bpf);

/* Packets with port 53 of all sockets below the cgroup. *second_link: a descriptor for the caller to close, after the
 * program. */
int picket_dns_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int cgroup_fd, int *second_link);
void picket_dns_bpf_close(struct picket_bpf *bpf);

#ifdef __cplusplus
}
#endif
#endif
