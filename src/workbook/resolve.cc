#include "workbook/resolve.h"

#include <algorithm>

#include "base/core/encoding.h"
#include "json_parts.h"
#include "values.h"

namespace picket::workbook {
namespace {

constexpr int kNestingMax = 6;  ///< Of author's texts that refer to further parameters.

struct Reference {
  std::size_t begin = 0, end = 0;  ///< With its braces.
  std::string_view name, format;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

/// The next {name} or {name:format} at or behind `from`.
std::optional<Reference> next_reference(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find('{', from); at != std::string_view::npos; at = text.find('{', at + 1)) {
    std::size_t end = at + 1;
    if (end >= text.size() || !is_letter(text[end])) continue;
    while (end < text.size() && is_name(text[end])) ++end;
    Reference out{.begin = at, .end = 0, .name = text.substr(at + 1, end - at - 1), .format = {}};
    if (end < text.size() && text[end] == ':') {
      const std::size_t close = text.find_first_of("}{\n", end);
      if (close == std::string_view::npos || text[close] != '}' || close - end > 128) continue;
      out.format = text.substr(end + 1, close - end - 1);
      end = close;
    }
    if (end >= text.size() || text[end] != '}') continue;
    out.end = end + 1;
    return out;
  }
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
  std::string out;
  for (const std::string& text : texts) out += (&text == texts.data() ? "" : std::string(between)) + text;
  return out;
}

std::string json_escaped(std::string_view text) {
  const std::string quoted = json::serialize(json::value(text));
  return quoted.substr(1, quoted.size() - 2);
}

std::string last_segment(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// Formats are names without case. Published workbooks misspell one of them and ask for escaping, which every value
/// gets.
std::string_view canonical(std::string_view format) {
  const auto is = [format](std::string_view name) {
    return std::ranges::equal(format, name, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  };
  if (is("label") || is("lable")) return "label";
  return is("escape") ? std::string_view("value") : format;
}

class Weaver {
 public:
  Weaver(const Document& document, const Choices& choices, Timestamp now)
      : document_(document), choices_(choices), now_(now) {}

  std::expected<void, Mistake> weave(std::string_view text, int depth) {
    std::size_t at = 0;
    while (auto found = next_reference(text, at)) {
      found->format = canonical(found->format);
      if (!known(found->name)) {
        put(text.substr(at, found->begin + 1 - at));
        at = found->begin + 1;
        continue;
      }
      put(text.substr(at, found->begin - at));
      if (auto done = value(*found, depth); !done) return done;
      if (out_.size() > kQueryBytesMax)
        return std::unexpected(Mistake{std::string(found->name), "The query is too long with these values."});
      at = found->end;
    }
    put(text.substr(at));
    return {};
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  [[nodiscard]] bool known(std::string_view name) const { return document_.knows(name) || choices_.contains(name); }

  void put(std::string_view text) {
    out_ += text;
    place_.feed(text);
  }

  static std::unexpected<Mistake> mistake(std::string_view name, std::string message) {
    return std::unexpected(Mistake{std::string(name), std::move(message)});
  }

  std::expected<void, Mistake> value(const Reference& reference, int depth) {
    if (depth >= kNestingMax) return mistake(reference.name, "The parameter refers to itself.");
    const Parameter* parameter = document_.parameter(reference.name);
    if (parameter != nullptr && !parameter->criteria.empty()) return criterion(reference, *parameter, depth);
    const auto found = choices_.find(reference.name);
    const bool empty = found == choices_.end() || (found->second.values.empty() && !found->second.is_time());
    if (empty) {
      const bool may_be = parameter != nullptr ? !parameter->required && parameter->kind != ParameterKind::time_range
                                               : list_of(reference.name, nullptr).has_value();
      if (may_be) return {};
      return std::unexpected(Mistake{std::string(reference.name), "Nothing is chosen.", true});
    }
    if (found->second.is_time()) return time(reference, found->second);
    return texts(reference, parameter, found->second, depth);
  }

  // --- time ranges

  std::expected<void, Mistake> time(const Reference& reference, const Choice& choice) {
    const Interval interval = interval_of(choice, now_);
    const std::string_view format = reference.format;
    const bool code = place_.mode() == Place::Mode::code;
    if (format.empty() || format == "value" || format == "query")
      return piece(reference.name, time_condition(choice), code);
    if (format == "grain") return piece(reference.name, grain(interval.to - interval.from), code);
    if (format == "label")
      return piece(reference.name, "Last " + (choice.back ? span_text(*choice.back) : "period"), false);
    const bool start = format == "start" || format == "startISO";
    if (!start && format != "end" && format != "endISO") return unknown_format(reference);
    const std::string text = format_rfc3339(start ? interval.from : interval.to);
    if (code && !is_word(text, out_)) return piece(reference.name, "datetime(" + text + ")", true);
    return piece(reference.name, text, code);
  }

  static std::unexpected<Mistake> unknown_format(const Reference& reference) {
    return mistake(reference.name, "Picket does not know the format \"" + std::string(reference.format) + "\".");
  }

  /// What Picket itself wrote; in code as it stands.
  std::expected<void, Mistake> piece(std::string_view name, const std::string& text, bool code) {
    if (code) {
      put(text);
      return {};
    }
    return quoted(name, text);
  }

  // --- texts

  std::expected<void, Mistake> texts(const Reference& reference, const Parameter* parameter, const Choice& choice,
                                     int depth) {
    const bool whole = reference.format.empty() || reference.format == "value";
    if (const auto form = list_of(reference.name, parameter); whole && form) return list(*form, choice, depth);
    auto text = formatted(reference, choice);
    if (!text) return std::unexpected(text.error());
    if (place_.mode() != Place::Mode::code) {
      const bool once = reference.format == "escapejson" && place_.mode() == Place::Mode::text;
      return quoted(reference.name, once ? joined(choice.values, ",") : *text);
    }
    if (reference.format == "escapejson") text = joined(choice.values, ",");
    return in_code(reference.name, *text, depth);
  }

  std::expected<std::string, Mistake> formatted(const Reference& reference, const Choice& choice) const {
    const std::string_view format = reference.format;
    const std::string whole = joined(choice.values, ",");
    if (format.empty() || format == "value") return whole;
    if (format == "label") return joined(choice.labels.empty() ? choice.values : choice.labels, ", ");
    if (format == "name") {
      std::vector<std::string> names;
      for (const std::string& path : choice.values) names.push_back(last_segment(path));
      return joined(names, ", ");
    }
    if (format == "escapejson") return json_escaped(whole);
    if (format == "base64") return to_base64(as_bytes(whole));
    if (format.starts_with('$')) {
      auto found = at_path(whole, format);
      if (!found)
        return mistake(reference.name,
                       "The value is not JSON, or the path \"" + std::string(format) + "\" is of no known kind.");
      return *std::move(found);
    }
    return unknown_format(reference);
  }

  std::expected<void, Mistake> quoted(std::string_view name, std::string_view text) {
    const auto safe = inside(place_, text);
    if (!safe) return mistake(name, "The value cannot stand in this kind of text literal.");
    put(*safe);
    return {};
  }

  struct List {
    std::string_view name, quote, delimiter;
  };

  /// How several values of that name are written; nullopt: it has one.
  [[nodiscard]] std::optional<List> list_of(std::string_view name, const Parameter* parameter) const {
    if (parameter != nullptr)
      return parameter->several ? std::optional(List{name, parameter->quote, parameter->delimiter}) : std::nullopt;
    const auto found = document_.exports.find(name);
    if (found == document_.exports.end() || !found->second.several) return std::nullopt;
    return List{name, found->second.quote, found->second.delimiter};
  }

  /// 'a','b': literals of their own in code; the same text within a literal.
  std::expected<void, Mistake> list(const List& form, const Choice& choice, int depth) {
    const bool quotes = form.quote == "'" || form.quote == "\"";
    if (place_.mode() != Place::Mode::code) {
      std::string text;
      for (const std::string& value : choice.values) {
        if (!text.empty()) text += form.delimiter;
        ((text += form.quote) += value) += form.quote;
      }
      return quoted(form.name, text);
    }
    if (!quotes && !form.quote.empty()) return mistake(form.name, "Its quote is neither ' nor \".");
    for (std::size_t i = 0; i < choice.values.size(); ++i) {
      if (i > 0) {
        if (auto done = author(form.name, form.delimiter, depth); !done) return done;
      }
      if (quotes) {
        put(literal(choice.values[i], form.quote[0]));
      } else if (auto done = in_code(form.name, choice.values[i], depth); !done) {
        return done;
      }
    }
    return {};
  }

  /// A piece of the query that the workbook's author wrote.
  std::expected<void, Mistake> author(std::string_view name, std::string_view text, int depth) {
    if (auto done = weave(text, depth + 1); !done) return done;
    if (place_.mode() != Place::Mode::code) return mistake(name, "The workbook's text for this value has no end.");
    return {};
  }

  [[nodiscard]] bool is_authors(std::string_view name, std::string_view text) const {
    const auto lists = [text](const auto& texts) { return std::ranges::find(texts, text) != texts.end(); };
    const auto exported = document_.exports.find(name);
    if (exported != document_.exports.end() && lists(exported->second.values)) return true;
    const Parameter* parameter = document_.parameter(name);
    if (parameter == nullptr) return false;
    return lists(parameter->defaults) || parameter->all_value == text ||
           std::ranges::find(parameter->options, text, &Option::value) != parameter->options.end();
  }

  std::expected<void, Mistake> in_code(std::string_view name, const std::string& text, int depth) {
    if (is_authors(name, text)) return author(name, text, depth);
    if (text.empty()) return {};
    if (is_word(text, out_)) {
      put(text);
      return {};
    }
    if (const auto tree = out_.ends_with("dynamic(") ? parse_json(text) : std::nullopt) {
      put(json::serialize(*tree));
      return {};
    }
    return mistake(name,
                   "Outside of quotes only one number or name may stand here, not \"" + text.substr(0, 64) + "\".");
  }

  // --- text parameters that follow from others

  [[nodiscard]] std::string plain(std::string_view name) const {
    const auto found = choices_.find(name);
    return found == choices_.end() ? std::string() : joined(found->second.values, ",");
  }

  [[nodiscard]] std::string expanded(std::string_view text) const {
    std::string out;
    std::size_t at = 0;
    while (const auto found = next_reference(text, at)) {
      out += text.substr(at, found->begin - at);
      out +=
          known(found->name) ? plain(found->name) : std::string(text.substr(found->begin, found->end - found->begin));
      at = found->end;
    }
    return out + std::string(text.substr(at));
  }

  static std::optional<double> as_number(const std::string& text) {
    char* end = nullptr;
    const double out = std::strtod(text.c_str(), &end);
    return text.empty() || end != text.c_str() + text.size() ? std::nullopt : std::optional(out);
  }

  [[nodiscard]] bool holds(const Criterion& criterion) const {
    const std::string& how = criterion.comparison;
    if (how == "Default") return true;
    const std::string left = plain(criterion.left);
    const std::string right = criterion.right_is_parameter ? plain(criterion.right) : expanded(criterion.right);
    if (how == "is Empty" || how == "isEmpty" || how == "is empty") return left.empty();
    if (how == "is not Empty" || how == "isNotEmpty" || how == "is not empty") return !left.empty();
    if (how == "contains") return left.contains(right);
    if (how == "!contains") return !left.contains(right);
    const auto a = as_number(left);
    const auto b = as_number(right);
    const auto order = a && b ? *a <=> *b : std::partial_ordering(left <=> right);
    if (how == "==") return order == 0;
    if (how == "!=") return order != 0;
    if (how == ">") return order > 0;
    if (how == ">=") return order >= 0;
    if (how == "<") return order < 0;
    if (how == "<=") return order <= 0;
    return false;
  }

  std::expected<void, Mistake> criterion(const Reference& reference, const Parameter& parameter, int depth) {
    for (const Criterion& one : parameter.criteria) {
      if (!holds(one)) continue;
      const std::string result = one.result_is_parameter ? "{" + one.result + "}" : one.result;
      if (place_.mode() == Place::Mode::code) return author(reference.name, result, depth);
      return quoted(reference.name, expanded(result));
    }
    return {};
  }

  const Document& document_;
  const Choices& choices_;
  const Timestamp now_;
  std::string out_;
  Place place_;
};

}  // namespace

std::expected<std::string, Mistake> resolve(const Document& document, const Choices& choices, std::string_view text,
                                            Timestamp now) {
  Weaver weaver(document, choices, now);
  if (auto done = weaver.weave(text, 0); !done) return std::unexpected(done.error());
  return weaver.take();
}

std::optional<Interval> time_of(const Document& document, const Choices& choices, const Query& query, Timestamp now) {
  if (!query.time_parameter.empty()) {
    const auto chosen = choices.find(query.time_parameter);
    if (chosen != choices.end() && chosen->second.is_time()) return interval_of(chosen->second, now);
    const Parameter* parameter = document.parameter(query.time_parameter);
    if (parameter != nullptr && parameter->duration) return Interval{now - *parameter->duration, now};
  }
  if (query.duration) return Interval{now - *query.duration, now};
  return std::nullopt;
}

}  // namespace picket::workbook
