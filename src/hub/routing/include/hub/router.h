// Carries messages from the journal to the endpoints that routes name. The built-in endpoint needs no carrying: it
// reads the journal itself, through view().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"
#include "hub/event_stream.h"
#include "hub/route_set.h"
#include "journal/journal.h"

namespace picket::hub {

struct RouterOptions {
  std::string directory;  ///< Of storage endpoints' containers; made when absent, 0700.
  std::function<void(std::string_view)> log;
};

struct RouterStats {
  std::uint64_t delivered = 0;
  std::uint64_t fallback = 0;
  std::uint64_t orphaned = 0;  ///< Matched no route while there was no fallback.
  std::uint64_t undefined = 0;
  std::uint64_t files_finished = 0;
  std::uint64_t write_failures = 0;  ///< The message waits and is tried again.
  std::uint64_t lag_records = 0;
};

/// One thread; its place in the journal is the consumer "routes", which moves only over what is on the disk: a crash
/// repeats messages in storage files, but loses none.
class Router {
 public:
  virtual ~Router() = default;
  /// Takes effect for the messages read from now on. nullptr: the hub has no routes of its own.
  virtual void set_routes(const std::string& hub, std::shared_ptr<const RouteSet> routes) = 0;
  [[nodiscard]] virtual std::shared_ptr<const RouteSet> routes(std::string_view hub) const = 0;
  /// What the built-in endpoint shows: what its routes say, with its enrichments.
  [[nodiscard]] virtual EventView view() = 0;
  [[nodiscard]] virtual RouterStats stats() const = 0;
  virtual void stop() = 0;
};

/// `journal` and `clock` outlive it. Errors: io (directory), those of Journal::add_consumer.
Result<std::unique_ptr<Router>> start_router(journal::Journal& journal, TwinLookup twins, const Clock& clock,
                                             RouterOptions options);

/// One message as a line of a storage file: EnqueuedTimeUtc, Properties, SystemProperties, Body (JSON when the message
/// says so in UTF-8 and it is, base64 otherwise).
std::string storage_line(const StreamEvent& event);

}  // namespace picket::hub
