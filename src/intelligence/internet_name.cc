#include "internet_name.h"

#include <algorithm>

#include <idn2.h>

#include "intelligence/observable.h"

namespace picket::intelligence {
namespace {

constexpr std::size_t kNameBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;

/// UTS #46, as browsers do it.
std::optional<std::string> to_ascii(const std::string& name) {
  char* out = nullptr;
  if (::idn2_to_ascii_8z(name.c_str(), &out, IDN2_NONTRANSITIONAL) != IDN2_OK) return std::nullopt;
  std::string text(out);
  ::idn2_free(out);
  return text;
}

}  // namespace

std::optional<std::string> internet_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 4 * kNameBytesMax || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::string name = lower(text);
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    auto ascii = to_ascii(name);
    if (!ascii) return std::nullopt;
    name = *std::move(ascii);
  }
  if (name.size() > kNameBytesMax) return std::nullopt;
  std::size_t label = 0;
  for (const char c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (c == '.' ? label == 0 : !fits) return std::nullopt;
    label = c == '.' ? 0 : label + 1;
    if (label > kLabelBytesMax) return std::nullopt;
  }
  if (label == 0) return std::nullopt;
  return name;
}

}  // namespace picket::intelligence
