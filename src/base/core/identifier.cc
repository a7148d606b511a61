#include "base/core/identifier.h"

#include <algorithm>

namespace picket {

bool is_identifier(std::string_view id) {
  constexpr std::string_view kSpecial = "-.%_#*?!(),:=@$'+";
  return !id.empty() && id.size() <= kIdentifierBytesMax && std::ranges::all_of(id, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kSpecial.contains(c);
  });
}

}  // namespace picket
