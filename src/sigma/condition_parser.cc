#include "condition_parser.h"

#include <algorithm>

namespace picket::sigma {
namespace {

using Kind = Condition::Kind;

constexpr std::string_view kGrammar =
    "Conditions are made of search identifiers, 'and', 'or', 'not', brackets, '1 of …' and 'all of …'.";

std::string lower(std::string_view text) { return folded(text); }

bool name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' ||
         c == '.' || c == '*' || static_cast<std::uint8_t>(c) >= 0x80;
}

/// Recursive descent: or, and, not, primary.
class Parser {
 public:
  Parser(std::string_view text, std::uint32_t line) : text_(text), line_(line) { advance(); }

  Condition whole() {
    Condition out = alternatives(0);
    if (!token_.empty()) refuse("'" + std::string(token_) + "' is not expected here");
    return out;
  }

 private:
  [[noreturn]] void refuse(std::string what, std::string_view advice = kGrammar) const {
    throw YamlFault{line_, "condition: " + std::move(what), std::string(advice)};
  }

  void advance() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
    const std::size_t begin = at_;
    if (at_ < text_.size() && (text_[at_] == '(' || text_[at_] == ')')) {
      ++at_;
    } else {
      while (at_ < text_.size() && name_character(text_[at_])) ++at_;
      if (at_ == begin && at_ < text_.size()) {
        if (text_[at_] == '|') {
          refuse("aggregations behind '|' are no longer part of Sigma",
                 "Write a correlation rule that refers to this one.");
        }
        refuse("the character '" + std::string(text_.substr(at_, 1)) + "' is not expected");
      }
    }
    token_ = text_.substr(begin, at_ - begin);
  }
  bool is(std::string_view word) const { return lower(token_) == word; }
  bool accept(std::string_view word) {
    if (!is(word)) return false;
    advance();
    return true;
  }

  Condition list(Kind kind, std::string_view word, std::size_t depth) {
    const auto part = [&] { return kind == Kind::any_of ? list(Kind::all_of, "and", depth) : negation(depth); };
    Condition first = part();
    if (!is(word)) return first;
    Condition out{kind, {}, {}};
    out.children.push_back(std::move(first));
    while (accept(word)) out.children.push_back(part());
    return out;
  }
  Condition alternatives(std::size_t depth) {
    if (depth > kConditionDepthMax)
      refuse("it is more than " + std::to_string(kConditionDepthMax) + " deep", "Divide the rule.");
    return list(Kind::any_of, "or", depth);
  }
  Condition negation(std::size_t depth) {
    if (!accept("not")) return primary(depth);
    if (depth > kConditionDepthMax)
      refuse("it is more than " + std::to_string(kConditionDepthMax) + " deep", "Divide the rule.");
    Condition out{Kind::negation, {}, {}};
    out.children.push_back(negation(depth + 1));
    return out;
  }
  Condition primary(std::size_t depth) {
    if (token_.empty()) refuse("it ends too early");
    if (accept("(")) {
      Condition out = alternatives(depth + 1);
      if (!accept(")")) refuse("a bracket is not closed");
      return out;
    }
    for (const std::string_view word : {"and", "or", "of", "them", ")"}) {
      if (is(word)) refuse("'" + std::string(token_) + "' is not expected here");
    }
    if (++terms_ > kConditionTermsMax)
      refuse("it has more than " + std::to_string(kConditionTermsMax) + " names", "Divide the rule.");
    const std::string first(token_);
    advance();
    if (!is("of")) {
      if (first.find('*') != std::string::npos)
        refuse("the pattern '" + first + "' needs '1 of' or 'all of' before it");
      if (is("near")) refuse("'near' is no longer part of Sigma", "Write a correlation rule of type temporal.");
      return {Kind::name, first, {}};
    }
    advance();
    return group(first);
  }
  Condition group(const std::string& count) {
    const std::string word = lower(count);
    if (word != "1" && word != "any" && word != "all")
      refuse("'" + count + " of' is not supported", "Sigma has '1 of' and 'all of'.");
    if (token_.empty() || is("(") || is(")")) refuse("'of' needs 'them' or a pattern behind it");
    Condition out{word == "all" ? Kind::all_names : Kind::any_name, is("them") ? "them" : std::string(token_), {}};
    advance();
    return out;
  }

  std::string_view text_;
  std::uint32_t line_;
  std::size_t at_ = 0;
  std::string_view token_;
  std::size_t terms_ = 0;
};

/// `*` is any run of characters.
bool fits(std::string_view name, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t next = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_at = 0;
  while (at < name.size()) {
    if (next < pattern.size() && pattern[next] == '*') {
      star = next++;
      star_at = at;
    } else if (next < pattern.size() && pattern[next] == name[at]) {
      ++next;
      ++at;
    } else if (star != std::string_view::npos) {
      next = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  while (next < pattern.size() && pattern[next] == '*') ++next;
  return next == pattern.size();
}

std::size_t weight(const Expression& expression) {
  std::size_t out = 1 + expression.item.tests.size();
  for (const Expression& child : expression.children) out += weight(child);
  return out;
}

/// Puts selections in the place of their names; the size of the result is bounded.
struct Resolver {
  const std::vector<std::pair<std::string, Expression>>& selections;
  std::uint32_t line;
  std::size_t& left;

  Expression take(const Expression& selection) {
    const std::size_t size = weight(selection);
    if (size > left) throw YamlFault{line, "condition: it names too large selections too often", "Divide the rule."};
    left -= size;
    return selection;
  }
  Expression resolve(const Condition& condition) {
    Expression out;
    switch (condition.kind) {
      case Kind::name: {
        const auto found = std::ranges::find(selections, condition.name, &std::pair<std::string, Expression>::first);
        if (found == selections.end()) {
          throw YamlFault{line, "condition: there is no search identifier '" + condition.name + "'",
                          "Name one that stands under detection."};
        }
        return take(found->second);
      }
      case Kind::all_names:
      case Kind::any_name:
        out.kind = condition.kind == Kind::all_names ? Expression::Kind::all_of : Expression::Kind::any_of;
        for (const auto& [name, selection] : selections) {
          if (in_group(name, condition.name)) out.children.push_back(take(selection));
        }
        if (out.children.empty()) {
          throw YamlFault{line, "condition: no search identifier fits '" + condition.name + "'",
                          "Names that begin with '_' do not belong to 'them'."};
        }
        return out;
      case Kind::negation:
        out.kind = Expression::Kind::negation;
        break;
      case Kind::all_of:
        out.kind = Expression::Kind::all_of;
        break;
      case Kind::any_of:
        out.kind = Expression::Kind::any_of;
        break;
    }
    for (const Condition& child : condition.children) out.children.push_back(resolve(child));
    return out;
  }
};

}  // namespace

Condition parse_condition(std::string_view text, std::uint32_t line) {
  if (text.size() > kConditionBytesMax) {
    throw YamlFault{line, "condition: it has more than " + std::to_string(kConditionBytesMax) + " bytes",
                    "Divide the rule."};
  }
  return Parser(text, line).whole();
}

std::string to_string(const Condition& condition) {
  const auto joined = [&](std::string_view word) {
    std::string out = "(";
    for (const Condition& child : condition.children) {
      if (out.size() > 1) out += word;
      out += to_string(child);
    }
    return out + ")";
  };
  switch (condition.kind) {
    case Kind::name:
      return condition.name;
    case Kind::all_names:
      return "all of " + condition.name;
    case Kind::any_name:
      return "1 of " + condition.name;
    case Kind::negation:
      return "not " + to_string(condition.children.front());
    case Kind::all_of:
      return joined(" and ");
    case Kind::any_of:
      return joined(" or ");
  }
  return {};
}

bool in_group(std::string_view name, std::string_view pattern) {
  const bool hidden = name.starts_with('_') && !pattern.starts_with('_');
  return !hidden && (pattern == "them" || fits(name, pattern));
}

Expression resolve(const Condition& condition, const std::vector<std::pair<std::string, Expression>>& selections,
                   std::uint32_t line) {
  std::size_t left = kResolvedTestsMax;
  return Resolver{selections, line, left}.resolve(condition);
}

}  // namespace picket::sigma
