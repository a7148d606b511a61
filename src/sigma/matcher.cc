#include "sigma/matcher.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "program.h"
#include "test_run.h"

namespace picket::sigma {
namespace {

constexpr std::uint16_t kNoValue = 0xFFFF;

/// What is known of an atom while an event is looked at.
enum class Known : std::uint8_t { nothing, maybe, no, yes };

}  // namespace

struct Matcher::Impl {
  explicit Impl(const RuleSet& rules) : rules_(rules) {
    for (const LinkedRule& rule : rules.rules()) {
      categories_.insert(rule.source.category);
      products_.insert(rule.source.product);
      services_.insert(rule.source.service);
    }
    first_of_.assign(rules.field_count(), kNoValue);
    costs_.resize(rules.rules().size());
  }

  RouteId route(const LogSource& source) {
    const auto named = [](const std::set<std::string>& names, const std::string& name) {
      return names.contains(name) ? name : std::string("\x01");  // stands for all that no rule names
    };
    LogSource key{named(categories_, source.category), named(products_, source.product),
                  named(services_, source.service)};
    const auto found = routes_.find(key);
    if (found != routes_.end()) return found->second;
    const auto id = static_cast<RouteId>(programs_.size());
    if (id > kRoutesMax) return kRoutesMax;
    programs_.push_back(id == kRoutesMax ? Program{} : compile(rules_, key, regexes_));
    const Program& program = programs_.back();
    known_.resize(std::max(known_.size(), program.atoms.size()), Known::nothing);
    touched_.reserve(known_.size());
    chosen_.resize(std::max(chosen_.size(), program.entries.size()), false);
    candidates_.reserve(chosen_.size());
    matches_.reserve(chosen_.size());
    stats_.memory_bytes += program.memory_bytes();
    routes_.emplace(std::move(key), id);
    return id;
  }

  std::span<const RuleIndex> match(RouteId route, std::span<const EventField> event) {
    ++stats_.events;
    matches_.clear();
    if (route >= programs_.size() || programs_[route].entries.empty()) return {};
    program_ = &programs_[route];
    event_ = event.first(std::min(event.size(), kEventFieldsMax));
    take_values();
    scan();
    for (const std::uint32_t entry : program_->always) run(program_->entries[entry]);
    for (const std::uint32_t entry : candidates_) run(program_->entries[entry]);
    forget();
    std::ranges::sort(matches_);
    stats_.matches += matches_.size();
    return matches_;
  }

  void take_values() {
    for (std::size_t i = event_.size(); i-- > 0;) {
      texts_[i] = text_of_value(event_[i].value, numbers_[i]);
      const FieldId field = event_[i].field;
      if (field >= first_of_.size()) continue;
      next_of_[i] = first_of_[field];
      first_of_[field] = static_cast<std::uint16_t>(i);
    }
  }

  void scan() {
    for (std::size_t i = 0; i < event_.size(); ++i) {
      const FieldId field = event_[i].field;
      const std::uint32_t number = field < first_of_.size() ? program_->column_of[field]
                                                            : static_cast<std::uint32_t>(program_->columns.size() - 1);
      const Column& column = *program_->columns[number];
      if (column.automaton.empty()) continue;
      const std::string_view text = texts_[i];
      column.automaton.scan(text, [&](std::uint32_t literal, std::size_t begin, std::size_t end) {
        for (std::uint32_t use = column.uses_begin[literal]; use < column.uses_begin[literal + 1]; ++use) {
          found(column.uses[use], text, begin, end);
        }
      });
    }
  }

  void found(const LiteralUse& use, std::string_view text, std::size_t begin, std::size_t end) {
    using Mode = LiteralUse::Mode;
    Known& known = known_[use.atom];
    if (known == Known::yes || (use.mode == Mode::maybe && known == Known::maybe)) return;
    if ((use.mode == Mode::begin || use.mode == Mode::whole) && begin != 0) return;
    if ((use.mode == Mode::end || use.mode == Mode::whole) && end != text.size()) return;
    if (use.cased && text.substr(begin, end - begin) != use.literal) return;
    if (known == Known::nothing) {
      touched_.push_back(use.atom);
      const Atom& atom = program_->atoms[use.atom];
      for (std::uint32_t i = atom.watchers_begin; i < atom.watchers_end; ++i) choose(program_->watchers[i]);
    }
    known = use.mode == Mode::maybe ? Known::maybe : Known::yes;
  }

  void choose(std::uint32_t entry) {
    if (chosen_[entry]) return;
    chosen_[entry] = true;
    candidates_.push_back(entry);
  }

  void run(const Program::Entry& entry) {
    if (stats_.candidates++ % kTimedOneIn != 0) return look_at(entry);
    const auto before = std::chrono::steady_clock::now();
    look_at(entry);
    const auto taken = std::chrono::steady_clock::now() - before;
    RuleCost& cost = costs_[entry.rule];
    ++cost.timed;
    cost.timed_ns += static_cast<std::uint64_t>(std::chrono::nanoseconds(taken).count());
  }

  void look_at(const Program::Entry& entry) {
    RuleCost& cost = costs_[entry.rule];
    ++cost.looked_at;
    std::uint32_t at = entry.begin;
    while (at < Instruction::kAccept) {
      const Instruction& instruction = program_->code[at];
      at = is_true(instruction.atom) ? instruction.yes : instruction.no;
    }
    if (at != Instruction::kAccept) return;
    ++cost.matches;
    matches_.push_back(entry.rule);
  }

  bool is_true(std::uint32_t number) {
    Known& known = known_[number];
    if (known == Known::yes) return true;
    if (known == Known::no) return false;
    const Atom& atom = program_->atoms[number];
    if (known == Known::nothing) {
      if (atom.by_literal_only) return false;
      touched_.push_back(number);
    }
    const bool after_literal = known == Known::maybe;
    bool yes = false;
    for (std::uint32_t i = atom.tests_begin; i < atom.tests_end && !yes; ++i) {
      const CompiledTest& test = program_->tests[i];
      if (!test.after_literal || after_literal) yes = try_test(test, atom.field);
    }
    known = yes ? Known::yes : Known::no;
    return yes;
  }

  bool try_test(const CompiledTest& compiled, FieldId field) const {
    const Test& test = *compiled.test;
    if (field == Atom::kAnyField) {
      for (std::size_t i = 0; i < event_.size(); ++i) {
        if (passes(test, compiled.regex, event_[i].value, texts_[i])) return true;
      }
      return false;
    }
    const std::uint16_t first = first_of_[field];
    if (test.kind == Test::Kind::exists) return (first != kNoValue) == test.wanted;
    if (test.kind == Test::Kind::null && first == kNoValue) return true;
    for (std::uint16_t i = first; i != kNoValue; i = next_of_[i]) {
      if (test.kind == Test::Kind::null    ? event_[i].value.kind == Value::Kind::null
          : test.kind == Test::Kind::field ? refers_to(compiled, i)
                                           : passes(test, compiled.regex, event_[i].value, texts_[i])) {
        return true;
      }
    }
    return false;
  }

  bool refers_to(const CompiledTest& compiled, std::uint16_t value) const {
    if (event_[value].value.kind == Value::Kind::null) return false;
    for (std::uint16_t i = first_of_[compiled.other]; i != kNoValue; i = next_of_[i]) {
      if (event_[i].value.kind != Value::Kind::null && refers(*compiled.test, texts_[value], texts_[i])) return true;
    }
    return false;
  }

  void forget() {
    for (const EventField& field : event_) {
      if (field.field < first_of_.size()) first_of_[field.field] = kNoValue;
    }
    for (const std::uint32_t atom : touched_) known_[atom] = Known::nothing;
    for (const std::uint32_t entry : candidates_) chosen_[entry] = false;
    touched_.clear();
    candidates_.clear();
  }

  const RuleSet& rules_;
  RegexPool regexes_;
  std::set<std::string> categories_;
  std::set<std::string> products_;
  std::set<std::string> services_;
  std::map<LogSource, RouteId> routes_;
  std::vector<Program> programs_;
  Stats stats_;
  // Of the event that is looked at.
  const Program* program_ = nullptr;
  std::span<const EventField> event_;
  std::vector<std::uint16_t> first_of_;  ///< By field: its first value.
  std::array<std::uint16_t, kEventFieldsMax> next_of_{};
  std::array<std::string_view, kEventFieldsMax> texts_{};
  std::array<NumberText, kEventFieldsMax> numbers_{};
  std::vector<Known> known_;  ///< By atom.
  std::vector<std::uint32_t> touched_;
  std::vector<bool> chosen_;  ///< By entry.
  std::vector<std::uint32_t> candidates_;
  std::vector<RuleIndex> matches_;
  std::vector<RuleCost> costs_;  ///< By RuleIndex.
};

Matcher::Matcher(const RuleSet& rules) : impl_(std::make_unique<Impl>(rules)) {}
Matcher::~Matcher() = default;
RouteId Matcher::route(const LogSource& source) { return impl_->route(source); }
std::span<const RuleIndex> Matcher::match(RouteId route, std::span<const EventField> event) {
  return impl_->match(route, event);
}
std::span<const Matcher::RuleCost> Matcher::rule_costs() const { return impl_->costs_; }
Matcher::Stats Matcher::stats() const {
  Stats out = impl_->stats_;
  out.routes = impl_->programs_.size();
  return out;
}

}  // namespace picket::sigma
