#include "process/tracepoint_format.h"

#include <algorithm>
#include <charconv>

namespace picket::agent {

std::optional<TracepointField> tracepoint_field(std::string_view format, std::string_view name) {
  const auto number_after = [](std::string_view line, std::string_view key) -> std::optional<std::uint32_t> {
    const auto at = line.find(key);
    std::uint32_t value = 0;
    if (at == std::string_view::npos) return std::nullopt;
    line.remove_prefix(at + key.size());
    if (std::from_chars(line.data(), line.data() + line.size(), value).ec != std::errc{} || value > 0xffff) {
      return std::nullopt;
    }
    return value;
  };
  while (!format.empty()) {
    const auto line = format.substr(0, format.find('\n'));
    format.remove_prefix(std::min(line.size() + 1, format.size()));
    const auto begin = line.find("field:");
    const auto end = line.find(';');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) continue;
    auto field = line.substr(begin, end - begin);  // "field:__data_loc char[] filename"
    field = field.substr(field.find_last_of(" :") + 1);
    if (field != name) continue;
    const auto offset = number_after(line, "offset:"), bytes = number_after(line, "size:");
    if (!offset || !bytes) return std::nullopt;
    return TracepointField{*offset, *bytes};
  }
  return std::nullopt;
}

}  // namespace picket::agent
