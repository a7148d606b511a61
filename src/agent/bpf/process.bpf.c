// Program starts, forks and ends, from three BTF tracepoints into one ring.
#include "path_cache.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

PICKET_RING_GLOBALS

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 18);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, PICKET_PROCESS_TYPES);
  __type(key, __u32);
  __type(value, struct account);
} accounts SEC(".maps");

// A record is put together here and copied out at its true length: a reservation would have to be of constant size.
// Tracepoints run with preemption off, so one a CPU is enough.
enum { CHUNK_WORDS = 512, CHUNK_BYTES = CHUNK_WORDS * 8, CHUNKS_MAX = 2048 };
struct scratch {
  struct picket_process_event event;
  struct tail tail;
  __u64 chunk[CHUNK_WORDS];
  struct picket_counted_exec counted;
};
enum { RECORD_BYTES_MAX = sizeof(struct picket_process_event) + sizeof(struct tail) };
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct scratch);
} scratches SEC(".maps");

// Execs that the ring refused, by what they are. User space sets the size.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, struct picket_counted_exec_key);
  __type(value, struct picket_counted_exec);
} counts SEC(".maps");

static __always_inline struct account *account_of(__u32 type) { return bpf_map_lookup_elem(&accounts, &type); }

// False: refused.
static __always_inline bool put_out(void *record, __u64 bytes, struct account *account) {
  const bool refused = bpf_ringbuf_output(&ring, record, bytes, BPF_RB_NO_WAKEUP);
  if (refused) account->dropped++;
  wake_reader(&ring, &waiting, &wake_bytes);
  return !refused;
}

// The beginning of an inode, in one copy where it holds all that is asked for.
enum { INODE_BYTES = 96 };
static __always_inline void read_inode(struct picket_stdio *out, struct inode *inode) {
  const unsigned long mode = bpf_core_field_offset(inode->i_mode), number = bpf_core_field_offset(inode->i_ino),
                      rdev = bpf_core_field_offset(inode->i_rdev);
  if (mode <= INODE_BYTES - 8 && number <= INODE_BYTES - 8 && rdev <= INODE_BYTES - 8 &&
      bpf_core_field_size(inode->i_ino) == 8) {
    __u64 block[INODE_BYTES / 8];
    bpf_probe_read_kernel(block, sizeof(block), inode);
    out->mode = *(__u16 *)((void *)block + mode);
    out->inode = *(__u64 *)((void *)block + number);
    out->rdev = *(__u32 *)((void *)block + rdev);
  } else {
    out->mode = BPF_CORE_READ(inode, i_mode);
    out->inode = BPF_CORE_READ(inode, i_ino);
    out->rdev = BPF_CORE_READ(inode, i_rdev);
  }
}

// `out` is all zeros.
static __always_inline void read_stdio(struct picket_stdio *out, struct file *file) {
  if (!file) return;
  read_inode(out, BPF_CORE_READ(file, f_inode));
  if ((out->mode & 0170000) != 0140000) return;
  struct socket *socket = BPF_CORE_READ(file, private_data);
  struct sock *sk = BPF_CORE_READ(socket, sk);
  out->family = BPF_CORE_READ(sk, __sk_common.skc_family);
  if (out->family == 2) {
    *(__u32 *)out->remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);
  } else if (out->family == 10) {
    BPF_CORE_READ_INTO((struct in6_addr *)out->remote, sk, __sk_common.skc_v6_daddr);
  } else {
    return;
  }
  out->remote_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
}

// Mostly two of the three are one file.
static __always_inline void read_stdios(struct picket_process_event *e, struct fdtable *table) {
  struct file *files[3] = {};
  if (table->max_fds <= 2 || bpf_probe_read_kernel(files, sizeof(files), table->fd)) return;
  read_stdio(&e->stdio[0], files[0]);
  if (files[1] == files[0]) {
    e->stdio[1] = e->stdio[0];
  } else {
    read_stdio(&e->stdio[1], files[1]);
  }
  if (files[2] == files[1]) {
    e->stdio[2] = e->stdio[1];
  } else {
    read_stdio(&e->stdio[2], files[2]);
  }
}

// `task` and what hangs on it is read by plain loads, which the kernel guards for pointers that it knows the type of; a
// BPF_CORE_READ costs a call.
static __always_inline void fill_identity(struct picket_process_event *e, struct task_struct *task, __u32 type) {
  __builtin_memset(e, 0, sizeof(*e));
  e->type = type;
  e->time_ns = bpf_ktime_get_boot_ns();
  e->pid = task->tgid;
  e->ppid = task->real_parent->tgid;
  const struct cred *cred = task->cred;
  e->uid = cred->uid.val;
  e->euid = cred->euid.val;
  e->gid = cred->gid.val;
  e->start_ns = task->group_leader->start_boottime;
  e->session = bpf_core_field_exists(task->sessionid) ? task->sessionid : ~0U;
}

// Appends a kernel string with its NUL; returns its bytes.
static __always_inline __u32 put_text(struct tail *tail, __u32 *at, const char *text, __u32 size) {
  __u32 off = *at;
  if (off >= PICKET_PATHS_BYTES_MAX) return 0;
  barrier_var(off);  // or the mask, which the verifier needs to see, is optimised away
  long n = bpf_probe_read_kernel_str(tail->text + (off & PATH_MASK), size, text);
  if (n <= 0) return 0;
  *at += n;
  return n;
}

// Appends the path of the program that `task` runs, or its comm where it has no memory. Returns flags of the first
// case, `is_comm` in the other.
static __always_inline __u32 put_program(struct tail *tail, __u32 *at, struct task_struct *task, __u32 is_comm,
                                         struct path_state *state) {
  struct file *file = task->mm->exe_file;
  if (file) return put_kept_path(tail, at, file->f_path.mnt, file->f_path.dentry, state);
  put_text(tail, at, task->comm, sizeof(task->comm));
  return is_comm;
}

static __always_inline __u32 file_flags(struct task_struct *task, __u32 deleted, __u32 no_tree) {
  struct file *file = task->mm->exe_file;
  if (!file) return 0;
  struct dentry *dentry = file->f_path.dentry;
  return (dentry->d_hash.pprev ? 0 : deleted) | (dentry->d_parent == dentry ? no_tree : 0);
}

// Appends the names from a control group up to its root, which has none. Global, like walk_path.
__attribute__((noinline)) __u32 walk_cgroup(struct tail *tail, __u32 at, __u64 leaf) {
  struct kernfs_node *node = (void *)leaf;
  if (!tail) return 0;
  for (int i = 0; i < PICKET_CGROUP_DEPTH_MAX; i++) {
    struct kernfs_node *parent =
        bpf_core_field_exists(node->__parent) ? BPF_CORE_READ(node, __parent) : BPF_CORE_READ(node, parent);
    if (!parent || at >= PICKET_PATHS_BYTES_MAX) break;
    long n = bpf_probe_read_kernel_str(tail->text + (at & PATH_MASK), COMPONENT_BYTES, BPF_CORE_READ(node, name));
    if (n <= 0) break;
    at += n;
    node = parent;
  }
  return at;
}

// Numbers of groups are never given twice, and on version 1, where a group can be renamed, its name is another copy
// then.
static __always_inline __u64 print_group(__u64 print, struct kernfs_node *node) {
  return print_word(print_word(print, node->id), (__u64)node->name ^ (__u64)node->hash << 32);
}

// 0: too deep. A loop for each kind of kernel: in one for both, the compiler takes both members' places before it
// starts.
static __noinline __u64 print_cgroup(struct kernfs_node *node) {
  __u64 print = 1;  // of the root, which has no name
  if (bpf_core_field_exists(node->__parent)) {
#pragma clang loop unroll(disable)
    for (int i = 0; i < PICKET_CGROUP_DEPTH_MAX; i++) {
      struct kernfs_node *parent = node->__parent;
      if (!parent) return print;
      print = print_group(print, node);
      node = parent;
    }
  } else {
#pragma clang loop unroll(disable)
    for (int i = 0; i < PICKET_CGROUP_DEPTH_MAX; i++) {
      struct kernfs_node *parent = node->parent;
      if (!parent) return print;
      print = print_group(print, node);
      node = parent;
    }
  }
  return 0;
}

// Global, like put_printed.
__attribute__((noinline)) __u32 put_printed_cgroup(struct tail *tail, __u32 at, __u64 leaf, __u64 print) {
  if (!tail) return 0;
  const __u32 from = at;
  if (recall_path(tail, &at, print)) return at;
  const __u32 end = walk_cgroup(tail, from, leaf);
  keep_path(tail, from, end, print);
  return end;
}

static __always_inline __u32 put_cgroup(struct tail *tail, __u32 *at, struct kernfs_node *leaf) {
  const __u32 from = *at;
  const __u64 print = print_cgroup(leaf);
  if (print == 1) return 0;
  tail->pointers[0] = (__u64)leaf;
  *at = put_printed_cgroup(tail, from, tail->pointers[0], print);
  return *at - from;
}

// A container is in a group of its own on each hierarchy that it knows: version 2's, and one of version 1 where the
// first controller is still there.
static __always_inline void put_cgroups(struct scratch *s, __u32 *at, struct task_struct *task) {
  struct css_set *set = task->cgroups;
  struct cgroup *unified = set->dfl_cgrp;
  struct cgroup *other = set->subsys[0]->cgroup;
  s->event.cgroup_bytes = put_cgroup(&s->tail, at, unified->kn);
  if (!other || other->root == unified->root) return;
  s->event.cgroup_v1_bytes = put_cgroup(&s->tail, at, other->kn);
}

struct hashing {
  __u64 begin, total, hash;
  bool lost;
};

static long hash_chunk(__u64 index, struct hashing *state) {
  __u32 zero = 0;
  struct scratch *s = bpf_map_lookup_elem(&scratches, &zero);
  __u64 done = index * CHUNK_BYTES;
  if (!s || done >= state->total) return 1;
  __u64 left = state->total - done;
  __u64 bytes = left < CHUNK_BYTES ? left : CHUNK_BYTES;
  barrier_var(bytes);
  s->chunk[(bytes >> 3) & (CHUNK_WORDS - 1)] = 0;  // what fills the last word
  if (bytes > CHUNK_BYTES) bytes = CHUNK_BYTES;
  if (bpf_probe_read_user(s->chunk, bytes, (void *)(state->begin + done))) {
    state->lost = 1;
    return 1;
  }
  __u64 hash = state->hash;
  for (__u32 i = 0; i < CHUNK_WORDS; i++) {
    if (i * 8 >= bytes) break;
    hash = (hash ^ s->chunk[i]) * 0x100000001b3ULL;
  }
  state->hash = hash;
  return 0;
}

// What is longer than what is kept is told apart by the hash of all of it. Global, like walk_path.
__attribute__((noinline)) int hash_argv(struct picket_process_event *e, __u64 begin) {
  if (!e) return 0;
  struct hashing state = {.begin = begin, .total = e->argv_total, .hash = 0xcbf29ce484222325ULL};
  bpf_loop(CHUNKS_MAX, hash_chunk, &state, 0);
  if (state.lost || e->argv_total > (__u64)CHUNKS_MAX * CHUNK_BYTES) return 0;
  e->argv_hash = state.hash;
  e->flags |= PICKET_ARGV_HASHED;
  return 1;
}

static __always_inline void put_tty(struct scratch *s, __u32 *at, struct task_struct *task) {
  struct tty_struct *tty = task->signal->tty;
  if (tty) s->event.tty_bytes = put_text(&s->tail, at, tty->name, sizeof(tty->name));
}

static __always_inline __u64 mix(__u64 hash, __u64 word) { return (hash ^ word) * 0x100000001b3ULL; }

static __always_inline __u64 hash_socket(__u64 hash, const struct picket_stdio *stdio) {
  if ((stdio->mode & 0170000) != 0140000) return mix(hash, 0);
  const __u64 *peer = (const __u64 *)stdio->remote;
  return mix(mix(mix(hash, 1 + stdio->family), peer[0]), peer[1]);
}

// The ring is full: how often the same was started is kept, and what it was the first time.
static __always_inline void count_exec(struct scratch *s, struct task_struct *task, __u64 begin, __u64 bytes) {
  struct picket_process_event *e = &s->event;
  if (!(e->flags & PICKET_ARGV_HASHED)) hash_argv(e, begin);
  struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
  struct picket_counted_exec_key key = {
      .inode = BPF_CORE_READ(inode, i_ino), .argv_hash = e->argv_hash, .uid = e->uid, .euid = e->euid};
  key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
  key.sockets = hash_socket(hash_socket(hash_socket(0xcbf29ce484222325ULL, &e->stdio[0]), &e->stdio[1]), &e->stdio[2]);
  struct picket_counted_exec *found = bpf_map_lookup_elem(&counts, &key);
  if (!found) {
    s->counted.count = 1;
    s->counted.last_ns = e->time_ns;
    s->counted.bytes = bytes;
    s->counted.pad = 0;
    bpf_probe_read_kernel(s->counted.record, sizeof(s->counted.record), s);
    if (!bpf_map_update_elem(&counts, &key, &s->counted, BPF_NOEXIST)) {
      __sync_fetch_and_add(&counted, 1);
      return;
    }
    found = bpf_map_lookup_elem(&counts, &key);  // another CPU was first
    if (!found) return;
  }
  __sync_fetch_and_add(&found->count, 1);
  found->last_ns = e->time_ns;
  __sync_fetch_and_add(&counted, 1);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm) {
  struct account *account = account_of(PICKET_EXEC);
  __u32 zero = 0;
  struct scratch *s = bpf_map_lookup_elem(&scratches, &zero);
  if (!account || !s) return 0;
  account->seen++;
  struct picket_process_event *e = &s->event;
  fill_identity(e, task, PICKET_EXEC);

  read_stdios(e, task->files->fdt);

  __u32 at = 0;
  struct path_state state = {};
  // For a script this is the interpreter, as procfs says too; its name stands in argv.
  e->flags |= put_program(&s->tail, &at, task, PICKET_EXE_IS_COMM, &state);
  e->flags |= file_flags(task, PICKET_EXE_DELETED, PICKET_EXE_NO_TREE);
  e->executable_bytes = at;

  __u32 before = at;
  struct task_struct *parent = task->real_parent;
  e->flags |= put_program(&s->tail, &at, parent, PICKET_PARENT_IS_COMM, &state);
  e->flags |= file_flags(parent, PICKET_PARENT_DELETED, 0);
  e->parent_bytes = at - before;

  before = at;
  struct task_struct *grandparent = parent->real_parent;
  struct file *file = grandparent->mm->exe_file;
  if (file && file == parent->mm->exe_file) {
    e->flags |= PICKET_GRANDPARENT_IS_PARENT;
  } else if (grandparent->tgid) {
    e->flags |= put_program(&s->tail, &at, grandparent, PICKET_GRANDPARENT_IS_COMM, &state);
  }
  e->grandparent_bytes = at - before;

  before = at;
  struct fs_struct *fs = task->fs;
  e->flags |= put_kept_path(&s->tail, &at, fs->pwd.mnt, fs->pwd.dentry, &state);
  e->cwd_bytes = at - before;
  put_cgroups(s, &at, task);
  put_tty(s, &at, task);

  unsigned long begin = task->mm->arg_start;
  __u64 total = task->mm->arg_end - begin;
  e->argv_total = total;
  if (total > PICKET_ARGV_BYTES_MAX) hash_argv(e, begin);
  __u64 length = total;
  barrier_var(length);
  if (length > PICKET_ARGV_BYTES_MAX) length = PICKET_ARGV_BYTES_MAX;
  barrier_var(length);
  length &= 2 * PICKET_ARGV_BYTES_MAX - 1;
  if (at > PICKET_PATHS_BYTES_MAX + COMPONENT_BYTES - 1) at = PICKET_PATHS_BYTES_MAX + COMPONENT_BYTES - 1;
  if (bpf_probe_read_user(s->tail.text + at, length, (void *)begin)) {
    length = 0;
    e->flags |= PICKET_ARGV_LOST;
  }
  e->argv_bytes = length;
  __u64 bytes = sizeof(*e) + at + length;
  barrier_var(bytes);
  if (bytes > RECORD_BYTES_MAX) bytes = RECORD_BYTES_MAX;
  if (!put_out(s, bytes, account)) count_exec(s, task, begin, bytes);
  return 0;
}

// Forks and ends: which program it is, user space knows from its exec; the comm is for the others.
static __always_inline void put_short(struct scratch *s, struct task_struct *task, struct account *account) {
  __u32 at = 0;
  put_text(&s->tail, &at, task->comm, sizeof(task->comm));
  s->event.flags = PICKET_EXE_IS_COMM;
  s->event.executable_bytes = at;
  __u64 bytes = sizeof(s->event) + at;
  barrier_var(bytes);
  if (bytes > RECORD_BYTES_MAX) bytes = RECORD_BYTES_MAX;
  put_out(s, bytes, account);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child) {
  struct account *account = account_of(PICKET_FORK);
  __u32 zero = 0;
  struct scratch *s = bpf_map_lookup_elem(&scratches, &zero);
  if (!account || !s || child->pid != child->tgid) return 0;  // a new thread is no process
  account->seen++;
  fill_identity(&s->event, child, PICKET_FORK);
  put_short(s, child, account);
  return 0;
}

enum { SIGNAL_GROUP_EXIT = 4 };

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task) {
  struct account *account = account_of(PICKET_EXIT);
  __u32 zero = 0;
  struct scratch *s = bpf_map_lookup_elem(&scratches, &zero);
  if (!account || !s || task->pid != task->tgid) return 0;
  account->seen++;
  fill_identity(&s->event, task, PICKET_EXIT);
  // exit_group() by another thread, or a signal to it, decides for all.
  struct signal_struct *signal = task->signal;
  s->event.exit_code = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : task->exit_code;
  put_short(s, task, account);
  return 0;
}
