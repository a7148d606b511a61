#include "loader.h"
#include "picket_process.skel.h"

int picket_process_bpf_open(struct picket_bpf *out, __u32 ring_bytes, int fork_exit) {
  struct picket_process *skeleton;
  int status;
  PICKET_BPF_LOAD(picket_process, skeleton, status, out, ring_bytes,
                  skeleton->maps.counts.max_entries = ring_bytes / PICKET_RING_BYTES_A_COUNT);
  if (status == 0) status = picket_process__on_exec__attach(skeleton);
  if (status >= 0 && fork_exit) status = picket_process__on_fork__attach(skeleton);
  if (status >= 0 && fork_exit) status = picket_process__on_exit__attach(skeleton);
  if (status < 0) PICKET_BPF_FAIL(picket_process, skeleton, status);
  PICKET_BPF_TAKE(skeleton, out);
  PICKET_BPF_TAKE_SHARED(skeleton, out);
  out->program_fds[0] = skeleton->progs.on_exec.prog_fd;
  out->program_fds[1] = skeleton->progs.on_fork.prog_fd;
  out->program_fds[2] = skeleton->progs.on_exit.prog_fd;
  out->program_count = 3;
  return 0;
}

PICKET_BPF_CLOSE(picket_process_bpf_close, picket_process)
