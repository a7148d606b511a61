#include "return_memory.h"

#include <cstdint>

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

// Made by the linker: everything before the end of the code is a private, never written mapping of the file.
extern "C" const char __executable_start[], etext[];

namespace picket::agent {

void return_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(__executable_start) & ~(page - 1);
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(etext) & ~(page - 1);
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace picket::agent
