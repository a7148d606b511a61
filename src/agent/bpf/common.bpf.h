/* Helpers that the programs share: paths, argv, ring output with an account. */
#ifndef PICKET_COMMON_BPF_H
#define PICKET_COMMON_BPF_H

#include "vmlinux.h"
/* vmlinux.h first: the libbpf headers use its types. */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "event.h"

#define PATH_MASK (PICKET_PATHS_BYTES_MAX - 1)
#define COMPONENT_BYTES 256


/* Appends the components of `path` to buf[*at...], from the file up to the root of its mount namespace. `buf` has
 * PICKET_PATHS_BYTES_MAX + COMPONENT_BYTES. Returns flags. */
static __always_inline __u32 put_path(__u8 *buf, __u32 *at, struct vfsmount *vfsmount, struct dentry *dentry) {
  struct mount *mount = (void *)vfsmount - __builtin_preserve_field_info(((struct mount *)0)->mnt, BPF_FIELD_BYTE_OFFSET);
  __u32 off = *at;
  for (int i = 0; i < PICKET_PATH_DEPTH_MAX; i++) {
    struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
    struct dentry *root = BPF_CORE_READ(mount, mnt.mnt_root);
    if (dentry == root) {
      struct mount *above = BPF_CORE_READ(mount, mnt_parent);
      if (above == mount || !above) goto done;
      dentry = BPF_CORE_READ(mount, mnt_mountpoint);
      mount = above;
      continue;
    }
    if (dentry == parent && i > 0) goto done; /* a detached tree; a memfd (i == 0) has one name and no tree */
    if (off >= PICKET_PATHS_BYTES_MAX) break;
    long n = bpf_probe_read_kernel_str(buf + (off & PATH_MASK), COMPONENT_BYTES, BPF_CORE_READ(dentry, d_name.name));
    if (n <= 0) break;
    off += n;
    dentry = parent;
  }
  *at = off;
  return PICKET_PATH_CUT;
done:
  *at = off;
  return 0;
}

/* The account of one ring: a row a record type. */
struct account {
  __u64 seen;
  __u64 dropped;
};

#define PICKET_RING_GLOBALS                   \
  volatile __u32 waiting = 0;    /* reader sleeps: wake it with the next record */ \
  volatile __u64 wake_bytes = 0; /* backlog above which it is woken anyway */

static __always_inline __u64 wake_flags(void *ring, volatile __u32 *waiting, __u64 wake_bytes) {
  if (*waiting) {
    *waiting = 0;
    return BPF_RB_FORCE_WAKEUP;
  }
  return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= wake_bytes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

#endif
