/* Paths that were walked before on this CPU. The names of a path are most of what an exec costs: each is a copy by a
 * helper. Here only the chain of entries is followed, by plain loads, and the names come in one copy.
 *
 * Nothing is invalidated and nothing expires: a path is found again by a fingerprint of all that its text depends on,
 * as it is now. These are: the file's entry; for each entry up to the root of the mount namespace the hash of its name,
 * which the kernel salts with the entry above, its length, and its sequence number, which the kernel moves on with each
 * rename; and for each mount what it is mounted on. A rename of the file or of any folder above it, another mount over
 * it, or an entry whose memory serves another name now: each gives another fingerprint, and the path is walked. That a
 * file was unlinked is no part of its path: callers look at that each time. */
#ifndef PICKET_PATH_CACHE_BPF_H
#define PICKET_PATH_CACHE_BPF_H

#include "common.bpf.h"

enum { KEPT_SETS = 16, KEPT_WAYS = 4 }; /* a CPU; powers of two. Ways: or two paths of one exec could oust each other */
enum { KEPT_BYTES_MAX = 255 };          /* longer ones are walked each time; a mask */

struct kept_paths {
  __u64 prints[KEPT_WAYS]; /* 0: none */
  __u8 bytes[KEPT_WAYS];
  __u32 next; /* way that makes room */
  __u8 text[KEPT_WAYS][KEPT_BYTES_MAX + 1];
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, KEPT_SETS);
  __type(key, __u32);
  __type(value, struct kept_paths);
} kept_paths SEC(".maps");

static __always_inline __u64 print_word(__u64 print, __u64 word) {
  print = (print ^ word) * 0x9e3779b97f4a7c15ULL;
  return print ^ print >> 32;
}

static __always_inline __u64 print_entry(__u64 print, __u32 hash, __u32 length, __u32 sequence) {
  return print_word(print, hash | (__u64)length << 32) + sequence;
}

/* What a step over a mount needs, in one copy where the kernel has it side by side. */
struct crossing {
  struct mount *above;
  struct dentry *mountpoint;
  struct dentry *root;
};
static __always_inline void read_crossing(struct crossing *out, struct mount *mount) {
  const unsigned long at = bpf_core_field_offset(mount->mnt_parent);
  if (bpf_core_field_offset(mount->mnt_mountpoint) == at + __builtin_offsetof(struct crossing, mountpoint) &&
      bpf_core_field_offset(mount->mnt.mnt_root) == at + __builtin_offsetof(struct crossing, root)) {
    bpf_probe_read_kernel(out, sizeof(*out), (void *)mount + at);
  } else {
    out->above = BPF_CORE_READ(mount, mnt_parent);
    out->mountpoint = BPF_CORE_READ(mount, mnt_mountpoint);
    out->root = BPF_CORE_READ(mount, mnt.mnt_root);
  }
}

/* Of the mounts from this one up, and of the entries that they are mounted on. 0: too many. Global, like walk_path. */
__attribute__((noinline)) __u64 print_mounts(__u64 vfsmount) {
  struct mount *mount =
      (void *)vfsmount - __builtin_preserve_field_info(((struct mount *)0)->mnt, BPF_FIELD_BYTE_OFFSET);
  struct crossing crossing;
  read_crossing(&crossing, mount);
  struct dentry *dentry = crossing.root;
  __u64 print = 1;
  for (int i = 0; i < PICKET_PATH_DEPTH_MAX; i++) {
    if (dentry == crossing.root) {
      if (crossing.above == mount || !crossing.above) return print ? print : 1;
      dentry = crossing.mountpoint;
      print = print_word(print_word(print, (__u64)mount), (__u64)dentry);
      mount = crossing.above;
      read_crossing(&crossing, mount);
      continue;
    }
    print = print_entry(print, BPF_CORE_READ(dentry, d_name.hash), BPF_CORE_READ(dentry, d_name.len),
                        BPF_CORE_READ(dentry, d_seq.seqcount.sequence));
    dentry = BPF_CORE_READ(dentry, d_parent);
  }
  return 0;
}

/* Of a path; 0: too deep, or not below the root of its mount. Plain loads, which the kernel guards for pointers that it
 * knows the type of: so no global function, and each caller costs the verifier a walk. */
static __noinline __u64 print_path(struct vfsmount *mount, struct dentry *dentry, __u64 mounts, __u64 leaf) {
  struct dentry *root = mount->mnt_root;
  __u64 print = print_word(mounts, leaf);
  if (!mounts) return 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < PICKET_PATH_DEPTH_MAX; i++) {
    if (dentry == root) return print ? print : 1;
    print = print_entry(print, dentry->d_name.hash, dentry->d_name.len, dentry->d_seq.seqcount.sequence);
    dentry = dentry->d_parent;
  }
  return 0;
}

/* The same where pointers are numbers, with the mounts. */
__attribute__((noinline)) __u64 print_again(__u64 vfsmount, __u64 leaf) {
  struct dentry *root = BPF_CORE_READ((struct vfsmount *)vfsmount, mnt_root), *dentry = (void *)leaf;
  const __u64 mounts = print_mounts(vfsmount);
  __u64 print = print_word(mounts, leaf);
  for (int i = 0; mounts && i < PICKET_PATH_DEPTH_MAX; i++) {
    if (dentry == root) return print ? print : 1;
    print = print_entry(print, BPF_CORE_READ(dentry, d_name.hash), BPF_CORE_READ(dentry, d_name.len),
                        BPF_CORE_READ(dentry, d_seq.seqcount.sequence));
    dentry = BPF_CORE_READ(dentry, d_parent);
  }
  return 0;
}

static __always_inline struct kept_paths *kept_set(__u64 print) {
  __u32 index = print & (KEPT_SETS - 1);
  return bpf_map_lookup_elem(&kept_paths, &index);
}

/* Appends the text of a fingerprint. 0: it is not there. */
static __always_inline bool recall_path(struct tail *tail, __u32 *at, __u64 print) {
  struct kept_paths *set = kept_set(print);
  __u32 off = *at, way = 0;
  if (!print || !set || off >= PICKET_PATHS_BYTES_MAX) return 0;
  if (set->prints[0] != print) {
    if (set->prints[1] == print)
      way = 1;
    else if (set->prints[2] == print)
      way = 2;
    else if (set->prints[3] == print)
      way = 3;
    else
      return 0;
  }
  barrier_var(way);
  barrier_var(off);
  way &= KEPT_WAYS - 1;
  const __u32 bytes = set->bytes[way];
  bpf_probe_read_kernel(tail->text + (off & PATH_MASK), bytes, set->text[way]);
  *at += bytes;
  return 1;
}

static __always_inline void keep_path(struct tail *tail, __u32 from, __u32 to, __u64 print) {
  struct kept_paths *set = kept_set(print);
  __u32 bytes = to - from;
  if (!print || !set || bytes > KEPT_BYTES_MAX || from >= PICKET_PATHS_BYTES_MAX) return;
  __u32 way = set->next++;
  barrier_var(way);
  barrier_var(from);
  way &= KEPT_WAYS - 1;
  bytes &= KEPT_BYTES_MAX;
  bpf_probe_read_kernel(set->text[way], bytes, tail->text + (from & PATH_MASK));
  set->bytes[way] = bytes;
  set->prints[way] = print;
}

/* Appends a path, from what is kept if its fingerprint is there. Returns the new end, with PATH_CUT_BIT. Global, like
 * walk_path: which way it went would be another state for all that follows. */
__attribute__((noinline)) __u64 put_printed(struct tail *tail, __u32 at, __u64 vfsmount, __u64 leaf, __u64 print) {
  if (!tail) return 0;
  const __u32 from = at;
  if (recall_path(tail, &at, print)) return at;
  const __u64 end = walk_path(tail, from, vfsmount, leaf);
  /* What was renamed or mounted meanwhile might come back with its old fingerprint: then it is another text's. */
  if (print && !(end & PATH_CUT_BIT) && print_again(vfsmount, leaf) == print) keep_path(tail, from, end, print);
  return end;
}

/* What the mount of the path before had above it: mostly it is the same one. */
struct path_state {
  __u64 mounts_of, mounts;
};

/* put_path by way of what is kept: moves *at, returns flags. */
static __always_inline __u32 put_kept_path(struct tail *tail, __u32 *at, struct vfsmount *mount, struct dentry *dentry,
                                           struct path_state *state) {
  tail->pointers[0] = (__u64)mount;
  tail->pointers[1] = (__u64)dentry;
  const __u64 number = tail->pointers[0], leaf = tail->pointers[1];
  if (state->mounts_of != number) {
    state->mounts = print_mounts(number);
    state->mounts_of = number;
  }
  const __u64 print = print_path(mount, dentry, state->mounts, leaf);
  const __u64 end = put_printed(tail, *at, number, leaf, print);
  *at = (__u32)end;
  return end & PATH_CUT_BIT ? PICKET_PATH_CUT : 0;
}

#endif
