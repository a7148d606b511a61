// Where in a KQL text one stands: in code, in a literal, in a comment. What a value must look like depends on it.
#pragma once

#include <cstdint>
#include <string_view>

namespace picket::workbook {

class Place {
 public:
  enum class Mode : std::uint8_t { code, comment, text, verbatim, block };

  /// Goes on over the next piece of the query; a piece may end anywhere.
  void feed(std::string_view piece) {
    for (const char c : piece) step(c);
  }
  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] char mark() const { return mark_; }  ///< The quote of the literal one is in.
  [[nodiscard]] bool after_backslash() const { return escaped_; }

 private:
  void step(char c) {
    switch (mode_) {
      case Mode::code:
        return in_code(c);
      case Mode::comment:
        if (c == '\n') leave();
        return;
      case Mode::text:
        if (escaped_) {
          escaped_ = false;
        } else if (c == '\\') {
          escaped_ = true;
        } else if (c == mark_ || c == '\n') {
          leave();
        }
        return;
      case Mode::verbatim:
        if (c == mark_ || c == '\n') {
          leave();
          closed_verbatim_ = c == mark_;
        }
        return;
      case Mode::block:
        run_ = c == mark_ ? run_ + 1 : 0;
        if (run_ == 3) leave();
        return;
    }
  }

  void in_code(char c) {
    const bool doubled = closed_verbatim_ && c == mark_;  // "" in a verbatim text stands for one quote
    closed_verbatim_ = false;
    if (doubled) {
      mode_ = Mode::verbatim;
      return;
    }
    if (c == '/' && before_ == '/') return enter(Mode::comment, c);
    if (c == '"' || c == '\'') return enter(before_ == '@' ? Mode::verbatim : Mode::text, c);
    run_ = (c == '`' || c == '~') ? (before_ == c ? run_ + 1 : 1) : 0;
    if (run_ == 3) return enter(Mode::block, c);
    before_ = c;
  }

  void enter(Mode mode, char mark) {
    mode_ = mode;
    mark_ = mark;
    run_ = 0;
  }
  void leave() {
    mode_ = Mode::code;
    before_ = 0;
    run_ = 0;
    escaped_ = false;
  }

  Mode mode_ = Mode::code;
  char mark_ = 0;
  char before_ = 0;
  int run_ = 0;
  bool escaped_ = false;
  bool closed_verbatim_ = false;
};

}  // namespace picket::workbook
