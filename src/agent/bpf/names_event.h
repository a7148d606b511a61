/* Records of names.bpf.c: a call of getaddrinfo() that has returned. */
#ifndef PICKET_AGENT_BPF_NAMES_EVENT_H
#define PICKET_AGENT_BPF_NAMES_EVENT_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

/* Names have at most 255 bytes; the C library gives an address once for each kind of socket. */
enum { PICKET_NAMES_TEXT_BYTES = 256, PICKET_NAMES_ANSWERS_MAX = 24 };

struct picket_names_answer {
  __u16 family; /* AF_INET: the first 4 bytes */
  __u8 address[16];
};

struct picket_names_event {
  __u32 pid, uid;
  __s32 result;   /* EAI_* */
  __u32 answered; /* how many answers follow */
  __u64 time_ns;  /* CLOCK_BOOTTIME, of the call */
  __u32 name_bytes; /* with its NUL */
  char name[PICKET_NAMES_TEXT_BYTES];
  struct picket_names_answer answers[PICKET_NAMES_ANSWERS_MAX];
};

/* See tracepoint_event.h: constants that the loader replaces. */
#define PICKET_NAMES_PATCH 0x7069636b6e616d00ULL
enum picket_names_patch {
  PICKET_NAMES_WORD_BYTES = 0,
  PICKET_NAMES_AT_FIRST = 1,  /* offsets in struct pt_regs: first and fourth argument, returned value */
  PICKET_NAMES_AT_FOURTH = 2,
  PICKET_NAMES_AT_RETURNED = 3,
  PICKET_NAMES_PATCHES = 4,
};

enum picket_names_map {
  PICKET_NAMES_MAP_RING = 0,
  PICKET_NAMES_MAP_ACCOUNTS = 1,
  PICKET_NAMES_MAP_SCRATCH = 2,
  PICKET_NAMES_MAP_CALLS = 3,
  PICKET_NAMES_MAPS = 4,
};
enum { PICKET_NAMES_CALLS_MAX = 512, PICKET_NAMES_CALL_BYTES = 24 };

#endif
