#include "storage.h"

#include <fmt/format.h>

#include "api/server.h"
#include "base/server/log.h"
#include "server_log.h"

namespace picket::server {
namespace {

// A flush costs the processor as much as ten messages: what many devices send within this time shares one.
constexpr Duration kGatherDelay = Duration::milliseconds(4);

void report_damage(const std::string& name, const journal::OpenReport& report) {
  if (report.torn_bytes > 0) {
    log::warning(name, "cut {} bytes of an unfinished write from {} at {}", report.torn_bytes, report.torn_file,
                 report.torn_at);
  }
  for (const journal::Corruption& corruption : report.corrupt) {
    log::error(name, "{} is damaged from byte {} to {}: records {} to {} are lost", corruption.file, corruption.begin,
               corruption.end, corruption.first_sequence, corruption.next_sequence - 1);
  }
}

Result<std::unique_ptr<journal::Journal>> open_journal(const std::string& directory, const std::string& name,
                                                       std::uint64_t reserve_bytes, Duration gather_delay = {}) {
  journal::EmbeddedOptions options;
  options.gather_delay = gather_delay;
  options.directory = directory;
  options.reserve_bytes = reserve_bytes;
  options.log = log_to(name);
  TRY(auto opened, journal::open_embedded(std::move(options)));
  report_damage(name, opened.report);
  return std::move(opened.journal);
}

Result<DataDirectory> open_directory(const std::string& path, std::string& detail) {
  auto data = DataDirectory::open(path);
  if (!data) {
    detail = data.error().where == "data.lock" ? fmt::format("another server runs on {}", path)
                                               : fmt::format("data directory {}", path);
  }
  return data;
}

}  // namespace

Result<std::unique_ptr<Storage>> Storage::open(const Options& options, const Clock& clock, std::string& detail) {
  TRY(auto data, open_directory(options.data, detail));
  TRY(auto database, state::Database::open(data.state_file()));
  state::Users users(*database);
  TRY(const bool first_start, api::make_first_secrets(users, data.secrets(), {}, clock.now()));
  if (first_start)
    log::info("server", "first start: the sign-in secret of admin is in {}/first-sign-in", data.secrets());
  TRY(auto messages, open_journal(data.journal(), "journal", options.reserve_bytes, kGatherDelay));
  TRY(auto derived, open_journal(data.derived(), "derived", 0));
  state::Database& domains = *database;
  const Timestamp last = messages->stats().last_enqueued;
  return std::unique_ptr<Storage>(new Storage{.data = std::move(data),
                                              .database = std::move(database),
                                              .state = {domains},
                                              .messages = std::move(messages),
                                              .derived = std::move(derived),
                                              .retention_clock = {clock, last}});
}

}  // namespace picket::server
