#include "base/server/template_text.h"

#include <charconv>
#include <utility>
#include <vector>

namespace picket {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

std::string mapped(std::string text, char (*change)(char)) {
  for (char& c : text) c = change(c);
  return text;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

/// What all readers of one text share.
struct Run {
  const TemplateLookup& lookup;
  int steps_left = kTemplateStepsMax;
  std::size_t bytes_left = kTemplateTextBytesMax;

  bool step() { return --steps_left >= 0; }
  bool made(const std::string& text) {
    if (text.size() > bytes_left) return false;
    bytes_left -= text.size();
    return true;
  }
};

std::optional<TemplateText> read_text(std::string_view text, Run& run, int depth);

class Reader {
 public:
  Reader(std::string_view text, Run& run) : text_(text), run_(run) {}

  std::optional<TemplateText> whole(int depth) {
    auto out = value(depth);
    skip_space();
    return at_ == text_.size() ? std::move(out) : std::nullopt;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string_view word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  std::optional<TemplateText> value(int depth) {
    skip_space();
    if (depth > kTemplateDepthMax || !run_.step() || at_ >= text_.size()) return std::nullopt;
    if (text_[at_] == '\'') return literal();
    if (is_digit(text_[at_]) || text_[at_] == '-') return number();
    if (!is_letter(text_[at_])) return std::nullopt;
    const std::string name = mapped(std::string(word()), lower);
    if (!take('(')) return name == "true" || name == "false" ? std::optional(TemplateText{name}) : std::nullopt;
    std::vector<TemplateText> arguments;
    if (!take(')')) {
      do {
        auto argument = value(depth + 1);
        if (!argument) return std::nullopt;
        arguments.push_back(*std::move(argument));
      } while (take(','));
      if (!take(')')) return std::nullopt;
    }
    std::string member;
    bool deeper = false;
    if (!path(depth, member, deeper)) return std::nullopt;
    auto out = called(name, std::move(arguments), deeper ? std::string_view() : member, depth);
    // A member of what a function gave, or of a member, is more than a text can tell.
    const bool named = name == "variables" || name == "parameters";
    if (out && (deeper || (!named && !member.empty()))) return TemplateText{{}, false};
    return out && run_.made(out->text) ? std::move(out) : std::nullopt;
  }

  /// ".name", "['name']" and "[0]" behind a call. One name is the member; more, or a number, is `deeper`.
  bool path(int depth, std::string& member, bool& deeper) {
    for (int parts = 0;; ++parts) {
      if (take('.')) {
        const std::string_view name = word();
        if (name.empty()) return false;
        deeper = deeper || parts > 0;
        member = name;
      } else if (take('[')) {
        skip_space();
        const bool number = at_ < text_.size() && is_digit(text_[at_]);
        auto index = value(depth + 1);
        if (!index || !take(']')) return false;
        deeper = deeper || parts > 0 || number || !index->complete;
        member = std::move(index->text);
      } else {
        return true;
      }
    }
  }

  /// 'it''s'
  std::optional<TemplateText> literal() {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\'') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '\'') {
          ++at_;
          return run_.made(out) ? std::optional(TemplateText{std::move(out)}) : std::nullopt;
        }
        ++at_;
      }
      out += text_[at_];
    }
    return std::nullopt;
  }

  std::optional<TemplateText> number() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return TemplateText{std::string(text_.substr(begin, at_ - begin))};
  }

  std::optional<TemplateText> called(std::string_view name, std::vector<TemplateText> arguments,
                                     std::string_view member, int depth) {
    if (name == "parameters" || name == "variables") {
      if (arguments.size() != 1 || !arguments[0].complete) return TemplateText{{}, false};
      const auto kind = name == "parameters" ? TemplateName::parameter : TemplateName::variable;
      const auto found = run_.lookup(kind, arguments[0].text, member);
      return found ? read_text(*found, run_, depth + 1) : TemplateText{{}, false};
    }
    TemplateText out;
    for (const TemplateText& argument : arguments) out.complete = out.complete && argument.complete;
    if (name == "concat") {
      for (const TemplateText& argument : arguments) out.text += argument.text;
      return out;
    }
    if (name == "format" && !arguments.empty()) {
      out.text = formatted(arguments);
      return out;
    }
    if (arguments.size() != 1) return TemplateText{{}, false};
    if (name == "string") return std::move(arguments[0]);
    if (name == "tolower") return TemplateText{mapped(std::move(arguments[0].text), lower), out.complete};
    if (name == "toupper") return TemplateText{mapped(std::move(arguments[0].text), upper), out.complete};
    if (name == "trim") return TemplateText{trimmed(arguments[0].text), out.complete};
    return TemplateText{{}, false};
  }

  /// "{0}-{1}"; what is no place of an argument stands as it is.
  static std::string formatted(const std::vector<TemplateText>& arguments) {
    const std::string& form = arguments[0].text;
    std::string out;
    for (std::size_t at = 0; at < form.size(); ++at) {
      std::size_t index = 0;
      const std::size_t close = form[at] == '{' ? form.find('}', at) : std::string::npos;
      const char* const end = close == std::string::npos ? nullptr : form.data() + close;
      const bool place = end != nullptr && close > at + 1 &&
                         std::from_chars(form.data() + at + 1, end, index).ptr == end && index < arguments.size() - 1;
      out += place ? arguments[index + 1].text : std::string(1, form[at]);
      if (out.size() > kTemplateTextBytesMax) return out;  // which is more than may be made
      if (place) at = close;
    }
    return out;
  }

  const std::string_view text_;
  Run& run_;
  std::size_t at_ = 0;
};

std::optional<TemplateText> read_text(std::string_view text, Run& run, int depth) {
  if (depth > kTemplateDepthMax || !run.step()) return std::nullopt;
  if (text.starts_with("[[")) return TemplateText{std::string(text.substr(1))};
  if (!text.starts_with('[') || !text.ends_with(']')) return TemplateText{std::string(text)};
  return Reader(text.substr(1, text.size() - 2), run).whole(depth);
}

}  // namespace

std::optional<TemplateText> template_text(std::string_view text, const TemplateLookup& lookup) {
  Run run{lookup};
  return read_text(text, run, 0);
}

}  // namespace picket
