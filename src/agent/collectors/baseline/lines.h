// Taking configuration texts apart: lines, words, fields. All views lie in the text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace picket::agent::baseline {

inline constexpr std::string_view kBlanks = " \t\r";

std::string_view trim(std::string_view text);
/// Takes the first word, up to one of `ends`, off `text`, and the ends behind it.
std::string_view take_word(std::string_view& text, std::string_view ends = kBlanks);
/// A to Z become small letters; other bytes stay.
std::string lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
/// The whole of `text` is one number; nullopt: it is not, or it is too large.
std::optional<std::int64_t> number_of(std::string_view text, int base = 10);
/// The same with an s, m, h, d or w behind it, in seconds.
std::optional<std::int64_t> quantity_of(std::string_view text);

/// One text of several: smaller than a chain of "+".
std::string join(std::initializer_list<std::string_view> parts);

/// What is called with a line; false ends the loop. Borrows what it was made of.
class LineVisitor {
 public:
  template <class Each>
  LineVisitor(Each& each)  // NOLINT(google-explicit-constructor): a lambda stands where this is wanted
      : each_(&each), call_([](void* what, std::string_view line) { return (*static_cast<Each*>(what))(line); }) {}
  bool operator()(std::string_view line) const { return call_(each_, line); }

 private:
  void* each_;
  bool (*call_)(void*, std::string_view);
};
void visit_lines(std::string_view text, std::string_view comments, LineVisitor visitor);

/// Calls `each(line)` with every line, trimmed, that is not empty and does not begin with one of `comments`. False from
/// it ends the loop.
template <class Each>
void for_each_line(std::string_view text, std::string_view comments, Each each) {
  visit_lines(text, comments, LineVisitor(each));
}

}  // namespace picket::agent::baseline
