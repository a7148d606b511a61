// The aggregate of connections as it stands on the wire, against a model that keeps every happening.
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/aggregate.h"
#include "agent/event_encoder.h"
#include "base/core/json_reader.h"

namespace picket::agent {
namespace {

constexpr Timestamp kStart{1'800'000'000'000'000};  // 08:00 UTC
using Kind = ConnectionRecord::Kind;

struct Happening {
  Kind kind = Kind::opened;
  Duration at;
  std::optional<Duration> gap;  ///< Since the one before that the agent still knew of.
  std::uint64_t in = 0, out = 0;
  bool bytes_known = false;
};

/// One key of the model: what happened since it was last told of.
struct Peer {
  std::vector<Happening> untold;
  std::optional<Duration> last;
};

class Model final : public EventSink {
 public:
  Model(std::uint32_t seed, AggregateOptions options)
      : random_(seed),
        encoder_(*this, users_, [] { return AgentFacts{}; }),
        aggregator_(std::move(options), encoder_) {}

  void step(int peers) {
    now_ = now_ + Duration{std::int64_t{1} << (random_() % 37)};  // a microsecond to nineteen hours
    if (random_() % 8 == 0) aggregator_.on_time(Duration::seconds(100) + now_);
    if (random_() % 200 == 0) aggregator_.flush();
    const int number = static_cast<int>(random_() % static_cast<unsigned>(peers));
    Happening happening{.at = now_};
    const auto dice = random_() % 10;
    happening.kind = dice < 5 ? Kind::opened : dice < 7 ? Kind::failed : Kind::closed;
    if (happening.kind == Kind::closed) {
      happening.bytes_known = random_() % 6 != 0;
      happening.in = random_() % 3 == 0 ? 52 : random_() % 100'000;
      happening.out = random_() % 3 == 0 ? 0 : random_() % 1'000;
    }
    emit(number, happening);
  }
  void finish() {
    aggregator_.flush();
    for (const auto& [name, peer] : peers_) {
      const bool told = std::ranges::all_of(
          peer.untold, [](const Happening& each) { return each.kind == Kind::closed && !each.bytes_known; });
      EXPECT_TRUE(told) << name << " has happenings that nobody was told of";
    }
    EXPECT_GT(told_, 50);
  }

  void deliver(Priority priority, std::string_view event) override {
    const auto json = parse_json(event);
    ASSERT_TRUE(json) << event;
    std::optional<Json> item;
    json->find("Payload").value_or(*json).for_items([&](Json each) { item = each; });
    ASSERT_TRUE(item) << event;
    Peer& peer = peers_.at(item->find("RemoteAddress")->text().value_or(""));
    // First at once: the agent did not know the peer (any more), so no time since another one is known.
    if (priority == Priority::urgent) peer.untold.back().gap.reset();
    ++told_;
    compare(*item, peer);
    peer.untold.clear();
  }

 private:
  void emit(int number, const Happening& happening) {
    ConnectionRecord record{.kind = happening.kind, .direction = ConnectionRecord::Direction::out};
    record.time = {kStart + happening.at, Duration::seconds(100) + happening.at};
    record.origin = {"network", "ebpf", false};
    record.local = {{{10, 0, 0, 1}, 4}, static_cast<std::uint16_t>(30'000 + random_() % 1'000)};
    record.remote = {{{192, 0, 2, static_cast<std::uint8_t>(number)}, 4}, 443};
    record.bytes_in = happening.in;
    record.bytes_out = happening.out;
    record.bytes_known = happening.bytes_known;
    record.executable = "/usr/bin/x";
    Peer& peer = peers_["192.0.2." + std::to_string(number)];
    peer.untold.push_back(happening);
    if (happening.kind != Kind::closed) {
      if (peer.last) peer.untold.back().gap = happening.at - *peer.last;
      peer.last = happening.at;
    }
    const auto known = [&] { return aggregator_.entries() + aggregator_.counters().evicted; };
    const auto before = known();
    aggregator_.emit(record);
    if (known() == before) return;
    // The aggregation had forgotten this peer: no time since the happening before.
    if (happening.kind == Kind::closed) peer.last.reset();
    if (!peer.untold.empty()) peer.untold.back().gap.reset();
  }

  static std::int64_t number(const Json& item, std::string_view key, std::int64_t otherwise) {
    const auto found = item.find(key);
    return found ? found->integer().value_or(-1) : otherwise;
  }
  static std::vector<std::int64_t> numbers(const Json& item, std::string_view key) {
    std::vector<std::int64_t> out;
    if (const auto found = item.find(key))
      found->for_items([&](Json each) { out.push_back(each.integer().value_or(-1)); });
    return out;
  }

  void compare(const Json& item, const Peer& peer) {
    std::vector<Happening> hits, ends;
    for (const Happening& each : peer.untold) {
      if (each.kind != Kind::closed) hits.push_back(each);
      if (each.kind == Kind::closed && each.bytes_known) ends.push_back(each);
    }
    const std::string context(item.raw());
    const auto single = hits.size() == 1 && ends.empty();
    EXPECT_EQ(number(item, "HitCount", 1), static_cast<std::int64_t>(hits.size())) << context;
    EXPECT_EQ(number(item, "FailCount", 0), std::ranges::count(hits, Kind::failed, &Happening::kind)) << context;
    const auto result = item.find("Result");
    EXPECT_EQ(result.has_value(), !hits.empty());
    if (result) {
      const bool all_failed = std::ranges::all_of(hits, [](const auto& each) { return each.kind == Kind::failed; });
      EXPECT_EQ(result->text(), all_failed ? "Fail" : "Success");
    }
    if (!single) compare_times(item, peer, context);
    compare_hours(item, hits, context);
    compare_gaps(item, hits, context);
    compare_bytes(item, "BytesIn", ends, &Happening::in, context);
    compare_bytes(item, "BytesOut", ends, &Happening::out, context);
  }

  static void compare_times(const Json& item, const Peer& peer, const std::string& context) {
    const auto text = [&](const char* key) { return item.find(key) ? item.find(key)->text().value_or("") : ""; };
    // An end without bytes adds nothing, so nothing begins with it.
    const auto first = std::ranges::find_if(
        peer.untold, [](const Happening& each) { return each.kind != Kind::closed || each.bytes_known; });
    EXPECT_EQ(text("StartTimeUtc"), format_rfc3339(kStart + first->at)) << context;
    EXPECT_EQ(text("EndTimeUtc"), format_rfc3339(kStart + peer.untold.back().at)) << context;
  }

  static void compare_hours(const Json& item, const std::vector<Happening>& hits, const std::string& context) {
    std::vector<std::int64_t> hours(24);
    for (const Happening& each : hits) ++hours[static_cast<std::size_t>((8 + each.at.whole_seconds() / 3600) % 24)];
    if (hits.size() < 2) hours.clear();  // its time says it
    EXPECT_EQ(numbers(item, "HourlyCounts"), hours) << context;
  }

  static void compare_gaps(const Json& item, const std::vector<Happening>& hits, const std::string& context) {
    std::map<std::int64_t, std::int64_t> truth;
    for (const Happening& each : hits) {
      if (each.gap) ++truth[GapSketch::quantise(*each.gap)];
    }
    const auto gaps = numbers(item, "GapsMs");
    auto counts = numbers(item, "GapCounts");
    if (counts.empty()) counts.assign(gaps.size(), 1);
    ASSERT_EQ(counts.size(), gaps.size()) << context;
    EXPECT_EQ(gaps.size(), std::min(truth.size(), GapSketch::kGaps)) << context;
    EXPECT_TRUE(std::ranges::is_sorted(gaps));
    for (std::size_t i = 0; i < gaps.size(); ++i) {
      const auto found = truth.find(gaps[i]);
      ASSERT_NE(found, truth.end()) << gaps[i] << " never was: " << context;
      if (truth.size() <= GapSketch::kGaps) {
        EXPECT_EQ(counts[i], found->second) << context;
      } else {
        EXPECT_LE(counts[i], found->second) << context;
      }
    }
  }

  static void compare_bytes(const Json& item, const std::string& key, const std::vector<Happening>& ends,
                            std::uint64_t Happening::* bytes, const std::string& context) {
    if (ends.empty()) {
      EXPECT_FALSE(item.find(key)) << context;
      return;
    }
    std::vector<std::int64_t> values;
    std::int64_t sum = 0;
    for (const Happening& each : ends) {
      values.push_back(static_cast<std::int64_t>(each.*bytes));
      sum += values.back();
    }
    std::ranges::sort(values);
    EXPECT_EQ(number(item, key, -2), sum) << context;
    if (values.size() == 1) {
      EXPECT_FALSE(item.find(key + "Min") || item.find(key + "Median") || item.find(key + "Max")) << "the sum says it";
      return;
    }
    EXPECT_EQ(number(item, key + "Min", -2), values.front()) << context;
    EXPECT_EQ(number(item, key + "Max", -2), values.back()) << context;
    const std::int64_t median = number(item, key + "Median", -2);
    if (values.size() <= Quantiles::kSamples) {
      EXPECT_EQ(median, values[(values.size() - 1) / 2]) << context;
    } else {
      EXPECT_TRUE(std::ranges::binary_search(values, median)) << context;  // of a sample
    }
  }

  std::mt19937 random_;
  UserNames users_{"/nothing"};
  std::map<std::string, Peer> peers_;
  Duration now_;
  EventEncoder encoder_;
  Aggregator aggregator_;
  int told_ = 0;
};

class AggregateModel : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(AggregateModel, EveryRecordSaysExactlyWhatHappenedSinceTheLast) {
  Model model(GetParam(), {});
  for (int i = 0; i < 4'000; ++i) model.step(6);
  model.finish();
}

TEST_P(AggregateModel, AlsoWhenTheTableIsTooSmall) {
  AggregateOptions options;
  options.entries_max = 4;
  Model model(GetParam(), options);
  for (int i = 0; i < 4'000; ++i) model.step(12);
  model.finish();
}

TEST_P(AggregateModel, AlsoWhenNothingLeavesAtOnce) {
  AggregateOptions options;
  options.first_at_once = false;
  options.window[static_cast<std::size_t>(Priority::medium)] = Duration::hours(48);
  Model model(GetParam(), options);
  for (int i = 0; i < 4'000; ++i) model.step(3);
  model.finish();
}

INSTANTIATE_TEST_SUITE_P(Seeds, AggregateModel, ::testing::Values(1U, 2U, 3U, 4U));

}  // namespace
}  // namespace picket::agent
