// Rules and events from few letters, so that they meet often. From any source of numbers: a generator or a fuzzer's
// bytes.
#pragma once

#include <string>
#include <vector>

#include "sigma/event.h"
#include "sigma/rule_set.h"

namespace picket::sigma {

/// `next(n)` gives a number below n.
template <class Next>
class RandomRules {
 public:
  explicit RandomRules(Next next) : next_(std::move(next)) {}

  std::string text() {
    static constexpr std::string_view kPieces[] = {"a",  "b", "ab", "Ab", "ba", "aab", "/",
                                                   "-b", " ", "1",  "12", "é",  ""};
    std::string out;
    for (std::size_t i = next_(4) + 1; i > 0; --i) out += kPieces[next_(std::size(kPieces))];
    return out;
  }

  /// One document; all of its kinds of tests are drawn.
  std::string rule(std::size_t number) {
    std::string out = "title: R" + std::to_string(number) + "\nlogsource: {product: linux" +
                      (next_(3) == 0 ? ", category: c" : "") + "}\ndetection:\n";
    const std::size_t selections = next_(3) + 1;
    for (std::size_t i = 0; i < selections; ++i) out += "  s" + std::to_string(i) + ":\n" + selection();
    static constexpr std::string_view kConditions[] = {
        "s0",        "not s0",      "1 of s*",        "all of them", "s0 and not s*",
        "1 of them", "not 1 of s*", "s0 or (not s0)", "all of s*",   "not (s0 and all of s*)"};
    std::string condition(kConditions[next_(std::size(kConditions))]);
    if (condition == "s0 and not s*") condition = selections > 1 ? "s0 and not s1" : "s0 and not (not s0)";
    return out + "  condition: " + condition + "\n";
  }

  /// Values of an event; texts lie in `store`, which outlives it.
  std::vector<EventField> event(const RuleSet& rules, std::vector<std::string>& store) {
    store.clear();
    store.reserve(16);
    std::vector<EventField> out;
    for (std::size_t i = next_(5); i > 0; --i) {
      const std::string name(1, static_cast<char>('x' + next_(3)));
      EventField field{next_(8) == 0 ? kUnnamedField : rules.field(name), {}};
      switch (next_(6)) {
        case 0:
          field.value = Value::of(static_cast<std::int64_t>(next_(30)) - 5);
          break;
        case 1:
          field.value = next_(2) == 0 ? Value{} : Value::of(static_cast<double>(next_(8)) / 2);
          break;
        case 2:
          field.value = Value::of(std::string_view("10.1.2.3"));
          break;
        default:
          store.push_back(text() + (next_(3) == 0 ? text() : ""));
          field.value = Value::of(std::string_view(store.back()));
      }
      out.push_back(field);
    }
    return out;
  }

 private:
  std::string quoted(const std::string& text) { return "'" + text + "'"; }
  std::string pattern() {
    std::string out = text();
    for (std::size_t i = next_(3); i > 0; --i) {
      static constexpr std::string_view kWild[] = {"*", "?", "\\*", "\\", "**"};
      out.insert(next_(3) == 0 ? 0 : out.size(), kWild[next_(std::size(kWild))]);
    }
    return out;
  }
  std::string line() {
    const std::string field(1, static_cast<char>('x' + next_(3)));
    static constexpr std::string_view kPlaces[] = {
        "",     "|contains",         "|startswith",           "|endswith", "|cased", "|contains|cased",
        "|neq", "|windash|contains", "|base64offset|contains"};
    switch (next_(12)) {
      case 0: {
        static constexpr std::string_view kRegexes[] = {
            "a+b",  "^(a|b).?$", "(?i)AB|ba1",    "ab.*(12|ba)",  "(ab|ba)(a|b)*12", "aab|/-b",
            "é.*b", "\\bab\\b",  "a{2}b.*(/|12)", "(?i)B(A|-b)+", "(12)?",           "(ab|12).*(ba|/-b).*1"};
        return field + "|re: " + quoted(std::string(kRegexes[next_(std::size(kRegexes))]));
      }
      case 1:
        return field + "|cidr: " + (next_(2) == 0 ? "10.0.0.0/8" : "192.168.0.0/16");
      case 2:
        return field + (next_(2) == 0 ? "|gte: " : "|lt: ") + std::to_string(next_(20));
      case 3:
        return field + "|exists: " + (next_(2) == 0 ? "true" : "false");
      case 4:
        return field + ": null";
      case 5:
        return field + "|fieldref: " + std::string(1, static_cast<char>('x' + next_(3)));
      case 6:
        return field + ": " + std::to_string(next_(20));
      case 7:
        return field + "|contains|all: [" + quoted(pattern()) + ", " + quoted(pattern()) + "]";
      case 8:
        return field + ": [" + quoted(pattern()) + ", " + quoted(pattern()) + ", " + quoted(pattern()) + "]";
      default: {
        const std::string_view place = kPlaces[next_(std::size(kPlaces))];
        return field + std::string(place) + ": " +
               quoted(place.starts_with("|base64") ? "a" + text() + "bbb" : pattern());
      }
    }
  }
  std::string selection() {
    const std::size_t kind = next_(6);
    if (kind == 0) return "    - " + quoted(pattern()) + "\n    - " + quoted(pattern()) + "\n";
    if (kind == 1) return "    - " + line() + "\n    - " + line() + "\n";
    if (kind == 2) return "    '|all': [" + quoted(pattern()) + ", " + quoted(pattern()) + "]\n";
    return "    " + line() + "\n";
  }

  Next next_;
};

}  // namespace picket::sigma
