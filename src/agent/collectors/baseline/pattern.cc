#include "baseline/pattern.h"

#include <array>
#include <bitset>
#include <utility>

namespace picket::agent::baseline {
namespace {

enum Op : std::uint8_t { match, byte, any, set, split, jump, begin, end, boundary };
using Marks = std::bitset<Pattern::kProgramBytesMax>;

std::uint8_t at(Bytes program, std::size_t index) { return static_cast<std::uint8_t>(program[index]); }
std::size_t place(Bytes program, std::size_t index) {
  return at(program, index) | static_cast<std::size_t>(at(program, index + 1)) << 8;
}

/// Bytes of the instruction at `index`; 0: there is none, or it is cut.
std::size_t length_at(Bytes program, std::size_t index) {
  const std::size_t left = program.size() - index;
  std::size_t length = 1;
  switch (at(program, index)) {
    case match:
    case any:
    case begin:
    case end:
    case boundary:
      break;
    case byte:
      length = 2;
      break;
    case jump:
      length = 3;
      break;
    case split:
      length = 5;
      break;
    case set:
      length = left < 2 ? left + 1 : 2U + 2U * at(program, index + 1);
      break;
    default:
      return 0;
  }
  return length <= left ? length : 0;
}

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// Instructions that wait for the next byte.
class Threads {
 public:
  explicit Threads(Bytes program) : program_(program) {}

  void clear() {
    count_ = 0;
    marks_.reset();
  }
  [[nodiscard]] bool idle() const { return count_ == 0; }
  /// Follows what needs no byte from `index` on. True: the pattern has matched.
  bool add(std::size_t index, std::string_view line, std::size_t position) {
    std::array<std::uint16_t, Pattern::kProgramBytesMax> waiting;  // each place is pushed once at most
    std::size_t depth = 0;
    const auto push = [&](std::size_t target) {
      if (marks_.test(target)) return;
      marks_.set(target);
      waiting[depth++] = static_cast<std::uint16_t>(target);
    };
    push(index);
    while (depth > 0) {
      const std::size_t pc = waiting[--depth];
      switch (at(program_, pc)) {
        case match:
          return true;
        case jump:
          push(place(program_, pc + 1));
          break;
        case split:
          push(place(program_, pc + 1));
          push(place(program_, pc + 3));
          break;
        case begin:
          if (position == 0) push(pc + 1);
          break;
        case end:
          if (position == line.size()) push(pc + 1);
          break;
        case boundary: {
          const bool before = position > 0 && is_word(line[position - 1]);
          const bool after = position < line.size() && is_word(line[position]);
          if (before != after) push(pc + 1);
          break;
        }
        default:
          list_[count_++] = static_cast<std::uint16_t>(pc);
      }
    }
    return false;
  }
  /// The threads that take `c` go on in `next`.
  bool step(char c, Threads& next, std::string_view line, std::size_t position) const {
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t pc = list_[i];
      if (takes(pc, static_cast<std::uint8_t>(c)) && next.add(pc + length_at(program_, pc), line, position))
        return true;
    }
    return false;
  }

 private:
  [[nodiscard]] bool takes(std::size_t pc, std::uint8_t c) const {
    const std::uint8_t op = at(program_, pc);
    if (op == any) return true;
    if (op == byte) return at(program_, pc + 1) == c;
    for (std::size_t i = 0; i < at(program_, pc + 1); ++i) {
      if (c >= at(program_, pc + 2 + 2 * i) && c <= at(program_, pc + 3 + 2 * i)) return true;
    }
    return false;
  }

  Bytes program_;
  std::size_t count_ = 0;
  Marks marks_;
  std::array<std::uint16_t, Pattern::kProgramBytesMax> list_;
};

}  // namespace

std::optional<Pattern> Pattern::check(Bytes program) {
  if (program.empty() || program.size() > kProgramBytesMax) return std::nullopt;
  Marks starts;
  std::size_t last = 0;
  for (std::size_t index = 0; index < program.size();) {
    const std::size_t length = length_at(program, index);
    if (length == 0) return std::nullopt;
    starts.set(index);
    last = index;
    index += length;
  }
  // Nothing runs past the end: the last instruction leads nowhere further.
  if (at(program, last) != match && at(program, last) != jump) return std::nullopt;
  const auto leads = [&](std::size_t target) { return target < program.size() && starts.test(target); };
  for (std::size_t index = 0; index < program.size(); index += length_at(program, index)) {
    const std::uint8_t op = at(program, index);
    if ((op == jump || op == split) && !leads(place(program, index + 1))) return std::nullopt;
    if (op == split && !leads(place(program, index + 3))) return std::nullopt;
  }
  return Pattern(program);
}

bool Pattern::found_in(std::string_view line) const {
  Threads first(program_), second(program_);
  Threads *now = &first, *next = &second;
  const bool anchored = at(program_, 0) == begin;
  for (std::size_t position = 0;; ++position) {
    if (now->add(0, line, position)) return true;
    if (position == line.size() || (anchored && now->idle())) return false;
    next->clear();
    if (now->step(line[position], *next, line, position + 1)) return true;
    std::swap(now, next);
  }
}

}  // namespace picket::agent::baseline
