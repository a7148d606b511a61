#include "text.h"

#include <algorithm>

#include "base/core/encoding.h"

namespace picket::mqtt {
namespace {

bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return true;
    // U+0080 to U+009F in UTF-8; the text is valid, so a byte follows.
    if (c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
  }
  return false;
}

bool wildcards_stand_alone(std::string_view filter) {
  while (true) {
    const auto slash = filter.find('/');
    const auto level = filter.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    if (level.find('#') != std::string_view::npos && (level.size() != 1 || !last)) return false;
    if (level.find('+') != std::string_view::npos && level.size() != 1) return false;
    if (last) return true;
    filter.remove_prefix(slash + 1);
  }
}

Result<> check_name(std::string_view text, std::string_view where) {
  if (text.empty()) return fail(Errc::malformed, where);
  TRY_VOID(check_text(text, where));
  if (has_control_character(text)) return fail(Errc::malformed, where);
  return {};
}

}  // namespace

Result<> check_text(std::string_view text, std::string_view where) {
  if (text.find('\0') != std::string_view::npos || !is_utf8(text)) return fail(Errc::malformed, where);
  return {};
}

Result<> check_topic(std::string_view topic, bool literal_wildcards, std::string_view where) {
  TRY_VOID(check_name(topic, where));
  if (!literal_wildcards && topic.find_first_of("#+") != std::string_view::npos) return fail(Errc::malformed, where);
  return {};
}

Result<> check_filter(std::string_view filter, bool literal_wildcards, std::string_view where) {
  TRY_VOID(check_name(filter, where));
  if (!literal_wildcards && !wildcards_stand_alone(filter)) return fail(Errc::malformed, where);
  return {};
}

}  // namespace picket::mqtt
