// Claim: what is read as an observable is the same thing again when its text is read, has a bounded key, and its parts
// are well formed.
#include <cstdlib>

#include "base/core/bytes.h"
#include "intelligence/matcher.h"
#include "intelligence/observable.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::intelligence;
  const auto text = as_text(std::as_bytes(std::span(data, size)));
  if (const auto what = parse_observable(text)) {
    if (what->key.empty() || what->key.size() > kKeyBytesMax) std::abort();
    const std::string plain = to_text(*what);
    const auto again = what->kind == Kind::url ? parse_url("http://" + plain) : parse_as(what->kind, plain);
    // Digests of one length have several kinds; a port that was said stays, also where it is some scheme's own.
    if (what->kind == Kind::url) {
      if (path_of(*what).empty() || path_of(*what).front() != '/') std::abort();
      if (again && path_of(*again) != path_of(*what)) std::abort();
    } else if (!again || *again != *what) {
      std::abort();
    }
  }
  for (const Observable& url : urls_in(text)) {
    if (url.kind != Kind::url || url.key.find('/') == std::string::npos) std::abort();
  }
  return 0;
}
