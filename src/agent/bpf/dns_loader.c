#include <errno.h>

#include "picket_dns.skel.h"
#include "programs.h"

int picket_dns_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int cgroup_fd, int *second_link) {
  struct picket_dns *skeleton = picket_dns__open();
  int status = skeleton ? 0 : -ENOMEM;
  out->failed_step = "open";
  *second_link = -1;
  if (status == 0) {
    skeleton->maps.ring.max_entries = ring_bytes;
    out->failed_step = "load";
    status = picket_dns__load(skeleton);
  }
  if (status == 0) {
    out->failed_step = "attach";
    status = skel_link_create(skeleton->progs.on_packet.prog_fd, cgroup_fd, BPF_CGROUP_INET_INGRESS);
  }
  if (status > 0) {
    skeleton->links.on_packet_fd = status;
    status = skel_link_create(skeleton->progs.on_packet.prog_fd, cgroup_fd, BPF_CGROUP_INET_EGRESS);
  }
  if (status < 0) {
    picket_dns__destroy(skeleton);
    out->skeleton = 0;
    return status;
  }
  *second_link = status;
  out->skeleton = skeleton;
  out->ring_fd = skeleton->maps.ring.map_fd;
  out->accounts_fd = skeleton->maps.accounts.map_fd;
  out->ring_bytes = ring_bytes;
  out->program_count = 0; /* cgroup programs are never skipped */
  /* The kernel wakes the reader whenever it has read all: names are looked up seldom. */
  static __u32 waiting;
  static __u64 wake_bytes;
  out->waiting = &waiting;
  out->wake_bytes = &wake_bytes;
  return 0;
}

void picket_dns_bpf_close(struct picket_bpf *bpf) {
  picket_dns__destroy(bpf->skeleton);
  bpf->skeleton = 0;
}
