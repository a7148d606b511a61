// Services and a Rim that obey the test.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "connection.h"
#include "hub/commands.h"
#include "hub/event_stream.h"
#include "hub/files.h"
#include "hub/methods.h"
#include "hub/sas_token.h"

namespace picket::hub::amqp {

struct StoredTelemetry {
  Identity identity;
  std::vector<std::pair<std::string, std::string>> properties;
  std::string body;
  [[nodiscard]] std::string property(std::string_view name) const {
    for (const auto& [key, value] : properties) {
      if (key == name) return value;
    }
    return "(none)";
  }
};

class FakeRim final : public Rim {
 public:
  [[nodiscard]] Timestamp now() const override { return time; }
  [[nodiscard]] Duration monotonic() const override { return Duration{time.us}; }
  [[nodiscard]] const Poster& poster() const override { return poster_; }
  [[nodiscard]] const net::TlsFacts* tls() const override { return &facts; }
  [[nodiscard]] std::string_view source_address() const override { return "192.0.2.1"; }
  [[nodiscard]] std::uint16_t public_port() const override { return 5671; }
  void authenticated() override { proven = true; }
  bool take_connect() override { return budget; }
  Verdict take(const IdentityKey& who, Meter meter, double amount) override {
    return who.device_id.empty() ? throttle.take_of_hub(who.hub, meter, amount, monotonic())
                                 : throttle.take(who, meter, amount, monotonic());
  }
  bool take_of_day(std::string_view hub, std::uint64_t blocks) override {
    return throttle.take_of_day(hub, blocks, time);
  }
  void throttled() override { ++times_throttled; }
  void wake_after(Duration) override {}
  void claim(Number device, const Identity& identity) override { claims.emplace_back(device, identity); }
  void release(Number device, const Identity& identity) override { releases.emplace_back(device, identity); }
  void connected(const Identity&) override {}
  void disconnected(const Identity&, DisconnectReason reason) override { ends.push_back(reason); }
  Result<> append(std::span<const journal::Record> all, Number work) override {
    if (refuse) return fail(Errc::limit_exceeded, "test");
    for (const auto& record : all) {
      StoredTelemetry copy{record.identity.to_identity(), {}, std::string(as_text(record.body))};
      for (const auto& property : record.properties) copy.properties.emplace_back(property.name, property.value);
      records.push_back(std::move(copy));
    }
    works.push_back(work);
    return {};
  }
  [[nodiscard]] bool storage_ready() const override { return ready; }
  void log(HubEvent event) override { events.push_back(std::move(event)); }
  void count(const Identity&, Operation operation, std::uint64_t bytes, std::uint64_t times) override {
    counted.push_back(std::string(to_string(operation)) + ":" + std::to_string(times) + ":" + std::to_string(bytes));
  }
  void count_failed(const Identity&, Operation operation, const HubError& error) override {
    counted.push_back(std::string(to_string(operation)) + " failed:" + std::to_string(error.code));
  }

  /// "kind:reason" in order.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& event : events) out.push_back(std::string(to_string(event.kind)) + ":" + event.reason);
    return out;
  }

  Timestamp time{1'790'000'000'000'000};
  net::TlsFacts facts{.version = "TLSv1.3", .server_name = "localhost"};
  Throttle throttle;  ///< Without limits until a test sets some.
  std::size_t times_throttled = 0;
  std::vector<std::string> counted;  ///< "operation:times:bytes", "operation failed:code".
  bool proven = false;
  bool budget = true;
  bool refuse = false;  ///< The journal takes nothing.
  bool ready = true;
  std::vector<std::pair<Number, Identity>> claims, releases;
  std::vector<DisconnectReason> ends;
  std::vector<StoredTelemetry> records;
  std::deque<Number> works;  ///< Appended, not durable.
  std::vector<HubEvent> events;
  std::deque<std::move_only_function<void()>> posted;

 private:
  Poster poster_ = [this](std::move_only_function<void()> work) { posted.push_back(std::move(work)); };
};

class FakeCommands final : public Commands {
 public:
  void send(const IdentityKey& to, Command command, const state::Actor& actor, Done<> done) override {
    if (fails) return done(std::unexpected(*fails));
    sent.emplace_back(to, std::move(command));
    actors.push_back(actor.user);
    done({});
  }
  void receive(const IdentityKey& device, std::string_view, Duration,
               Done<std::optional<LockedCommand>> done) override {
    auto& queue = queues[device];
    if (queue.empty()) return done(std::optional<LockedCommand>());
    auto next = std::move(queue.front());
    queue.pop_front();
    done(std::optional(std::move(next)));
  }
  void settle(const IdentityKey&, std::string_view lock, Settlement settlement, std::string_view,
              Done<> done) override {
    constexpr std::string_view kNames[] = {"complete", "reject", "abandon"};
    settled.push_back(std::string(lock) + ":" + std::string(kNames[static_cast<std::size_t>(settlement)]));
    done({});
  }
  void unlock_all(const IdentityKey& device) override { unlocked.push_back(device.device_id); }
  void purge(const IdentityKey&, const state::Actor&, Done<std::uint64_t> done) override { done(0); }
  [[nodiscard]] Result<std::uint64_t> count(const IdentityKey&) const override { return std::uint64_t{0}; }
  void receive_feedback(std::string_view, Done<std::optional<FeedbackBatch>> done) override {
    auto out = std::move(feedback);
    feedback.reset();
    done(std::move(out));
  }
  void settle_feedback(std::string_view, std::string_view lock, Settlement settlement, Done<> done) override {
    settled.push_back(std::string(lock) + (settlement == Settlement::complete ? ":complete" : ":abandon"));
    done({});
  }
  void on_feedback(std::function<void(const std::string&)>) override {}

  std::optional<HubError> fails;
  std::vector<std::pair<IdentityKey, Command>> sent;
  std::vector<std::string> actors;
  std::map<IdentityKey, std::deque<LockedCommand>> queues;
  std::vector<std::string> settled;
  std::vector<std::string> unlocked;
  std::optional<FeedbackBatch> feedback;
};

class FakeMethods final : public Methods {
 public:
  void invoke(const IdentityKey&, MethodRequest, std::string_view, Done<MethodReply>) override {}
  void available(const IdentityKey& identity) override { online.push_back(identity.device_id); }
  void respond(const IdentityKey& from, std::uint64_t call, MethodReply reply) override {
    replies.emplace_back(from, call, std::move(reply));
  }
  void gone(const IdentityKey& identity) override { offline.push_back(identity.device_id); }

  std::vector<std::string> online, offline;
  std::vector<std::tuple<IdentityKey, std::uint64_t, MethodReply>> replies;
};

class FakeTwins final : public TwinPort {
 public:
  void read(const Identity& self, Done<std::string> done) override {
    if (fails) return done(std::unexpected(*fails));
    done("{\"self\":\"" + self.device_id + "\"}");
  }
  void report(const Identity& self, std::string patch, Done<std::uint64_t> done) override {
    if (fails) return done(std::unexpected(*fails));
    reports.emplace_back(self.device_id, std::move(patch));
    done(reports.size());
  }
  std::optional<HubError> fails;
  std::vector<std::pair<std::string, std::string>> reports;
};

class FakeEvents final : public EventStream {
 public:
  class Reader final : public EventReader {
   public:
    explicit Reader(FakeEvents& owner) : owner_(owner) {}
    void receive(std::size_t count_max, Done<std::vector<StreamEvent>> done) override {
      if (owner_.events.empty()) {
        owner_.waiting.push_back(std::move(done));
        return;
      }
      std::vector<StreamEvent> out;
      while (!owner_.events.empty() && out.size() < count_max) {
        out.push_back(std::move(owner_.events.front()));
        owner_.events.pop_front();
      }
      done(std::move(out));
    }

   private:
    FakeEvents& owner_;
  };
  HubResult<std::unique_ptr<EventReader>> open(std::string_view, std::uint16_t partition, EventStart start) override {
    starts.emplace_back(partition, start);
    return std::make_unique<Reader>(*this);
  }
  [[nodiscard]] PartitionInfo info(std::string_view, std::uint16_t partition) const override {
    return {
        .begin_sequence = 1, .last_sequence = 40ULL + partition, .last_enqueued = Timestamp{5'000'000}, .empty = false};
  }
  std::deque<StreamEvent> events;
  std::vector<std::pair<std::uint16_t, EventStart>> starts;
  std::vector<Done<std::vector<StreamEvent>>> waiting;
};

}  // namespace picket::hub::amqp
