/* Helpers that the programs share: paths, argv, ring output with an account. */
#ifndef PICKET_COMMON_BPF_H
#define PICKET_COMMON_BPF_H

#include "vmlinux.h"
/* vmlinux.h first: the libbpf headers use its types. */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "event.h"
#include "wake.bpf.h"

#define PATH_MASK (PICKET_PATHS_BYTES_MAX - 1)
#define COMPONENT_BYTES 256


/* Behind the fixed part of a record: paths, then argv. One argv length of slack lets the verifier see that a masked
 * length fits. */
struct tail {
  __u8 text[PICKET_PATHS_BYTES_MAX + COMPONENT_BYTES + 2 * PICKET_ARGV_BYTES_MAX];
  volatile __u64 pointers[2]; /* a pointer that was here is a number to the verifier */
};

#define PATH_CUT_BIT (1ULL << 32)

/* What a step up a path needs of an entry, in one copy where the kernel has it side by side: steps are most of what an
 * exec costs here. */
struct family {
  struct dentry *parent;
  __u64 hash_and_length;
  const unsigned char *name;
};
static __always_inline void read_family(struct family *out, struct dentry *dentry) {
  if (bpf_core_field_offset(dentry->d_name.name) ==
      bpf_core_field_offset(dentry->d_parent) + __builtin_offsetof(struct family, name)) {
    bpf_probe_read_kernel(out, sizeof(*out), (void *)dentry + bpf_core_field_offset(dentry->d_parent));
  } else {
    out->parent = BPF_CORE_READ(dentry, d_parent);
    out->name = BPF_CORE_READ(dentry, d_name.name);
  }
}

/* Appends the components of a path to tail->text[off...], from the file up to the root of its mount namespace. Returns
 * the new end, with PATH_CUT_BIT. A global function: the verifier walks its loop once for all its callers, which
 * shortens loading from 250-400 ms to 40 ms. Pointers come as numbers, since such a function takes no kernel pointers. */
__attribute__((noinline)) __u64 walk_path(struct tail *tail, __u32 off, __u64 vfsmount, __u64 leaf) {
  struct dentry *dentry = (void *)leaf;
  struct mount *mount =
      (void *)vfsmount - __builtin_preserve_field_info(((struct mount *)0)->mnt, BPF_FIELD_BYTE_OFFSET);
  if (!tail) return 0;
  struct dentry *root = BPF_CORE_READ(mount, mnt.mnt_root);
  for (int i = 0; i < PICKET_PATH_DEPTH_MAX; i++) {
    if (dentry == root) {
      struct mount *above = BPF_CORE_READ(mount, mnt_parent);
      if (above == mount || !above) return off;
      dentry = BPF_CORE_READ(mount, mnt_mountpoint);
      mount = above;
      root = BPF_CORE_READ(mount, mnt.mnt_root);
      continue;
    }
    struct family family;
    read_family(&family, dentry);
    if (dentry == family.parent && i > 0) return off; /* a detached tree; a memfd (i == 0) has one name and no tree */
    if (off >= PICKET_PATHS_BYTES_MAX) break;
    __u32 here = off;
    barrier_var(here); /* or the mask, which the verifier needs to see, is optimised away */
    long n = bpf_probe_read_kernel_str(tail->text + (here & PATH_MASK), COMPONENT_BYTES, family.name);
    if (n <= 0) break;
    off += n;
    dentry = family.parent;
  }
  return off | PATH_CUT_BIT;
}

/* The same for callers: moves *at, returns flags. */
static __always_inline __u32 put_path(struct tail *tail, __u32 *at, struct vfsmount *mount, struct dentry *dentry) {
  tail->pointers[0] = (__u64)mount;
  tail->pointers[1] = (__u64)dentry;
  __u64 end = walk_path(tail, *at, tail->pointers[0], tail->pointers[1]);
  *at = (__u32)end;
  return end & PATH_CUT_BIT ? PICKET_PATH_CUT : 0;
}

#define PICKET_RING_GLOBALS                                                          \
  volatile __u64 counted = 0;    /* counts of the overload's table ever made */      \
  volatile __u32 waiting = 0;    /* reader sleeps: wake it with the next record */   \
  volatile __u64 wake_bytes = 0; /* backlog above which it is woken anyway */

#endif
