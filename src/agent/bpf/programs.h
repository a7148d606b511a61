/* Loading and attaching our BPF programs through light skeletons: no libbpf at run time. C, because generated skeletons
 * are not C++. Errors are negative errno. */
#ifndef PICKET_AGENT_BPF_PROGRAMS_H
#define PICKET_AGENT_BPF_PROGRAMS_H

#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PICKET_BPF_PROGRAMS_MAX = 4 };

/* One loaded object with its ring. Descriptors stay owned by the skeleton behind it. */
struct picket_bpf {
  void *skeleton; /* NULL: not loaded */
  int ring_fd;
  int accounts_fd;
  __u32 ring_bytes;
  int program_fds[PICKET_BPF_PROGRAMS_MAX];
  int program_count;
  volatile __u32 *waiting;    /* set to 1: the next record wakes the reader */
  volatile __u64 *wake_bytes; /* backlog above which each record wakes */
  const char *failed_step;    /* static text, after an error */
};

/* exec always; fork and exit when `fork_exit`. */
int picket_process_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int fork_exit);
void picket_process_bpf_close(struct picket_bpf *bpf);

/* TCP always; UDP connects when cgroup_fd >= 0 (root of the cgroup2 tree) and the hooks attach: *udp says so. */
int picket_network_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int cgroup_fd, int *udp);
void picket_network_bpf_close(struct picket_bpf *bpf);

#ifdef __cplusplus
}
#endif
#endif
