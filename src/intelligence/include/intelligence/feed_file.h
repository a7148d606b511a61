// What a feed has brought, as a file of ours: indicators in normal form, one behind the other. The set of all feeds is
// made from such files, also when a source is away.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/core/result.h"
#include "intelligence/indicator.h"

namespace picket::intelligence {

/// Writes beside `path`; finish() puts the whole in its place.
class FeedFileWriter {
 public:
  static Result<std::unique_ptr<FeedFileWriter>> make(const std::string& path);
  ~FeedFileWriter();
  FeedFileWriter(const FeedFileWriter&) = delete;
  FeedFileWriter& operator=(const FeedFileWriter&) = delete;

  /// Errors: io, limit_exceeded (kIndicatorsMax).
  Result<> add(const Indicator& indicator);
  Result<> finish();
  [[nodiscard]] std::uint64_t count() const;

 private:
  struct State;
  explicit FeedFileWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Errors: not_found, malformed "intelligence.feed_file…", io, and those of `each`.
Result<> read_feed_file(const std::string& path, const std::function<Result<>(const Indicator&)>& each);

}  // namespace picket::intelligence
