// Random expressions over texts and dynamic values. Texts are looked at by characters, not bytes; case is that of the
// few letters the generator knows.
#include <algorithm>
#include <cctype>

#include "random_expression.h"

namespace picket::kql::testing {

namespace {

using Columns = std::vector<TypedColumn>;

std::string str(const Cell& cell) { return std::get<std::string>(cell); }

std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> out;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U && !out.empty()) {
      out.back() += c;
    } else {
      out.emplace_back(1, c);
    }
  }
  return out;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::toupper(c) : c); });
  return replaced(std::move(text), "é", "É");
}

std::vector<std::string> parts(const std::string& text, const std::string& by) {
  std::vector<std::string> out;
  std::size_t from = 0;
  for (std::size_t at = 0; (at = text.find(by, from)) != std::string::npos; from = at + by.size()) {
    out.push_back(text.substr(from, at - from));
  }
  out.push_back(text.substr(from));
  return out;
}

/// A term is a run of letters and digits, also of other scripts.
bool in_term(char c) {
  return static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// The word stands in the text, with the edge of a term before it, behind it, or both.
bool has(const std::string& text, const std::string& word, bool edge_before, bool edge_behind) {
  const auto t = without_case(text);
  const auto w = without_case(word);
  for (std::size_t at = t.find(w); at != std::string::npos; at = t.find(w, at + 1)) {
    if (w.empty()) return true;
    const bool before = at == 0 || !in_term(t[at - 1]);
    const bool behind = at + w.size() == t.size() || !in_term(t[at + w.size()]);
    if ((before || !edge_before) && (behind || !edge_behind)) return true;
  }
  return false;
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

/// Any of a few words.
std::string word_of(Dice& dice, std::initializer_list<const char*> words) {
  return data(words)[dice.roll(words.size())];
}

/// A value packed into a dynamic one and taken out again.
RandomExpression through_dynamic(Dice& dice, RandomExpression inner) {
  const bool text = inner.sort == Sort::text;
  const std::string as = text ? "tostring(" : "tolong(";
  switch (dice.roll(4)) {
    case 0:
      return {as + "bag_pack(\"k\", " + inner.text + ", \"n\", 5).k)", inner.sort, inner.value};
    case 1:
      return {as + "pack_array(1, " + inner.text + ")[-1])", inner.sort, inner.value};
    case 2:
      return {as + "parse_json(tostring(bag_pack(\"a b\", pack_array(" + inner.text + "))))[\"a b\"][0])", inner.sort,
              inner.value};
    default:  // no such key
      return {as + "bag_pack(\"k\", " + inner.text + ").q)", inner.sort,
              [text](const Row&) { return text ? Cell(std::string()) : Cell(); }};
  }
}

}  // namespace

std::string without_case(const std::string& text) {
  auto out = text;
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::tolower(c) : c); });
  return replaced(std::move(out), "É", "é");
}

RandomExpression random_text(Dice& dice, const Columns& columns, int depth) {
  const auto part = [&](Sort sort) { return random_expression(dice, columns, sort, depth - 1); };
  const auto made = [](std::string text, std::function<Cell(const Row&)> value) {
    return RandomExpression{std::move(text), Sort::text, std::move(value)};
  };
  switch (dice.roll(11)) {
    case 0: {
      auto left = part(Sort::text);
      auto right = part(Sort::text);
      return made("strcat(" + left.text + ", " + right.text + ")",
                  [=](const Row& row) { return Cell(str(left.value(row)) + str(right.value(row))); });
    }
    case 1: {
      auto inner = part(Sort::text);
      return made("tolower(" + inner.text + ")",
                  [=](const Row& row) { return Cell(without_case(str(inner.value(row)))); });
    }
    case 2: {
      auto inner = part(Sort::whole);
      return made("tostring(" + inner.text + ")", [=](const Row& row) {
        const auto value = inner.value(row);
        return Cell(is_null(value) ? std::string() : cell_text(value));
      });
    }
    case 3: {
      auto inner = part(Sort::text);
      return made("toupper(" + inner.text + ")", [=](const Row& row) { return Cell(upper(str(inner.value(row)))); });
    }
    case 4: {
      auto inner = part(Sort::text);
      const auto from = dice.roll(3);
      const auto count = dice.roll(4);
      return made("substring(" + inner.text + ", " + std::to_string(from) + ", " + std::to_string(count) + ")",
                  [=](const Row& row) {
                    const auto all = characters(str(inner.value(row)));
                    std::string out;
                    for (std::size_t i = from; i < std::min(all.size(), from + count); ++i) out += all[i];
                    return Cell(out);
                  });
    }
    case 5: {
      auto inner = part(Sort::text);
      const auto from = word_of(dice, {"a", "b", " ", "é"});
      const auto to = word_of(dice, {"", "ab", "日"});
      return made("replace_string(" + inner.text + ", " + quoted(from) + ", " + quoted(to) + ")",
                  [=](const Row& row) { return Cell(replaced(str(inner.value(row)), from, to)); });
    }
    case 6: {
      auto inner = part(Sort::text);
      return made("reverse(" + inner.text + ")", [=](const Row& row) {
        std::string out;
        for (const auto& one : characters(str(inner.value(row)))) out.insert(0, one);
        return Cell(out);
      });
    }
    case 7: {
      auto inner = part(Sort::text);
      const auto by = word_of(dice, {"a", " ", "b-"});
      const auto at = dice.roll(3);
      return made("tostring(split(" + inner.text + ", " + quoted(by) + ")[" + std::to_string(at) + "])",
                  [=](const Row& row) {
                    const auto all = parts(str(inner.value(row)), by);
                    return Cell(at < all.size() ? all[at] : std::string());
                  });
    }
    case 8:
      return through_dynamic(dice, part(Sort::text));
    case 9: {
      auto first = part(Sort::truth);
      auto second = part(Sort::truth);
      auto a = part(Sort::text);
      auto b = part(Sort::text);
      return made("case(" + first.text + ", " + a.text + ", " + second.text + ", " + b.text + ", \"none\")",
                  [=](const Row& row) {
                    const auto holds = [&](const RandomExpression& one) {
                      const auto cell = one.value(row);
                      return !is_null(cell) && std::get<bool>(cell);
                    };
                    return holds(first) ? a.value(row) : holds(second) ? b.value(row) : Cell(std::string("none"));
                  });
    }
    default: {
      auto condition = part(Sort::truth);
      auto yes = part(Sort::text);
      auto no = part(Sort::text);
      return made("iff(" + condition.text + ", " + yes.text + ", " + no.text + ")", [=](const Row& row) {
        const auto cell = condition.value(row);
        return !is_null(cell) && std::get<bool>(cell) ? yes.value(row) : no.value(row);
      });
    }
  }
}

RandomExpression random_text_number(Dice& dice, const Columns& columns, int depth) {
  auto text = random_expression(dice, columns, Sort::text, depth - 1);
  const auto word = word_of(dice, {"a", "b", "é"});
  switch (dice.roll(5)) {
    case 0:
      return {"indexof(" + text.text + ", " + quoted(word) + ")", Sort::whole, [=](const Row& row) {
                const auto all = characters(str(text.value(row)));
                const auto found = std::ranges::find(all, word);
                return Cell(found == all.end() ? std::int64_t{-1} : static_cast<std::int64_t>(found - all.begin()));
              }};
    case 1:
      return {"countof(" + text.text + ", " + quoted(word) + ")", Sort::whole, [=](const Row& row) {
                return Cell(static_cast<std::int64_t>(parts(str(text.value(row)), word).size() - 1));
              }};
    case 2:
      return {"array_length(split(" + text.text + ", " + quoted(word) + "))", Sort::whole, [=](const Row& row) {
                return Cell(static_cast<std::int64_t>(parts(str(text.value(row)), word).size()));
              }};
    case 3:
      return through_dynamic(dice, random_expression(dice, columns, Sort::whole, depth - 1));
    default:
      return {"strlen(" + text.text + ")", Sort::whole,
              [=](const Row& row) { return Cell(static_cast<std::int64_t>(characters(str(text.value(row))).size())); }};
  }
}

RandomExpression random_text_test(Dice& dice, RandomExpression left, RandomExpression right) {
  static const std::vector<std::string> kOps = {
      "has",  "contains",    "startswith",    "endswith",  "==",        "!=",        "=~",         "!~",
      "!has", "contains_cs", "startswith_cs", "!contains", "hasprefix", "hassuffix", "!hasprefix", "endswith_cs"};
  const auto op = kOps[dice.roll(kOps.size())];
  if (op.contains("has")) {  // terms begin and end with a letter or digit
    const auto word = word_of(dice, {"", "a", "B", "ab", "a b", "é", "日本", "1", "x"});
    right = {quoted(word), Sort::text, [word](const Row&) { return Cell(word); }};
  }
  return {"(" + left.text + " " + op + " " + right.text + ")", Sort::truth, [=](const Row& row) {
            const auto a = str(left.value(row));
            const auto b = str(right.value(row));
            const auto x = without_case(a);
            const auto y = without_case(b);
            if (op == "has") return Cell(has(a, b, true, true));
            if (op == "!has") return Cell(!has(a, b, true, true));
            if (op == "hasprefix") return Cell(has(a, b, true, false));
            if (op == "!hasprefix") return Cell(!has(a, b, true, false));
            if (op == "hassuffix") return Cell(has(a, b, false, true));
            if (op == "contains") return Cell(x.find(y) != std::string::npos);
            if (op == "!contains") return Cell(x.find(y) == std::string::npos);
            if (op == "contains_cs") return Cell(a.find(b) != std::string::npos);
            if (op == "startswith") return Cell(x.starts_with(y));
            if (op == "startswith_cs") return Cell(a.starts_with(b));
            if (op == "endswith") return Cell(x.ends_with(y));
            if (op == "endswith_cs") return Cell(a.ends_with(b));
            if (op == "=~") return Cell(x == y);
            if (op == "!~") return Cell(x != y);
            return Cell(op == "==" ? a == b : a != b);
          }};
}

RandomExpression random_text_list_test(Dice& dice, RandomExpression text) {
  static const std::vector<std::string> kOps = {"in", "!in", "in~", "!in~", "has_any", "has_all"};
  const auto op = kOps[dice.roll(kOps.size())];
  const std::vector<std::string> words = {word_of(dice, {"a", "A", "é"}), word_of(dice, {"b", "ab", "É"})};
  auto list = quoted(words[0]) + ", " + quoted(words[1]);
  if (dice.chance(3)) list = "dynamic([" + list + "])";
  return {"(" + text.text + " " + op + " (" + list + "))", Sort::truth, [=](const Row& row) {
            const auto value = str(text.value(row));
            const auto any = [&](auto test) { return std::ranges::any_of(words, test); };
            const bool folded = any([&](const auto& one) { return without_case(one) == without_case(value); });
            const bool exact = any([&](const auto& one) { return one == value; });
            if (op == "in") return Cell(exact);
            if (op == "!in") return Cell(!exact);
            if (op == "in~") return Cell(folded);
            if (op == "!in~") return Cell(!folded);
            const auto term = [&](const auto& one) { return has(value, one, true, true); };
            return Cell(op == "has_any" ? any(term) : std::ranges::all_of(words, term));
          }};
}

}  // namespace picket::kql::testing
