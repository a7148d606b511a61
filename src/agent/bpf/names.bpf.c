// Names that programs ask their C library for: getaddrinfo(), by uprobes where it begins and where it returns. Nothing
// here depends on a kernel's types; embed_programs.py turns the object into tables, the loader is dns/uprobe.cc.
#include "vmlinux.h"
/* vmlinux.h first: the libbpf headers use its types. */
#include <bpf/bpf_helpers.h>

#include "names_event.h"
#include "wake.bpf.h"

// Only their names matter: the loader makes the maps.
char ring SEC("slots");
char accounts SEC("slots");
char scratch SEC("slots");
char calls SEC("slots");

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
// PICKET_NAMES_PATCH + number (one hexadecimal digit), as one instruction that the loader can find.
#define PATCHED(number)                                                      \
  ({                                                                         \
    __u64 value;                                                             \
    asm volatile("%0 = 0x7069636b6e616d0" TEXT(number) " ll" : "=r"(value)); \
    value;                                                                   \
  })
#define WORD_BYTES PATCHED(0)
#define AT_FIRST PATCHED(1)
#define AT_FOURTH PATCHED(2)
#define AT_RETURNED PATCHED(3)

struct call {
  __u64 name, result, time_ns;
};
_Static_assert(sizeof(struct call) == PICKET_NAMES_CALL_BYTES, "as the loader makes the map");

SEC("names/enter")
int on_enter(void *ctx) {
  __u64 thread = bpf_get_current_pid_tgid(), word = WORD_BYTES;
  struct call call = {};
  bpf_probe_read_kernel(&call.name, word, ctx + AT_FIRST);
  bpf_probe_read_kernel(&call.result, word, ctx + AT_FOURTH);
  call.time_ns = bpf_ktime_get_boot_ns();
  if (call.name) bpf_map_update_elem(&calls, &thread, &call, BPF_ANY);
  return 0;
}

// The name is read here and not before: now its page is in memory, since the library has read it.
SEC("names/leave")
int on_leave(void *ctx) {
  __u64 thread = bpf_get_current_pid_tgid(), word = WORD_BYTES;
  __u32 zero = 0;
  struct call *begun = bpf_map_lookup_elem(&calls, &thread);
  struct picket_names_event *e = bpf_map_lookup_elem(&scratch, &zero);
  struct account *account = bpf_map_lookup_elem(&accounts, &zero);
  if (!begun || !e || !account) return 0;
  struct call call = *begun;
  bpf_map_delete_elem(&calls, &thread);
  account->seen++;
  e->pid = thread >> 32;
  e->uid = bpf_get_current_uid_gid();
  e->time_ns = call.time_ns;
  e->result = 0;
  bpf_probe_read_kernel(&e->result, sizeof(e->result), ctx + AT_RETURNED);
  long n = bpf_probe_read_user_str(e->name, sizeof(e->name), (void *)call.name);
  e->name_bytes = n > 0 ? n : 0;
  e->answered = 0;
  __u64 at = 0;
  if (e->result == 0) bpf_probe_read_user(&at, word, (void *)call.result);
  // struct addrinfo: four ints, a length, then pointers to the address, a name and the next.
  const __u64 pointers = word == 8 ? 24 : 20;
#pragma clang loop unroll(disable)
  for (__u32 i = 0; i < PICKET_NAMES_ANSWERS_MAX && at; i++) {
    struct picket_names_answer *answer = &e->answers[i];
    __u64 address = 0, next = 0;
    bpf_probe_read_user(&address, word, (void *)(at + pointers));
    bpf_probe_read_user(&next, word, (void *)(at + pointers + 2 * word));
    answer->family = 0;
    bpf_probe_read_user(&answer->family, sizeof(answer->family), (void *)address);
    // struct sockaddr_in has its address at 4, sockaddr_in6 at 8.
    if (bpf_probe_read_user(answer->address, sizeof(answer->address), (void *)(address + (answer->family == 2 ? 4 : 8)))) {
      break;
    }
    e->answered = i + 1;
    at = next;
  }
  if (bpf_ringbuf_output(&ring, e, sizeof(*e), 0)) account->dropped++;
  return 0;
}
