// Copies of packets with port 53, as this device's sockets send questions and get answers.
#include "vmlinux.h"
/* vmlinux.h first: the libbpf headers use its types. */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "dns_event.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 18);
} ring SEC(".maps");

struct account {
  __u64 seen;
  __u64 dropped;
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct account);
} accounts SEC(".maps");

// Nothing is put together outside the ring: a packet that comes in may interrupt the hook of one that goes out.
static __always_inline void copy(struct __sk_buff *skb, __u32 room, __u32 pid, struct account *account) {
  struct picket_dns_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e) + room, 0);
  if (!e) {
    __sync_fetch_and_add(&account->dropped, 1);
    return;
  }
  e->pid = pid;
  e->length = skb->len;
  __u32 bytes = skb->len;
  if (bytes > room) bytes = room;
  barrier_var(bytes);
  // At least a header is there, and the verifier wants to see it.
  if (bytes == 0 || bytes > room || bpf_skb_load_bytes(skb, 0, e + 1, bytes)) {
    bpf_ringbuf_discard(e, 0);
    return;
  }
  bpf_ringbuf_submit(e, 0);
}

// Attached to both ways: one program is half as large as two.
SEC("cgroup/skb")
int on_packet(struct __sk_buff *skb) {
  __u8 head[20];
  if (bpf_skb_load_bytes(skb, 0, head, sizeof(head))) return 1;
  const int v4 = head[0] >> 4 == 4;
  const __u8 protocol = v4 ? head[9] : head[6];
  if (protocol != 6 && protocol != 17) return 1;
  if (v4 && ((head[6] & 0x1f) || head[7])) return 1;  // a later fragment
  __u16 ports[2];
  if (bpf_skb_load_bytes(skb, v4 ? (head[0] & 15) * 4 : 40, ports, 4)) return 1;
  const int egress = !skb->ingress_ifindex;
  if (ports[egress] != __builtin_bswap16(53)) return 1;
  __u32 zero = 0;
  struct account *account = bpf_map_lookup_elem(&accounts, &zero);
  if (!account) return 1;
  __sync_fetch_and_add(&account->seen, 1);
  __u32 pid = 0;
  if (egress) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if (BPF_CORE_READ(task, mm)) pid = BPF_CORE_READ(task, tgid);
  }
  if (skb->len <= PICKET_DNS_SMALL_BYTES) {
    copy(skb, PICKET_DNS_SMALL_BYTES, pid, account);
  } else {
    copy(skb, PICKET_DNS_BYTES_MAX, pid, account);
  }
  return 1;
}
