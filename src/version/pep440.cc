// PEP 440, with its normalisations; what it does not know is ordered as setuptools did before, and older than all else.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "digits.h"
#include "schemes.h"

namespace picket::version {
namespace {

/// A version by PEP 440. `pre`, `post`, `dev` of those that have none rank as the specification orders them.
struct Public {
  std::string epoch;
  std::vector<std::string> release;  ///< Without zeros at the end.
  int pre_kind = 0;                  ///< 1 a, 2 b, 3 rc; 0 a dev release of nothing else, 4 none.
  std::string pre, post, dev;
  bool has_post = false, has_dev = false;
  std::optional<std::vector<std::string>> local;
};

struct Reader {
  std::string_view rest;

  bool skip_separator() {
    if (rest.empty() || (rest.front() != '.' && rest.front() != '-' && rest.front() != '_')) return false;
    rest.remove_prefix(1);
    return true;
  }
  std::string number() { return std::string(without_zeros(take_while(rest, is_digit))); }
  bool word(std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words) {
      if (rest.starts_with(word)) {
        rest.remove_prefix(word.size());
        return true;
      }
    }
    return false;
  }
};

/// [separator] word [separator] number; the reader stands where it did when the word is not there.
template <class Word>
bool tagged(Reader& in, std::string& number, Word word) {
  Reader at = in;
  at.skip_separator();
  if (!word(at)) return false;
  Reader behind = at;
  behind.skip_separator();
  if (!behind.rest.empty() && is_digit(behind.rest.front())) at = behind;
  number = at.number();
  in = at;
  return true;
}

bool read_local(Reader& in, Public& out) {
  out.local.emplace();
  do {
    const auto part = take_while(in.rest, [](char c) { return is_digit(c) || is_lower(c); });
    if (part.empty()) return false;
    out.local->emplace_back(part);
  } while (in.skip_separator());
  return true;
}

std::optional<Public> parse_public(std::string_view text) {
  Public out;
  Reader in{text};
  if (in.rest.starts_with('v')) in.rest.remove_prefix(1);
  if (in.rest.empty() || !is_digit(in.rest.front())) return std::nullopt;
  out.release.push_back(in.number());
  if (in.rest.starts_with('!')) {
    in.rest.remove_prefix(1);
    out.epoch = std::move(out.release.front());
    if (in.rest.empty() || !is_digit(in.rest.front())) return std::nullopt;
    out.release.front() = in.number();
  }
  while (in.rest.size() > 1 && in.rest.front() == '.' && is_digit(in.rest[1])) {
    in.rest.remove_prefix(1);
    out.release.push_back(in.number());
  }
  while (!out.release.empty() && out.release.back().empty()) out.release.pop_back();
  const bool pre = tagged(in, out.pre, [&out](Reader& at) {
    if (at.word({"alpha", "a"})) return out.pre_kind = 1, true;
    if (at.word({"beta", "b"})) return out.pre_kind = 2, true;
    return at.word({"preview", "pre", "rc", "c"}) && (out.pre_kind = 3, true);
  });
  if (in.rest.size() > 1 && in.rest.front() == '-' && is_digit(in.rest[1])) {
    in.rest.remove_prefix(1);
    out.post = in.number();
    out.has_post = true;
  } else {
    out.has_post = tagged(in, out.post, [](Reader& at) { return at.word({"post", "rev", "r"}); });
  }
  out.has_dev = tagged(in, out.dev, [](Reader& at) { return at.word({"dev"}); });
  if (!pre) out.pre_kind = out.has_dev && !out.has_post ? 0 : 4;
  if (in.rest.starts_with('+')) {
    in.rest.remove_prefix(1);
    if (!read_local(in, out)) return std::nullopt;
  }
  if (!in.rest.empty()) return std::nullopt;
  return out;
}

std::strong_ordering compare_local(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const bool left = a[i].find_first_not_of("0123456789") == std::string::npos;
    const bool right = b[i].find_first_not_of("0123456789") == std::string::npos;
    if (left != right) return left <=> right;  // numbers behind letters
    const auto order = left ? compare_numbers(a[i], b[i]) : a[i].compare(b[i]) <=> 0;
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

std::weak_ordering compare_public(const Public& a, const Public& b) {
  if (const auto order = compare_numbers(a.epoch, b.epoch); order != 0) return order;
  for (std::size_t i = 0; i < a.release.size() && i < b.release.size(); ++i) {
    if (const auto order = compare_numbers(a.release[i], b.release[i]); order != 0) return order;
  }
  if (a.release.size() != b.release.size()) return a.release.size() <=> b.release.size();
  if (a.pre_kind != b.pre_kind) return a.pre_kind <=> b.pre_kind;
  if (const auto order = compare_numbers(a.pre, b.pre); order != 0) return order;
  if (a.has_post != b.has_post) return a.has_post <=> b.has_post;
  if (const auto order = compare_numbers(a.post, b.post); order != 0) return order;
  if (a.has_dev != b.has_dev) return b.has_dev <=> a.has_dev;
  if (const auto order = compare_numbers(a.dev, b.dev); order != 0) return order;
  if (a.local.has_value() != b.local.has_value()) return a.local.has_value() <=> b.local.has_value();
  return a.local ? compare_local(*a.local, *b.local) : std::strong_ordering::equal;
}

/// The parts by which setuptools compared before PEP 440: numbers padded with zeros, words with a star in front.
std::vector<std::string> legacy_parts(std::string_view rest) {
  std::vector<std::string> out;
  const auto add = [&out](std::string part) {
    if (part.starts_with('*')) {
      while (part < "*final" && !out.empty() && out.back() == "*final-") out.pop_back();
      while (!out.empty() && out.back() == "00000000") out.pop_back();
    }
    out.push_back(std::move(part));
  };
  while (!rest.empty()) {
    if (is_digit(rest.front())) {
      std::string digits(take_while(rest, is_digit));
      if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
      add(std::move(digits));
      continue;
    }
    std::string_view word;
    if (is_lower(rest.front())) {
      word = take_while(rest, is_lower);
    } else if (rest.front() == '-') {
      word = "final-";
      rest.remove_prefix(1);
    } else if (rest.front() == '.') {
      rest.remove_prefix(1);
      continue;
    } else {
      word = take_while(rest, [](char c) { return !is_digit(c) && !is_lower(c) && c != '.' && c != '-'; });
    }
    if (word == "pre" || word == "preview" || word == "rc") word = "c";
    if (word == "dev") word = "@";
    add("*" + std::string(word));
  }
  add("*final");
  return out;
}

std::string normal(std::string_view text) {
  constexpr std::string_view white = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return {};
  std::string out(text.substr(first, text.find_last_not_of(white) - first + 1));
  for (char& c : out) c = to_lower(c);
  return out;
}

}  // namespace

std::weak_ordering compare_pep440(std::string_view a, std::string_view b) {
  const std::string first = normal(a), second = normal(b);
  const auto left = parse_public(first), right = parse_public(second);
  if (left.has_value() != right.has_value()) return left.has_value() <=> right.has_value();
  if (left) return compare_public(*left, *right);
  return legacy_parts(first) <=> legacy_parts(second);
}

}  // namespace picket::version
