#include "hub/directory.h"

#include <algorithm>
#include <latch>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "base/core/hash.h"
#include "net/rate_limit.h"

namespace picket::hub {
namespace {

/// A TLS record is at most this long.
constexpr std::size_t kScratchBytes = 16 * 1024;

/// Collects completions and wakes the I/O thread once a batch: one message a record would cost a system call each.
/// Bounded by what may be in flight. Shared by the slice and the callbacks that stores hold.
class CompletionQueue final : public Completions {
 public:
  /// `wake` is called under the lock of the queue; it must only schedule.
  explicit CompletionQueue(std::move_only_function<void()> wake) : wake_(std::move(wake)) {}

  void add(Completion completion) override {
    const std::scoped_lock lock(mutex_);
    if (!wake_) return;
    items_.push_back(completion);
    if (items_.size() == 1) wake_();
  }
  /// The batch so far; `into` is reused memory.
  void take(std::vector<Completion>& into) {
    into.clear();
    const std::scoped_lock lock(mutex_);
    items_.swap(into);
  }
  /// Later completions are dropped: their links are gone.
  void close() {
    const std::scoped_lock lock(mutex_);
    wake_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::move_only_function<void()> wake_;
  std::vector<Completion> items_;
};

}  // namespace

std::string_view to_string(DisconnectReason reason) {
  constexpr std::string_view kNames[kDisconnectReasons] = {
      "client",      "peer_gone",    "keep_alive",        "evicted",        "token_expired",
      "protocol",    "topic_denied", "message_too_large", "bad_properties", "too_many_subscriptions",
      "slow_reader", "storage",      "revoked",           "shutdown",       "throttled"};
  return kNames[static_cast<std::size_t>(reason)];
}

/// What one I/O thread owns: its links, its part of the directory, its completions. Thread only.
class Directory::Slice {
 public:
  Slice(Parts& parts, std::size_t thread);
  ~Slice() { completions->close(); }

  void claim_at_home(const IdentityKey& key, LinkAddress address);
  void notify_at_home(const IdentityKey& key, Notification notification, std::move_only_function<void(bool)> taken);
  void revoke_at_home(const IdentityKey& key, DisconnectReason reason);
  void deliver_completions();
  void tick();
  void start_ticking();
  void stop_ticking();
  [[nodiscard]] DeviceLink* find(std::uint64_t link) const {
    const auto found = links.find(link);
    return found == links.end() ? nullptr : found->second.link;
  }
  void review_at_home(const std::string& hub, const std::shared_ptr<const StandingCheck>& stays);
  void review_identities(const std::vector<std::pair<IdentityKey, std::uint64_t>>& which, const StandingCheck& stays);
  void review_policies(const std::string& hub, const StandingCheck& stays);

  Parts& parts;
  std::size_t thread;
  std::uint64_t next_link = 1;
  struct Entry {
    DeviceLink* link = nullptr;
    const net::Stream* stream = nullptr;
    std::unique_ptr<std::vector<PolicyUse>> policies;  ///< Few links have any.
  };
  std::unordered_map<std::uint64_t, Entry> links;  ///< They leave before they end.
  std::map<IdentityKey, LinkAddress> directory;
  net::RateLimit connects;
  std::shared_ptr<CompletionQueue> completions;
  std::vector<Completion> batch;
  std::vector<std::uint64_t> looked_at;
  std::vector<std::byte> scratch;
  net::asio::steady_timer timer;
  bool stopped = false;
};

struct Directory::Parts {
  net::IoThreads& threads;
  const Clock& clock;
  DirectoryOptions options;
  std::vector<std::unique_ptr<Slice>> slices;  ///< Index: thread.
  bool stopped = false;

  /// All of a device's identities have the same home.
  Slice& home_of(std::string_view hub, std::string_view device_id) {
    const auto hash = fnv1a64(as_bytes(device_id), fnv1a64(as_bytes(hub)));
    return *slices[hash % slices.size()];
  }
};

Directory::Slice::Slice(Parts& owner, std::size_t number)
    : parts(owner),
      thread(number),
      connects(owner.options.connects_per_second / static_cast<double>(owner.threads.size()),
               owner.options.connects_burst / static_cast<double>(owner.threads.size()), 1, {}),
      completions(
          std::make_shared<CompletionQueue>([this] { parts.threads.post(thread, [this] { deliver_completions(); }); })),
      scratch(kScratchBytes),
      timer(owner.threads.executor(number)) {}

void Directory::Slice::claim_at_home(const IdentityKey& key, LinkAddress address) {
  const auto [entry, first] = directory.try_emplace(key, address);
  auto& newcomer = *parts.slices[address.thread];
  const auto grant = [&newcomer, address] {
    if (auto* link = newcomer.find(address.link)) link->granted();
  };
  if (first) return parts.threads.post(address.thread, grant);
  const auto old = std::exchange(entry->second, address);
  auto& holder = *parts.slices[old.thread];
  parts.threads.post(old.thread, [&holder, &threads = parts.threads, old, address, grant] {
    auto then = [&threads, address, grant] { threads.post(address.thread, grant); };
    auto* link = holder.find(old.link);
    if (link == nullptr) return then();
    link->close_then(DisconnectReason::evicted, std::move(then));  // closed before the newcomer's answer
  });
}

void Directory::Slice::notify_at_home(const IdentityKey& key, Notification notification,
                                      std::move_only_function<void(bool)> taken) {
  const auto found = directory.find(key);
  if (found == directory.end()) {
    if (taken) taken(false);
    return;
  }
  auto& holder = *parts.slices[found->second.thread];
  parts.threads.post(holder.thread, [&holder, number = found->second.link, notification = std::move(notification),
                                     taken = std::move(taken)]() mutable {
    auto* link = holder.find(number);
    const bool done = link != nullptr && link->notify(notification);
    if (taken) taken(done);
  });
}

void Directory::Slice::revoke_at_home(const IdentityKey& key, DisconnectReason reason) {
  for (auto at = directory.lower_bound(key); at != directory.end(); ++at) {
    if (at->first.hub != key.hub || at->first.device_id != key.device_id) break;
    if (!key.module_id.empty() && at->first.module_id != key.module_id) break;
    auto& holder = *parts.slices[at->second.thread];
    parts.threads.post(holder.thread, [&holder, number = at->second.link, reason] {
      if (auto* link = holder.find(number)) link->close(reason, {});
    });
  }
}

/// One message to each thread that holds links of the hub.
void Directory::Slice::review_at_home(const std::string& hub, const std::shared_ptr<const StandingCheck>& stays) {
  std::map<std::size_t, std::vector<std::pair<IdentityKey, std::uint64_t>>> held;
  for (const auto& [key, address] : directory) {
    if (key.hub == hub) held[address.thread].emplace_back(key, address.link);
  }
  for (auto& [holder_thread, which] : held) {
    auto& holder = *parts.slices[holder_thread];
    parts.threads.post(holder_thread, [&holder, links_of_hub = std::move(which), stays] {
      holder.review_identities(links_of_hub, *stays);
    });
  }
}

void Directory::Slice::review_identities(const std::vector<std::pair<IdentityKey, std::uint64_t>>& which,
                                         const StandingCheck& stays) {
  for (const auto& [key, number] : which) {
    const auto found = links.find(number);
    if (found == links.end() || found->second.stream == nullptr) continue;
    if (!stays({.stream = found->second.stream, .identity = &key})) {
      found->second.link->close(DisconnectReason::revoked, {});
    }
  }
}

void Directory::Slice::review_policies(const std::string& hub, const StandingCheck& stays) {
  looked_at.clear();  // a link that is closed may leave
  for (const auto& [number, entry] : links) {
    if (!entry.policies) continue;
    const bool lost = std::ranges::any_of(*entry.policies, [&](const PolicyUse& use) {
      return use.hub == hub && !stays({.stream = entry.stream, .policy = &use});
    });
    if (lost) looked_at.push_back(number);
  }
  for (const auto number : std::vector(looked_at)) {
    if (auto* link = find(number)) link->close(DisconnectReason::revoked, {});
  }
}

void Directory::Slice::deliver_completions() {
  completions->take(batch);
  for (const auto& completion : batch) {
    if (auto* link = find(completion.link)) link->completed(completion);
  }
}

void Directory::Slice::tick() {
  const auto now = parts.clock.monotonic();
  const auto time = parts.clock.now();
  looked_at.clear();  // a link that is looked at may leave
  for (const auto& [number, entry] : links) looked_at.push_back(number);
  for (const auto number : looked_at) {
    if (auto* link = find(number)) link->check_deadlines(now, time);
  }
}

void Directory::Slice::start_ticking() {
  if (stopped) return;
  timer.expires_after(std::chrono::microseconds(parts.options.tick.us));
  timer.async_wait([this](const boost::system::error_code& code) {
    if (code) return;
    tick();
    start_ticking();
  });
}

void Directory::Slice::stop_ticking() {
  stopped = true;
  timer.cancel();
}

Directory::Directory(net::IoThreads& threads, const Clock& clock, DirectoryOptions options)
    : parts_(new Parts{.threads = threads, .clock = clock, .options = options, .slices = {}}) {
  for (std::size_t i = 0; i < threads.size(); ++i) parts_->slices.push_back(std::make_unique<Slice>(*parts_, i));
  for (std::size_t i = 0; i < threads.size(); ++i) {
    threads.post(i, [slice = parts_->slices[i].get()] { slice->start_ticking(); });
  }
}

Directory::~Directory() { stop(); }

LinkAddress Directory::enter(std::size_t thread, DeviceLink& link) {
  auto& slice = *parts_->slices[thread];
  const LinkAddress address{thread, slice.next_link++};
  slice.links.emplace(address.link, Slice::Entry{.link = &link, .stream = nullptr, .policies = nullptr});
  return address;
}

void Directory::leave(LinkAddress address) { parts_->slices[address.thread]->links.erase(address.link); }

void Directory::claim(const Identity& identity, LinkAddress address) {
  auto& home = parts_->home_of(identity.hub, identity.device_id);
  parts_->threads.post(home.thread, [&home, key = key_of(identity), address] { home.claim_at_home(key, address); });
}

void Directory::release(const Identity& identity, LinkAddress address) {
  auto& home = parts_->home_of(identity.hub, identity.device_id);
  parts_->threads.post(home.thread, [&home, key = key_of(identity), address] {
    const auto found = home.directory.find(key);
    if (found != home.directory.end() && found->second == address) home.directory.erase(found);
  });
}

void Directory::stand_on(LinkAddress address, const net::Stream& stream) {
  auto& links = parts_->slices[address.thread]->links;
  if (const auto found = links.find(address.link); found != links.end()) found->second.stream = &stream;
}

void Directory::stand_on(LinkAddress address, const net::Stream& stream, PolicyUse use) {
  stand_on(address, stream);
  auto& links = parts_->slices[address.thread]->links;
  const auto found = links.find(address.link);
  if (found == links.end()) return;
  auto& policies = found->second.policies;
  if (!policies) policies = std::make_unique<std::vector<PolicyUse>>();
  std::erase_if(*policies, [&](const PolicyUse& one) { return one.hub == use.hub && one.policy == use.policy; });
  policies->push_back(std::move(use));
}

bool Directory::take_connect(std::size_t thread) {
  return parts_->slices[thread]->connects.take("", parts_->clock.monotonic());
}

std::span<std::byte> Directory::scratch(std::size_t thread) { return parts_->slices[thread]->scratch; }

std::shared_ptr<Completions> Directory::completions(std::size_t thread) { return parts_->slices[thread]->completions; }

void Directory::notify(const IdentityKey& key, Notification notification, std::move_only_function<void(bool)> taken) {
  auto& home = parts_->home_of(key.hub, key.device_id);
  parts_->threads.post(home.thread,
                       [&home, key, notification = std::move(notification), taken = std::move(taken)]() mutable {
                         home.notify_at_home(key, std::move(notification), std::move(taken));
                       });
}

void Directory::revoke(const IdentityKey& key, DisconnectReason reason) {
  auto& home = parts_->home_of(key.hub, key.device_id);
  parts_->threads.post(home.thread, [&home, key, reason] { home.revoke_at_home(key, reason); });
}

void Directory::review(std::string hub, StandingCheck stays) {
  const auto shared = std::make_shared<const StandingCheck>(std::move(stays));
  for (auto& slice : parts_->slices) {
    parts_->threads.post(slice->thread, [slice = slice.get(), hub, shared] {
      slice->review_policies(hub, *shared);
      slice->review_at_home(hub, shared);
    });
  }
}

void Directory::tick() {
  for (auto& slice : parts_->slices) {
    parts_->threads.post(slice->thread, [slice = slice.get()] { slice->tick(); });
  }
}

void Directory::stop() {
  if (std::exchange(parts_->stopped, true)) return;
  // Heads are gone, but messages between the slices may still be under way. The longest chain has four hops (claim,
  // close the old one, grant), and each round lets one more arrive. Then nothing refers to the slices.
  constexpr int kHops = 4;
  for (int round = 0; round < kHops; ++round) {
    std::latch done(static_cast<std::ptrdiff_t>(parts_->slices.size()));
    for (auto& slice : parts_->slices) {
      parts_->threads.post(slice->thread, [&done, slice = slice.get()] {
        slice->stop_ticking();
        slice->completions->close();
        done.count_down();
      });
    }
    done.wait();
  }
}

}  // namespace picket::hub
