/* Records of dns.bpf.c: packets with port 53, from their IP header on. */
#ifndef PICKET_AGENT_BPF_DNS_EVENT_H
#define PICKET_AGENT_BPF_DNS_EVENT_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

/* Most packets are small; longer ones keep their front. */
enum { PICKET_DNS_SMALL_BYTES = 512, PICKET_DNS_BYTES_MAX = 2048 };

struct picket_dns_event {
  __u32 pid;    /* who sends; 0: it came in */
  __u32 length; /* of the packet */
};

#endif
