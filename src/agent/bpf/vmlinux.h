/* The part of the kernel's types that our programs read, written by hand from the kernel's BTF names. Only names
 * matter: preserve_access_index makes each access relocatable (CO-RE), so order, missing members and sizes do not.
 * The build so needs no BTF and no headers of the machine it runs on. */
#ifndef PICKET_VMLINUX_H
#define PICKET_VMLINUX_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u16 __sum16;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef _Bool bool;

enum bpf_map_type {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_SK_STORAGE = 24,
  BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_CLONE = 512 };
enum { BPF_SK_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };
enum {
  TCP_ESTABLISHED = 1,
  TCP_SYN_SENT = 2,
  TCP_SYN_RECV = 3,
  TCP_CLOSE = 7,
  TCP_LISTEN = 10,
};
enum { SOCK_DONE = 1 }; /* enum sock_flags: bit number */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  __u32 val;
} kuid_t;
typedef struct {
  __u32 val;
} kgid_t;
struct cred {
  kuid_t uid;
  kgid_t gid;
  kuid_t euid;
};
struct super_block {
  __u32 s_dev;
  unsigned long s_magic;
};
struct inode {
  __u16 i_mode;
  __u32 i_rdev;
  struct super_block *i_sb;
  unsigned long i_ino;
};
struct qstr {
  __u32 hash;
  __u32 len;
  const unsigned char *name;
};
struct seqcount {
  unsigned int sequence;
};
struct seqcount_spinlock {
  struct seqcount seqcount;
};
struct hlist_bl_node {
  struct hlist_bl_node **pprev;
};
struct dentry {
  struct seqcount_spinlock d_seq;
  struct hlist_bl_node d_hash;
  struct dentry *d_parent;
  struct qstr d_name;
  struct inode *d_inode;
};
struct vfsmount {
  struct dentry *mnt_root;
};
struct mount {
  struct mount *mnt_parent;
  struct dentry *mnt_mountpoint;
  struct vfsmount mnt;
};
struct path {
  struct vfsmount *mnt;
  struct dentry *dentry;
};
struct file {
  void *private_data;
  struct inode *f_inode;
  struct path f_path;
};
struct fdtable {
  unsigned int max_fds;
  struct file **fd;
};
struct files_struct {
  struct fdtable *fdt;
};
struct fs_struct {
  struct path pwd;
};
struct mm_struct {
  unsigned long arg_start;
  unsigned long arg_end;
  struct file *exe_file;
};
struct kernfs_node {
  const char *name;
  struct kernfs_node *parent;   /* until 6.14 */
  struct kernfs_node *__parent; /* since 6.15 */
  unsigned int hash;
  __u64 id;
};
struct cgroup;
struct cgroup_root;
struct cgroup_subsys_state {
  struct cgroup *cgroup;
};
struct cgroup {
  struct kernfs_node *kn;
  struct cgroup_root *root;
};
struct css_set {
  struct cgroup_subsys_state *subsys[1]; /* there are more: how many is the kernel's choice */
  struct cgroup *dfl_cgrp;
};
struct tty_struct {
  char name[64];
};
struct signal_struct {
  int group_exit_code;
  unsigned int flags;
  struct tty_struct *tty;
};
struct task_struct {
  int exit_code;
  int pid;
  int tgid;
  struct task_struct *real_parent;
  struct task_struct *group_leader;
  __u64 start_boottime;
  const struct cred *cred;
  char comm[16];
  struct fs_struct *fs;
  struct files_struct *files;
  struct mm_struct *mm;
  struct signal_struct *signal;
  struct css_set *cgroups;
  unsigned int sessionid; /* kernels with audit */
  struct nsproxy *nsproxy;
};
struct linux_binprm {
  struct file *file;
};
struct in6_addr {
  union {
    __u8 u6_addr8[16];
    __be32 u6_addr32[4];
  } in6_u;
};
struct ns_common {
  unsigned int inum;
};
struct net {
  struct ns_common ns;
};
struct nsproxy {
  struct net *net_ns;
};
typedef struct {
  struct net *net;
} possible_net_t;
struct net_device {
  int ifindex;
};
struct dst_entry {
  struct net_device *dev;
};
struct sock_common {
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  __be16 skc_dport;
  __u16 skc_num;
  unsigned short skc_family;
  unsigned long skc_flags;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};
struct sock {
  struct sock_common __sk_common;
  struct dst_entry *sk_dst_cache;
  __u16 sk_protocol;
  int sk_err;
};
struct socket {
  struct sock *sk;
};
struct tcp_sock {
  __u64 bytes_received;
  __u64 bytes_sent;
  __u64 bytes_retrans;
};
/* Contexts of cgroup programs: user-space ABI, a fixed layout, so not relocatable. */
#pragma clang attribute pop

struct bpf_sock {
  __u32 bound_dev_if;
  __u32 family;
  __u32 type;
  __u32 protocol;
  __u32 mark;
  __u32 priority;
  __u32 src_ip4;
  __u32 src_ip6[4];
  __u32 src_port;
  __be16 dst_port;
  __u16 pad;
  __u32 dst_ip4;
  __u32 dst_ip6[4];
  __u32 state;
  __s32 rx_queue_mapping;
};
struct __sk_buff {
  __u32 len;
  __u32 pkt_type;
  __u32 mark;
  __u32 queue_mapping;
  __u32 protocol;
  __u32 vlan_present;
  __u32 vlan_tci;
  __u32 vlan_proto;
  __u32 priority;
  __u32 ingress_ifindex;
  __u32 ifindex;
  __u32 tc_index;
  __u32 cb[5];
  __u32 hash;
  __u32 tc_classid;
  __u32 data;
  __u32 data_end;
  __u32 napi_id;
  __u32 family;
  __u32 remote_ip4;
  __u32 local_ip4;
  __u32 remote_ip6[4];
  __u32 local_ip6[4];
  __u32 remote_port;
  __u32 local_port;
  __u32 data_meta;
  __u64 flow_keys;
  __u64 tstamp;
  __u32 wire_len;
  __u32 gso_segs;
  union {
    struct bpf_sock *sk;
    __u64 sk_padding;
  };
};

#endif
