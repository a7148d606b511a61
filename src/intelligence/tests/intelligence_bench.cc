// What the index costs and how fast it is: "metric value unit" lines. Argument: how many indicators (10,000,000).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include <unistd.h>

#include "intelligence/index_builder.h"
#include "intelligence/matcher.h"

namespace {

using namespace picket;
using namespace picket::intelligence;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
double wall_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Of this process, or of the part of it that maps `path`: resident bytes.
std::uint64_t resident_of(const std::string& path) {
  std::ifstream maps("/proc/self/smaps");
  bool here = false;
  std::uint64_t bytes = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < 20 && line.find(" r") != std::string::npos) here = line.find(path) != std::string::npos;
    if (here && line.starts_with("Rss:")) bytes += std::strtoull(line.c_str() + 4, nullptr, 10) * 1024;
  }
  return bytes;
}

/// Number i of a mix: 40 % addresses, 30 % names, 20 % files' hashes, 10 % URLs. Different for different salts.
Observable mixed(std::uint64_t i, std::uint64_t salt) {
  std::uint64_t x = (i + salt) * 0x9E3779B97F4A7C15ULL;
  x ^= x >> 29;
  x *= 0xBF58476D1CE4E5B9ULL;
  x ^= x >> 32;
  const auto bytes = [&](std::size_t count) {
    std::string out(count, '\0');
    std::uint64_t y = x;
    for (char& c : out) {
      y = y * 6364136223846793005ULL + 1442695040888963407ULL;
      c = static_cast<char>(y >> 56);
    }
    return out;
  };
  switch (i % 10) {
    case 0:
    case 1:
    case 2:
    case 3: {
      std::string key = bytes(4);
      return {Kind::ipv4, std::move(key)};
    }
    case 4:
    case 5:
    case 6: {
      char text[48];
      std::snprintf(text, sizeof(text), "%012llx.example", static_cast<unsigned long long>(x & 0xFFFF'FFFF'FFFF));
      return {Kind::domain, text};
    }
    case 7:
    case 8:
      return {Kind::sha256, bytes(32)};
    default: {
      char text[64];
      std::snprintf(text, sizeof(text), "%08llx.example/%06llx.sh", static_cast<unsigned long long>(x >> 32),
                    static_cast<unsigned long long>(x & 0xFF'FFFF));
      return {Kind::url, text};
    }
  }
}

void build(const std::string& path, std::uint64_t count, std::uint64_t salt) {
  auto builder = IndexBuilder::make(
      {.path = path, .made = {}, .minimum_confidence = 30, .feeds = {{"bench", "CC0", "https://feed.example/"}}});
  if (!builder) std::abort();
  for (std::uint64_t i = 0; i < count; ++i) {
    const Timestamp from{static_cast<std::int64_t>(i % 4'000) * Duration::hours(1).us};
    if (!(*builder)->add(mixed(i, salt), {.confidence = 80, .from = from, .threat = "family"})) std::abort();
  }
  if (!(*builder)->finish()) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  std::string folder = (std::filesystem::temp_directory_path() / "intelligence-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  const std::string path = folder + "/set";
  const double begin = cpu_seconds();
  build(path, count, 0);
  std::printf("ti_build_s %.2f s\n", cpu_seconds() - begin);
  auto index = *Index::open(path);
  std::printf("ti_indicators %llu indicators\n", static_cast<unsigned long long>(index->size()));
  std::printf("ti_file_mib %.1f MiB\n", static_cast<double>(index->file_bytes()) / (1 << 20));

  // 0.1 % of what is asked for is listed. Names have a third label, so each is looked up twice.
  constexpr std::uint64_t kAsked = 4'000'000;
  std::vector<Observable> asked;
  asked.reserve(kAsked);
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i < kAsked; ++i) {
    const bool listed = random() % 1000 == 0;
    asked.push_back(mixed(random() % count, listed ? 0 : 0x1234'5678'9ABC'DEFFULL));
    if (asked.back().kind == Kind::domain) asked.back().key.insert(0, "www.");
  }
  const Matcher matcher(*index, Timestamp{} + Duration::days(1'000));
  double best = 0;
  std::uint64_t hits = 0;
  for (int round = 0; round < 5; ++round) {
    hits = 0;
    const double start = cpu_seconds();
    for (const Observable& one : asked) {
      switch (one.kind) {
        case Kind::ipv4:
          hits += matcher.address(one).has_value() ? 1 : 0;
          break;
        case Kind::domain:
          hits += matcher.domain(one.key).has_value() ? 1 : 0;
          break;
        case Kind::url:
          hits += matcher.url(one).has_value() ? 1 : 0;
          break;
        default:
          hits += matcher.exactly(one.kind, one.key).has_value() ? 1 : 0;
      }
    }
    best = std::max(best, static_cast<double>(kAsked) / (cpu_seconds() - start));
  }
  std::printf("ti_lookups_per_s %.0f lookups/s\n", best);
  std::printf("ti_hits %llu hits\n", static_cast<unsigned long long>(hits));
  // Everything that the index may ever touch counts, not only what these look-ups did.
  std::printf("ti_mib %.1f MiB\n", static_cast<double>(index->file_bytes()) / (1 << 20));
  std::printf("ti_resident_mib %.1f MiB\n", static_cast<double>(resident_of(path)) / (1 << 20));

  // What the pipeline waits for: opening the new set, a first look-up, giving the old one back.
  const std::string next = folder + "/next";
  build(next, count, 77);
  double worst = 0;
  for (int round = 0; round < 5; ++round) {
    const double start = wall_ms();
    auto opened = *Index::open(round % 2 == 0 ? next : path);
    static_cast<void>(Matcher(*opened, Timestamp{}).exactly(asked[0].kind, asked[0].key));
    index = std::move(opened);
    worst = std::max(worst, wall_ms() - start);
  }
  std::printf("ti_swap_pause_ms %.3f ms\n", worst);
  std::filesystem::remove_all(folder);
  return 0;
}
