// Makes the file of an Index, in bounded memory: what is added goes to a file beside it, in parts that are sorted one
// by one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "intelligence/index.h"

namespace picket::intelligence {

inline constexpr std::uint64_t kIndicatorsMax = 50'000'000;
inline constexpr std::size_t kFeedsMax = 1'000;
inline constexpr std::size_t kWarningsMax = 5'000'000;

struct IndexOptions {
  std::string path;  ///< Of the finished file; it appears whole, by rename, or not at all.
  Timestamp made;
  std::uint8_t minimum_confidence = 0;  ///< Below it an indicator raises nothing.
  std::vector<FeedLabel> feeds;
  /// The set in force before, for BuildReport::added; may be nullptr.
  const Index* before = nullptr;
};

struct BuildReport {
  std::uint64_t indicators = 0;         ///< Different ones.
  std::uint64_t listings = 0;           ///< Of all feeds together.
  std::uint64_t added = 0;              ///< Not in the set before.
  std::uint64_t warnings = 0;           ///< Entries of warning lists.
  std::vector<std::uint64_t> kept_out;  ///< By feed: what a warning list speaks for.
  std::uint64_t file_bytes = 0;
};

/// One thread. A builder that is destroyed before finish() leaves nothing behind.
class IndexBuilder {
 public:
  /// Errors: io.
  static Result<std::unique_ptr<IndexBuilder>> make(IndexOptions options);
  ~IndexBuilder();
  IndexBuilder(const IndexBuilder&) = delete;
  IndexBuilder& operator=(const IndexBuilder&) = delete;

  /// Something that indicates nothing: an address, a network, a domain (with what is below it), an exact_domain, a
  /// hash. All of them before the first add(). Errors: limit_exceeded, io.
  Result<> add_warning(const Observable& what, std::string_view list);
  /// `listing` with texts that live for the call. What a warning list speaks for is counted and left out.
  Result<> add(const Observable& what, const Listing& listing);
  Result<BuildReport> finish();

 private:
  class Impl;
  explicit IndexBuilder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace picket::intelligence
