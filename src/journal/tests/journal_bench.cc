// Records a second and CPU a million records: 512-byte bodies, one appending thread that keeps at most 8,192 records
// unacknowledged, one reader behind it; the folder is PICKET_BENCH_DIR or a temporary one.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

#include "journal/journal.h"

namespace {

using namespace picket;
using namespace picket::journal;

constexpr std::uint64_t kRecords = 2'000'000;
constexpr std::uint64_t kUnacknowledgedMax = 8'192;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Timer {
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  double cpu = cpu_seconds();
  void print(const char* what) const {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    std::printf("%s_records_per_s %.0f 1/s\n", what, static_cast<double>(kRecords) / wall.count());
    std::printf("%s_cpu_s_per_million %.2f s\n", what, (cpu_seconds() - cpu) * 1e6 / static_cast<double>(kRecords));
  }
};

}  // namespace

int main() {
  const char* base = std::getenv("PICKET_BENCH_DIR");
  const auto folder = (base != nullptr ? std::filesystem::path(base) : std::filesystem::temp_directory_path()) /
                      ("journal-bench-" + std::to_string(::getpid()));
  auto opened = open_embedded({.directory = folder.string(), .reserve_bytes = 0});
  if (!opened) {
    std::fprintf(stderr, "%s\n", describe(opened.error()).c_str());
    return 1;
  }
  Journal& journal = *opened->journal;
  const Identity identity{"hub", "device-0001", "", "1"};
  const std::string body(512, 'x');
  const Property properties[] = {{"$.mid", "7d0c2a0e"}, {"$.ifid", "urn:azureiot:Security:SecurityAgent:1"}};
  std::atomic<std::uint64_t> durable{0};
  const Timer append_timer;
  for (std::uint64_t i = 0; i < kRecords; ++i) {
    while (i - durable.load(std::memory_order_acquire) >= kUnacknowledgedMax)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    const auto taken = journal.append({.partition = 1,
                                       .enqueued = Timestamp{static_cast<std::int64_t>(i)},
                                       .identity = identity,
                                       .properties = properties,
                                       .body = as_bytes(body)},
                                      [&](Result<RecordId> id) { durable += id.has_value() ? 1 : 0; });
    if (!taken) return 1;
  }
  journal.flush();
  append_timer.print("append");
  std::printf("append_groups %llu 1\n", static_cast<unsigned long long>(journal.stats().groups));

  const Timer read_timer;
  auto reader = journal.reader({});
  std::uint64_t read = 0;
  while (reader && read < kRecords) {
    const auto batch = (*reader)->read(1U << 20);
    if (!batch) return 1;
    read += batch->records.size();
  }
  read_timer.print("read");
  reader->reset();
  opened->journal.reset();
  std::filesystem::remove_all(folder);
}
