#include "loader.h"
#include "picket_dns.skel.h"

int picket_dns_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int cgroup_fd, int *second_link) {
  struct picket_dns *skeleton;
  int status;
  *second_link = -1;
  PICKET_BPF_LOAD(picket_dns, skeleton, status, out, ring_bytes, (void)0);
  if (status == 0) status = skel_link_create(skeleton->progs.on_packet.prog_fd, cgroup_fd, BPF_CGROUP_INET_INGRESS);
  if (status > 0) {
    skeleton->links.on_packet_fd = status;
    status = skel_link_create(skeleton->progs.on_packet.prog_fd, cgroup_fd, BPF_CGROUP_INET_EGRESS);
  }
  if (status < 0) PICKET_BPF_FAIL(picket_dns, skeleton, status);
  *second_link = status;
  PICKET_BPF_TAKE(skeleton, out);
  out->program_count = 0; /* cgroup programs are never skipped */
  /* The kernel wakes the reader whenever it has read all: names are looked up seldom. */
  static __u32 waiting;
  static __u64 wake_bytes;
  out->waiting = &waiting;
  out->wake_bytes = &wake_bytes;
  return 0;
}

PICKET_BPF_CLOSE(picket_dns_bpf_close, picket_dns)
