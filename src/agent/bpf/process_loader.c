#include <errno.h>

#include "picket_process.skel.h"
#include "programs.h"

int picket_process_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int fork_exit) {
  struct picket_process *skeleton = picket_process__open();
  int status = skeleton ? 0 : -ENOMEM;
  out->failed_step = "open";
  if (status == 0) {
    skeleton->maps.ring.max_entries = ring_bytes;
    skeleton->maps.counts.max_entries = ring_bytes / PICKET_RING_BYTES_A_COUNT;
    out->failed_step = "load";
    status = picket_process__load(skeleton);
  }
  if (status == 0) {
    out->failed_step = "attach";
    status = picket_process__on_exec__attach(skeleton);
    if (status >= 0 && fork_exit) status = picket_process__on_fork__attach(skeleton);
    if (status >= 0 && fork_exit) status = picket_process__on_exit__attach(skeleton);
  }
  if (status < 0) {
    picket_process__destroy(skeleton);
    out->skeleton = 0;
    return status;
  }
  out->skeleton = skeleton;
  out->ring_fd = skeleton->maps.ring.map_fd;
  out->accounts_fd = skeleton->maps.accounts.map_fd;
  out->ring_bytes = ring_bytes;
  out->program_fds[0] = skeleton->progs.on_exec.prog_fd;
  out->program_fds[1] = skeleton->progs.on_fork.prog_fd;
  out->program_fds[2] = skeleton->progs.on_exit.prog_fd;
  out->program_count = 3;
  out->waiting = &skeleton->bss->waiting;
  out->wake_bytes = &skeleton->bss->wake_bytes;
  out->counts_fd = skeleton->maps.counts.map_fd;
  out->counted = &skeleton->bss->counted;
  return 0;
}

void picket_process_bpf_close(struct picket_bpf *bpf) {
  picket_process__destroy(bpf->skeleton);
  bpf->skeleton = 0;
}
