// XML 1.0 documents as JSON: elements, attributes and text; comments, instructions and CDATA sections are skipped.
#include <array>
#include <charconv>
#include <map>
#include <string>
#include <vector>

#include "base/core/encoding.h"
#include "kql/native_families.h"
#include "native_json.h"

namespace picket::kql {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool ends_name(char c) {
  return is_blank(c) || c == '/' || c == '>' || c == '<' || c == '=' || c == '"' || c == '\'' || c == '&';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// What an element holds, by key, in the order in which the keys came.
class Content {
 public:
  /// False: an attribute of that name is there already.
  bool add_attribute(std::string_view name, std::string_view value) {
    return add("@" + std::string(name), json_text(value)) == 1;
  }
  void add_text(std::string_view value) { add("#text", json_text(value)); }
  void add_element(std::string_view name, std::string json) { add(std::string(name), std::move(json)); }

  /// `closed`: written <e/>, which is null and not ''.
  [[nodiscard]] std::string json(bool closed) const {
    if (keys_.empty()) return closed ? "null" : "\"\"";
    if (keys_.size() == 1 && keys_[0] == "#text" && values_[0].size() == 1) return values_[0][0];
    std::string out = "{";
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (i > 0) out += ',';
      out += json_text(keys_[i]) + ":";
      out += values_[i].size() == 1 ? values_[i][0] : json_array(values_[i]);
    }
    return out + "}";
  }

 private:
  std::size_t add(std::string key, std::string json) {
    const auto [at, fresh] = places_.emplace(key, keys_.size());
    if (fresh) {
      keys_.push_back(std::move(key));
      values_.emplace_back();
    }
    values_[at->second].push_back(std::move(json));
    return values_[at->second].size();
  }

  std::vector<std::string> keys_;
  std::vector<std::vector<std::string>> values_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::optional<std::string> document() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    if (!skip_around() || !rest_.starts_with('<')) return std::nullopt;
    std::string name;
    auto json = element(name, 0);
    if (!json || !skip_around() || !rest_.empty()) return std::nullopt;
    return "{" + json_text(name) + ":" + *json + "}";
  }

 private:
  bool skip_past(std::string_view end) {
    const auto at = rest_.find(end);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at + end.size());
    return true;
  }
  /// Past one piece that is no element and no text. False: broken; `found` says whether there was one.
  bool skip_piece(bool& found) {
    found = true;
    if (rest_.starts_with("<!--")) return rest_.remove_prefix(4), skip_past("-->");
    if (rest_.starts_with("<?")) return skip_past("?>");
    if (rest_.starts_with("<![CDATA[")) return skip_past("]]>");
    found = false;
    return true;
  }
  /// Blanks, comments, instructions and a document type without declarations of its own.
  bool skip_around() {
    for (;;) {
      while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
      if (rest_.starts_with("<![CDATA[")) return false;
      bool found = false;
      if (rest_.starts_with("<!DOCTYPE")) {
        const auto end = rest_.find('>');
        if (end == std::string_view::npos || rest_.substr(0, end).contains('[')) return false;
        rest_.remove_prefix(end + 1);
        continue;
      }
      if (!skip_piece(found)) return false;
      if (!found) return true;
    }
  }
  std::optional<std::string_view> name() {
    std::size_t end = 0;
    while (end < rest_.size() && !ends_name(rest_[end])) ++end;
    const auto out = rest_.substr(0, end);
    const auto first = out.empty() ? '\0' : out.front();
    const bool starts = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_' ||
                        first == ':' || static_cast<unsigned char>(first) >= 0x80;
    if (!starts) return std::nullopt;
    rest_.remove_prefix(end);
    return out;
  }
  /// The text with its references replaced. nullopt: one is unknown.
  static std::optional<std::string> unescape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const auto amp = std::min(text.find('&'), text.size());
      out += text.substr(0, amp);
      text.remove_prefix(amp);
      if (text.empty()) break;
      const auto end = text.find(';');
      if (end == std::string_view::npos || end > 12) return std::nullopt;
      const auto one = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
      if (one.starts_with('#')) {
        if (!append_character(out, one.substr(1))) return std::nullopt;
        continue;
      }
      constexpr std::array<std::pair<std::string_view, char>, 5> kKnown = {
          {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};
      bool known = false;
      for (const auto& [word, character] : kKnown) {
        if (one != word) continue;
        out += character;
        known = true;
      }
      if (!known) return std::nullopt;
    }
    return out;
  }
  static bool append_character(std::string& out, std::string_view digits) {
    const bool hex = digits.starts_with('x');
    if (hex) digits.remove_prefix(1);
    std::uint32_t one = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), one, hex ? 16 : 10);
    if (error != std::errc{} || end != digits.data() + digits.size() || one > 0x10FFFF ||
        (one < 0x20 && one != 9 && one != 10 && one != 13) || (one >= 0xD800 && one < 0xE000)) {
      return false;
    }
    const auto byte = [&](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
    if (one < 0x80) {
      byte(one);
    } else if (one < 0x800) {
      byte(0xC0U | one >> 6U);
      byte(0x80U | (one & 0x3FU));
    } else if (one < 0x10000) {
      byte(0xE0U | one >> 12U);
      byte(0x80U | (one >> 6U & 0x3FU));
      byte(0x80U | (one & 0x3FU));
    } else {
      byte(0xF0U | one >> 18U);
      byte(0x80U | (one >> 12U & 0x3FU));
      byte(0x80U | (one >> 6U & 0x3FU));
      byte(0x80U | (one & 0x3FU));
    }
    return true;
  }
  bool attributes(Content& content) {
    for (;;) {
      const bool blank = !rest_.empty() && is_blank(rest_.front());
      while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
      if (rest_.empty()) return false;
      if (rest_.front() == '>' || rest_.front() == '/') return true;
      const auto key = blank ? name() : std::nullopt;
      if (!key) return false;
      while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
      if (!rest_.starts_with('=')) return false;
      rest_.remove_prefix(1);
      while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
      if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\'')) return false;
      const auto end = rest_.find(rest_.front(), 1);
      if (end == std::string_view::npos || rest_.substr(0, end).contains('<')) return false;
      const auto value = unescape(rest_.substr(1, end - 1));
      rest_.remove_prefix(end + 1);
      if (!value || !content.add_attribute(*key, *value)) return false;
    }
  }
  /// At '<'.
  std::optional<std::string> element(std::string& out_name, std::size_t depth) {
    if (depth >= kXmlDepthMax) return std::nullopt;
    rest_.remove_prefix(1);
    const auto own = name();
    Content content;
    if (!own || !attributes(content)) return std::nullopt;
    out_name = *own;
    if (rest_.starts_with("/>")) {
      rest_.remove_prefix(2);
      return content.json(true);
    }
    if (!rest_.starts_with('>')) return std::nullopt;
    rest_.remove_prefix(1);
    for (;;) {
      const auto open = rest_.find('<');
      if (open == std::string_view::npos) return std::nullopt;
      const auto text = unescape(trimmed(rest_.substr(0, open)));
      if (!text) return std::nullopt;
      if (!text->empty()) content.add_text(*text);
      rest_.remove_prefix(open);
      if (rest_.starts_with("</")) break;
      bool found = false;
      if (!skip_piece(found)) return std::nullopt;
      if (found) continue;
      std::string child;
      auto json = element(child, depth + 1);
      if (!json) return std::nullopt;
      content.add_element(child, std::move(*json));
    }
    rest_.remove_prefix(2);
    if (!rest_.starts_with(*own)) return std::nullopt;
    rest_.remove_prefix(own->size());
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    if (!rest_.starts_with('>')) return std::nullopt;
    rest_.remove_prefix(1);
    return content.json(false);
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::string> parse_xml(std::string_view text) {
  if (text.size() > kXmlBytesMax || !is_utf8(text)) return std::nullopt;
  return Reader(text).document();
}

}  // namespace picket::kql
