// Reads a feed from its source into its file. Blocking; the caller gives it a thread.
#pragma once

#include <expected>
#include <string>

#include "intelligence/feed.h"
#include "intelligence/fetch.h"

namespace picket::intelligence {

inline constexpr std::size_t kFolderFilesMax = 1'000;
inline constexpr std::size_t kPagesMax = 10'000;  ///< Of one read of a TAXII collection.

struct ReadRequest {
  const FeedSettings& settings;
  FeedStatus& status;  ///< Of the last read; becomes that of this one, whatever happens.
  std::string secret;  ///< May be empty.
  std::string path;    ///< Of the feed's file: what it holds stays unless this read succeeds.
  bool force = false;  ///< Also what is not modified, and a list that shrinks by more than half.
  Timestamp now;
};

/// True: the file is new. False: nothing new. A fault is in `status.fault` too.
std::expected<bool, FetchFault> read_feed(const ReadRequest& request, Fetcher& fetcher);
/// What an operator uploads instead of a source.
std::expected<bool, FetchFault> read_content(const ReadRequest& request, std::string_view content);

/// Adds the entries of a warning list's file to `each`; its name goes first. Errors: as parse_warning_list, not_found.
Result<> read_warning_file(const std::string& path,
                           const std::function<Result<>(const Observable&, std::string_view list)>& each);

}  // namespace picket::intelligence
