#include <errno.h>

#include "picket_network.skel.h"
#include "programs.h"

int picket_network_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int cgroup_fd, struct picket_flows *flows) {
  struct picket_network *skeleton = picket_network__open();
  int status = skeleton ? 0 : -ENOMEM;
  out->failed_step = "open";
  flows->hooked = 0;
  flows->second_link = -1;
  if (status == 0) {
    skeleton->maps.ring.max_entries = ring_bytes;
    skeleton->maps.counts.max_entries = ring_bytes / (PICKET_RING_BYTES_A_COUNT / 2);
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
    /* Who made a socket is known before its first packet. */
    int made = skel_link_create(skeleton->progs.on_create.prog_fd, cgroup_fd, BPF_CGROUP_INET_SOCK_CREATE);
    int ended = skel_link_create(skeleton->progs.on_release.prog_fd, cgroup_fd, BPF_CGROUP_INET_SOCK_RELEASE);
    int came = skel_link_create(skeleton->progs.on_packet.prog_fd, cgroup_fd, BPF_CGROUP_INET_INGRESS);
    int went = skel_link_create(skeleton->progs.on_packet.prog_fd, cgroup_fd, BPF_CGROUP_INET_EGRESS);
    if (made > 0) skeleton->links.on_create_fd = made;
    if (ended > 0) skeleton->links.on_release_fd = ended;
    if (came > 0) skeleton->links.on_packet_fd = came;
    flows->second_link = went;
    flows->hooked = made > 0 && ended > 0 && came > 0 && went > 0;
  }
  flows->table_fd = skeleton->maps.flows.map_fd;
  flows->tabled = &skeleton->bss->tabled;
  flows->idle_ns = &skeleton->bss->idle_ns;
  out->skeleton = skeleton;
  out->ring_fd = skeleton->maps.ring.map_fd;
  out->accounts_fd = skeleton->maps.accounts.map_fd;
  out->ring_bytes = ring_bytes;
  out->program_fds[0] = skeleton->progs.on_state.prog_fd;
  out->program_count = 1; /* cgroup programs are never skipped */
  out->waiting = &skeleton->bss->waiting;
  out->wake_bytes = &skeleton->bss->wake_bytes;
  out->counts_fd = skeleton->maps.counts.map_fd;
  out->counted = &skeleton->bss->counted;
  return 0;
}

void picket_network_bpf_close(struct picket_bpf *bpf) {
  picket_network__destroy(bpf->skeleton);
  bpf->skeleton = 0;
}
