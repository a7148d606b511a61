// picket-workspace-fill: fills the empty data directory of a server with the events of a fleet over days, as if they
// had been received: rows by the pipeline's own decoder and row builder, and a journal of as many records. For ./bench
// kql and ./bench restart; the server must not run.
#include <chrono>
#include <cstdio>
#include <thread>

#include <CLI/CLI.hpp>

#include "base/core/json_writer.h"
#include "data_directory.h"
#include "fleet.h"
#include "journal/journal.h"
#include "message/decoder.h"
#include "pipeline/tables.h"
#include "row_batch.h"
#include "row_builder.h"
#include "segment_copies.h"
#include "workspace/tables.h"
#include "workspace/workspace.h"

namespace picket::load {
namespace {

constexpr std::uint64_t kMessagesPerAppend = 100;
constexpr auto kRefusedWait = std::chrono::milliseconds(5);

struct Options {
  std::string data;
  std::uint64_t rows = 10'000'000;
  std::int64_t days = 14;
  std::uint32_t devices = 2'000;
  std::uint64_t block_rows = 0;  ///< 0: every row by the pipeline's code. Else this many, and copies of them before.

  [[nodiscard]] std::uint64_t copies() const { return block_rows == 0 ? 0 : rows / block_rows - 1; }
};

/// One record for each message, so that a server that opens the folder goes on behind them. Records without `$.ifid`
/// are no security messages: the pipeline passes them by.
Result<> fill_journal(const std::string& directory, const Fleet& fleet, std::uint64_t blocks) {
  journal::EmbeddedOptions options;
  options.directory = directory;
  options.reserve_bytes = 0;
  TRY(auto opened, journal::open_embedded(std::move(options)));
  if (opened.journal->end().next_of(0) > 1) return fail(Errc::malformed, "fill.journal_not_empty");
  const Duration before = (fleet.to - fleet.from) * static_cast<std::int64_t>(blocks - 1);
  for (std::uint64_t i = 0; i < blocks * fleet.messages; ++i) {
    const auto block = static_cast<std::int64_t>(i / fleet.messages);
    const Identity identity{"picket", fleet.device_of(i % fleet.messages), "DefenderIotMicroAgent", "1"};
    const journal::Record record{
        .kind = journal::RecordKind::message,
        .partition = partition_of(identity),
        .enqueued = fleet.time_of(i % fleet.messages) - before + (fleet.to - fleet.from) * block,
        .identity = identity,
        .properties = {},
        .body = {}};
    auto done = opened.journal->append(record, [](const Result<journal::RecordId>&) {});
    for (; !done && done.error().code == Errc::limit_exceeded;
         done = opened.journal->append(record, [](const Result<journal::RecordId>&) {})) {
      opened.journal->flush();
    }
    TRY_VOID(std::move(done));
  }
  opened.journal->flush();
  return {};
}

class Filler {
 public:
  /// The fleet's messages are the records after `begin`.
  Filler(workspace::Workspace& workspace, const workspace::Schema& schema, const Fleet& fleet,
         const std::string& installation_id, std::uint64_t begin)
      : workspace_(workspace), fleet_(fleet), builder_(schema, installation_id), begin_(begin) {}

  Result<> run() {
    for (std::uint64_t i = 0; i < fleet_.messages; ++i) {
      TRY_VOID(add(i));
      if ((i + 1) % kMessagesPerAppend == 0 || i + 1 == fleet_.messages) TRY_VOID(append(begin_ + i + 1));
    }
    return workspace_.flush();
  }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  Result<> add(std::uint64_t number) {
    // A batch's cells point into what it keeps, the texts of the record too.
    const std::string_view device = batch_.keep(fleet_.device_of(number));
    journal::RecordView record;
    record.identity.hub = "picket";
    record.identity.device_id = device;
    record.identity.module_id = "DefenderIotMicroAgent";
    record.enqueued = fleet_.time_of(number);
    record.id = {0, begin_ + number + 1};
    TRY(auto decoded, decoder_.decode(as_bytes(fleet_.body_of(number)), {}));
    const message::SecurityMessage& message = batch_.keep(std::move(decoded));
    for (std::size_t e = 0; e < message.events.size(); ++e) {
      const message::Event& event = message.events[e];
      for (std::size_t i = 0; i < event.items.size(); ++i) {
        builder_.add_item(record, message, event, event.items[i],
                          {begin_ + number + 1, static_cast<std::uint32_t>(e), static_cast<std::uint32_t>(i)},
                          event.timestamp_utc, batch_);
      }
    }
    return {};
  }

  Result<> append(std::uint64_t through) {
    rows_ += batch_.size();
    auto done = workspace_.append(workspace::kMessagesStream, through, batch_.rows());
    for (; !done && done.error().code == Errc::limit_exceeded;
         done = workspace_.append(workspace::kMessagesStream, through, batch_.rows())) {
      std::this_thread::sleep_for(kRefusedWait);  // a seal is under way
    }
    batch_.clear();
    return done;
  }

  workspace::Workspace& workspace_;
  const Fleet& fleet_;
  pipeline::RowBuilder builder_;
  const std::uint64_t begin_;
  message::Decoder decoder_;
  pipeline::RowBatch batch_;
  std::uint64_t rows_ = 0;
};

struct Filled {
  std::uint64_t rows = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
};

Result<Filled> stored(const std::string& segments, const workspace::Schema& schema) {
  workspace::DuckdbOptions storage;
  storage.directory = segments;
  storage.background = false;
  TRY(const auto workspace, workspace::open_duckdb_workspace(std::move(storage), schema, system_clock()));
  const workspace::StreamStats stats = workspace->stats().streams.front();
  return Filled{stats.segment_rows, stats.segments, stats.segment_bytes};
}

Result<> fill_segments(const std::string& segments, const workspace::Schema& schema, const Fleet& fleet,
                       const std::string& installation_id, std::uint64_t copies) {
  const std::uint64_t begin = copies * fleet.messages;
  if (begin > 0) TRY_VOID(begin_at(segments, begin));
  {
    workspace::DuckdbOptions storage;
    storage.directory = segments;
    TRY(const auto workspace, workspace::open_duckdb_workspace(std::move(storage), schema, system_clock()));
    Filler filler(*workspace, schema, fleet, installation_id, begin);
    TRY_VOID(filler.run());
  }
  if (copies == 0) return {};
  TRY(const std::uint64_t rows, make_copies({segments, copies, fleet.messages, fleet.to - fleet.from}, schema,
                                            std::max(1U, std::thread::hardware_concurrency())));
  return rows == 0 ? fail(Errc::malformed, "fill.copies") : Result<>{};
}

Result<std::string> fill(const Options& options) {
  TRY(const auto data, server::DataDirectory::open(options.data));
  const Timestamp now = system_clock().now();
  const Duration all = Duration::days(options.days);
  const auto blocks = static_cast<std::int64_t>(options.copies() + 1);
  const std::uint64_t block_rows = options.block_rows == 0 ? options.rows : options.block_rows;
  const Fleet fleet{.devices = options.devices,
                    .messages = block_rows / kFleetEventsPerMessage,
                    .from = now - Duration{all.us / blocks},
                    .to = now};
  TRY_VOID(fill_journal(data.journal(), fleet, options.copies() + 1));
  const workspace::Schema schema = pipeline::make_workspace_schema();
  TRY_VOID(fill_segments(data.segments(), schema, fleet, data.installation_id(), options.copies()));
  TRY(const Filled filled, stored(data.segments(), schema));
  JsonWriter json;
  json.begin_object().key("rows").value(filled.rows).key("records").value(fleet.messages * (options.copies() + 1));
  json.key("segments").value(filled.segments).key("bytes").value(filled.bytes);
  json.key("from").value(now - all).key("to").value(fleet.to);
  json.key("seconds").value(static_cast<double>((system_clock().now() - now).us) / 1e6).end_object();
  return json.take();
}

}  // namespace
}  // namespace picket::load

int main(int argc, char** argv) {
  picket::load::Options options;
  CLI::App app{
      "picket-workspace-fill: events of a fleet over days, in an empty data directory; prints one JSON object"};
  app.add_option("--data", options.data, "data directory")->required();
  app.add_option("--rows", options.rows, "events, in messages of 20");
  app.add_option("--days", options.days, "days up to now that they are spread over");
  app.add_option(
         "--block-rows", options.block_rows,
         "write so many of them, the newest, and copies of these with earlier times and positions: for very many rows")
      ->check(CLI::Range(1'000, 4'000'000));
  app.add_option("--devices", options.devices)->check(CLI::Range(1, 100'000));
  CLI11_PARSE(app, argc, argv);
  const auto done = picket::load::fill(options);
  if (!done) {
    std::fprintf(stderr, "picket-workspace-fill: %s\n", picket::describe(done.error()).c_str());
    return 1;
  }
  std::printf("%s\n", done->c_str());
  return 0;
}
