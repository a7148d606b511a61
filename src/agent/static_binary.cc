// What a static glibc binary would drag in without being used. Each definition here takes the place of a library's
// object file, so that the linker leaves that file, and all it needs, away. Measured in the README.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <initializer_list>

#include <ext/atomicity.h>
#include <mbedtls/certs.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <netdb.h>
#include <unistd.h>

// The default handler prints the exception's demangled name: 90 KB for a program without exceptions.
namespace __gnu_cxx {
[[noreturn]] void __verbose_terminate_handler();
void __verbose_terminate_handler() { std::abort(); }
}  // namespace __gnu_cxx

// libstdc++ would throw where a container's invariant breaks; without exceptions that ends the process anyway, and the
// real ones translate their texts.
namespace std {
[[noreturn]] void __throw_bad_alloc();
void __throw_bad_alloc() { abort(); }
[[noreturn]] void __throw_bad_array_new_length();
void __throw_bad_array_new_length() { abort(); }
[[noreturn]] void __throw_bad_cast();
void __throw_bad_cast() { abort(); }
[[noreturn]] void __throw_bad_exception();
void __throw_bad_exception() { abort(); }
[[noreturn]] void __throw_bad_typeid();
void __throw_bad_typeid() { abort(); }
[[noreturn]] void __throw_logic_error(const char*);
void __throw_logic_error(const char*) { abort(); }
[[noreturn]] void __throw_domain_error(const char*);
void __throw_domain_error(const char*) { abort(); }
[[noreturn]] void __throw_invalid_argument(const char*);
void __throw_invalid_argument(const char*) { abort(); }
[[noreturn]] void __throw_length_error(const char*);
void __throw_length_error(const char*) { abort(); }
[[noreturn]] void __throw_out_of_range(const char*);
void __throw_out_of_range(const char*) { abort(); }
[[noreturn]] void __throw_runtime_error(const char*);
void __throw_runtime_error(const char*) { abort(); }
[[noreturn]] void __throw_range_error(const char*);
void __throw_range_error(const char*) { abort(); }
[[noreturn]] void __throw_overflow_error(const char*);
void __throw_overflow_error(const char*) { abort(); }
[[noreturn]] void __throw_underflow_error(const char*);
void __throw_underflow_error(const char*) { abort(); }
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...);
void __throw_out_of_range_fmt(const char*, ...) { abort(); }
[[noreturn]] void __throw_bad_function_call();
void __throw_bad_function_call() { abort(); }
void terminate() noexcept { abort(); }
}  // namespace std

#if defined(__riscv)
// Inline elsewhere; the object file with these can also throw.
namespace __gnu_cxx {
_Atomic_word __exchange_and_add(volatile _Atomic_word* value, int add) noexcept {
  return __atomic_fetch_add(value, add, __ATOMIC_ACQ_REL);
}
void __atomic_add(volatile _Atomic_word* value, int add) noexcept { __atomic_fetch_add(value, add, __ATOMIC_ACQ_REL); }
}  // namespace __gnu_cxx
#endif

// The real ones throw, which brings the unwinder: 27 KB.
void* operator new(std::size_t bytes) {
  void* const block = std::malloc(bytes > 0 ? bytes : 1);
  if (block == nullptr) std::abort();
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

extern "C" {

int __cxa_guard_acquire(std::uint64_t* guard);
void __cxa_guard_release(std::uint64_t* guard);
void __cxa_guard_abort(std::uint64_t*);

// Translated texts: message catalogues, character sets, locales and the dynamic loader. The loader's own errors ask
// here.
char* __dcgettext(const char*, const char* text, int);
char* __dcgettext(const char*, const char* text, int) { return const_cast<char*>(text); }
char* __strerror_r(int error, char*, size_t);
char* __strerror_r(int error, char*, size_t) { return strerror(error); }

// getifaddrs() has each netlink answer looked at: glibc aborts with a text when the descriptor was closed under it. It
// fails by itself when an answer is an error.
void __netlink_assert_response(int, ssize_t);
void __netlink_assert_response(int, ssize_t) {}

// Steps between the C locale's characters and wide ones. The locale's tables point to it, nobody reads it, and it
// stands for character sets, their configuration and the dynamic loader: 150 KB.
extern const char __wcsmbs_gconv_fcts_c[64] = {};

// Local statics: the program has one thread. The real guards throw.
int __cxa_guard_acquire(std::uint64_t* guard) { return *reinterpret_cast<char*>(guard) == 0 ? 1 : 0; }
void __cxa_guard_release(std::uint64_t* guard) { *reinterpret_cast<char*>(guard) = 1; }
void __cxa_guard_abort(std::uint64_t*) {}
int __gxx_personality_v0();
int __gxx_personality_v0() { std::abort(); }

// c-ares asks for names of services only when it is given one; the agent never does. The real ones bring glibc's name
// service with its plug-ins, DNS and dynamic loader.
servent* getservbyname(const char*, const char*) { return nullptr; }
int getservbyname_r(const char*, const char*, servent*, char*, size_t, servent** result) {
  *result = nullptr;
  return 0;
}
int getservbyport_r(int, const char*, servent*, char*, size_t, servent** result) {
  *result = nullptr;
  return 0;
}

// c-ares compares names of hosts. glibc has six versions of each, for locales and generations of processors: 45 KB.
int strncasecmp(const char* a, const char* b, size_t length) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : static_cast<unsigned char>(c); };
  for (; length > 0; ++a, ++b, --length) {
    if (lower(*a) != lower(*b) || *a == '\0') return lower(*a) - lower(*b);
  }
  return 0;
}
int strcasecmp(const char* a, const char* b) { return strncasecmp(a, b, SIZE_MAX); }

// The agent is never a TLS server.
int mbedtls_ssl_handshake_server_step(mbedtls_ssl_context*) { return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE; }

// Certificates of mbedTLS's self test: 54 KB.
const char* mbedtls_test_ca_crt = "";
extern const size_t mbedtls_test_ca_crt_len = 0;
const char* mbedtls_test_cli_crt = "";
extern const size_t mbedtls_test_cli_crt_len = 0;

// glibc's texts of errors and assertions are translated, which takes message catalogues, character sets and the dynamic
// loader.
char* strerror(int error) {
  const char* text = strerrordesc_np(error);
  static char unknown[] = "unknown error";
  return text == nullptr ? unknown : const_cast<char*>(text);
}
[[noreturn]] void __assert_fail(const char* expression, const char* file, unsigned, const char*) {
  for (const char* part : {file, ": assertion failed: ", expression, "\n"}) {
    if (::write(2, part, std::strlen(part)) < 0) break;
  }
  std::abort();
}

// A pure virtual function that is called ends the program; libstdc++'s asks its handlers and the unwinder first.
// glibc's clean-up code names the unwinder too, whose tables this program has not: 27 KB with both.
[[noreturn]] void __cxa_pure_virtual();
void __cxa_pure_virtual() { std::abort(); }
[[noreturn]] void _Unwind_Resume(void*);
void _Unwind_Resume(void*) { std::abort(); }
int __gcc_personality_v0();
int __gcc_personality_v0() { std::abort(); }
#if defined(__arm__)
// What every object file of 32-bit ARM names for its unwinding.
[[noreturn]] void __aeabi_unwind_cpp_pr0();
void __aeabi_unwind_cpp_pr0() { std::abort(); }
[[noreturn]] void __aeabi_unwind_cpp_pr1();
void __aeabi_unwind_cpp_pr1() { std::abort(); }
[[noreturn]] void __aeabi_unwind_cpp_pr2();
void __aeabi_unwind_cpp_pr2() { std::abort(); }
#endif

// Where dlopen() would search; nothing is loaded here, but glibc's start code prepares for it: 16 KB.
void _dl_init_paths(const char*, const char*, const char*, const char*);
void _dl_init_paths(const char*, const char*, const char*, const char*) {}

// mbedTLS asks for the broken-down time of certificates; glibc's gmtime_r reads time zones, with scanf and all its
// number formats. Both functions of that object file have to be here.
void mbedtls_platform_zeroize(void* bytes, size_t length) { ::explicit_bzero(bytes, length); }
struct tm* mbedtls_platform_gmtime_r(const mbedtls_time_t* time, struct tm* out) {
  constexpr std::int64_t kDaySeconds = 86'400;
  std::int64_t days = *time / kDaySeconds, rest = *time % kDaySeconds;
  if (rest < 0) {
    rest += kDaySeconds;
    --days;
  }
  // Days since 0000-03-01 in the proleptic Gregorian calendar; a year that begins in March ends with its leap day.
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t of_era = days - era * 146'097;
  const std::int64_t year_of_era = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;  // 0 is March
  *out = {};
  out->tm_mday = static_cast<int>(of_year - (153 * month + 2) / 5 + 1);
  out->tm_mon = static_cast<int>(month < 10 ? month + 2 : month - 10);
  out->tm_year = static_cast<int>(year_of_era + era * 400 + (month < 10 ? 0 : 1) - 1'900);
  out->tm_hour = static_cast<int>(rest / 3'600);
  out->tm_min = static_cast<int>(rest / 60 % 60);
  out->tm_sec = static_cast<int>(rest % 60);
  return out;
}

}  // extern "C"
