#include "sbom/metadata.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace picket::agent {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text.substr(0, Package::kTextMax);
}

/// Reads JSON from front to back without a tree; a failed read ends all.
class JsonScanner {
 public:
  static constexpr int kDepthMax = 64;

  explicit JsonScanner(std::string_view text) : text_(text) {}

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  /// A string; its first kTextMax bytes in `out`. Escapes beyond one letter become "?".
  bool string(std::string& out) {
    out.clear();
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return true;
      if (c == '\\') {
        if (at_ >= text_.size()) return false;
        const char letter = text_[at_++];
        c = letter == '"' || letter == '\\' || letter == '/' ? letter : '?';
      }
      if (out.size() < Package::kTextMax) out += c;
    }
    return false;
  }

  /// Any value. Brackets are counted, not matched by kind: a file that is wrong there is nobody's installed package.
  bool skip_value() {
    int depth = 0;
    do {
      const char c = peek();
      if (c == '\0') return false;
      if (c == '"') {
        std::string ignored;
        if (!string(ignored)) return false;
      } else if (c == '{' || c == '[') {
        if (++depth > kDepthMax) return false;
        ++at_;
      } else if (c == '}' || c == ']') {
        if (depth-- == 0) return false;
        ++at_;
      } else if (c == ',' || c == ':') {
        if (depth == 0) return false;
        ++at_;
      } else {
        while (at_ < text_.size() && std::string_view(",:{}[]\" \t\r\n").find(text_[at_]) == std::string_view::npos)
          ++at_;
      }
    } while (depth > 0);
    return true;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n'))
      ++at_;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<Package> parse_python_metadata(std::string_view text) {
  Package out{.type = "pypi"};
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty() || line == "\r") break;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.front() == ' ') continue;
    const auto key = line.substr(0, colon), value = trim(line.substr(colon + 1));
    if (key == "Name" && out.name.empty()) out.name = value;
    if (key == "Version" && out.version.empty()) out.version = value;
    if ((key == "Author" || key == "Author-email" || key == "Maintainer") && out.vendor.empty() && value != "UNKNOWN") {
      out.vendor = value;
    }
  }
  if (out.name.empty() || out.version.empty()) return std::nullopt;
  return out;
}

std::optional<Package> parse_package_json(std::string_view text) {
  JsonScanner in(text);
  Package out{.type = "npm"};
  const auto found = [&] { return !out.name.empty() && !out.version.empty(); };
  if (!in.take('{')) return std::nullopt;
  std::string key, ignored;
  while (in.peek() == '"') {
    if (!in.string(key) || !in.take(':')) break;
    std::string* const target = key == "name"      ? &out.name
                                : key == "version" ? &out.version
                                : key == "author"  ? &out.vendor
                                                   : nullptr;
    // An author may be an object; then its name is left out.
    if (target != nullptr && target->empty() && in.peek() == '"') {
      if (!in.string(*target)) {
        target->clear();  // cut off
        break;
      }
    } else if (!in.skip_value()) {
      break;
    }
    if (!in.take(',')) break;
  }
  if (!found()) return std::nullopt;
  return out;
}

std::string_view version_behind(std::string_view piece, std::string_view mark) {
  for (auto at = piece.find(mark); at != std::string_view::npos; at = piece.find(mark, at + 1)) {
    auto rest = piece.substr(at + mark.size());
    std::size_t length = 0;
    while (length < rest.size() && length < 48 &&
           ((rest[length] >= '0' && rest[length] <= '9') || (rest[length] >= 'a' && rest[length] <= 'z') ||
            (rest[length] >= 'A' && rest[length] <= 'Z') || rest[length] == '.' || rest[length] == '-' ||
            rest[length] == '_')) {
      ++length;
    }
    if (length > 0 && rest[0] >= '0' && rest[0] <= '9') return rest.substr(0, length);
  }
  return {};
}

}  // namespace picket::agent
