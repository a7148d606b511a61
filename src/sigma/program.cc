#include "program.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <re2/filtered_re2.h>

#include "base/core/check.h"
#include "regex_options.h"

namespace picket::sigma {
namespace {

using Kind = Expression::Kind;
using Piece = Pattern::Piece;

/// A text test that needs nothing but one literal at one place.
std::optional<LiteralUse::Mode> decided_by_literal(const Pattern& pattern) {
  const auto& pieces = pattern.pieces;
  const auto literal = [&](std::size_t i) { return i < pieces.size() && pieces[i].kind == Piece::Kind::literal; };
  const auto run = [&](std::size_t i) { return i < pieces.size() && pieces[i].kind == Piece::Kind::any_run; };
  if (pieces.size() == 1 && literal(0)) return LiteralUse::Mode::whole;
  if (pieces.size() == 2 && literal(0) && run(1)) return LiteralUse::Mode::begin;
  if (pieces.size() == 2 && run(0) && literal(1)) return LiteralUse::Mode::end;
  if (pieces.size() == 3 && run(0) && literal(1) && run(2)) return LiteralUse::Mode::anywhere;
  return std::nullopt;
}

const std::string* longest_literal(const Pattern& pattern) {
  const std::string* out = nullptr;
  for (const Piece& piece : pattern.pieces) {
    if (piece.kind == Piece::Kind::literal && (out == nullptr || piece.text.size() > out->size())) out = &piece.text;
  }
  return out;
}

/// How often, roughly, ordinary texts hold a literal. Words and paths are of letters; what a shell reads as more than
/// that stands in few command lines.
double frequency(std::string_view literal) {
  constexpr std::string_view kOfShells = "|<>;&!$[]{}()*?\"'`\\";
  const double length = static_cast<double>(literal.size());
  const double out = 1 / (1 + length * length * length);
  return literal.find_first_of(kOfShells) == literal.npos ? out : out / 16;
}

/// The same of a test: what makes a good witness is rarely true.
double frequency(const Test& test) {
  const std::string* literal = longest_literal(test.pattern);
  return test.kind != Test::Kind::text || literal == nullptr ? 1 : frequency(*literal);
}

double frequency(const RegexPool::Entry& entry) {
  double out = entry.literals.empty() ? 1 : 0;
  for (const std::string& literal : entry.literals) out += frequency(literal);
  return out;
}

std::string key_of(const Item& item) {
  std::string out = item.field;
  const auto add = [&](std::string_view part) {
    out += '\0';
    out += std::to_string(part.size());
    out += ':';
    out += part;
  };
  for (const Test& test : item.tests) {
    add(std::to_string(static_cast<int>(test.kind)) + (test.pattern.cased ? "c" : "i"));
    for (const Piece& piece : test.pattern.pieces)
      add(piece.kind == Piece::Kind::literal ? "l" + piece.text : piece.kind == Piece::Kind::any_run ? "*" : "?");
    add(test.regex);
    add({reinterpret_cast<const char*>(test.network.address), sizeof test.network.address});
    add(std::to_string(test.network.prefix_bits) + "," + std::to_string(static_cast<int>(test.comparison)) + "," +
        std::to_string(test.number) + "," + std::to_string(static_cast<int>(test.part)) + (test.wanted ? "w" : "n") +
        (test.open_begin ? "b" : "") + (test.open_end ? "e" : ""));
    add(test.other);
  }
  return out;
}

/// The texts are combined by and and or, which RE2 keeps to itself but answers questions about. Leaves out what is not
/// needed, what occurs most often first: of the rest, one is in whatever the expression is found in.
std::vector<std::string> needed_of(const re2::FilteredRE2& filter, const std::vector<std::string>& all) {
  std::vector<int> order(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) order[i] = static_cast<int>(i);
  std::ranges::sort(order, {}, [&](int i) { return all[static_cast<std::size_t>(i)].size(); });
  std::vector<bool> needed(all.size(), true);
  for (const int candidate : order) {
    needed[static_cast<std::size_t>(candidate)] = false;
    // Could it be found in a text that has all but the needed ones?
    std::vector<int> others;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!needed[i]) others.push_back(static_cast<int>(i));
    }
    std::vector<int> possible;
    filter.AllPotentials(others, &possible);
    if (!possible.empty()) needed[static_cast<std::size_t>(candidate)] = true;
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (needed[i]) out.push_back(all[i]);
  }
  return out;
}

/// Texts of which one stands in whatever the expression is found in; none when RE2 finds none.
std::vector<std::string> literals_of(const std::string& regex) {
  constexpr int kLiteralBytesMin = 2;
  re2::FilteredRE2 filter(kLiteralBytesMin);
  int id = 0;
  if (filter.Add(regex, regex_options(), &id) != re2::RE2::NoError) return {};
  std::vector<std::string> out;
  filter.Compile(&out);
  // RE2 takes the small form of all letters, automata that of ASCII's. Two letters beyond ASCII have a small form in
  // it.
  const auto is_ascii = [](const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
  };
  if (out.empty() || !std::ranges::all_of(out, is_ascii)) return {};
  out = needed_of(filter, out);
  if (out.empty()) return {};
  out.emplace_back("\xC5\xBF");      // long s
  out.emplace_back("\xE2\x84\xAA");  // Kelvin
  return out;
}

/// The atoms of which one must be true when a rule matches.
struct Witness {
  bool found = false;
  double frequency = 0;
  std::vector<std::uint32_t> atoms;
};

class Compiler {
 public:
  Compiler(const RuleSet& rules, RegexPool& regexes) : rules_(rules), regexes_(regexes) {}

  Program compile(const LogSource& source) {
    for (RuleIndex i = 0; i < rules_.rules().size(); ++i) {
      if (rules_.rules()[i].source.covers(source)) add_rule(i);
    }
    build_columns();
    build_watchers();
    return std::move(out_);
  }

 private:
  void add_rule(RuleIndex index) {
    const Expression& expression = rules_.rules()[index].expression;
    const auto entry = static_cast<std::uint32_t>(out_.entries.size());
    const std::uint32_t begin = emit(expression, Instruction::kAccept, Instruction::kReject);
    if (begin == Instruction::kReject) return;
    out_.entries.push_back({index, begin});
    const Witness witness = witness_of(expression);
    if (!witness.found) {
      out_.always.push_back(entry);
      return;
    }
    for (const std::uint32_t atom : witness.atoms) watched_.emplace_back(atom, entry);
  }

  /// Code that goes to `yes` or `no`; returns where it begins. What stands last is made first, so targets are known.
  std::uint32_t emit(const Expression& expression, std::uint32_t yes, std::uint32_t no) {
    switch (expression.kind) {
      case Kind::item:
        out_.code.push_back({atom_of(expression.item), yes, no});
        return static_cast<std::uint32_t>(out_.code.size() - 1);
      case Kind::negation:
        return emit(expression.children.front(), no, yes);
      case Kind::all_of:
        for (auto child = expression.children.rbegin(); child != expression.children.rend(); ++child)
          yes = emit(*child, yes, no);
        return yes;
      case Kind::any_of:
        for (auto child = expression.children.rbegin(); child != expression.children.rend(); ++child)
          no = emit(*child, yes, no);
        return no;
    }
    return no;
  }

  std::uint32_t atom_of(const Item& item) {
    const auto [found, added] = atom_by_key_.emplace(key_of(item), static_cast<std::uint32_t>(out_.atoms.size()));
    if (!added) return found->second;
    Atom atom;
    const std::uint32_t number = found->second;
    atom.field = item.field.empty() ? Atom::kAnyField : rules_.field(item.field);
    atom.tests_begin = static_cast<std::uint32_t>(out_.tests.size());
    double often = 0;
    for (const Test& test : item.tests) {
      often += test.kind == Test::Kind::regex ? frequency(regexes_.get(test.regex)) : frequency(test);
      add_test(test, number, atom);
    }
    atom.tests_end = static_cast<std::uint32_t>(out_.tests.size());
    out_.atoms.push_back(atom);
    frequencies_.push_back(often);
    return number;
  }

  void add_test(const Test& test, std::uint32_t number, Atom& atom) {
    if (test.kind == Test::Kind::text) {
      if (const auto mode = decided_by_literal(test.pattern)) {
        uses_[atom.field].push_back({number, *mode, test.pattern.cased, *longest_literal(test.pattern)});
        return;
      }
      if (const std::string* literal = longest_literal(test.pattern)) {
        uses_[atom.field].push_back({number, LiteralUse::Mode::maybe, false, *literal});
        out_.tests.push_back({&test, nullptr, kUnnamedField, true});
        return;
      }
    }
    CompiledTest compiled{&test, nullptr, kUnnamedField, false};
    if (test.kind == Test::Kind::regex) {
      const RegexPool::Entry& entry = regexes_.get(test.regex);
      compiled.regex = entry.regex.get();
      compiled.after_literal = !entry.literals.empty();
      for (const std::string& literal : entry.literals) {
        uses_[atom.field].push_back({number, LiteralUse::Mode::maybe, false, literal});
      }
    }
    if (!compiled.after_literal) atom.by_literal_only = false;
    if (test.kind == Test::Kind::field) compiled.other = rules_.field(test.other);
    out_.tests.push_back(compiled);
  }

  Witness witness_of(const Expression& expression) {
    Witness out;
    switch (expression.kind) {
      case Kind::item: {
        const std::uint32_t atom = atom_of(expression.item);
        if (out_.atoms[atom].by_literal_only) out = {true, frequencies_[atom], {atom}};
        break;
      }
      case Kind::negation:
        break;
      case Kind::all_of:
        for (const Expression& child : expression.children) {
          Witness one = witness_of(child);
          if (one.found && (!out.found || one.frequency < out.frequency)) out = std::move(one);
        }
        break;
      case Kind::any_of:
        out.found = true;
        for (const Expression& child : expression.children) {
          const Witness one = witness_of(child);
          if (!one.found) return {};
          out.frequency += one.frequency;
          out.atoms.insert(out.atoms.end(), one.atoms.begin(), one.atoms.end());
        }
        break;
    }
    return out;
  }

  void build_columns() {
    // Keywords are looked for in every field, so their literals are in every column.
    const std::vector<LiteralUse> keywords =
        uses_.contains(Atom::kAnyField) ? uses_[Atom::kAnyField] : std::vector<LiteralUse>();
    out_.column_of.assign(rules_.field_count(), 0);
    std::vector<FieldId> fields;
    for (const auto& [field, uses] : uses_) {
      if (field != Atom::kAnyField) fields.push_back(field);
    }
    std::ranges::fill(out_.column_of, static_cast<std::uint32_t>(fields.size()));
    for (std::size_t i = 0; i < fields.size(); ++i) {
      out_.column_of[fields[i]] = static_cast<std::uint32_t>(i);
      std::vector<LiteralUse> all = uses_[fields[i]];
      all.insert(all.end(), keywords.begin(), keywords.end());
      out_.columns.push_back(build_column(all));
    }
    out_.columns.push_back(build_column(keywords));
  }

  static std::unique_ptr<Column> build_column(const std::vector<LiteralUse>& uses) {
    auto out = std::make_unique<Column>();
    std::vector<std::vector<LiteralUse>> by_literal;
    for (const LiteralUse& use : uses) {
      const std::uint32_t literal = out->automaton.add(use.literal);
      if (literal >= by_literal.size()) by_literal.resize(literal + 1);
      by_literal[literal].push_back(use);
    }
    out->automaton.build();
    for (const auto& one : by_literal) {
      out->uses_begin.push_back(static_cast<std::uint32_t>(out->uses.size()));
      out->uses.insert(out->uses.end(), one.begin(), one.end());
    }
    out->uses_begin.push_back(static_cast<std::uint32_t>(out->uses.size()));
    return out;
  }

  void build_watchers() {
    std::ranges::sort(watched_);
    watched_.erase(std::ranges::unique(watched_).begin(), watched_.end());
    for (std::size_t i = 0; i < watched_.size();) {
      Atom& atom = out_.atoms[watched_[i].first];
      const std::uint32_t number = watched_[i].first;
      atom.watchers_begin = static_cast<std::uint32_t>(out_.watchers.size());
      for (; i < watched_.size() && watched_[i].first == number; ++i) out_.watchers.push_back(watched_[i].second);
      atom.watchers_end = static_cast<std::uint32_t>(out_.watchers.size());
    }
  }

  const RuleSet& rules_;
  RegexPool& regexes_;
  Program out_;
  std::unordered_map<std::string, std::uint32_t> atom_by_key_;
  std::vector<double> frequencies_;
  std::map<FieldId, std::vector<LiteralUse>> uses_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> watched_;  ///< Atom, entry.
};

}  // namespace

const RegexPool::Entry& RegexPool::get(const std::string& text) {
  const auto [found, added] = pool_.try_emplace(text);
  Entry& entry = found->second;
  if (!added) return entry;
  entry.regex = std::make_unique<re2::RE2>(text, regex_options());
  CHECK(entry.regex->ok(), "the reader has tried every regular expression");
  entry.literals = literals_of(text);
  return entry;
}

std::size_t Program::memory_bytes() const {
  std::size_t out = entries.capacity() * sizeof(Entry) + code.capacity() * sizeof(Instruction) +
                    atoms.capacity() * sizeof(Atom) + tests.capacity() * sizeof(CompiledTest) +
                    4 * (watchers.capacity() + always.capacity());
  for (const auto& column : columns) {
    out += column->automaton.memory_bytes() + column->uses.capacity() * sizeof(LiteralUse) +
           4 * column->uses_begin.capacity();
  }
  return out;
}

Program compile(const RuleSet& rules, const LogSource& source, RegexPool& regexes) {
  return Compiler(rules, regexes).compile(source);
}

}  // namespace picket::sigma
