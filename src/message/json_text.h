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
  explicit JsonWalker(std::string_view text) : text_(text) {}

  /// Of the byte at which it stands.
  [[nodiscard]] std::size_t offset() const { return at_; }

  /// Steps over "{" or "[" at the beginning, or "}" or "]" at the end, of what is walked through.
  void bracket() {
    white();
    if (at_ < text_.size()) ++at_;
  }
  /// Steps over a member's name and the colon.
  void name() {
    white();
    string();
    bracket();
  }
  /// Steps over one value and the comma that may follow; returns the value's text without surrounding white space.
  std::string_view value();
  /// Steps over the comma that may follow a value that was walked through.
  void comma() {
    white();
    if (at_ < text_.size() && text_[at_] == ',') ++at_;
  }
  /// Stands on the next value, so that offset() is its first byte.
  void white();

 private:
  void string();
  void container();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace picket::message
