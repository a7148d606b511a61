/* The account of a ring, and waking its reader. */
#ifndef PICKET_WAKE_BPF_H
#define PICKET_WAKE_BPF_H

/* The account of one ring: a row a record type. */
struct account {
  __u64 seen;
  __u64 dropped;
};

/* After a record was put out without waking. Its commit is a full barrier, and the reader looks at the ring once more
 * after it has set the flag: so one of the two always sees the other, and nobody has to look again later. The bell is a
 * discarded record, since only a commit can wake. A ring too full for it has woken the reader before. One bell tells of a
 * backlog: each is an interrupt that this CPU sends itself, and the reader sets `wake_bytes` again when it has read. */
static __always_inline void wake_reader(void *ring, volatile __u32 *waiting, volatile __u64 *wake_bytes) {
  if (!*waiting && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < *wake_bytes) return;
  void *bell = bpf_ringbuf_reserve(ring, 8, 0);
  if (!bell) return;
  if (*waiting) {
    *waiting = 0;
  } else {
    *wake_bytes = ~0ULL;
  }
  bpf_ringbuf_discard(bell, BPF_RB_FORCE_WAKEUP);
}

#endif
