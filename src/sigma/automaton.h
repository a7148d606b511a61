// Finds all of many literals in a text in one pass, without regard to ASCII case (Aho and Corasick 1975).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::sigma {

/// Immutable after build(). A table of all transitions where that is small enough, failure links where it is not.
class Automaton {
 public:
  /// Entries of the table of transitions, four bytes each; beyond it the slower form is used.
  static constexpr std::size_t kTableEntriesMax = 4 * 1024 * 1024;

  /// Returns the literal's number; the same literal gets the same one. Not empty.
  std::uint32_t add(std::string_view literal);
  void build(std::size_t table_entries_max = kTableEntriesMax);

  [[nodiscard]] bool empty() const { return lengths_.empty(); }
  [[nodiscard]] std::size_t literal_count() const { return lengths_.size(); }
  [[nodiscard]] std::size_t state_count() const { return out_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const;

  /// Calls `hit(literal, begin, end)` for every place where a literal stands.
  template <class Hit>
  void scan(std::string_view text, Hit&& hit) const {
    if (!table_.empty()) {
      const std::uint32_t* table = table_.data();
      std::uint32_t state = 0;
      for (std::size_t i = 0; i < text.size(); ++i) {
        state = table[(state & kStateMask) + classes_[static_cast<std::uint8_t>(text[i])]];
        if ((state & kHasOutput) != 0) report((state & kStateMask) / class_count_, i + 1, hit);
      }
      return;
    }
    std::uint32_t state = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      state = step(state, classes_[static_cast<std::uint8_t>(text[i])]);
      if (out_[state] != kNone || suffix_[state] != 0) report(state, i + 1, hit);
    }
  }

 private:
  static constexpr std::uint32_t kNone = 0xFFFF'FFFF;
  static constexpr std::uint32_t kHasOutput = 0x8000'0000;
  static constexpr std::uint32_t kStateMask = 0x7FFF'FFFF;
  struct Edge {
    std::uint32_t target;
    std::uint32_t sibling;  ///< Next edge of the same state; kNone at the end.
    std::uint8_t label;     ///< Class.
  };

  [[nodiscard]] std::uint32_t child(std::uint32_t state, std::uint8_t label) const {
    for (std::uint32_t edge = first_[state]; edge != kNone; edge = edges_[edge].sibling) {
      if (edges_[edge].label == label) return edges_[edge].target;
    }
    return kNone;
  }
  [[nodiscard]] std::uint32_t step(std::uint32_t state, std::uint8_t label) const {
    while (true) {
      if (state == 0) return root_[label];
      const std::uint32_t next = child(state, label);
      if (next != kNone) return next;
      state = fail_[state];
    }
  }
  template <class Hit>
  void report(std::uint32_t state, std::size_t end, Hit& hit) const {
    if (out_[state] == kNone) state = suffix_[state];
    while (state != 0) {
      hit(out_[state], end - lengths_[out_[state]], end);
      state = suffix_[state];
    }
  }

  std::array<std::uint8_t, 256> classes_{};  ///< Of bytes; 0: in no literal.
  std::uint32_t class_count_ = 1;
  std::vector<std::uint32_t> first_{kNone};  ///< By state: first edge of the trie.
  std::vector<std::uint32_t> out_{kNone};    ///< By state: the literal that ends here.
  std::vector<std::uint32_t> suffix_;        ///< By state: the longest proper suffix that is a literal; 0: none.
  std::vector<std::uint32_t> fail_;
  std::vector<Edge> edges_;
  std::vector<std::uint32_t> lengths_;  ///< By literal.
  std::vector<std::uint32_t> table_;    ///< Row by row; a state is the index of its row.
  std::array<std::uint32_t, 256> root_{};
};

}  // namespace picket::sigma
