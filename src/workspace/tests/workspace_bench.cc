// Ingest, size and queries of the embedded workspace, on rows of the shape of a process event (about 300 bytes of
// details, random ids in it). Prints "metric value unit" lines. Arguments: rows (default 1,000,000), folder (default: a
// temporary one).
#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <sys/resource.h>

#include "base/core/hash.h"
#include "fixture.h"
#include "workspace/tables.h"

namespace picket::workspace {
namespace {

constexpr std::size_t kBatchRows = 1'000;
constexpr std::uint64_t kDevices = 5'000;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double rss_mib() {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  char line[256];
  long kib = 0;
  while (file != nullptr && std::fgets(line, sizeof(line), file) != nullptr) {
    if (std::sscanf(line, "VmRSS: %ld", &kib) == 1) break;
  }
  if (file != nullptr) std::fclose(file);
  return static_cast<double>(kib) / 1024;
}

std::vector<EventFamily> families() {
  EventFamily process{"ProcessEvents", {}};
  for (const char* name : {"Executable", "CommandLine", "UserName", "UserId", "ParentExecutable", "CurrentDirectory"}) {
    process.promoted.push_back({name, ColumnType::text});
  }
  for (const char* name : {"ProcessId", "ParentProcessId", "HitCount"})
    process.promoted.push_back({name, ColumnType::int64});
  EventFamily network{"NetworkEvents", {}};
  for (const char* name : {"RemoteAddress", "RemotePort", "Protocol", "Direction"})
    network.promoted.push_back({name, ColumnType::text});
  for (const char* name : {"BytesIn", "BytesOut"}) network.promoted.push_back({name, ColumnType::int64});
  return {process, network, {"LoginEvents", {}}, {"FileEvents", {}}, {"DeviceEvents", {}}};
}

/// Makes rows that differ as real ones do; every third is a connection.
class Generator {
 public:
  explicit Generator(const Schema& schema)
      : process_(*schema.find_table("ProcessEvents")), network_(*schema.find_table("NetworkEvents")) {}

  const std::vector<Row>& next(std::uint64_t first) {
    texts_.clear();
    texts_.reserve(kBatchRows * 8);
    cells_.resize(kBatchRows);
    rows_.clear();
    for (std::size_t i = 0; i < kBatchRows; ++i) rows_.push_back(row(first + i, cells_[i]));
    return rows_;
  }

 private:
  Cell text(std::string value) {
    texts_.push_back(std::move(value));
    return Cell::text(texts_.back());
  }
  std::string hex() {
    char out[17];
    std::snprintf(out, sizeof(out), "%016" PRIx64, siphash24({1, 2}, as_bytes(std::to_string(counter_++))));
    return out;
  }
  Row row(std::uint64_t sequence, std::vector<Cell>& cells) {
    const bool network = sequence % 3 == 0;
    const Timestamp time = testing::kStart + Duration::milliseconds(static_cast<std::int64_t>(sequence));
    const auto pid = static_cast<std::int64_t>(sequence * 7919 % 32'768);
    const std::string program = "/usr/bin/program-" + std::to_string(sequence * 31 % 97);
    const std::string command = program + " --config /etc/app.conf --token " + hex();
    const std::string event_id = hex() + hex();
    cells = {Cell::timestamp(time),
             Cell::timestamp(time),
             text("device-" + std::to_string(sequence * 7919 % kDevices)),
             Cell::text("/subscriptions/5e1f/resourcegroups/picket/providers/microsoft.devices/iothubs/main"),
             Cell::text("5e1f"),
             Cell::text("picket-agent 0.1.0"),
             text(event_id),
             Cell::boolean(false),
             Cell::text("Triggered"),
             Cell::text(network ? "ConnectionCreate" : "ProcessCreate"),
             Cell::text("Security"),
             text("{\"Executable\":\"" + program + "\",\"CommandLine\":\"" + command +
                  "\",\"ProcessId\":" + std::to_string(pid) +
                  ",\"ParentProcessId\":1,\"UserId\":\"1000\",\"UserName\":\"operator\",\"Hash\":\"" + hex() + hex() +
                  "\",\"TimestampLocal\":\"" + format_rfc3339(time) + "\",\"EventId\":\"" + event_id + "\"}"),
             Cell::text("main"),
             Cell::text("DefenderIotMicroAgent")};
    if (network) {
      for (const char* value : {"203.0.113.7", "443", "tcp", "Out"}) cells.push_back(Cell::text(value));
      for (const std::int64_t value : {pid * 3, pid * 5}) cells.push_back(Cell::integer(value));
    } else {
      cells.insert(cells.end(), {text(program), text(command), Cell::text("operator"), Cell::text("1000"),
                                 Cell::text("/usr/sbin/init"), Cell::text("/"), Cell::integer(pid), Cell::integer(1),
                                 Cell::integer(1)});
    }
    return {network ? network_ : process_, {sequence, 0, 0}, time, cells};
  }

  TableIndex process_;
  TableIndex network_;
  std::uint64_t counter_ = 0;
  std::vector<std::string> texts_;
  std::vector<std::vector<Cell>> cells_;
  std::vector<Row> rows_;
};

void time_query(Workspace& workspace, const char* key, const std::string& text) {
  std::vector<double> times;
  std::size_t rows = 0;
  for (int i = 0; i < 5; ++i) {
    const double begin = wall_seconds();
    const QueryOutcome outcome = workspace.query(testing::sql(text));
    if (!outcome) {
      std::fprintf(stderr, "%s: %s\n", key, outcome.error().text.c_str());
      return;
    }
    rows = outcome->rows;
    times.push_back((wall_seconds() - begin) * 1e3);
  }
  std::ranges::sort(times);
  std::printf("%s %.1f ms (median of 5, first %.1f, %zu rows)\n", key, times[2], times[4], rows);
}

void run(std::uint64_t rows, const std::string& folder) {
  const Schema schema = make_schema(families());
  DuckdbOptions options;
  options.directory = folder;
  const auto workspace = open_duckdb_workspace(options, schema, system_clock());
  if (!workspace) {
    std::fprintf(stderr, "%s\n", describe(workspace.error()).c_str());
    std::exit(1);
  }
  Generator generator(schema);
  const double generate_begin = cpu_seconds();
  for (std::uint64_t i = 1; i <= 100 * kBatchRows; i += kBatchRows) generator.next(i);
  const double generate_cpu = (cpu_seconds() - generate_begin) / (100 * kBatchRows);

  double longest = 0;
  std::uint64_t refused = 0;
  const double cpu_begin = cpu_seconds();
  const double wall_begin = wall_seconds();
  for (std::uint64_t first = 1; first <= rows; first += kBatchRows) {
    const std::vector<Row>& batch = generator.next(first);
    for (;;) {
      const double begin = wall_seconds();
      const auto appended = (*workspace)->append(kMessagesStream, first + kBatchRows - 1, batch);
      longest = std::max(longest, wall_seconds() - begin);
      if (appended) break;
      ++refused;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  const double append_wall = wall_seconds() - wall_begin;
  const double rss = rss_mib();
  if (const auto flushed = (*workspace)->flush(); !flushed)
    std::fprintf(stderr, "%s\n", describe(flushed.error()).c_str());
  const double cpu = cpu_seconds() - cpu_begin - generate_cpu * static_cast<double>(rows);
  const double millions = static_cast<double>(rows) / 1e6;
  const StreamStats stats = (*workspace)->stats().streams[0];
  std::printf("ingest_rows_per_s %.0f rows/s (wall, generator included)\n", static_cast<double>(rows) / append_wall);
  std::printf("ingest_cpu_s_per_million %.2f s (seals and merges included, generator of %.2f s left out)\n",
              cpu / millions, generate_cpu * 1e6);
  std::printf("append_max_ms %.1f ms (1,000 rows)\n", longest * 1e3);
  std::printf("appends_refused %" PRIu64 " count\n", refused);
  std::printf("stored_mb_per_million %.1f MB\n", static_cast<double>(stats.segment_bytes) / 1e6 / millions);
  std::printf("segments %" PRIu64 " count (%" PRIu64 " seals, %" PRIu64 " merges)\n", stats.segments, stats.seals,
              stats.merges);
  std::printf("rss_after_append_mib %.0f MiB\n", rss);

  const std::string time =
      "TIMESTAMP '" +
      format_rfc3339(testing::kStart + Duration::milliseconds(static_cast<std::int64_t>(rows / 2))).substr(0, 19) + "'";
  const auto all = [&] {
    time_query(**workspace, "query_newest_50",
               "SELECT TimeGenerated, DeviceId, RawEventName, EventDetails FROM SecurityIoTRawEvent ORDER BY "
               "TimeGenerated DESC LIMIT 50");
    time_query(**workspace, "query_filter_device",
               "SELECT TimeGenerated, EventDetails FROM SecurityIoTRawEvent WHERE DeviceId = 'device-42' AND "
               "TimeGenerated > " +
                   time + " ORDER BY TimeGenerated DESC LIMIT 100");
    time_query(**workspace, "query_count_by_name", "SELECT RawEventName, count(*) FROM SecurityIoTRawEvent GROUP BY 1");
    time_query(**workspace, "query_promoted_filter",
               "SELECT count(*) FROM ProcessEvents WHERE ProcessId = 77 AND contains(CommandLine, 'program-5')");
    time_query(
        **workspace, "query_json_filter",
        "SELECT count(*) FROM SecurityIoTRawEvent WHERE json_extract_string(EventDetails, '$.ProcessId') = '77'");
    time_query(**workspace, "query_nothing", "SELECT 1");
  };
  all();
  // The same newest rows from the hot buffer.
  const std::uint64_t end = (*workspace)->hot_end(kMessagesStream);
  for (std::uint64_t first = end + 1; first <= end + 50'000; first += kBatchRows) {
    (void)(*workspace)->append(kMessagesStream, first + kBatchRows - 1, generator.next(first));
  }
  std::printf("hot_bytes_per_row %.0f bytes\n",
              static_cast<double>((*workspace)->stats().streams[0].hot_bytes) /
                  std::max<double>(1, static_cast<double>((*workspace)->stats().streams[0].hot_rows)));
  time_query(**workspace, "query_newest_50_hot",
             "SELECT TimeGenerated, DeviceId, RawEventName, EventDetails FROM SecurityIoTRawEvent ORDER BY "
             "TimeGenerated DESC LIMIT 50");
  std::printf("rss_end_mib %.0f MiB\n", rss_mib());
}

}  // namespace
}  // namespace picket::workspace

int main(int argc, char** argv) {
  const picket::workspace::testing::TemporaryFolder temporary;
  const std::uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  picket::workspace::run(std::max<std::uint64_t>(rows, 1'000), argc > 2 ? argv[2] : temporary.path());
  return 0;
}
