// Many small entries in the order of their hashes, in little memory: they lie in 256 parts by their first bits, and a
// part is sorted when it is read.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "intelligence/observable.h"

namespace picket::intelligence {

class SortedParts {
 public:
  /// `path`: of a file for what does not fit into memory; made when it is needed, and removed at once, so that it is
  /// gone whatever happens.
  explicit SortedParts(std::string path) : path_(std::move(path)) {}

  /// Errors: io.
  Result<> add(std::uint64_t hash, Kind kind, std::string_view key, Bytes payload);
  [[nodiscard]] std::uint64_t added() const { return added_; }

  /// Different keys, in order of their hashes, each with its different payloads.
  using Each = std::function<Result<>(std::uint64_t hash, Kind kind, std::string_view key, std::span<const Bytes>)>;
  Result<> for_each(const Each& each) const;

 private:
  static constexpr std::size_t kParts = 256;
  static constexpr std::size_t kPartInMemory = 128U << 10;
  struct Block {
    std::uint64_t at = 0;
    std::size_t bytes = 0;
  };
  struct Part {
    Buffer memory;
    std::vector<Block> blocks;
  };
  Result<> spill(Part& part);
  [[nodiscard]] Result<Buffer> read(const Part& part) const;

  std::string path_;
  UniqueFd file_;
  std::uint64_t end_ = 0;
  std::uint64_t added_ = 0;
  std::array<Part, kParts> parts_;
};

}  // namespace picket::intelligence
