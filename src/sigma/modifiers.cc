#include "modifiers.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <re2/re2.h>

#include "base/core/encoding.h"
#include "regex_options.h"
#include "schema.h"

namespace picket::sigma {
namespace {

constexpr std::string_view kAll =
    "Sigma 2.1 has all, base64, base64offset, cased, cidr, contains, day, endswith, exists, expand, fieldref, gt, gte, "
    "hour, "
    "lt, lte, minute, month, neq, re (with i, m, s), startswith, utf16, utf16be, utf16le, week, wide, windash and "
    "year.";

/// The modifiers of one line, sorted by what they do.
struct Modifiers {
  std::vector<std::string> all;      ///< As written.
  std::vector<std::string> rewrite;  ///< expand, windash, utf16…, base64…: change the value, in this order.
  std::string place;                 ///< contains, startswith, endswith.
  std::string type;                  ///< re, cidr, exists, fieldref.
  std::string regex_flags;
  std::optional<Comparison> comparison;
  std::optional<TimePart> part;
  bool every = false;
  bool cased = false;
  bool negated = false;
};

std::optional<Comparison> comparison_of(std::string_view word) {
  if (word == "lt") return Comparison::less;
  if (word == "lte") return Comparison::less_equal;
  if (word == "gt") return Comparison::greater;
  if (word == "gte") return Comparison::greater_equal;
  return std::nullopt;
}

std::optional<TimePart> part_of(std::string_view word) {
  static constexpr std::string_view kParts[] = {"minute", "hour", "day", "week", "month", "year"};
  for (std::size_t i = 0; i < std::size(kParts); ++i) {
    if (kParts[i] == word) return static_cast<TimePart>(i);
  }
  return std::nullopt;
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

/// Reads one line.
class ItemReader {
 public:
  ItemReader(std::string_view key, const YamlNode& value, const Placeholders& placeholders)
      : key_(key), value_(value), placeholders_(placeholders) {}

  Expression read() {
    split();
    check();
    std::vector<const YamlNode*> values;
    if (value_.is_list()) {
      for (const auto& item : value_.items) values.push_back(item.get());
      if (values.empty()) fault("has an empty list", "List at least one value.");
    } else {
      values.push_back(&value_);
    }
    if (mods_.every && values.size() < 2) {
      fault("has the modifier 'all' with a single value", "Leave 'all' out, or list several values.");
    }
    std::vector<Expression> each;
    std::vector<Test> together;
    for (const YamlNode* node : values) {
      std::vector<Test> tests = read_value(*node, values.size() > 1);
      total_ += tests.size();
      if (total_ > kItemTestsMax) {
        fault("has more than " + std::to_string(kItemTestsMax) + " variants of values", "Divide it.");
      }
      if (mods_.every) {
        each.push_back(leaf(std::move(tests)));
      } else {
        std::ranges::move(tests, std::back_inserter(together));
      }
    }
    Expression out =
        mods_.every ? Expression{Expression::Kind::all_of, {}, std::move(each)} : leaf(std::move(together));
    if (!mods_.negated) return out;
    Expression negation{Expression::Kind::negation, {}, {}};
    negation.children.push_back(std::move(out));
    return negation;
  }

 private:
  [[noreturn]] void fault(std::string what, std::string_view advice) const {
    throw YamlFault{value_.line, "'" + std::string(key_) + "' " + std::move(what), std::string(advice)};
  }

  Expression leaf(std::vector<Test> tests) const {
    return {Expression::Kind::item, {std::string(field_), std::move(tests), value_.line}, {}};
  }

  void split() {
    std::size_t begin = key_.find('|');
    field_ = key_.substr(0, begin);
    while (begin != std::string_view::npos) {
      const std::size_t end = key_.find('|', begin + 1);
      const std::string word(key_.substr(begin + 1, end == std::string_view::npos ? end : end - begin - 1));
      if (std::ranges::find(mods_.all, word) != mods_.all.end())
        fault("has the modifier '" + word + "' twice", "Keep one.");
      add(word);
      mods_.all.push_back(word);
      begin = end;
    }
  }

  void add(const std::string& word) {
    if (word == "all") {
      mods_.every = true;
    } else if (word == "cased") {
      mods_.cased = true;
    } else if (word == "neq") {
      mods_.negated = true;
    } else if (one_of(word, {"contains", "startswith", "endswith"})) {
      if (!mods_.place.empty()) fault("has both '" + mods_.place + "' and '" + word + "'", "Keep one of them.");
      mods_.place = word;
    } else if (one_of(word, {"expand", "windash", "wide", "utf16", "utf16le", "utf16be", "base64", "base64offset"})) {
      if (!mods_.place.empty() && word != "expand")
        fault("has '" + word + "' behind '" + mods_.place + "'", "Write '" + mods_.place + "' last.");
      if (word == "expand" && !mods_.all.empty())
        fault("has 'expand' behind another modifier", "Write 'expand' first.");
      mods_.rewrite.push_back(word);
    } else if (one_of(word, {"re", "cidr", "exists", "fieldref"})) {
      if (!mods_.type.empty()) fault("has both '" + mods_.type + "' and '" + word + "'", "Keep one of them.");
      mods_.type = word;
    } else if (one_of(word, {"i", "m", "s"})) {
      if (mods_.type != "re") fault("has '" + word + "' without 're' before it", "Write 're|" + word + "'.");
      mods_.regex_flags += word;
    } else if (const auto comparison = comparison_of(word)) {
      if (mods_.comparison) fault("has two comparisons", "Write two lines, one for each.");
      mods_.comparison = comparison;
    } else if (const auto part = part_of(word)) {
      if (mods_.part) fault("has two parts of a time", "Write two lines, one for each.");
      mods_.part = part;
    } else {
      fault("has the modifier '" + word + "', which is unknown", kAll);
    }
  }

  /// Which modifiers go together.
  void check() const {
    const bool rewrites = !mods_.rewrite.empty() && mods_.rewrite != std::vector<std::string>{"expand"};
    const bool numeric = mods_.comparison || mods_.part;
    const auto together = [&](std::string_view a, std::string_view b) {
      fault("has '" + std::string(a) + "' and '" + std::string(b) + "', which do not go together", "Keep one of them.");
    };
    if (mods_.every && mods_.negated) together("all", "neq");
    if (numeric && !mods_.type.empty()) together(mods_.all.front(), mods_.type);
    if (numeric && (!mods_.place.empty() || !mods_.rewrite.empty() || mods_.cased || mods_.every)) {
      fault("compares numbers and has modifiers of texts", "Keep one kind.");
    }
    if (!mods_.type.empty() && rewrites) together(mods_.type, mods_.rewrite.back());
    if (!mods_.type.empty() && mods_.type != "fieldref" && !mods_.place.empty()) together(mods_.type, mods_.place);
    if (one_of(mods_.type, {"re", "cidr", "exists"}) && mods_.cased) together(mods_.type, "cased");
    if (mods_.type == "exists" && (mods_.negated || mods_.every || !mods_.rewrite.empty())) {
      fault("has other modifiers beside 'exists'", "'exists' stands alone.");
    }
    if (mods_.type == "fieldref" && !mods_.rewrite.empty()) together("fieldref", "expand");
    if (field_.empty() && (mods_.type == "exists" || mods_.type == "fieldref" || numeric)) {
      fault("needs a field", "Write a field name before the first '|'.");
    }
    const auto& rewrite = mods_.rewrite;
    for (std::size_t i = 0; i < rewrite.size(); ++i) {
      if ((rewrite[i].starts_with("utf16") || rewrite[i] == "wide") &&
          (i + 1 == rewrite.size() || !rewrite[i + 1].starts_with("base64"))) {
        fault("has '" + rewrite[i] + "' without base64 behind it", "Write '" + rewrite[i] + "|base64offset|contains'.");
      }
      if (rewrite[i].starts_with("base64") && i + 1 != rewrite.size()) together(rewrite[i], rewrite[i + 1]);
    }
  }

  std::vector<Test> read_value(const YamlNode& node, bool in_list) const {
    if (node.is_list() || node.is_map()) fault("has a list or map inside its values", "Values are texts or numbers.");
    if (node.is_null()) return {read_null(in_list)};
    if (mods_.comparison || mods_.part) return {read_comparison(node)};
    if (mods_.type == "exists") return {read_exists(node)};
    if (mods_.type == "fieldref") return {read_reference(node)};
    if (mods_.type == "cidr" || mods_.type == "re") {
      std::vector<Test> out;
      for (const std::string& text : expanded(node.text))
        out.push_back(mods_.type == "re" ? read_regex(text) : read_network(text));
      return out;
    }
    return read_texts(node);
  }

  Test read_null(bool in_list) const {
    if (in_list) fault("has null inside a list", "Write a selection of its own for null.");
    if (field_.empty()) fault("has null as a keyword", "Write a text.");
    const bool plain =
        mods_.place.empty() && mods_.type.empty() && mods_.rewrite.empty() && !mods_.comparison && !mods_.part;
    if (!plain) fault("has null with modifiers", "Write null without modifiers, or '' for the empty text.");
    Test out;
    out.kind = Test::Kind::null;
    return out;
  }

  Test read_comparison(const YamlNode& node) const {
    Test out;
    out.kind = mods_.part ? Test::Kind::time : Test::Kind::number;
    if (!parse_number(node.text, out.number))
      fault("compares with '" + node.text + "', which is no number", "Write a number.");
    out.comparison = mods_.comparison.value_or(Comparison::equal);
    out.part = mods_.part.value_or(TimePart::minute);
    return out;
  }

  Test read_exists(const YamlNode& node) const {
    Test out;
    out.kind = Test::Kind::exists;
    out.wanted = truth_of(node, std::string(key_));
    return out;
  }

  Test read_reference(const YamlNode& node) const {
    Test out;
    out.kind = Test::Kind::field;
    out.other = node.text;
    if (out.other.empty()) fault("refers to a field without a name", "Write the name of a field.");
    out.pattern.cased = mods_.cased;
    out.open_begin = mods_.place == "contains" || mods_.place == "endswith";
    out.open_end = mods_.place == "contains" || mods_.place == "startswith";
    return out;
  }

  Test read_regex(const std::string& text) const {
    Test out;
    out.kind = Test::Kind::regex;
    out.regex = mods_.regex_flags.empty() ? text : "(?" + mods_.regex_flags + ")" + text;
    if (text.size() > kRegexBytesMax) fault("has a regular expression that is too long", "Shorten it.");
    const re2::RE2 compiled(out.regex, regex_options());
    if (!compiled.ok()) {
      fault("has a regular expression that cannot be used: " + compiled.error(),
            "Sigma has . ^ $ * + ? {n,m} [] () and |; there is no looking ahead or behind and no back reference.");
    }
    return out;
  }

  Test read_network(const std::string& text) const {
    Test out;
    out.kind = Test::Kind::network;
    if (!parse_network(text, out.network)) {
      fault("has the network '" + text + "', which is none",
            "Write 10.0.0.0/8 or 2001:db8::/32, without bits behind the prefix.");
    }
    return out;
  }

  std::vector<Test> read_texts(const YamlNode& node) const {
    std::vector<Test> out;
    const bool bare = mods_.place.empty() && mods_.rewrite.empty();
    if (const auto number = bare ? number_text(node) : std::nullopt) {
      out.push_back(text_test(literal_pattern(*number)));
      return out;
    }
    for (const std::string& text : expanded(node.text)) {
      for (Pattern& pattern : rewritten(parse_pattern(text))) {
        const bool keyword = field_.empty() && mods_.place.empty();
        if (keyword || mods_.place == "contains" || mods_.place == "endswith") open_begin(pattern);
        if (keyword || mods_.place == "contains" || mods_.place == "startswith") pattern.add_any_run();
        out.push_back(text_test(std::move(pattern)));
      }
    }
    return out;
  }

  Test text_test(Pattern pattern) const {
    Test out;
    out.pattern = std::move(pattern);
    out.pattern.cased = mods_.cased;
    return out;
  }

  static void open_begin(Pattern& pattern) {
    if (!pattern.pieces.empty() && pattern.pieces.front().kind == Pattern::Piece::Kind::any_run) return;
    pattern.pieces.insert(pattern.pieces.begin(), {Pattern::Piece::Kind::any_run, {}});
  }

  /// How a number stands in events: whole, decimal, without needless zeros. Plain scalars only; 0777 is a text.
  static std::optional<std::string> number_text(const YamlNode& node) {
    if (!node.plain || node.text.empty()) return std::nullopt;
    std::string_view digits = node.text;
    const bool minus = digits.starts_with('-');
    digits.remove_prefix(minus || digits.starts_with('+') ? 1 : 0);
    const int base = digits.starts_with("0x") ? 16 : digits.starts_with("0o") ? 8 : 10;
    if (base == 10 && digits.size() > 1 && digits[0] == '0' && digits[1] != '.') return std::nullopt;
    if (base != 10) digits.remove_prefix(2);
    std::int64_t whole = 0;
    const char* end = digits.data() + digits.size();
    if (const auto read = std::from_chars(digits.data(), end, whole, base);
        read.ec == std::errc() && read.ptr == end && whole >= 0) {
      return std::to_string(minus ? -whole : whole);
    }
    double real = 0;
    const auto read = std::from_chars(digits.data(), end, real);
    if (base != 10 || read.ec != std::errc() || read.ptr != end ||
        digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
      return std::nullopt;
    }
    NumberText out;
    write_number(minus ? -real : real, out);
    return std::string(out.view());
  }

  std::vector<Pattern> rewritten(Pattern pattern) const {
    std::vector<Pattern> out{std::move(pattern)};
    for (const std::string& word : mods_.rewrite) {
      if (word == "expand") continue;
      std::vector<Pattern> next;
      for (const Pattern& one : out) rewrite(word, one, next);
      out = std::move(next);
    }
    return out;
  }

  void rewrite(const std::string& word, const Pattern& pattern, std::vector<Pattern>& out) const {
    if (word == "windash") {
      std::vector<Pattern> variants = dash_variants(pattern);
      if (variants.empty()) fault("has a value with too many dashes for 'windash'", "Divide the value.");
      std::ranges::move(variants, std::back_inserter(out));
      return;
    }
    if (pattern.has_wildcards()) fault("has '" + word + "' and a wildcard", "What is encoded has no wildcards.");
    const std::string text = pattern.literal();
    if (word == "base64") {
      out.push_back(literal_pattern(to_base64(as_bytes(text))));
    } else if (word == "base64offset") {
      for (const std::string& variant : base64_offsets(text)) {
        if (variant.empty()) fault("has a value too short for 'base64offset'", "Take at least three bytes.");
        out.push_back(literal_pattern(variant));
      }
    } else {
      const Utf16 form = word == "utf16be" ? Utf16::big : word == "utf16" ? Utf16::with_mark : Utf16::little;
      out.push_back(literal_pattern(to_utf16(text, form)));
    }
  }

  /// `%name%` as each value of the placeholder; `\%` is the character.
  std::vector<std::string> expanded(const std::string& text) const {
    if (mods_.rewrite.empty() || mods_.rewrite.front() != "expand") return {text};
    std::vector<std::string> out{std::string()};
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '%') {
        for (std::string& one : out) one += '%';
        i += 2;
        continue;
      }
      const std::size_t end = text[i] == '%' ? text.find('%', i + 1) : std::string::npos;
      if (end == std::string::npos || end == i + 1) {
        for (std::string& one : out) one += text[i];
        ++i;
        continue;
      }
      out = with_each(out, text.substr(i + 1, end - i - 1));
      i = end + 1;
    }
    return out;
  }

  std::vector<std::string> with_each(const std::vector<std::string>& heads, const std::string& name) const {
    const std::vector<std::string>* values = placeholders_ ? placeholders_(name) : nullptr;
    if (values == nullptr || values->empty()) {
      fault("has the placeholder '%" + name + "%', for which there are no values",
            "Give it values in a processing pipeline (vars, value_placeholders).");
    }
    if (heads.size() * values->size() > kItemTestsMax) fault("has too many combinations of placeholders", "Divide it.");
    std::vector<std::string> out;
    for (const std::string& head : heads) {
      for (const std::string& value : *values) out.push_back(head + value);
    }
    return out;
  }

  std::string_view key_;
  const YamlNode& value_;
  const Placeholders& placeholders_;
  std::string_view field_;
  Modifiers mods_;
  std::size_t total_ = 0;
};

}  // namespace

re2::RE2::Options regex_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryBytes);
  return options;
}

Expression read_item(std::string_view key, const YamlNode& value, const Placeholders& placeholders) {
  return ItemReader(key, value, placeholders).read();
}

Expression read_keywords(const YamlNode& list, const Placeholders& placeholders) {
  return read_item("", list, placeholders);
}

}  // namespace picket::sigma
