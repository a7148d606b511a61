// JSON as text (RFC 8259): where it is broken, and where its values stand. simdjson says whether and what, not where.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace picket::message {

/// Offset of the first byte at which `text` stops being one JSON value in UTF-8 (its size when it ends too early);
/// nullopt: it is one. `too_deep` is set when nesting beyond `depth_max` is the reason.
std::optional<std::size_t> find_json_error(std::string_view text, std::size_t depth_max, bool& too_deep);

/// Replaces each number that simdjson cannot hold (beyond 64 bits, or beyond a double) by a string of the same length.
/// `text` becomes `out`; false: there was no such number. Only for text that find_json_error accepts.
bool mask_huge_numbers(std::string_view text, std::string& out);

/// Walks over text that a parser has already accepted, in step with the parser's own iteration: the two see the same
/// members in the same order, and this one knows their bytes. On other text it stops at the end and is never outside.
class JsonWalker {
 public:
  /// `base` is added to offset().
  explicit JsonWalker(std::string_view text, std::size_t base = 0) : text_(text), base_(base) {}

  [[nodiscard]] std::size_t offset() const { return base_ + at_; }

  /// Steps over one punctuation byte and the white space before it.
  void step() {
    white();
    if (at_ < text_.size()) ++at_;
  }
  /// Stands before a member or element: steps over "{" or "[" at first, then over ",".
  void next() { step(); }
  /// Steps over a member's name and the colon.
  void name() {
    white();
    string();
    step();
  }
  /// Steps over one value, returns its text without surrounding white space.
  std::string_view value();

 private:
  void white();
  void string();

  std::string_view text_;
  std::size_t base_;
  std::size_t at_ = 0;
};

}  // namespace picket::message
