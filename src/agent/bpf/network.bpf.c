// TCP connections from one BTF tracepoint, UDP and ICMP from cgroup hooks (network_flow.bpf.h), into one ring.
//
// Who: connect() and listen() run in the caller's context, everything later may run in softirq for anybody. So the
// caller is written into the socket's own storage at those two moments; an accepted socket inherits its listener's
// storage (BPF_F_CLONE), and so names the process that listens.
#include "common.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

PICKET_RING_GLOBALS

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 17);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, PICKET_NETWORK_TYPES);
  __type(key, __u32);
  __type(value, struct account);
} accounts SEC(".maps");

struct owner {
  __u64 start_ns;
  __u64 opened_ns;
  __u32 pid, uid;
  __u8 direction;  // 0: listening, nothing opened yet
  __u8 opened;
  __u16 local_port;  // the socket has given it back when it closes
  __u8 pad[4];
};
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
  __type(key, int);
  __type(value, struct owner);
} owners SEC(".maps");

// Processes that user space has been told about; one that falls out is told again.
struct process_key {
  __u64 start_ns;
  __u32 pid;
  __u32 generation;  // execs change what a process is without changing pid and start
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, struct process_key);
  __type(value, __u8);
} told SEC(".maps");

struct scratch {
  struct picket_who_event event;
  struct tail tail;
  __u32 busy;  // hooks of cgroups may be preempted: by another one, on the same CPU
  __u32 counting;
  struct picket_counted_connection_key key;
  struct picket_counted_connection counted;
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct scratch);
} scratches SEC(".maps");

// A packet that comes in may interrupt a hook of one that goes out, on the same CPU.
static __always_inline void count_one(__u64 *count) { __sync_fetch_and_add(count, 1); }

// Connections that the ring refused, by what they are. User space sets the size.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, struct picket_counted_connection_key);
  __type(value, struct picket_counted_connection);
} counts SEC(".maps");

static __noinline void count_connection(struct picket_connection_event *e) {
  __u32 zero = 0;
  struct scratch *s = bpf_map_lookup_elem(&scratches, &zero);
  if (!s || __sync_val_compare_and_swap(&s->counting, 0, 1)) return;
  struct picket_counted_connection_key *key = &s->key;
  __builtin_memset(key, 0, sizeof(*key));
  __builtin_memcpy(key->local, e->local, 16);
  __builtin_memcpy(key->remote, e->remote, 16);
  key->port = e->direction == PICKET_IN ? e->local_port : e->remote_port;
  key->family = e->family;
  key->protocol = e->protocol;
  key->direction = e->direction;
  key->type = e->type;
  key->pid = e->pid;
  key->uid = e->uid;
  struct picket_counted_connection *found = bpf_map_lookup_elem(&counts, key);
  if (!found) {
    s->counted.count = 1;
    s->counted.last_ns = e->time_ns;
    s->counted.bytes_in = e->bytes_in;
    s->counted.bytes_out = e->bytes_out;
    s->counted.first = *e;
    if (!bpf_map_update_elem(&counts, key, &s->counted, BPF_NOEXIST)) {
      __sync_fetch_and_add(&counted, 1);
      s->counting = 0;
      return;
    }
    found = bpf_map_lookup_elem(&counts, key);  // another CPU was first
  }
  s->counting = 0;
  if (!found) return;
  __sync_fetch_and_add(&found->bytes_in, e->bytes_in);
  __sync_fetch_and_add(&found->bytes_out, e->bytes_out);
  __sync_fetch_and_add(&found->count, 1);
  found->last_ns = e->time_ns;
  __sync_fetch_and_add(&counted, 1);
}

static __always_inline void put_out(struct picket_connection_event *e) {
  __u32 type = e->type;
  struct account *account = bpf_map_lookup_elem(&accounts, &type);
  if (!account) return;
  count_one(&account->seen);
  if (bpf_ringbuf_output(&ring, e, sizeof(*e), BPF_RB_NO_WAKEUP)) {
    count_one(&account->dropped);
    count_connection(e);
  }
  wake_reader(&ring, &waiting, &wake_bytes);
}

// Tells user space who the current process is, unless it knows. `begin`: where its argv is.
static __always_inline void tell_who(struct task_struct *task, __u32 pid, __u32 uid, __u64 start_ns,
                                     unsigned long begin) {
  // The place of argv on the stack is random for each exec: good enough a number of the generation.
  struct process_key key = {.start_ns = start_ns, .pid = pid, .generation = (__u32)(begin ^ begin >> 32)};
  if (bpf_map_lookup_elem(&told, &key)) return;
  __u32 zero = 0;
  struct scratch *s = bpf_map_lookup_elem(&scratches, &zero);
  if (!s || __sync_val_compare_and_swap(&s->busy, 0, 1)) return;  // user space asks procfs then
  struct picket_who_event *e = &s->event;
  e->type = PICKET_WHO;
  e->pid = pid;
  e->uid = uid;
  e->start_ns = start_ns;
  e->pad = 0;
  __u32 at = 0;
  struct file *file = BPF_CORE_READ(task, mm, exe_file);
  struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
  e->flags = put_path(&s->tail, &at, BPF_CORE_READ(file, f_path.mnt), dentry);
  if (!BPF_CORE_READ(dentry, d_hash.pprev)) e->flags |= PICKET_EXE_DELETED;
  e->executable_bytes = at;
  __u64 length = BPF_CORE_READ(task, mm, arg_end) - begin;
  e->argv_total = length;
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
  if (bytes > sizeof(*e) + sizeof(struct tail)) bytes = sizeof(*e) + sizeof(struct tail);
  __u32 type = PICKET_WHO;
  struct account *account = bpf_map_lookup_elem(&accounts, &type);
  if (account) count_one(&account->seen);
  const long failed = bpf_ringbuf_output(&ring, s, bytes, BPF_RB_NO_WAKEUP);
  s->busy = 0;
  if (failed) {
    if (account) count_one(&account->dropped);  // not marked as told: the next connect tries again
    return;
  }
  __u8 one = 1;
  bpf_map_update_elem(&told, &key, &one, BPF_ANY);
}

// The current process becomes the owner of a socket.
static __always_inline struct owner *own(struct sock *sk, __u8 direction) {
  struct owner *owner = bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!owner) return 0;
  struct task_struct *task = bpf_get_current_task_btf();
  owner->pid = task->tgid;
  owner->uid = (__u32)bpf_get_current_uid_gid();
  owner->start_ns = task->group_leader->start_boottime;
  owner->direction = direction;
  owner->opened = 0;
  owner->opened_ns = bpf_ktime_get_boot_ns();
  tell_who(task, owner->pid, owner->uid, owner->start_ns, task->mm->arg_start);
  return owner;
}

static __always_inline void read_endpoints(struct picket_connection_event *e, struct sock *sk) {
  e->family = sk->__sk_common.skc_family;
  e->local_port = sk->__sk_common.skc_num;
  e->remote_port = __builtin_bswap16(sk->__sk_common.skc_dport);
  if (e->family == 10) {
    BPF_CORE_READ_INTO((struct in6_addr *)e->local, sk, __sk_common.skc_v6_rcv_saddr);
    BPF_CORE_READ_INTO((struct in6_addr *)e->remote, sk, __sk_common.skc_v6_daddr);
  } else {
    *(__u32 *)e->local = sk->__sk_common.skc_rcv_saddr;
    *(__u32 *)e->remote = sk->__sk_common.skc_daddr;
  }
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int before, int after) {
  // Plain loads: the kernel guards them for a pointer of known type; a BPF_CORE_READ costs a call.
  if (sk->sk_protocol != 6) return 0;
  if (after == TCP_SYN_SENT) {
    own(sk, PICKET_OUT);
    return 0;
  }
  if (after == TCP_LISTEN) {
    own(sk, 0);
    return 0;
  }
  if (after != TCP_ESTABLISHED && after != TCP_CLOSE) return 0;
  struct owner *owner = bpf_sk_storage_get(&owners, sk, 0, 0);
  struct picket_connection_event e;
  __builtin_memset(&e, 0, sizeof(e));
  e.time_ns = bpf_ktime_get_boot_ns();

  if (after == TCP_ESTABLISHED) {
    if (before == TCP_SYN_RECV) {
      // Accepted. A listener older than this program has no storage: user space finds its owner by the port.
      if (!owner) owner = bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
      if (!owner) return 0;
      owner->direction = PICKET_IN;
    } else if (before != TCP_SYN_SENT || !owner) {
      return 0;
    }
    owner->opened = 1;
    owner->opened_ns = e.time_ns;
    e.type = PICKET_OPENED;
  } else {
    if (!owner || !owner->direction) return 0;
    if (owner->opened) {
      e.type = PICKET_CLOSED;
      struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
      if (!tcp) return 0;
      e.bytes_in = tcp->bytes_received;
      // The peer's FIN, which sets SOCK_DONE, was counted as a byte.
      if (e.bytes_in && (sk->__sk_common.skc_flags >> SOCK_DONE & 1)) e.bytes_in--;
      e.bytes_out = tcp->bytes_sent - tcp->bytes_retrans;
      e.opened_ns = owner->opened_ns;
      owner->opened = 0;
    } else if (before == TCP_SYN_SENT) {
      e.type = PICKET_FAILED;
      e.error = sk->sk_err;
    } else {
      return 0;
    }
  }
  e.protocol = 6;
  e.direction = owner->direction;
  e.pid = owner->pid;
  e.uid = owner->uid;
  e.start_ns = owner->start_ns;
  e.cookie = bpf_get_socket_cookie(sk);
  e.netns = sk->__sk_common.skc_net.net->ns.inum;
  struct dst_entry *route = sk->sk_dst_cache;
  if (route) e.ifindex = route->dev->ifindex;
  read_endpoints(&e, sk);
  if (e.type == PICKET_OPENED) owner->local_port = e.local_port;
  if (e.type == PICKET_CLOSED) e.local_port = owner->local_port;
  put_out(&e);
  return 0;
}

#include "network_flow.bpf.h"
