// A set of names, or of ids, that is only asked whether one is in it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace picket::agent::baseline {

/// Hashes, sorted; sort() stands between add() and has().
class NameSet {
 public:
  static constexpr std::size_t kMax = 65'536;  ///< More are left out.
  void add(std::string_view name);
  void add_id(std::uint64_t id);
  void sort();
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] bool has_id(std::uint64_t id) const;
  [[nodiscard]] bool empty() const { return names_.empty(); }
  [[nodiscard]] std::size_t size() const { return names_.size(); }

 private:
  std::vector<std::uint64_t> names_;
};

}  // namespace picket::agent::baseline
