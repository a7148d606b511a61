// Commands over the state: construction, what it needs, what it counts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hub/commands.h"
#include "hub/directory.h"
#include "state/database.h"

namespace picket::hub {

inline constexpr std::size_t kCommandsMax = 50;             ///< Waiting for one device.
inline constexpr std::size_t kCommandBytesMax = 64 * 1024;  ///< Body, values of system properties, names and values.
inline constexpr std::size_t kCommandPropertiesMax = 128;
inline constexpr std::uint32_t kDeliveriesMax = 10;  ///< Abandons that a command survives, less one.
inline constexpr std::size_t kFeedbackBatchMax = 64;

/// What happened to a command; for the operations log and its counts per identity and protocol.
enum class CommandEvent : std::uint8_t {
  sent,
  delivered,
  completed,
  abandoned,
  rejected,
  expired,            ///< Its time was over. `protocol`: the one it was last delivered over and not settled.
  delivery_exceeded,  ///< Given up by the hub: with `expired` of a delivered one, what an MQTT "rejected" can mean.
  purged,
};
std::string_view to_string(CommandEvent event);

struct CommandOperation {
  CommandEvent event{};
  Timestamp time;
  IdentityKey device;
  std::string generation_id;
  std::string message_id;
  std::string protocol;          ///< "mqtt", "amqp", "https"; empty: no device took part.
  std::string actor;             ///< sent, purged: who asked.
  std::string source;            ///< Address of the actor.
  std::uint64_t size_bytes = 0;  ///< sent, delivered.
  std::uint32_t delivery_count = 0;
  Timestamp expiry;
};

struct CommandStats {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t completed = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t rejected = 0;
  std::uint64_t expired = 0;
  std::uint64_t delivery_exceeded = 0;
  std::uint64_t purged = 0;
  std::uint64_t refused_full = 0;      ///< 403004
  std::uint64_t refused_invalid = 0;   ///< 400004 and 413001
  std::uint64_t locks_lost = 0;        ///< Settlements that came too late.
  std::uint64_t feedback_dropped = 0;  ///< Too old, or over its bound.
  std::uint64_t locked = 0;            ///< Now.
};

struct CommandOptions {
  Duration time_to_live = Duration::hours(1);     ///< Of a command without expiry; 1 minute to 2 days.
  Duration time_to_live_max = Duration::days(2);  ///< A later expiry is brought forward to it.
  Duration feedback_age = Duration::seconds(15);  ///< A batch waits no longer for more records.
  Duration feedback_lock = Duration::seconds(60);
  Duration feedback_kept = Duration::hours(48);
  std::uint64_t feedback_max = 100'000;  ///< Records of one hub; above it the oldest go.
  /// A command that a device holds may outlive its expiry by this much; then the device has lost it.
  Duration expiry_grace = Duration::seconds(60);
  /// Called after it is durable, on any thread; must be quick. May be empty.
  std::function<void(const CommandOperation&)> on_operation;
};

class CommandService : public Commands {
 public:
  /// Expires commands, offers and trims feedback. Call it about once a second.
  virtual void run_due() = 0;
  [[nodiscard]] virtual CommandStats stats() const = 0;
};

/// Tells a device's link that something waits.
using TellWaiting = std::function<void(const IdentityKey& device)>;

/// Everything outlives it; destroy it after the heads, before the database. Locks live in memory: after a restart what
/// was delivered and not settled is delivered again.
std::unique_ptr<CommandService> make_commands(state::Database& database, TellWaiting tell, const Clock& clock,
                                              CommandOptions options = {});
inline std::unique_ptr<CommandService> make_commands(state::Database& database, Directory& directory,
                                                     const Clock& clock, CommandOptions options = {}) {
  return make_commands(
      database, [&directory](const IdentityKey& device) { directory.notify(device, CommandsWaiting{}, {}); }, clock,
      std::move(options));
}

}  // namespace picket::hub
