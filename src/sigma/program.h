// The rules of one log source, compiled: literals found by automata choose candidates, whose conditions run as jumps.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <re2/re2.h>

#include "automaton.h"
#include "sigma/rule_set.h"

namespace picket::sigma {

/// Regular expressions by their text: rules of several log sources share them.
class RegexPool {
 public:
  struct Entry {
    std::unique_ptr<re2::RE2> regex;
    /// The expression is found only in texts that hold one of these, ASCII case ignored. None: nothing is known.
    std::vector<std::string> literals;
  };
  /// Lives as long as the pool.
  const Entry& get(const std::string& text);

 private:
  std::unordered_map<std::string, Entry> pool_;
};

/// A condition on one field, or on any: what bytecode asks for. True when one of its tests is.
struct Atom {
  static constexpr std::uint32_t kAnyField = 0xFFFF'FFFF;
  FieldId field = kAnyField;
  std::uint32_t tests_begin = 0;  ///< In Program::tests: those that automata alone do not decide.
  std::uint32_t tests_end = 0;
  std::uint32_t watchers_begin =
      0;  ///< In Program::watchers: rules that can only match when this or another atom does.
  std::uint32_t watchers_end = 0;
  bool by_literal_only = true;  ///< False: some test must run even when no literal was found.
};

/// A test as it runs.
struct CompiledTest {
  const Test* test = nullptr;  ///< Of the rule set, which outlives the program.
  const re2::RE2* regex = nullptr;
  FieldId other = kUnnamedField;
  bool after_literal = false;  ///< Automata look for a part of it: only worth a try after a hit.
};

/// What a literal found in a field means.
struct LiteralUse {
  enum class Mode : std::uint8_t { anywhere, begin, end, whole, maybe };
  std::uint32_t atom = 0;
  Mode mode = Mode::anywhere;
  bool cased = false;
  std::string_view literal;  ///< As the rule has it; compared when cased.
};

/// Automaton and meanings for one field, keywords included.
struct Column {
  Automaton automaton;
  std::vector<std::uint32_t> uses_begin;  ///< By literal, one more than there are.
  std::vector<LiteralUse> uses;
};

struct Instruction {
  static constexpr std::uint32_t kAccept = 0xFFFF'FFFE;
  static constexpr std::uint32_t kReject = 0xFFFF'FFFF;
  std::uint32_t atom = 0;
  std::uint32_t yes = kAccept;
  std::uint32_t no = kReject;
};

struct Program {
  struct Entry {
    RuleIndex rule = 0;
    std::uint32_t begin = 0;  ///< First instruction; kAccept: always.
  };
  std::vector<Entry> entries;
  std::vector<Instruction> code;
  std::vector<Atom> atoms;
  std::vector<CompiledTest> tests;
  std::vector<std::uint32_t> watchers;           ///< Entries.
  std::vector<std::uint32_t> always;             ///< Entries that no literal announces.
  std::vector<std::uint32_t> column_of;          ///< By FieldId.
  std::vector<std::unique_ptr<Column>> columns;  ///< The last one is for fields without a number or without literals.

  [[nodiscard]] std::size_t memory_bytes() const;
};

/// Compiles the rules that cover `source`. `rules` outlives the result.
Program compile(const RuleSet& rules, const LogSource& source, RegexPool& regexes);

}  // namespace picket::sigma
