#include "hub/command_service.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "feedback_queue.h"
#include "hub/store_gate.h"
#include "lock_table.h"
#include "property_block.h"
#include "state/commands.h"

namespace picket::hub {

std::string_view to_string(CommandEvent event) {
  constexpr std::string_view kNames[] = {"sent",     "delivered", "completed",         "abandoned",
                                         "rejected", "expired",   "delivery_exceeded", "purged"};
  return kNames[static_cast<std::size_t>(event)];
}

namespace {

constexpr std::size_t kEvents = 8;
constexpr std::size_t kExpiredAtOnce = 256;

// Results of bodies that callers can act on; `where` names them.
constexpr std::string_view kFull = "commands.queue_full";
constexpr std::string_view kGone = "commands.gone";

using state::CommandTable;
using state::StoredCommand;

std::string_view message_id(const Command& command) {
  for (const auto& [name, value] : command.properties) {
    if (name == "$.mid") return value;
  }
  return {};
}

/// As IoT Hub counts: the body, values of system properties, names and values of the others.
std::size_t size_of(const Command& command) {
  std::size_t size = command.body.size();
  for (const auto& [name, value] : command.properties)
    size += value.size() + (name.starts_with("$.") ? 0 : name.size());
  return size;
}

std::optional<HubError> check(const IdentityKey& to, const Command& command) {
  if (!to.module_id.empty()) {
    return HubError{kArgumentInvalid, "Cloud-to-device messages go to devices; modules have none."};
  }
  if (command.properties.size() > kCommandPropertiesMax) {
    return HubError{kArgumentInvalid, fmt::format("A message has at most {} properties.", kCommandPropertiesMax)};
  }
  for (const auto& [name, value] : command.properties) {
    if (name.empty()) return HubError{kArgumentInvalid, "A property needs a name."};
  }
  if (size_of(command) > kCommandBytesMax) {
    return HubError{kTooLarge, fmt::format("A message to a device has at most {} bytes.", kCommandBytesMax)};
  }
  return std::nullopt;
}

struct Outcome {
  CommandEvent event;
  std::string_view status;
  std::string_view description;
  bool good;  ///< Reported to those who wished for positive feedback; else for negative.
};
constexpr Outcome kCompleted{CommandEvent::completed, "Success", "Success", true};
constexpr Outcome kRejected{CommandEvent::rejected, "Rejected", "The device rejected the message.", false};
constexpr Outcome kExpired{CommandEvent::expired, "Expired", "The message expired before the device settled it.",
                           false};
constexpr Outcome kExceeded{CommandEvent::delivery_exceeded, "DeliveryCountExceeded",
                            "The device abandoned the message too often.", false};
constexpr Outcome kPurged{CommandEvent::purged, "Purged", "The queue of the device was purged.", false};

/// The command leaves the queue; its feedback is part of the same transaction.
Result<> finish(sqlite3* db, const StoredCommand& command, const Outcome& outcome, Timestamp now) {
  TRY(const bool removed, CommandTable::remove(db, command.sequence));
  if (!removed) return fail(Errc::not_found, kGone);
  const auto wish = static_cast<FeedbackWish>(command.feedback);
  const auto wanted = outcome.good ? FeedbackWish::positive : FeedbackWish::negative;
  if (wish != FeedbackWish::full && wish != wanted) return {};
  return state::FeedbackTable::insert(db, {0, command.hub, now, command.message_id, std::string(outcome.status),
                                           std::string(outcome.description), command.device_id, command.generation_id});
}

class StoredCommands final : public CommandService {
 public:
  StoredCommands(state::Database& database, TellWaiting tell, const Clock& clock, CommandOptions options)
      : database_(database),
        tell_(std::move(tell)),
        clock_(clock),
        options_(std::move(options)),
        feedback_(database, clock, options_),
        pruned_(clock.monotonic()),
        gate_(database) {}

  void send(const IdentityKey& to, Command command, const state::Actor& actor, Done<> done) override;
  void receive(const IdentityKey& device, std::string_view protocol, Duration lock_time,
               Done<std::optional<LockedCommand>> done) override;
  void settle(const IdentityKey& device, std::string_view lock, Settlement settlement, std::string_view protocol,
              Done<> done) override;
  void unlock_all(const IdentityKey& device) override;
  void purge(const IdentityKey& device, const state::Actor& actor, Done<std::uint64_t> done) override;
  [[nodiscard]] Result<std::uint64_t> count(const IdentityKey& device) const override;
  void receive_feedback(std::string_view hub, Done<std::optional<FeedbackBatch>> done) override {
    feedback_.receive(hub, std::move(done));
  }
  void settle_feedback(std::string_view hub, std::string_view lock, Settlement settlement, Done<> done) override {
    feedback_.settle(hub, lock, settlement, std::move(done));
  }
  void on_feedback(std::function<void(const std::string& hub)> listener) override {
    feedback_.listen(std::move(listener));
  }
  void run_due() override;
  [[nodiscard]] CommandStats stats() const override;

 private:
  /// Commands that one body has taken out of their queues, for what follows the commit.
  struct Finished {
    StoredCommand command;
    Outcome outcome;
    std::string protocol;
  };
  using FinishedList = std::vector<Finished>;

  [[nodiscard]] StoredCommand stored(const IdentityKey& to, const Command& command) const;
  /// Inside a body: of these commands, those that are over and that nobody may hold any longer.
  Result<> expire(sqlite3* db, const std::vector<StoredCommand>& commands, Timestamp now, FinishedList& finished);
  void expire_waiting(std::function<Result<std::vector<StoredCommand>>(sqlite3*)> which);
  Result<std::optional<LockedCommand>> next(const IdentityKey& device, std::string_view protocol, Duration lock_time);
  /// After the transaction: locks, counts, operations.
  void settled(const FinishedList& finished, bool committed);
  void note(CommandEvent event, const StoredCommand& command, std::string_view protocol, const state::Actor* actor,
            std::uint64_t size_bytes = 0);
  std::uint64_t count_of(CommandEvent event) const { return counts_[static_cast<std::size_t>(event)]; }

  state::Database& database_;
  TellWaiting tell_;
  const Clock& clock_;
  CommandOptions options_;
  LockTable locks_;
  FeedbackQueue feedback_;
  Duration pruned_;
  std::array<std::atomic<std::uint64_t>, kEvents> counts_{};
  std::atomic<std::uint64_t> refused_full_ = 0;
  std::atomic<std::uint64_t> refused_invalid_ = 0;
  std::atomic<std::uint64_t> locks_lost_ = 0;
  StoreGate gate_;  // last: waits for what refers to the rest
};

void StoredCommands::note(CommandEvent event, const StoredCommand& command, std::string_view protocol,
                          const state::Actor* actor, std::uint64_t size_bytes) {
  ++counts_[static_cast<std::size_t>(event)];
  if (!options_.on_operation) return;
  options_.on_operation({.event = event,
                         .time = clock_.now(),
                         .device = {command.hub, command.device_id, {}},
                         .generation_id = command.generation_id,
                         .message_id = command.message_id,
                         .protocol = std::string(protocol),
                         .actor = actor == nullptr ? std::string() : actor->user,
                         .source = actor == nullptr ? std::string() : actor->source,
                         .size_bytes = size_bytes,
                         .delivery_count = command.delivery_count,
                         .expiry = command.expiry});
}

StoredCommand StoredCommands::stored(const IdentityKey& to, const Command& command) const {
  const auto now = clock_.now();
  StoredCommand out;
  out.hub = to.hub;
  out.device_id = to.device_id;
  out.message_id = message_id(command);
  out.properties = encode_properties(command.properties);
  out.body = as_text(command.body);
  out.feedback = static_cast<int>(command.feedback);
  out.enqueued = now;
  out.expiry = std::min(command.expiry.value_or(now + options_.time_to_live), now + options_.time_to_live_max);
  return out;
}

void StoredCommands::send(const IdentityKey& to, Command command, const state::Actor& actor, Done<> done) {
  if (auto wrong = check(to, command)) {
    ++refused_invalid_;
    return done(std::unexpected(*std::move(wrong)));
  }
  struct Work {
    StoredCommand command;
    FinishedList expired;
    std::uint64_t size_bytes;
  };
  auto work = std::make_shared<Work>(Work{stored(to, command), {}, size_of(command)});
  gate_.submit(
      [this, work](sqlite3* db) -> Result<> {
        auto& row = work->command;
        TRY(row.generation_id, CommandTable::generation(db, row.hub, row.device_id));
        TRY(auto waiting, CommandTable::count(db, row.hub, row.device_id));
        if (waiting >= kCommandsMax) {  // what is over takes no room
          TRY(const auto all, CommandTable::list(db, row.hub, row.device_id));
          TRY_VOID(expire(db, all, row.enqueued, work->expired));
          waiting -= work->expired.size();
        }
        if (waiting >= kCommandsMax) return fail(Errc::limit_exceeded, kFull);
        TRY(row.sequence, CommandTable::insert(db, row));
        return {};
      },
      [this, work, actor, done = std::move(done)](Result<> sent) mutable {
        settled(work->expired, sent.has_value());
        const auto& row = work->command;
        if (!sent) {
          if (sent.error().where == kFull) {
            ++refused_full_;
            return done(hub_fail(kCommandQueueFull, fmt::format("{} messages wait for the device {} already.",
                                                                kCommandsMax, row.device_id)));
          }
          return done(std::unexpected(from_store(sent.error(), row.device_id)));
        }
        note(CommandEvent::sent, row, {}, &actor, work->size_bytes);
        done({});
        tell_({row.hub, row.device_id, {}});
      });
}

Result<std::optional<LockedCommand>> StoredCommands::next(const IdentityKey& device, std::string_view protocol,
                                                          Duration lock_time) {
  std::vector<state::CommandHead> heads;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(heads, CommandTable::heads(db, device.hub, device.device_id, kCommandsMax));
    return {};
  }));
  const auto now = clock_.now();
  bool over = false;
  std::optional<LockedCommand> out;
  for (const auto& head : heads) {
    if (head.expiry <= now) {
      over = true;
      continue;
    }
    const auto monotonic = clock_.monotonic();
    const auto until = lock_time.us == 0 ? Duration{} : monotonic + lock_time;
    const auto token = locks_.take(device, head.sequence, protocol, monotonic, until);
    if (!token) continue;
    // Read under the lock: what was settled after `heads` was read is not there any more.
    std::optional<StoredCommand> row;
    const auto read = database_.look_up([&](sqlite3* db) -> Result<> {
      TRY(row, CommandTable::find(db, head.sequence));
      return {};
    });
    auto properties = row ? decode_properties(row->properties) : Result<Properties>();
    if (!read || !row || !properties) locks_.release(device, head.sequence);
    if (!read) return std::unexpected(read.error());
    if (!row) continue;
    if (!properties) return std::unexpected(properties.error());
    LockedCommand command{.lock = *token,
                          .sequence = static_cast<std::uint64_t>(row->sequence),
                          .delivery_count = row->delivery_count,
                          .enqueued = row->enqueued,
                          .expiry = row->expiry,
                          .command = {.properties = *std::move(properties),
                                      .body = {},
                                      .feedback = static_cast<FeedbackWish>(row->feedback),
                                      .expiry = row->expiry}};
    append(command.command.body, as_bytes(row->body));
    note(CommandEvent::delivered, *row, protocol, nullptr, size_of(command.command));
    out = std::move(command);
    break;
  }
  if (over) {
    expire_waiting([device](sqlite3* db) { return CommandTable::list(db, device.hub, device.device_id); });
  }
  return out;
}

void StoredCommands::receive(const IdentityKey& device, std::string_view protocol, Duration lock_time,
                             Done<std::optional<LockedCommand>> done) {
  auto command = next(device, protocol, lock_time);
  if (!command) return done(std::unexpected(from_store(command.error(), device.device_id)));
  done(*std::move(command));
}

void StoredCommands::settle(const IdentityKey& device, std::string_view token, Settlement settlement,
                            std::string_view protocol, Done<> done) {
  const auto lost = [] { return hub_fail(kLockLost, "The lock of this message is lost: it will be delivered again."); };
  const auto held = locks_.begin_settling(device, token, clock_.monotonic());
  if (!held) {
    ++locks_lost_;
    return done(lost());
  }
  struct Work {
    StoredCommand command;
    CommandEvent event = CommandEvent::abandoned;
    bool again = false;  ///< It waits once more.
  };
  auto work = std::make_shared<Work>();
  gate_.submit(
      [work, sequence = held->sequence, settlement, now = clock_.now()](sqlite3* db) -> Result<> {
        TRY(auto row, CommandTable::find(db, sequence));
        if (!row) return fail(Errc::not_found, kGone);
        work->command = *std::move(row);
        auto& command = work->command;
        if (settlement == Settlement::abandon && ++command.delivery_count < kDeliveriesMax) {
          work->again = true;
          return CommandTable::set_delivery_count(db, sequence, command.delivery_count);
        }
        const Outcome& outcome = settlement == Settlement::complete ? kCompleted
                                 : settlement == Settlement::reject ? kRejected
                                                                    : kExceeded;
        work->event = outcome.event;
        return finish(db, command, outcome, now);
      },
      [this, work, device, lost, sequence = held->sequence, settlement, protocol = std::string(protocol),
       done = std::move(done)](Result<> settled) mutable {
        if (!settled && settled.error().where != kGone) {
          locks_.keep(device, sequence);
          return done(std::unexpected(from_store(settled.error(), device.device_id)));
        }
        locks_.release(device, sequence);
        if (!settled) {
          ++locks_lost_;
          return done(lost());
        }
        if (settlement == Settlement::abandon) note(CommandEvent::abandoned, work->command, protocol, nullptr);
        if (!work->again) {
          if (work->event != CommandEvent::abandoned) note(work->event, work->command, protocol, nullptr);
          feedback_.added(device.hub);
        }
        done({});
        if (work->again) tell_(device);
      });
}

void StoredCommands::unlock_all(const IdentityKey& device) { locks_.unlock_all(device); }

Result<> StoredCommands::expire(sqlite3* db, const std::vector<StoredCommand>& commands, Timestamp now,
                                FinishedList& finished) {
  for (const auto& command : commands) {
    if (command.expiry > now) continue;
    const IdentityKey device{command.hub, command.device_id, {}};
    const bool force = now - command.expiry >= options_.expiry_grace;
    const auto protocol = locks_.take_over(device, command.sequence, clock_.monotonic(), force);
    if (!protocol) continue;
    finished.push_back({command, kExpired, *protocol});  // before the store: a failure must free the lock too
    TRY_VOID(finish(db, command, kExpired, now));
  }
  return {};
}

void StoredCommands::expire_waiting(std::function<Result<std::vector<StoredCommand>>(sqlite3*)> which) {
  auto finished = std::make_shared<FinishedList>();
  gate_.submit(
      [this, finished, which = std::move(which), now = clock_.now()](sqlite3* db) -> Result<> {
        TRY(const auto commands, which(db));
        return expire(db, commands, now, *finished);
      },
      [this, finished](const Result<>& done) { settled(*finished, done.has_value()); });
}

void StoredCommands::settled(const FinishedList& finished, bool committed) {
  for (const auto& [command, outcome, protocol] : finished) {
    locks_.release({command.hub, command.device_id, {}}, command.sequence);
    if (!committed) continue;
    note(outcome.event, command, protocol, nullptr);
    feedback_.added(command.hub);
  }
}

void StoredCommands::purge(const IdentityKey& device, const state::Actor& actor, Done<std::uint64_t> done) {
  auto gone = std::make_shared<std::vector<StoredCommand>>();
  gate_.submit(
      [gone, device, now = clock_.now()](sqlite3* db) -> Result<> {
        TRY_VOID(CommandTable::generation(db, device.hub, device.device_id));
        TRY(*gone, CommandTable::list(db, device.hub, device.device_id));
        for (const auto& command : *gone) TRY_VOID(finish(db, command, kPurged, now));
        return {};
      },
      [this, gone, device, actor, done = std::move(done)](Result<> purged) mutable {
        if (!purged) return done(std::unexpected(from_store(purged.error(), device.device_id)));
        for (const auto& command : *gone) {
          locks_.release(device, command.sequence);
          note(CommandEvent::purged, command, {}, &actor);
        }
        if (!gone->empty()) feedback_.added(device.hub);
        done(static_cast<std::uint64_t>(gone->size()));
      });
}

Result<std::uint64_t> StoredCommands::count(const IdentityKey& device) const {
  std::uint64_t out = 0;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(out, CommandTable::count(db, device.hub, device.device_id));
    return {};
  }));
  return out;
}

void StoredCommands::run_due() {
  const auto now = clock_.now();
  bool due = false;
  const auto looked = database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(const auto first, CommandTable::expired(db, now, 1));
    due = !first.empty();
    return {};
  });
  if (looked && due) {
    expire_waiting([now](sqlite3* db) { return CommandTable::expired(db, now, kExpiredAtOnce); });
  }
  feedback_.run_due();
  if (clock_.monotonic() - pruned_ < Duration::minutes(1)) return;
  pruned_ = clock_.monotonic();
  locks_.prune(pruned_);
}

CommandStats StoredCommands::stats() const {
  return {.sent = count_of(CommandEvent::sent),
          .delivered = count_of(CommandEvent::delivered),
          .completed = count_of(CommandEvent::completed),
          .abandoned = count_of(CommandEvent::abandoned),
          .rejected = count_of(CommandEvent::rejected),
          .expired = count_of(CommandEvent::expired),
          .delivery_exceeded = count_of(CommandEvent::delivery_exceeded),
          .purged = count_of(CommandEvent::purged),
          .refused_full = refused_full_,
          .refused_invalid = refused_invalid_,
          .locks_lost = locks_lost_,
          .feedback_dropped = feedback_.dropped(),
          .locked = locks_.size()};
}

}  // namespace

std::unique_ptr<CommandService> make_commands(state::Database& database, TellWaiting tell, const Clock& clock,
                                              CommandOptions options) {
  return std::make_unique<StoredCommands>(database, std::move(tell), clock, std::move(options));
}

}  // namespace picket::hub
