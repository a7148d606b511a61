// A container's file in place of its C library.
#include <cstdlib>

#include "tests/elf_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::agent;
  ElfText file{std::string(reinterpret_cast<const char*>(data), size)};
  const bool wide = function_offset(file, 8, "getaddrinfo").has_value();
  if (wide && function_offset(file, 4, "getaddrinfo")) std::abort();  // a file has one width
  if (!wide && function_offset(file, 8, "getaddrinfo")) std::abort();
  return 0;
}
