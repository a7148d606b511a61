#include "socket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hub/event_facts.h"
#include "hub/twins.h"

namespace picket::hub::amqp {
namespace {

/// Reads without a wait before others get their turn.
constexpr unsigned kReadsInTurn = 16;
constexpr std::size_t kWriteBytesMax = 64 * 1024;
constexpr Duration kReadyLookAgain = Duration::milliseconds(20);
constexpr Duration kAlarmMin = Duration::milliseconds(2);

}  // namespace

void TwinsOfDevices::read(const Identity& self, Done<std::string> done) { twins_->get(self, std::move(done)); }
void TwinsOfDevices::report(const Identity& self, std::string patch, Done<std::uint64_t> done) {
  twins_->patch_reported(self, std::move(patch), std::move(done));
}

struct SocketConnection::Wakeup {
  explicit Wakeup(net::asio::any_io_executor executor) : timer(std::move(executor)) {}
  net::asio::steady_timer timer;
};

/// For time and the journal's answers; has no identity.
class SocketConnection::OwnLink final : public DeviceLink {
 public:
  explicit OwnLink(SocketConnection& owner) : owner_(owner) {
    address = owner.context_.needs.directory.enter(owner.thread_, *this);
  }
  ~OwnLink() override { owner_.context_.needs.directory.leave(address); }
  void granted() override {}
  void close(DisconnectReason reason, std::string_view detail) override {
    owner_.core_.close(reason, detail);
    owner_.flush();
  }
  void close_then(DisconnectReason reason, std::move_only_function<void()> then) override {
    close(reason, {});
    then();
  }
  bool notify(const Notification&) override { return false; }
  void completed(const Completion& completion) override {
    const auto records = owner_.core_.stored(completion.sequence.value_or(0), completion.stored);
    if (completion.stored) owner_.context_.counters.messages_stored += records;
    owner_.flush();
  }
  void check_deadlines(Duration, Timestamp) override { owner_.tick(); }

  LinkAddress address;

 private:
  SocketConnection& owner_;
};

class SocketConnection::IdentityLink final : public DeviceLink {
 public:
  IdentityLink(SocketConnection& owner, Number device, const Identity& identity)
      : owner_(owner), device_(device), identity_(identity) {
    auto& directory = owner.context_.needs.directory;
    address_ = directory.enter(owner.thread_, *this);
    directory.stand_on(address_, *owner.connection_.stream);
    directory.claim(identity_, address_);
  }
  ~IdentityLink() override {
    auto& directory = owner_.context_.needs.directory;
    directory.release(identity_, address_);
    directory.leave(address_);
  }
  void granted() override {
    auto& owner = owner_;
    owner.core_.granted(device_);  // may destroy this
    owner.flush();
  }
  void close(DisconnectReason reason, std::string_view detail) override {
    close_then(reason, [] {}, detail);
  }
  void close_then(DisconnectReason reason, std::move_only_function<void()> then) override {
    close_then(reason, std::move(then), {});
  }
  bool notify(const Notification& notification) override {
    const bool taken = owner_.core_.notify(device_, notification);
    owner_.flush();
    return taken;
  }
  void completed(const Completion&) override {}
  void check_deadlines(Duration, Timestamp) override {}

 private:
  void close_then(DisconnectReason reason, std::move_only_function<void()> then, std::string_view detail) {
    auto& owner = owner_;
    const std::string text(detail);
    owner.core_.close_device(device_, reason, text);  // logs the end; destroys this
    then();
    // After an AMQP close the Node SDK waits for answers on links that are gone, and never connects again; a connection
    // that breaks it makes anew, and then its token is judged.
    if (owner.core_.closing()) return owner.connection_.stream->close();
    owner.flush();
  }
  SocketConnection& owner_;
  Number device_;
  Identity identity_;
  LinkAddress address_;
};

SocketConnection::SocketConnection(HeadContext& context, net::Connection connection, std::string_view transport)
    : context_(context),
      connection_(std::move(connection)),
      thread_(connection_.admission.thread()),
      transport_(transport),
      self_(std::make_shared<SocketConnection*>(this)),
      poster_([executor = connection_.stream->executor(), self = std::weak_ptr(self_)](auto work) {
        net::asio::post(executor, [self, work = std::move(work)]() mutable {
          const auto owner = self.lock();
          if (!owner) return;
          work();
          (*owner)->flush();
        });
      }),
      completions_(context.needs.directory.completions(thread_)),
      wakeup_(std::make_unique<Wakeup>(connection_.stream->executor())),
      alarm_(std::make_unique<Wakeup>(connection_.stream->executor())),
      own_(std::make_unique<OwnLink>(*this)),
      core_(*this, context.authenticator, context.services, context.limits) {
  ++context_.counters.connections;
}

SocketConnection::~SocketConnection() {
  --context_.counters.connections;
  core_.end(DisconnectReason::shutdown);
}

net::asio::awaitable<void> SocketConnection::run() {
  auto reason = DisconnectReason::client;
  while (!core_.finished()) {
    const auto received = co_await receive();
    if (!received) {
      reason = closed_ || context_.stopping ? DisconnectReason::shutdown : DisconnectReason::peer_gone;
      core_.input_ended();
      break;
    }
  }
  core_.end(reason);
  flush();
  while (writing_) co_await wait();
  connection_.stream->shutdown();
}

net::asio::awaitable<Result<>> SocketConnection::receive() {
  if (++reads_ % kReadsInTurn == 0) co_await net::asio::post(connection_.stream->executor(), net::asio::use_awaitable);
  CO_TRY_VOID(co_await connection_.stream->wait_readable());
  // Does not wait, so that the thread's scratch buffer is ours until the bytes are taken.
  const auto scratch = context_.needs.directory.scratch(thread_);
  CO_TRY(const auto n, co_await connection_.stream->read_some(scratch));
  core_.input(Bytes(scratch).first(n));
  flush();
  co_return Result<>{};
}

void SocketConnection::flush() {
  if (writing_) return;
  if (!core_.take_output(output_, kWriteBytesMax)) {
    if (core_.finished()) connection_.stream->close();  // wakes the reader
    return;
  }
  writing_ = true;
  net::asio::co_spawn(connection_.stream->executor(), write_out(), net::asio::detached);
}

net::asio::awaitable<void> SocketConnection::write_out() {
  do {
    writing_since_ = monotonic();
    const auto written = co_await connection_.stream->write(output_);
    output_.clear();
    if (!written) {
      connection_.stream->close();
      break;
    }
  } while (core_.take_output(output_, kWriteBytesMax));
  writing_ = false;
  if (core_.finished()) connection_.stream->close();
  wake();
}

void SocketConnection::wake() { wakeup_->timer.cancel(); }

/// Until wake(). A wake() before the wait would be lost, so callers look at their condition first, on this thread.
net::asio::awaitable<void> SocketConnection::wait() {
  boost::system::error_code ignored;
  wakeup_->timer.expires_at(net::asio::steady_timer::time_point::max());
  co_await wakeup_->timer.async_wait(net::asio::redirect_error(net::asio::use_awaitable, ignored));
}

void SocketConnection::tick() {
  core_.tick();
  flush();
  const auto time = monotonic();
  if (writing_ && time - writing_since_ > context_.options.slow_reader_max) {
    ++context_.counters.slow_readers;
    core_.end(DisconnectReason::slow_reader);
    connection_.stream->close();
  }
  if (core_.closing()) {
    if (closing_since_ == Duration{}) closing_since_ = time;
    if (time - closing_since_ > context_.options.close_max) {
      closed_ = true;
      connection_.stream->close();
    }
  }
}

// ---- what the core asks for

void SocketConnection::claim(Number device, const Identity& identity) {
  identities_.emplace(device, std::make_unique<IdentityLink>(*this, device, identity));
}

void SocketConnection::release(Number device, const Identity&) { identities_.erase(device); }

void SocketConnection::stands_on(PolicyUse use) {
  context_.needs.directory.stand_on(own_->address, *connection_.stream, std::move(use));
}

void SocketConnection::connected(const Identity& identity) {
  ++context_.counters.connects;
  ++context_.counters.connected;
  if (context_.needs.presence != nullptr) context_.needs.presence->connected(identity, now());
}

void SocketConnection::disconnected(const Identity& identity, DisconnectReason reason) {
  if (context_.needs.presence != nullptr) context_.needs.presence->disconnected(identity, now(), reason);
  --context_.counters.connected;
  ++context_.counters.disconnects[static_cast<std::size_t>(reason)];
}

Verdict SocketConnection::take(const IdentityKey& who, Meter meter, double amount) {
  auto* const throttle = context_.needs.throttle;
  if (throttle == nullptr) return {};
  return who.device_id.empty() ? throttle->take_of_hub(who.hub, meter, amount, monotonic())
                               : throttle->take(who, meter, amount, monotonic());
}

bool SocketConnection::take_of_day(std::string_view hub, std::uint64_t blocks) {
  return context_.needs.throttle == nullptr || context_.needs.throttle->take_of_day(hub, blocks, now());
}

/// Rates run by the hub's clock, the timer by the machine's; where they differ, the ticks of the directory do it.
void SocketConnection::wake_after(Duration time) {
  const auto at = monotonic() + std::max(time, kAlarmMin);
  if (alarm_at_ && *alarm_at_ <= at) return;
  alarm_at_ = at;
  alarm_->timer.expires_after(std::chrono::microseconds(std::max(time, kAlarmMin).us));
  alarm_->timer.async_wait([self = std::weak_ptr(self_)](const boost::system::error_code& error) {
    const auto owner = self.lock();
    if (error || !owner) return;
    (*owner)->alarm_at_.reset();
    (*owner)->tick();
  });
}

Result<> SocketConnection::append(std::span<const journal::Record> records, Number work) {
  Completion completion{.link = own_->address.link, .sequence = work};
  auto then = [queue = completions_, completion](Result<journal::RecordId> result) mutable {
    completion.stored = result.has_value();
    queue->add(completion);
  };
  return context_.needs.journal.append_all(records, std::move(then));
}

bool SocketConnection::storage_ready() const {
  if (monotonic() < ready_until_) return ready_;
  const auto stats = context_.needs.journal.stats();
  ready_ = !stats.reserve_reached && !stats.failing && stats.bytes_pending < journal::kPendingBytesMax / 2;
  ready_until_ = monotonic() + kReadyLookAgain;
  return ready_;
}

void SocketConnection::log(HubEvent event) {
  event.protocol = "amqp";
  event.transport = transport_;
  describe(event, *connection_.stream);
  if (event.kind == HubEventKind::auth_failed) ++context_.counters.auth_failed;
  context_.needs.log.record(event);
}

void SocketConnection::count(const Identity& identity, Operation operation, std::uint64_t bytes, std::uint64_t times) {
  auto* const counters = context_.needs.counters;
  if (counters != nullptr) counters->count(identity, operation, Protocol::amqp, bytes, times);
}

void SocketConnection::count_failed(const Identity& identity, Operation operation, const HubError& error) {
  if (context_.needs.counters == nullptr) return;
  context_.needs.counters->fail({.identity = identity,
                                 .operation = operation,
                                 .protocol = Protocol::amqp,
                                 .code = error.code,
                                 .reason = error.message,
                                 .source_address = source_address()},
                                now());
}

}  // namespace picket::hub::amqp
