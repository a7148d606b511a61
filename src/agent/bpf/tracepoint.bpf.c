// Execs, forks and ends from plain tracepoints, for kernels without BTF: nothing here depends on a kernel's types.
// embed_programs.py turns the object into a table of instructions; the loader is process/tracepoint_programs.cc.
#include "vmlinux.h"
/* vmlinux.h first: the libbpf headers use its types. */
#include <bpf/bpf_helpers.h>

#include "tracepoint_event.h"
#include "wake.bpf.h"

// Only their names matter: the loader makes the maps.
char ring SEC("slots");
char accounts SEC("slots");
char scratch SEC("slots");
char parents SEC("slots");
char shared SEC("slots");
char ends SEC("slots");

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
// PICKET_TP_PATCH + number (one hexadecimal digit), as one instruction that the loader can find.
#define PATCHED(number)                                                      \
  ({                                                                         \
    __u64 value;                                                             \
    asm volatile("%0 = 0x7069636b7061740" TEXT(number) " ll" : "=r"(value)); \
    value;                                                                   \
  })
#define AT_FILENAME PATCHED(0)
#define AT_CHILD PATCHED(1)
#define AT_RESULT PATCHED(2)
#define WORD_BYTES PATCHED(3)
#define AT_STACK PATCHED(4)
#define AT_THREAD PATCHED(5)
#define AT_ARGV PATCHED(6)
#define AT_CLONE PATCHED(7)
#define AT_CODE PATCHED(8)
#define AT_SIGNAL PATCHED(9)
#define AT_TARGET PATCHED(a)
#define AT_GENERATED PATCHED(b)
#define LEADER_ONLY PATCHED(c)
#define PERF_BUFFER PATCHED(d)
#define CURRENT_CPU 0xffffffffULL

struct record {
  struct picket_tracepoint_event event;
  __u8 text[3 * PICKET_TP_ARGV_BYTES_MAX];
};

static __always_inline void put_out(void *ctx, struct record *r, __u64 bytes, struct account *account) {
  if (PERF_BUFFER) {  // the ring is none, but an array of buffers, one a CPU
    if (bpf_perf_event_output(ctx, &ring, CURRENT_CPU, r, bytes)) account->dropped++;
    return;
  }
  __u32 zero = 0;
  struct picket_tracepoint_shared *state = bpf_map_lookup_elem(&shared, &zero);
  if (bpf_ringbuf_output(&ring, r, bytes, BPF_RB_NO_WAKEUP)) account->dropped++;
  if (state) wake_reader(&ring, &state->waiting, &state->wake_bytes);
}

static __always_inline struct record *begin(__u32 type) {
  __u32 zero = 0;
  struct record *r = bpf_map_lookup_elem(&scratch, &zero);
  if (!r) return 0;
  __u64 ids = bpf_get_current_uid_gid();
  __u64 pids = bpf_get_current_pid_tgid();
  r->event.type = type;
  r->event.flags = 0;
  r->event.pid = pids >> 32;
  r->event.tid = pids;
  r->event.uid = ids;
  r->event.gid = ids >> 32;
  r->event.time_ns = bpf_ktime_get_boot_ns();
  r->event.argv_total = 0;
  __u32 *parent = bpf_map_lookup_elem(&parents, &r->event.pid);
  r->event.ppid = parent ? *parent : 0;
  return r;
}

SEC("tp/exec")
int on_exec(void *ctx) {
  __u32 type = PICKET_TP_EXEC;
  struct account *account = bpf_map_lookup_elem(&accounts, &type);
  struct record *r = begin(type);
  if (!account || !r) return 0;
  account->seen++;
  bpf_probe_read_kernel(&r->event.tid, sizeof(r->event.tid), ctx + AT_THREAD);
  __u32 where = 0;  // __data_loc: offset in the low half
  bpf_probe_read_kernel(&where, sizeof(where), ctx + AT_FILENAME);
  long n = bpf_probe_read_kernel_str(r->text, PICKET_TP_PATH_BYTES_MAX, ctx + (where & 0xffff));
  __u64 bytes = n > 0 ? n : 0;
  r->event.text_bytes = bytes;
  asm volatile("" : "+r"(bytes));
  put_out(ctx, r, sizeof(r->event) + (bytes & (2 * PICKET_TP_PATH_BYTES_MAX - 1)), account);
  return 0;
}

// The new program has not run yet: its stack is as the kernel made it, with argc, the pointers to arguments and
// environment, and behind those the arguments themselves, one after the other: all in memory, and of any length. The
// context of a system call's tracepoint begins with a pointer to the registers; newer kernels put false ones there,
// whose stack is the kernel's.
SEC("tp/result")
int on_result(void *ctx) {
  __u32 type = PICKET_TP_ARGV;
  struct account *account = bpf_map_lookup_elem(&accounts, &type);
  __u64 word = WORD_BYTES;
  __u64 result = 0, registers = 0, stack = 0, count = 0, first = 0, last = 0, past = 0;
  bpf_probe_read_kernel(&result, word, ctx + AT_RESULT);
  if (result != 0 || !account) return 0;
  bpf_probe_read_kernel(&registers, word, ctx);
  bpf_probe_read_kernel(&stack, word, (void *)registers + AT_STACK);
  if (word == 8 ? (__s64)stack <= 0 : stack >= 0xbf000000) return 0;
  bpf_probe_read_user(&count, word, (void *)stack);
  bpf_probe_read_user(&first, word, (void *)(stack + word));
  bpf_probe_read_user(&last, word, (void *)(stack + word * count));
  bpf_probe_read_user(&past, word, (void *)(stack + word * (count + 2)));
  struct record *r = begin(type);
  if (!r || count == 0 || !first) return 0;
  account->seen++;
  if (!past) {  // no environment: the end of the last argument, unless that is longer than all that is kept
    long n = bpf_probe_read_user_str(r->text, PICKET_TP_ARGV_BYTES_MAX, (void *)last);
    past = last + (n > 0 ? n : 0);
  }
  __u64 total = past - first;
  r->event.argv_total = total;
  __u64 length = total;
  asm volatile("" : "+r"(length));
  if (length > PICKET_TP_ARGV_BYTES_MAX) length = PICKET_TP_ARGV_BYTES_MAX;
  asm volatile("" : "+r"(length));
  length &= 2 * PICKET_TP_ARGV_BYTES_MAX - 1;
  if (bpf_probe_read_user(r->text, length, (void *)first)) length = 0;
  r->event.text_bytes = length;
  put_out(ctx, r, sizeof(r->event) + length, account);
  return 0;
}

enum { ARGUMENTS_MAX = 512 };

// Where on_result() cannot: the arguments as the caller has them. A page of its program that nobody has touched is not
// in memory yet, and cannot be fetched here.
SEC("tp/call")
int on_call(void *ctx) {
  __u32 type = PICKET_TP_CALL, zero = 0;
  struct account *account = bpf_map_lookup_elem(&accounts, &type);
  struct picket_tracepoint_shared *state = bpf_map_lookup_elem(&shared, &zero);
  if (!account || !state || state->no_calls) return 0;
  struct record *r = begin(type);
  if (!r) return 0;
  account->seen++;
  __u64 word = WORD_BYTES, argv = 0, at = 0;
  bpf_probe_read_kernel(&argv, word, ctx + AT_ARGV);
  r->event.flags = PICKET_TP_CUT;
#pragma clang loop unroll(disable)
  for (__u32 i = 0; i < ARGUMENTS_MAX; i++) {
    __u64 text = 0;
    if (bpf_probe_read_user(&text, word, (void *)argv)) {
      r->event.flags = PICKET_TP_LOST;
      break;
    }
    if (!text) {
      r->event.flags = 0;
      break;
    }
    argv += word;
    asm volatile("" : "+r"(at));
    if (at >= PICKET_TP_ARGV_BYTES_MAX) break;
    long n = bpf_probe_read_user_str(r->text + at, PICKET_TP_ARGV_BYTES_MAX, (void *)text);
    if (n <= 0) {
      r->event.flags = PICKET_TP_LOST;
      break;
    }
    at += n;
    if (n == PICKET_TP_ARGV_BYTES_MAX) break;
  }
  r->event.argv_total = at;
  if (at > PICKET_TP_ARGV_BYTES_MAX) at = PICKET_TP_ARGV_BYTES_MAX;
  asm volatile("" : "+r"(at));
  at &= 2 * PICKET_TP_ARGV_BYTES_MAX - 1;
  r->event.text_bytes = at;
  put_out(ctx, r, sizeof(r->event) + at, account);
  return 0;
}

enum { COMM_BYTES = 16, CLONE_PARENT = 0x8000, CLONE_THREAD = 0x10000 };

static __always_inline void put_short(void *ctx, struct record *r, struct account *account) {
  bpf_get_current_comm(r->text, COMM_BYTES);  // of a child: its parent's, which it still has
  r->event.text_bytes = COMM_BYTES;
  account->seen++;
  put_out(ctx, r, sizeof(r->event) + COMM_BYTES, account);
}

SEC("tp/fork")
int on_fork(void *ctx) {
  __u32 child = 0, flags = 0, type = PICKET_TP_FORK, zero = 0, parent = bpf_get_current_pid_tgid() >> 32;
  bpf_probe_read_kernel(&flags, sizeof(flags), ctx + AT_CLONE);
  if (flags & CLONE_THREAD) return 0;
  bpf_probe_read_kernel(&child, sizeof(child), ctx + AT_CHILD);
  if (flags & CLONE_PARENT) {  // a child of the parent's parent
    __u32 *real = bpf_map_lookup_elem(&parents, &parent);
    parent = real ? *real : 0;
  }
  bpf_map_update_elem(&parents, &child, &parent, BPF_ANY);
  struct picket_tracepoint_shared *state = bpf_map_lookup_elem(&shared, &zero);
  if (!state || !state->fork_exit) return 0;
  bpf_map_delete_elem(&ends, &child);  // of a process that had the number before
  struct account *account = bpf_map_lookup_elem(&accounts, &type);
  struct record *r = begin(type);
  if (!account || !r) return 0;
  r->event.pid = r->event.tid = child;
  r->event.ppid = parent;
  put_short(ctx, r, account);
  return 0;
}

// How processes end is known before they do: who asks to exit says with what, everybody else is ended by the last
// signal that came. ENDED: asked, so signals after that mean nothing (the other threads get one).
enum { ENDED = 1 << 30 };
enum { LOST_SIGNAL = 1, NO_SIGNALS = 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21 | 1 << 22 | 1 << 23 | 1 << 28 };

SEC("tp/ask")
int on_ask(void *ctx) {
  __u64 pids = bpf_get_current_pid_tgid();
  __u32 pid = pids >> 32, code = 0;
  if (LEADER_ONLY && pid != (__u32)pids) return 0;  // exit() of a thread ends only that
  bpf_probe_read_kernel(&code, sizeof(code), ctx + AT_CODE);
  __u32 status = (code & 0xff) << 8 | ENDED;
  bpf_map_update_elem(&ends, &pid, &status, BPF_ANY);
  return 0;
}

SEC("tp/signal")
int on_signal(void *ctx) {
  __u64 pids = bpf_get_current_pid_tgid();
  __u32 signal = 0, result = 0, pid = 0;
  bpf_probe_read_kernel(&signal, sizeof(signal), ctx + AT_SIGNAL);
  bpf_probe_read_kernel(&result, sizeof(result), ctx + AT_GENERATED);
  bpf_probe_read_kernel(&pid, sizeof(pid), ctx + AT_TARGET);
  // Those that end nobody by default: about children, terminals and windows, stop and continue.
  if (result == LOST_SIGNAL || signal > 64 || (signal < 32 && NO_SIGNALS >> signal & 1)) return 0;
  if (pid == (__u32)pids) pid = pids >> 32;  // a thread to itself
  __u32 *before = bpf_map_lookup_elem(&ends, &pid);
  if (before && *before & ENDED) return 0;
  bpf_map_update_elem(&ends, &pid, &signal, BPF_ANY);
  return 0;
}

SEC("tp/exit")
int on_exit(void *ctx) {
  __u64 pids = bpf_get_current_pid_tgid();
  __u32 type = PICKET_TP_EXIT, pid = pids;
  if (pid != pids >> 32) return 0;  // a thread
  struct account *account = bpf_map_lookup_elem(&accounts, &type);
  struct record *r = begin(type);
  if (!account || !r) return 0;
  __u32 *end = bpf_map_lookup_elem(&ends, &pid);
  r->event.argv_total = end ? *end & ~ENDED : 0;
  bpf_map_delete_elem(&ends, &pid);
  put_short(ctx, r, account);
  return 0;
}
