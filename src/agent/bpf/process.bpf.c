// Program starts, forks and ends, from three BTF tracepoints into one ring.
#include "common.bpf.h"

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
struct scratch {
  struct picket_process_event event;
  struct tail tail;
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct account *account_of(__u32 type) { return bpf_map_lookup_elem(&accounts, &type); }

static __always_inline void put_out(void *record, __u64 bytes, struct account *account) {
  if (bpf_ringbuf_output(&ring, record, bytes, BPF_RB_NO_WAKEUP)) account->dropped++;
  wake_reader(&ring, &waiting, wake_bytes);
}

static __always_inline void read_stdio(struct picket_stdio *out, struct file **fds, __u32 fd) {
  struct file *file = 0;
  __builtin_memset(out, 0, sizeof(*out));
  if (bpf_probe_read_kernel(&file, sizeof(file), fds + fd) || !file) return;
  struct inode *inode = BPF_CORE_READ(file, f_inode);
  out->mode = BPF_CORE_READ(inode, i_mode);
  out->inode = BPF_CORE_READ(inode, i_ino);
  out->rdev = BPF_CORE_READ(inode, i_rdev);
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

static __always_inline void fill_identity(struct picket_process_event *e, struct task_struct *task, __u32 type) {
  e->type = type;
  e->flags = 0;
  e->time_ns = bpf_ktime_get_boot_ns();
  e->pid = BPF_CORE_READ(task, tgid);
  e->ppid = BPF_CORE_READ(task, real_parent, tgid);
  const struct cred *cred = BPF_CORE_READ(task, cred);
  e->uid = BPF_CORE_READ(cred, uid.val);
  e->euid = BPF_CORE_READ(cred, euid.val);
  e->gid = BPF_CORE_READ(cred, gid.val);
  e->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
  e->exit_code = 0;
  e->argv_total = 0;
  e->executable_bytes = e->parent_bytes = e->cwd_bytes = e->argv_bytes = 0;
  __builtin_memset(e->stdio, 0, sizeof(e->stdio));
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

  struct fdtable *table = BPF_CORE_READ(task, files, fdt);
  struct file **fds = BPF_CORE_READ(table, fd);
  if (BPF_CORE_READ(table, max_fds) > 2) {
    read_stdio(&e->stdio[0], fds, 0);
    read_stdio(&e->stdio[1], fds, 1);
    read_stdio(&e->stdio[2], fds, 2);
  }

  __u32 at = 0;
  // For a script this is the interpreter, as procfs says too; its name stands in argv.
  struct file *file = BPF_CORE_READ(task, mm, exe_file);
  struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
  e->flags |= put_path(&s->tail, &at, BPF_CORE_READ(file, f_path.mnt), dentry);
  if (!BPF_CORE_READ(dentry, d_hash.pprev)) e->flags |= PICKET_EXE_DELETED;
  e->executable_bytes = at;

  __u32 before = at;
  struct task_struct *parent = BPF_CORE_READ(task, real_parent);
  file = BPF_CORE_READ(parent, mm, exe_file);
  if (file) {
    dentry = BPF_CORE_READ(file, f_path.dentry);
    e->flags |= put_path(&s->tail, &at, BPF_CORE_READ(file, f_path.mnt), dentry);
    if (!BPF_CORE_READ(dentry, d_hash.pprev)) e->flags |= PICKET_PARENT_DELETED;
  } else if (at < PICKET_PATHS_BYTES_MAX) {
    long n = bpf_probe_read_kernel_str(s->tail.text + (at & PATH_MASK), 16, &parent->comm);
    if (n > 0) at += n;
    e->flags |= PICKET_PARENT_IS_COMM;
  }
  e->parent_bytes = at - before;

  before = at;
  struct fs_struct *fs = BPF_CORE_READ(task, fs);
  e->flags |= put_path(&s->tail, &at, BPF_CORE_READ(fs, pwd.mnt), BPF_CORE_READ(fs, pwd.dentry));
  e->cwd_bytes = at - before;

  unsigned long begin = BPF_CORE_READ(task, mm, arg_start);
  __u64 total = BPF_CORE_READ(task, mm, arg_end) - begin;
  e->argv_total = total;
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
  if (bytes > sizeof(*s)) bytes = sizeof(*s);
  put_out(s, bytes, account);
  return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child) {
  struct account *account = account_of(PICKET_FORK);
  if (!account || BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid)) return 0;  // a new thread is no process
  account->seen++;
  struct picket_process_event e;
  fill_identity(&e, child, PICKET_FORK);
  put_out(&e, sizeof(e), account);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task) {
  struct account *account = account_of(PICKET_EXIT);
  if (!account || BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid)) return 0;
  account->seen++;
  struct picket_process_event e;
  fill_identity(&e, task, PICKET_EXIT);
  e.exit_code = BPF_CORE_READ(task, exit_code);
  put_out(&e, sizeof(e), account);
  return 0;
}
