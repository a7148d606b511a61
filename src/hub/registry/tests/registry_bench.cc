// A registry of a million devices (or as many as the argument says): bulk creation, look-ups of authentication, pages,
// counting, single updates, memory. The folder is PICKET_BENCH_DIR or a temporary one.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include <sys/resource.h>
#include <unistd.h>

#include "hub/registry.h"
#include "state/outbox.h"

namespace {

using namespace picket;
using namespace picket::hub;
using Steady = std::chrono::steady_clock;

constexpr int kCallsInFlight = 16;
constexpr int kLookUps = 200'000;
constexpr const char* kHub = "factory";
const state::Actor kActor{"policy/iothubowner", "192.0.2.1"};

std::string id_of(std::uint64_t n) {
  char text[32];
  std::snprintf(text, sizeof text, "device-%08llu", static_cast<unsigned long long>(n));
  return text;
}

double seconds_since(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

double resident_mib() {
  std::ifstream in("/proc/self/statm");
  long total = 0, resident = 0;
  in >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

/// Sorts in place.
double quantile(std::vector<double>& values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

/// Waits until fewer than `count` calls are in flight.
class Window {
 public:
  void enter(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return in_flight_ < count; });
    ++in_flight_;
  }
  void leave() {
    const std::scoped_lock lock(mutex_);
    --in_flight_;
    changed_.notify_one();
  }
  void drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return in_flight_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_flight_ = 0;
};

/// As the server does with records that are durable in the journal.
void empty_outbox(state::Database& database) {
  state::Outbox outbox(database);
  while (true) {
    const auto pending = outbox.pending(20'000);
    if (!pending || pending->empty()) return;
    if (!outbox.remove_through(pending->back().id)) std::abort();
  }
}

void create(Registry& registry, state::Database& database, std::uint64_t count) {
  Window window;
  for (std::uint64_t at = 0; at < count; at += kBulkItemsMax) {
    std::vector<BulkItem> items;
    for (std::uint64_t n = at; n < std::min(count, at + kBulkItemsMax); ++n)
      items.push_back({.device = {.device_id = id_of(n)}});
    window.enter(kCallsInFlight);
    registry.bulk(kHub, std::move(items), kActor, [&](const HubResult<BulkResult>& result) {
      if (!result || !result->errors.empty()) std::abort();
      window.leave();
    });
    if (at % 50'000 == 0) empty_outbox(database);
  }
  window.drain();
  empty_outbox(database);
}

void look_up(state::Database& database, std::uint64_t count) {
  state::Identities identities(database);
  std::mt19937_64 random(1);
  std::vector<double> times;
  const auto cpu = cpu_seconds();
  for (int i = 0; i < kLookUps; ++i) {
    const auto id = id_of(random() % count);
    const auto begin = Steady::now();
    const auto found = identities.secrets(kHub, id, "");
    times.push_back(seconds_since(begin) * 1e6);
    if (!found || !*found) std::abort();
  }
  std::printf("look_up_cpu_us %.1f us\n", (cpu_seconds() - cpu) / kLookUps * 1e6);
  std::printf("look_up_p50_us %.1f us\n", quantile(times, 0.5));
  std::printf("look_up_p99_us %.1f us\n", quantile(times, 0.99));
}

void pages(const Registry& registry) {
  std::vector<double> times;
  std::string after;
  const auto begin = Steady::now();
  std::uint64_t seen = 0;
  do {
    const auto start = Steady::now();
    const auto page = registry.devices(kHub, after, 1000);
    times.push_back(seconds_since(start) * 1e3);
    seen += page->devices.size();
    after = page->next;
  } while (!after.empty());
  std::printf("page_of_1000_p50_ms %.2f ms\npage_of_1000_p99_ms %.2f ms\n", quantile(times, 0.5),
              quantile(times, 0.99));
  std::printf("whole_list_s %.2f s (%llu devices)\n", seconds_since(begin), static_cast<unsigned long long>(seen));
}

void updates(Registry& registry, std::uint64_t count) {
  constexpr int kUpdates = 20'000;
  Window window;
  std::mt19937_64 random(2);
  const auto begin = Steady::now();
  for (int i = 0; i < kUpdates; ++i) {
    window.enter(200);
    registry.put(kHub, DeviceSpec{.device_id = id_of(random() % count), .status_reason = "bench"}, PutMode::update, "*",
                 kActor, [&](const HubResult<state::Device>& result) {
                   if (!result) std::abort();
                   window.leave();
                 });
  }
  window.drain();
  std::printf("single_updates_per_s %.0f 1/s (200 in flight)\n", kUpdates / seconds_since(begin));
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const char* given = std::getenv("PICKET_BENCH_DIR");
  std::string folder = given != nullptr ? std::string(given) + "/registry_bench_XXXXXX" : "/tmp/registry_bench_XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  {
    auto database = state::Database::open(folder + "/state.sqlite").value();
    Registry registry(*database, system_clock());
    const double before = resident_mib();
    const auto begin = Steady::now();
    const auto cpu = cpu_seconds();
    create(registry, *database, count);
    std::printf("devices %llu\n", static_cast<unsigned long long>(count));
    std::printf("create_per_s %.0f 1/s\ncreate_cpu_s_per_million %.1f s\n",
                static_cast<double>(count) / seconds_since(begin),
                (cpu_seconds() - cpu) * 1e6 / static_cast<double>(count));
    std::printf("commits %llu\n", static_cast<unsigned long long>(database->stats().commits));
    const auto counting = Steady::now();
    if (registry.counts(kHub)->devices != count) std::abort();
    std::printf("count_us %.0f us\n", seconds_since(counting) * 1e6);
    look_up(*database, count);
    pages(registry);
    updates(registry, count);
    std::printf("file_mib %.0f MiB\n",
                static_cast<double>(std::filesystem::file_size(folder + "/state.sqlite")) / (1 << 20));
    std::printf("resident_mib %.1f MiB (%.1f before)\n", resident_mib(), before);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
