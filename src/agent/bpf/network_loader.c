#include "loader.h"
#include "picket_network.skel.h"

/* UDP and ICMP: who made a socket is known before its first packet. */
static void hook_flows(struct picket_network *skeleton, int cgroup_fd, struct picket_flows *flows) {
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

int picket_network_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int cgroup_fd, struct picket_flows *flows) {
  struct picket_network *skeleton;
  int status;
  flows->hooked = 0;
  flows->second_link = -1;
  PICKET_BPF_LOAD(picket_network, skeleton, status, out, ring_bytes,
                  skeleton->maps.counts.max_entries = ring_bytes / (PICKET_RING_BYTES_A_COUNT / 2));
  if (status == 0) status = picket_network__on_state__attach(skeleton);
  if (status < 0) PICKET_BPF_FAIL(picket_network, skeleton, status);
  if (cgroup_fd >= 0) hook_flows(skeleton, cgroup_fd, flows);
  flows->table_fd = skeleton->maps.flows.map_fd;
  flows->tabled = &skeleton->bss->tabled;
  flows->idle_ns = &skeleton->bss->idle_ns;
  PICKET_BPF_TAKE(skeleton, out);
  PICKET_BPF_TAKE_SHARED(skeleton, out);
  out->program_fds[0] = skeleton->progs.on_state.prog_fd;
  out->program_count = 1; /* cgroup programs are never skipped */
  return 0;
}

PICKET_BPF_CLOSE(picket_network_bpf_close, picket_network)
