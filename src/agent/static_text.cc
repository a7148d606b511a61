// Characters and numbers of the static binary, for c-ares; takes the place of glibc's objects as static_binary.cc does.
#include <cstdlib>

#include <langinfo.h>

#include "small_text.h"

namespace {

constexpr auto kClasses = picket::agent::character_classes();
constexpr auto kLower = picket::agent::lower_case();
const std::uint16_t* const kClassOf = kClasses.data() - picket::agent::kCharacterFirst;
const std::int32_t* const kLowerOf = kLower.data() - picket::agent::kCharacterFirst;

}  // namespace

extern "C" {

// libstdc++ asks for the decimal point of a double's text.
char* nl_langinfo(nl_item) {
  static char point[] = ".";
  return point;
}

// glibc's start code calls it for each thread's table.
void __ctype_init();
void __ctype_init() {}
const unsigned short** __ctype_b_loc() { return const_cast<const unsigned short**>(&kClassOf); }
const __int32_t** __ctype_tolower_loc() { return const_cast<const __int32_t**>(&kLowerOf); }
int tolower(int c) noexcept { return c >= picket::agent::kCharacterFirst && c < 256 ? kLowerOf[c] : c; }

long strtol(const char* text, char** end, int base) { return picket::agent::read_integer<long>(text, end, base); }
unsigned long strtoul(const char* text, char** end, int base) {
  return picket::agent::read_integer<unsigned long>(text, end, base);
}

}  // extern "C"
