#include "support/bpf_counts.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace picket::agent {

bool BpfCounts::take_one(void* key, void* value) const {
  // A place may make room for another one in between: then the next first one is asked for.
  for (int attempt = 0; attempt < 16; ++attempt) {
    bpf_attr attr{};
    attr.map_fd = static_cast<std::uint32_t>(fd_);
    attr.next_key = reinterpret_cast<std::uintptr_t>(key);
    if (syscall(__NR_bpf, BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr)) != 0) return false;
    attr.key = reinterpret_cast<std::uintptr_t>(key);
    attr.value = reinterpret_cast<std::uintptr_t>(value);
    if (syscall(__NR_bpf, BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr, sizeof(attr)) == 0) return true;
  }
  return false;
}

}  // namespace picket::agent
