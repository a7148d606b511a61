/* The part of network.bpf.c for what has no connection: UDP and ICMP, also of raw sockets. Every packet that a socket
 * sends or gets passes a hook of the cgroup tree's root; its exchange (socket, peer, protocol) counts it. The first
 * peer of a socket has its place in the socket's own storage, so that a client's exchange ends when the socket does;
 * further peers have one in a table that user space looks through.
 *
 * Who: sockets are made in the context of their process. One older than this program has no owner here: user space
 * finds it by the port. Who sends is looked at again, since sockets are handed on; the kernel's own sockets never have
 * an owner, so nobody is taken for one by accident. */
struct peer {
  struct picket_flow_key key;
  struct picket_flow flow;
  __u64 start_ns;
  __u32 pid, uid, netns;
  __u32 claimed; /* key and flow are in use */
};
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct peer);
} peers SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, PICKET_FLOWS_MAX);
  __type(key, struct picket_flow_key);
  __type(value, struct picket_flow);
} flows SEC(".maps");

volatile __u64 idle_ns = 0; /* an exchange is over after this; set by user space */
volatile __u64 tabled = 0;  /* exchanges ever put into the table: tells user space to look */

struct packet {
  struct picket_flow_key key;
  __u8 local[16];
  __u16 local_port;
  __u8 icmp_type;
  __u8 tcp_flags;
  __u8 egress;
  __u32 ifindex;
  __u64 bytes;
};

enum { STREAM = 1, RAW = 3, ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58, SYN = 2 };

static __noinline void report_flow(__u32 type, struct picket_flow_key *key, struct picket_flow *flow) {
  struct picket_connection_event e;
  __builtin_memset(&e, 0, sizeof(e));
  e.type = type;
  e.family = key->family;
  e.protocol = key->protocol;
  e.direction = flow->direction;
  e.time_ns = type == PICKET_OPENED ? flow->opened_ns : flow->last_ns;
  e.cookie = key->cookie;
  e.pid = flow->pid;
  e.uid = flow->uid;
  e.start_ns = flow->start_ns;
  if (type == PICKET_CLOSED) {
    e.opened_ns = flow->opened_ns;
    e.bytes_in = flow->bytes_in;
    e.bytes_out = flow->bytes_out;
  }
  __builtin_memcpy(e.local, flow->local, 16);
  __builtin_memcpy(e.remote, key->remote, 16);
  e.local_port = flow->local_port;
  e.remote_port = key->remote_port;
  e.ifindex = flow->ifindex;
  e.netns = key->netns;
  put_out(&e);
}

/* The headers of a packet, which begins with that of IP. 0: nothing for us. */
static __always_inline int read_packet(struct __sk_buff *skb, struct packet *p, __u32 socket_type) {
  __u8 head[40];
  __u32 at = 20;
  if (bpf_skb_load_bytes(skb, 0, head, 20)) return 0;
  if (head[0] >> 4 == 4) {
    at = (head[0] & 15) * 4;
    p->key.family = 2;
    p->key.protocol = head[9];
  } else {
    at = 40;
    p->key.family = 10;
    p->key.protocol = head[6];
    /* Extensions: hop by hop, routing, destination. */
    for (int i = 0; i < 3; i++) {
      const __u8 next = p->key.protocol;
      if (next != 0 && next != 43 && next != 60) break;
      __u8 extension[2];
      if (bpf_skb_load_bytes(skb, at, extension, 2)) return 0;
      p->key.protocol = extension[0];
      at += (extension[1] + 1) * 8;
    }
  }
  const __u8 protocol = p->key.protocol;
  if (protocol == TCP ? socket_type != RAW : protocol != UDP && protocol != ICMP && protocol != ICMPV6) return 0;
  __u16 ports[2];
  if (bpf_skb_load_bytes(skb, at, ports, 4)) return 0;
  if (protocol == ICMP || protocol == ICMPV6) {
    p->icmp_type = *(__u8 *)ports;
    /* Neighbours and groups: the housekeeping of a link. */
    if (protocol == ICMPV6 && p->icmp_type >= 130 && p->icmp_type != 144 && p->icmp_type != 145) return 0;
  } else {
    p->local_port = __builtin_bswap16(ports[p->egress ? 0 : 1]);
    p->key.remote_port = __builtin_bswap16(ports[p->egress ? 1 : 0]);
    if (protocol == TCP && bpf_skb_load_bytes(skb, at + 13, &p->tcp_flags, 1)) return 0;
  }
  if (p->key.family == 2) {
    bpf_skb_load_bytes(skb, p->egress ? 12 : 16, p->local, 4);
    bpf_skb_load_bytes(skb, p->egress ? 16 : 12, p->key.remote, 4);
  } else {
    bpf_skb_load_bytes(skb, p->egress ? 8 : 24, p->local, 16);
    bpf_skb_load_bytes(skb, p->egress ? 24 : 8, p->key.remote, 16);
  }
  at += protocol == TCP ? 20 : 8;
  p->bytes = skb->len > at ? skb->len - at : 0;
  p->ifindex = skb->ifindex;
  return 1;
}

static __always_inline int same_key(struct picket_flow_key *a, struct picket_flow_key *b) {
  const __u64 *x = (__u64 *)a, *y = (__u64 *)b;
  return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

static __always_inline void open_flow(struct picket_flow *flow, struct packet *p, struct peer *peer, __u64 now) {
  if (p->egress && peer->pid) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    const __u32 pid = BPF_CORE_READ(task, tgid);
    if (pid != peer->pid && BPF_CORE_READ(task, mm)) {
      peer->pid = pid;
      peer->uid = BPF_CORE_READ(task, cred, uid.val);
      peer->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
    }
  }
  flow->pid = peer->pid;
  flow->uid = peer->uid;
  flow->start_ns = peer->start_ns;
  flow->opened_ns = flow->last_ns = now;
  flow->bytes_in = flow->bytes_out = 0;
  flow->ifindex = p->ifindex;
  flow->local_port = p->local_port;
  __builtin_memcpy(flow->local, p->local, 16);
  /* What the kernel sends without a process answers somebody. */
  const __u8 icmp = p->key.protocol == ICMP || p->key.protocol == ICMPV6;
  flow->direction = p->egress && !(icmp && !p->key.cookie) ? PICKET_OUT : PICKET_IN;
}

static __always_inline void count_packet(struct __sk_buff *skb) {
  struct bpf_sock *sk = skb->sk;
  if (!sk) return;
  sk = bpf_sk_fullsock(sk);
  if (!sk) return;
  const __u32 socket_type = sk->type;
  if (socket_type == STREAM) return;
  const __u8 egress = !skb->ingress_ifindex;
  struct packet p;
  __builtin_memset(&p, 0, sizeof(p));
  p.egress = egress;
  if (!read_packet(skb, &p, socket_type)) return;
  struct peer *peer = bpf_sk_storage_get(&peers, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!peer) return;
  /* The kernel's own socket refuses connections and ends stray ones: an answer, nobody's connection. */
  if (p.key.protocol == TCP && !peer->pid && !(p.tcp_flags & SYN)) return;
  const __u8 icmp = p.key.protocol == ICMP || p.key.protocol == ICMPV6;
  /* Raw sockets get a copy of whatever comes, and ping sockets only answers. */
  const int may_open = egress || !(icmp || socket_type == RAW);
  /* Each CPU has a socket of its own for the kernel's answers. */
  const int kernels = icmp && !peer->pid && p.icmp_type != 8 && p.icmp_type != 128;
  p.key.netns = peer->netns;
  if (!kernels) p.key.cookie = bpf_get_socket_cookie(skb);
  const __u64 now = bpf_ktime_get_boot_ns();

  struct picket_flow *flow = 0;
  if (!kernels) {
    if (!peer->claimed && may_open && !__sync_val_compare_and_swap(&peer->claimed, 0, 1)) peer->key = p.key;
    if (peer->claimed && same_key(&peer->key, &p.key)) flow = &peer->flow;
  }
  if (!flow) flow = bpf_map_lookup_elem(&flows, &p.key);
  if (!flow) {
    if (!may_open) return;
    struct picket_flow fresh;
    __builtin_memset(&fresh, 0, sizeof(fresh));
    fresh.last_ns = now;
    if (!bpf_map_update_elem(&flows, &p.key, &fresh, BPF_NOEXIST)) __sync_fetch_and_add(&tabled, 1);
    flow = bpf_map_lookup_elem(&flows, &p.key);
    if (!flow) {
      __u32 type = PICKET_OPENED;
      struct account *account = bpf_map_lookup_elem(&accounts, &type);
      if (account) count_one(&account->seen), count_one(&account->dropped);
      return;
    }
  }
  if (flow->direction && (now - flow->last_ns > idle_ns || now - flow->opened_ns > PICKET_FLOW_LASTS_NS)) {
    report_flow(PICKET_CLOSED, &p.key, flow);
    flow->direction = 0;
  }
  if (!flow->direction) {
    if (!may_open) return;
    open_flow(flow, &p, peer, now);
    report_flow(PICKET_OPENED, &p.key, flow);
  }
  flow->last_ns = now;
  __sync_fetch_and_add(egress ? &flow->bytes_out : &flow->bytes_in, p.bytes);
}

/* Attached to both ways: one program is half as large as two. */
SEC("cgroup/skb")
int on_packet(struct __sk_buff *skb) {
  count_packet(skb);
  return 1;
}

SEC("cgroup/sock_create")
int on_create(struct bpf_sock *sk) {
  if (sk->type != 2 && sk->type != RAW) return 1;
  struct peer *peer = bpf_sk_storage_get(&peers, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!peer) return 1;
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  peer->pid = BPF_CORE_READ(task, tgid);
  peer->uid = (__u32)bpf_get_current_uid_gid();
  peer->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
  peer->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
  tell_who(task, peer->pid, peer->uid, peer->start_ns, BPF_CORE_READ(task, mm, arg_start));
  return 1;
}

SEC("cgroup/sock_release")
int on_release(struct bpf_sock *sk) {
  if (sk->type == STREAM) return 1;
  struct peer *peer = bpf_sk_storage_get(&peers, sk, 0, 0);
  if (peer && peer->flow.direction) {
    report_flow(PICKET_CLOSED, &peer->key, &peer->flow);
    peer->flow.direction = 0;
  }
  return 1;
}
