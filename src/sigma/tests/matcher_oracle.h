// A plain evaluator: walks a rule's tree over an event. Slow and short, so that one can see that it is right.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "regex_options.h"
#include "sigma/rule_set.h"
#include "test_run.h"

namespace picket::sigma {

/// `*` and `?` by recursion; nothing is shared with the engine's own walk.
inline bool plain_matches(const std::vector<Pattern::Piece>& pieces, std::size_t next, std::string_view text,
                          bool cased) {
  using Kind = Pattern::Piece::Kind;
  if (next == pieces.size()) return text.empty();
  const Pattern::Piece& piece = pieces[next];
  if (piece.kind == Kind::any_run) {
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
      if (plain_matches(pieces, next + 1, text.substr(skip), cased)) return true;
    }
    return false;
  }
  if (piece.kind == Kind::any_one) {
    if (text.empty()) return false;
    std::size_t size = 1;  // a character, with the bytes that continue it
    while (size < text.size() && (static_cast<std::uint8_t>(text[size]) & 0xC0) == 0x80) ++size;
    return plain_matches(pieces, next + 1, text.substr(size), cased);
  }
  const std::string_view head = text.substr(0, piece.text.size());
  if (cased ? head != piece.text : folded(head) != folded(piece.text)) return false;
  return plain_matches(pieces, next + 1, text.substr(piece.text.size()), cased);
}

struct Oracle {
  const RuleSet& rules;
  std::span<const EventField> event;

  [[nodiscard]] bool test(const Test& test, const EventField& field) const {
    NumberText buffer;
    const std::string text(text_of_value(field.value, buffer));
    if (field.value.kind == Value::Kind::null) return false;
    if (test.kind == Test::Kind::text) return plain_matches(test.pattern.pieces, 0, text, test.pattern.cased);
    if (test.kind == Test::Kind::regex) {
      const re2::RE2 regex(test.regex, regex_options());
      return re2::RE2::PartialMatch(text, regex);
    }
    if (test.kind != Test::Kind::field) return passes(test, nullptr, field.value, text);
    return std::ranges::any_of(event, [&](const EventField& other) {
      if (other.field != rules.field(test.other) || other.value.kind == Value::Kind::null) return false;
      NumberText other_buffer;
      return refers(test, text, text_of_value(other.value, other_buffer));
    });
  }

  [[nodiscard]] bool item(const Item& item) const {
    std::vector<EventField> here;
    for (const EventField& field : event) {
      if (item.field.empty() || field.field == rules.field(item.field)) here.push_back(field);
    }
    for (const Test& one : item.tests) {
      if (one.kind == Test::Kind::exists && here.empty() != one.wanted) return true;
      if (one.kind == Test::Kind::exists) continue;
      if (one.kind == Test::Kind::null && here.empty()) return true;
      for (const EventField& field : here) {
        if (one.kind == Test::Kind::null ? field.value.kind == Value::Kind::null : test(one, field)) return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool expression(const Expression& node) const {
    const auto child = [&](const Expression& one) { return expression(one); };
    switch (node.kind) {
      case Expression::Kind::item:
        return item(node.item);
      case Expression::Kind::negation:
        return !expression(node.children.front());
      case Expression::Kind::all_of:
        return std::ranges::all_of(node.children, child);
      case Expression::Kind::any_of:
        return std::ranges::any_of(node.children, child);
    }
    return false;
  }

  /// Rules that match, ascending.
  [[nodiscard]] std::vector<RuleIndex> match(const LogSource& source) const {
    std::vector<RuleIndex> out;
    for (RuleIndex i = 0; i < rules.rules().size(); ++i) {
      const LinkedRule& rule = rules.rules()[i];
      if (rule.source.covers(source) && expression(rule.expression)) out.push_back(i);
    }
    return out;
  }
};

}  // namespace picket::sigma
