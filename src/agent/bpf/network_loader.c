#include <errno.h>

#include "picket_network.skel.h"
#include "programs.h"

int picket_network_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int cgroup_fd, int *udp) {
  struct picket_network *skeleton = picket_network__open();
  int status = skeleton ? 0 : -ENOMEM;
  out->failed_step = "open";
  *udp = 0;
  if (status == 0) {
    skeleton->maps.ring.max_entries = ring_bytes;
    out->failed_step = "load";
    status = picket_network__load(skeleton);
  }
  if (status == 0) {
    out->failed_step = "attach";
    status = picket_network__on_state__attach(skeleton);
  }
  if (status < 0) {
    picket_network__destroy(skeleton);
    out->skeleton = 0;
    return status;
  }
  if (cgroup_fd >= 0) {
    int v4 = skel_link_create(skeleton->progs.on_connect4.prog_fd, cgroup_fd, BPF_CGROUP_INET4_CONNECT);
    int v6 = skel_link_create(skeleton->progs.on_connect6.prog_fd, cgroup_fd, BPF_CGROUP_INET6_CONNECT);
    if (v4 > 0) skeleton->links.on_connect4_fd = v4;
    if (v6 > 0) skeleton->links.on_connect6_fd = v6;
    *udp = v4 > 0 && v6 > 0;
  }
  out->skeleton = skeleton;
  out->ring_fd = skeleton->maps.ring.map_fd;
  out->accounts_fd = skeleton->maps.accounts.map_fd;
  out->ring_bytes = ring_bytes;
  out->program_fds[0] = skeleton->progs.on_state.prog_fd;
  out->program_fds[1] = skeleton->progs.on_connect4.prog_fd;
  out->program_fds[2] = skeleton->progs.on_connect6.prog_fd;
  out->program_count = 3;
  out->waiting = &skeleton->bss->waiting;
  out->wake_bytes = &skeleton->bss->wake_bytes;
  return 0;
}

void picket_network_bpf_close(struct picket_bpf *bpf) {
  picket_network__destroy(bpf->skeleton);
  bpf->skeleton = 0;
}
