/* What the loaders of our programs do alike. Skeletons are structs of their own with members of the same names, so
 * these are macros; `name` is that of the skeleton: picket_process. */
#ifndef PICKET_AGENT_BPF_LOADER_H
#define PICKET_AGENT_BPF_LOADER_H

#include <errno.h>

#include "programs.h"

/* Opens a skeleton and loads it with a ring of that size; `prepare` is done before the kernel sees the maps. Leaves 0
 * or the error in `status`, and goes on with the step "attach". */
#define PICKET_BPF_LOAD(name, skeleton, status, out, bytes, prepare) \
  do {                                                               \
    (out)->skeleton = 0;                                             \
    (out)->failed_step = "open";                                     \
    (skeleton) = name##__open();                                     \
    (status) = (skeleton) ? 0 : -ENOMEM;                             \
    if ((status) == 0) {                                             \
      (out)->ring_bytes = (bytes);                                   \
      (out)->failed_step = "load";                                   \
      (skeleton)->maps.ring.max_entries = (bytes);                   \
      prepare;                                                       \
      (status) = name##__load(skeleton);                             \
    }                                                                \
    if ((status) == 0) (out)->failed_step = "attach";                \
  } while (0)

/* The end of an attempt: what was opened goes. */
#define PICKET_BPF_FAIL(name, skeleton, status) \
  do {                                          \
    name##__destroy(skeleton);                  \
    return (status);                            \
  } while (0)

/* The ring and its account, which all have. */
#define PICKET_BPF_TAKE(skeleton_, out)                     \
  do {                                                      \
    (out)->skeleton = (skeleton_);                          \
    (out)->ring_fd = (skeleton_)->maps.ring.map_fd;         \
    (out)->accounts_fd = (skeleton_)->maps.accounts.map_fd; \
  } while (0)

/* The reader's bell and the overload's table (common.bpf.h), which those of processes and networks have. */
#define PICKET_BPF_TAKE_SHARED(skeleton, out)          \
  do {                                                 \
    (out)->waiting = &(skeleton)->bss->waiting;        \
    (out)->wake_bytes = &(skeleton)->bss->wake_bytes;  \
    (out)->counts_fd = (skeleton)->maps.counts.map_fd; \
    (out)->counted = &(skeleton)->bss->counted;        \
  } while (0)

#define PICKET_BPF_CLOSE(function, name)  \
  void function(struct picket_bpf *bpf) { \
    name##__destroy(bpf->skeleton);       \
    bpf->skeleton = 0;                    \
  }

#endif
