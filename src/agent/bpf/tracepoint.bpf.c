// Execs from plain tracepoints, for kernels without BTF: nothing here depends on a kernel's types. embed_programs.py turns the object into a table of instructions; the loader is process/tracepoint_programs.cc.
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

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
// PICKET_TP_PATCH + number, as one instruction that the loader can find.
#define PATCHED(number)                                                          \
  ({                                                                             \
    __u64 value;                                                                 \
    asm volatile("%0 = 0x7069636b7061740" TEXT(number) " ll" : "=r"(value));     \
    value;                                                                       \
  })
#define AT_FILENAME PATCHED(0)
#define AT_CHILD PATCHED(1)
#define AT_RESULT PATCHED(2)
#define WORD_BYTES PATCHED(3)
#define AT_STACK PATCHED(4)
#define AT_THREAD PATCHED(5)
#define AT_ARGV PATCHED(6)

struct record {
  struct picket_tracepoint_event event;
  __u8 text[3 * PICKET_TP_ARGV_BYTES_MAX];
};

static __always_inline void put_out(struct record *r, __u64 bytes, struct account *account) {
  __u32 zero = 0;
  struct picket_tracepoint_shared *state = bpf_map_lookup_elem(&shared, &zero);
  if (bpf_ringbuf_output(&ring, r, bytes, BPF_RB_NO_WAKEUP)) account->dropped++;
  if (state) wake_reader(&ring, &state->waiting, state->wake_bytes);
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

SEC("tracepoint/exec")
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
  put_out(r, sizeof(r->event) + (bytes & (2 * PICKET_TP_PATH_BYTES_MAX - 1)), account);
  return 0;
}

// The new program has not run yet: its stack is as the kernel made it, with argc, the pointers to arguments and
// environment, and behind those the arguments themselves, one after the other: all in memory, and of any length. The
// context of a system call's tracepoint begins with a pointer to the registers; newer kernels put false ones there, whose
// stack is the kernel's.
SEC("tracepoint/result")
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
  put_out(r, sizeof(r->event) + length, account);
  return 0;
}

enum { ARGUMENTS_MAX = 512 };

// Where on_result() cannot: the arguments as the caller has them. A page of its program that nobody has touched is not in
// memory yet, and cannot be fetched here.
SEC("tracepoint/call")
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
  put_out(r, sizeof(r->event) + at, account);
  return 0;
}

SEC("tracepoint/fork")
int on_fork(void *ctx) {
  __u32 child = 0, parent = bpf_get_current_pid_tgid() >> 32;
  bpf_probe_read_kernel(&child, sizeof(child), ctx + AT_CHILD);
  bpf_map_update_elem(&parents, &child, &parent, BPF_ANY);
  return 0;
}
