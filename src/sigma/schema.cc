#include "schema.h"

#include <algorithm>
#include <array>
#include <utility>

namespace picket::sigma {
namespace {

constexpr std::size_t kTitleBytesMax = 4 * 256;  ///< 256 characters of UTF-8.

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80; }));
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (const std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (!is_digit(text[i])) return false;
  }
  const int month = (text[5] - '0') * 10 + text[6] - '0';
  const int day = (text[8] - '0') * 10 + text[9] - '0';
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/// ^[a-z0-9_-]+\.[a-z0-9._-]+$
bool is_tag(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == 0 || point == std::string_view::npos || point + 1 == text.size()) return false;
  return std::ranges::all_of(
      text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '.'; });
}

/// A text with at most so many characters; absent: empty.
std::string optional_text(const YamlNode& map, const char* name, std::size_t characters_max) {
  const YamlNode* node = map.find(name);
  if (node == nullptr || node->is_null()) return {};
  const std::string& text = text_of(*node, name);
  if (characters(text) > characters_max) {
    refuse(*node, std::string(name) + " has more than " + std::to_string(characters_max) + " characters",
           "Shorten it.");
  }
  return text;
}

std::vector<std::string> optional_texts(const YamlNode& map, const char* name, std::size_t characters_min) {
  const YamlNode* node = map.find(name);
  if (node == nullptr || node->is_null()) return {};
  std::vector<std::string> out = texts_of(*node, name);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (characters(out[i]) < characters_min) {
      refuse(*node->items[i], std::string(name) + ": '" + out[i] + "' is too short",
             "At least " + std::to_string(characters_min) + " characters.");
    }
  }
  return out;
}

void check_uuid(const YamlNode& map, const std::string& path) {
  const YamlNode* node = map.find("id");
  if (node != nullptr && !is_uuid(text_of(*node, path))) {
    refuse(*node, path + " '" + node->text + "' is not a UUID",
           "Write one such as 0e95725d-7320-415d-80f7-004da920fc11.");
  }
}

void check_date(const YamlNode& map, const char* name) {
  const YamlNode* node = map.find(name);
  if (node != nullptr && !is_date(text_of(*node, name))) {
    refuse(*node, std::string(name) + " '" + node->text + "' is not a date", "Write it as YYYY-MM-DD.");
  }
}

template <std::size_t N>
std::size_t one_of(const YamlNode& map, const char* name, const std::array<std::string_view, N>& words) {
  const YamlNode* node = map.find(name);
  if (node == nullptr || node->is_null()) return N;
  const std::string& text = text_of(*node, name);
  const auto found = std::ranges::find(words, text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string all;
  for (const auto word : words) all += (all.empty() ? "" : ", ") + std::string(word);
  refuse(*node, std::string(name) + " '" + text + "' is unknown", "Use one of " + all + ".");
}

constexpr std::array<std::string_view, 5> kStatuses{"stable", "test", "experimental", "deprecated", "unsupported"};
constexpr std::array<std::string_view, 5> kLevels{"informational", "low", "medium", "high", "critical"};
constexpr std::array<std::string_view, 6> kRelations{"correlation", "derived", "obsolete",
                                                     "merged",      "renamed", "similar"};

void check_related(const YamlNode& document) {
  const YamlNode* related = document.find("related");
  if (related == nullptr || related->is_null()) return;
  if (!related->is_list()) refuse(*related, "related is not a list", "List entries of id and type.");
  for (const auto& entry : related->items) {
    member(*entry, "id", "related.id");
    check_uuid(*entry, "related.id");
    member(*entry, "type", "related.type");
    one_of(*entry, "type", kRelations);
  }
}

}  // namespace

void refuse(const YamlNode& node, std::string what, std::string advice) {
  throw YamlFault{node.line, std::move(what), std::move(advice)};
}

const std::string& text_of(const YamlNode& node, std::string_view path) {
  if (!node.is_scalar()) refuse(node, std::string(path) + " is not a text", "Write a text here.");
  return node.text;
}

const YamlNode& member(const YamlNode& map, std::string_view name, std::string_view path) {
  if (!map.is_map()) refuse(map, "a map with '" + std::string(name) + "' is expected here", "Write key: value.");
  const YamlNode* found = map.find(name);
  if (found == nullptr) refuse(map, std::string(path) + " is missing", "Add it.");
  return *found;
}

std::vector<std::string> texts_of(const YamlNode& node, std::string_view path) {
  if (!node.is_list()) refuse(node, std::string(path) + " is not a list", "Write each entry behind '- '.");
  std::vector<std::string> out;
  for (const auto& item : node.items) {
    const std::string& text = text_of(*item, path);
    if (std::ranges::find(out, text) != out.end()) {
      refuse(*item, std::string(path) + ": '" + text + "' stands there twice", "Keep one.");
    }
    out.push_back(text);
  }
  return out;
}

bool truth_of(const YamlNode& node, std::string_view path) {
  const std::string text = folded(text_of(node, path));
  if (text != "true" && text != "false")
    refuse(node, std::string(path) + " '" + node.text + "' is neither true nor false", "Write true or false.");
  return text == "true";
}

void only_keys(const YamlNode& map, std::string_view path, std::initializer_list<std::string_view> known) {
  for (const auto& [key, line] : map.keys) {
    if (std::ranges::find(known, key) != known.end()) continue;
    std::string all;
    for (const auto word : known) all += (all.empty() ? "" : ", ") + std::string(word);
    throw YamlFault{line, std::string(path) + ": '" + key + "' is not supported", "There are " + all + "."};
  }
}

DocumentKind kind_of(const YamlNode& document) {
  if (!document.is_map()) refuse(document, "the document is not a map", "A Sigma document begins with 'title: …'.");
  if (document.find("action") != nullptr) {
    refuse(document, "'action' is not supported: rule collections are no longer part of Sigma",
           "Write each rule out, or use a filter.");
  }
  const bool rule = document.find("detection") != nullptr;
  const bool correlation = document.find("correlation") != nullptr;
  const bool filter = document.find("filter") != nullptr;
  if (rule + correlation + filter != 1) {
    refuse(document, "the document has not exactly one of detection, correlation, filter",
           "A document is one rule, one correlation or one filter.");
  }
  return rule ? DocumentKind::rule : correlation ? DocumentKind::correlation : DocumentKind::filter;
}

Head read_head(const YamlNode& document, DocumentKind kind, const std::string& file) {
  Head out;
  out.file = file;
  out.line = document.line;
  member(document, "title", "title");
  out.title = optional_text(document, "title", kTitleBytesMax / 4);
  if (out.title.empty()) refuse(document, "title is empty", "Say what the rule detects.");
  check_uuid(document, "id");
  check_date(document, "date");
  check_date(document, "modified");
  out.id = optional_text(document, "id", 64);
  out.name = optional_text(document, "name", 256);
  out.description = optional_text(document, "description", 65'535);
  out.author = optional_text(document, "author", 4'096);
  out.license = optional_text(document, "license", 256);
  out.alert = optional_text(document, "alert", 128);
  optional_text(document, "taxonomy", 256);
  if (const std::size_t status = one_of(document, "status", kStatuses); status < kStatuses.size())
    out.status = kStatuses[status];
  if (const std::size_t level = one_of(document, "level", kLevels); level < kLevels.size()) {
    out.level = static_cast<Level>(level + 1);
  }
  if (out.status == "unsupported")
    refuse(document, "the rule says itself that it is unsupported (status)", "Nothing: it cannot be used as it is.");
  out.references = optional_texts(document, "references", 0);
  out.fields = optional_texts(document, "fields", 0);
  optional_texts(document, "scope", 2);
  const YamlNode* positives = document.find("falsepositives");
  if (kind == DocumentKind::correlation && positives != nullptr && positives->is_scalar()) {
    out.false_positives = {positives->text};
  } else {
    out.false_positives = optional_texts(document, "falsepositives", 2);
  }
  out.tags = optional_texts(document, "tags", 0);
  for (std::size_t i = 0; i < out.tags.size(); ++i) {
    if (!is_tag(out.tags[i])) {
      refuse(*document.find("tags")->items[i], "the tag '" + out.tags[i] + "' has not the form namespace.name",
             "Use lower-case letters, digits, '_', '-' and a dot.");
    }
  }
  check_related(document);
  return out;
}

LogSource read_source(const YamlNode& document) {
  const YamlNode& source = member(document, "logsource", "logsource");
  if (!source.is_map()) refuse(source, "logsource is not a map", "Write category, product or service below it.");
  LogSource out{optional_text(source, "category", 256), optional_text(source, "product", 256),
                optional_text(source, "service", 256)};
  if (out == LogSource{}) refuse(source, "logsource names neither category, product nor service", "Name at least one.");
  return out;
}

}  // namespace picket::sigma
