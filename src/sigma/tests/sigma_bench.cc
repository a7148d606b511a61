// Rates of the Sigma engine on one core, without decoding: process events against all published rules, matches against
// correlations. Metrics as "name value unit" lines.
//   sigma_bench [--write-events FILE] [RULES_FOLDER…]
// The events go to FILE as JSON lines, so that another engine may read the same.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "process_events.h"
#include "shared_data.h"
#include "sigma/correlator.h"
#include "sigma/matcher.h"

namespace {

using namespace picket;
using namespace picket::sigma;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

double resident_mib() {
  std::ifstream in("/proc/self/statm");
  long total = 0;
  long resident = 0;
  in >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1048576;
}

void print(const std::string& name, double value, const char* unit) {
  std::printf("%s %.4g %s\n", name.c_str(), value, unit);
}

/// Median CPU rate of five runs of `work`, which does `count` things.
template <class Work>
double rate(double count, Work work) {
  std::vector<double> rates;
  for (int i = 0; i < 5; ++i) {
    const double begin = cpu_seconds();
    work();
    rates.push_back(count / (cpu_seconds() - begin));
  }
  std::ranges::sort(rates);
  return rates[2];
}

/// Process events against all rules of the folders. `suffix`: of the metrics' names.
void bench_matcher(const std::vector<std::filesystem::path>& folders, const std::vector<ProcessEvent>& events,
                   const std::string& suffix) {
  Complaints complaints;
  Documents documents;
  const double load_begin = cpu_seconds();
  for (const auto& folder : folders) {
    Documents more = read_folder(folder, complaints);
    std::ranges::move(more.rules, std::back_inserter(documents.rules));
    std::ranges::move(more.filters, std::back_inserter(documents.filters));
    std::ranges::move(more.correlations, std::back_inserter(documents.correlations));
  }
  const RuleSet rules = RuleSet::link(std::move(documents), complaints);
  Matcher matcher(rules);
  const RouteId route = matcher.route({"process_creation", "linux", ""});
  print("sigma_load_ms" + suffix, (cpu_seconds() - load_begin) * 1000, "ms");
  print("sigma_rules" + suffix, static_cast<double>(rules.rules().size()), "rules");
  print("sigma_complaints" + suffix, static_cast<double>(complaints.size()), "documents");
  std::vector<std::vector<EventField>> fields;
  for (const ProcessEvent& event : events) {
    auto& out = fields.emplace_back();
    for (const auto& [name, value] : event.texts)
      out.push_back({rules.field(name), Value::of(std::string_view(value))});
    for (const auto& [name, value] : event.numbers) out.push_back({rules.field(name), Value::of(value)});
  }
  std::uint64_t matches = 0;
  constexpr int kRounds = 10;
  const double events_per_s = rate(kRounds * static_cast<double>(fields.size()), [&] {
    for (int round = 0; round < kRounds; ++round) {
      for (const auto& event : fields) matches += matcher.match(route, event).size();
    }
  });
  const Matcher::Stats stats = matcher.stats();
  print("sigma_events_per_core_s" + suffix, events_per_s, "events/s");
  print("sigma_candidates_per_event" + suffix,
        static_cast<double>(stats.candidates) / static_cast<double>(stats.events), "rules");
  print("sigma_matches_per_event" + suffix, static_cast<double>(matches) / static_cast<double>(stats.events), "rules");
  print("sigma_route_mib" + suffix, static_cast<double>(stats.memory_bytes) / 1048576, "MiB");
}

constexpr std::string_view kRule =
    "title: R\nname: r\nlogsource: {product: linux}\ndetection: {s: {message|contains: Failed password}, condition: "
    "s}\n---\n";

RuleSet one_correlation(const std::string& type, const std::string& timespan, const std::string& condition) {
  Documents documents;
  Complaints complaints;
  read_documents("bench.yml",
                 std::string(kRule) + "title: C\ncorrelation:\n  type: " + type +
                     "\n  rules: [r]\n  group-by: [source]\n  timespan: " + timespan + "\n  condition: " + condition +
                     "\n",
                 nullptr, documents, complaints);
  return RuleSet::link(std::move(documents), complaints);
}

/// 100,000 groups, each with 31 matches in its window (one fewer than asked for), as devices send them: all mixed.
void bench_groups() {
  constexpr std::uint32_t kGroups = 100'000;
  constexpr int kMatches = 31;
  const RuleSet rules = one_correlation("event_count", "1h", "{gte: 32}");
  ::malloc_trim(0);
  const double before = resident_mib();
  Correlator correlator(rules);
  const FieldId field = rules.field("source");
  std::vector<Happening> out;
  out.reserve(16);
  std::mt19937 random(7);
  char source[32];
  std::uint64_t ref = 0;
  std::int64_t us = 1'800'000'000'000'000;
  const double begin = cpu_seconds();
  for (int i = 0; i < kMatches; ++i) {
    const std::uint32_t offset = random() % kGroups;
    for (std::uint32_t g = 0; g < kGroups; ++g) {
      const std::uint32_t group = static_cast<std::uint32_t>((std::uint64_t{g} * 48'271 + offset) % kGroups);
      const int size = std::snprintf(source, sizeof source, "198.51.%u.%u", group / 256, group % 256);
      const EventField fields[] = {{field, Value::of(std::string_view(source, static_cast<std::size_t>(size)))}};
      correlator.see(0, {Timestamp{us}, ++ref, "device", fields}, out);
      us += 1'000;
    }
  }
  const double seconds = cpu_seconds() - begin;
  print("correlation_events_per_s", static_cast<double>(ref) / seconds, "events/s");
  print("correlation_groups", static_cast<double>(correlator.stats().groups), "groups");
  print("correlation_mib", static_cast<double>(correlator.stats().memory_bytes) / 1048576, "MiB");
  print("correlation_resident_mib", resident_mib() - before, "MiB");
}

/// Failed logins, read from fields, matched by a rule, and counted: one window that holds 10,000 different users.
struct Logins {
  static constexpr int kValues = 10'000;
  static constexpr int kMatches = 100'000;
  std::vector<std::string> users;
  Logins() {
    for (int i = 0; i < kValues; ++i) users.push_back("user-" + std::to_string(i));
  }

  double rate_of(const RuleSet& rules, bool match_first) const {
    return rate(kMatches, [&] {
      Matcher matcher(rules);
      const RouteId route = matcher.route({"", "linux", "sshd"});
      Correlator correlator(rules);
      EventField fields[] = {{rules.field("source"), Value::of(std::string_view("198.51.100.7"))},
                             {rules.field("user"), {}},
                             {rules.field("message"), {}},
                             {rules.field("port"), Value::of(std::int64_t{22})}};
      std::vector<Happening> out;
      for (int i = 0; i < kMatches; ++i) {
        fields[1].value = Value::of(std::string_view(users[static_cast<std::size_t>(i % kValues)]));
        fields[2].value =
            Value::of(std::string_view("Failed password for invalid user from 198.51.100.7 port 51234 ssh2"));
        if (match_first && matcher.match(route, fields).size() != 1) std::abort();
        // A value a millisecond: 10,000 within the 10 seconds of the window. The watermark follows a minute behind.
        const std::int64_t us = 1'800'000'000'000'000 + i * 1'000LL;
        correlator.see(0, {Timestamp{us}, static_cast<EventRef>(i + 1), "device", fields}, out);
        if (i % 1'000 == 0) correlator.advance(Timestamp{us - 20'000'000}, out);
        out.clear();
      }
    });
  }
};

void write_events(const std::string& path, const std::vector<ProcessEvent>& events) {
  std::ofstream out(path);
  for (const ProcessEvent& event : events) {
    boost::json::object object;
    for (const auto& [name, value] : event.texts) object[name] = value;
    for (const auto& [name, value] : event.numbers) object[name] = value;
    out << boost::json::serialize(object) << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::vector<ProcessEvent> events = process_events(20'000);
  if (arguments.size() > 1 && arguments[0] == "--write-events") {
    write_events(arguments[1], events);
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  std::vector<std::filesystem::path> folders(arguments.begin(), arguments.end());
  if (folders.empty()) folders.push_back(shared_data() / "sigma");
  bench_groups();
  const Logins logins;
  for (const std::string needed : {"20000", "32"}) {
    const RuleSet counts = one_correlation("event_count", "10s", "{gte: " + needed + "}");
    const RuleSet values = one_correlation("value_count", "10s", "{field: user, gte: " + needed + "}");
    const std::string name = needed == "32" ? "_firing" : "";
    print("event_count_events_per_s" + name, logins.rate_of(counts, true), "events/s");
    print("value_count_ratio" + name, logins.rate_of(values, true) / logins.rate_of(counts, true), "ratio");
    print("value_count_ratio_matches_only" + name, logins.rate_of(values, false) / logins.rate_of(counts, false),
          "ratio");
  }
  bench_matcher(folders, events, "");
  if (folders.size() > 1) bench_matcher({folders.front()}, events, "_shared");
  return 0;
}
