/* Images of our BPF programs lie deflated in the agent: a quarter of the bytes, read once at start. */
#ifndef PICKET_AGENT_BPF_UNPACK_H
#define PICKET_AGENT_BPF_UNPACK_H

/* The `bytes` bytes that `packed` (raw deflate, made by pack_skeleton.py) stands for, for the caller to free(); 0: no memory. */
void *picket_bpf_unpack(const unsigned char *packed, unsigned packed_bytes, unsigned bytes);

#endif
