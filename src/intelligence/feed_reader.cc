#include "intelligence/feed_reader.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_set>

#include "base/core/file.h"
#include "intelligence/feed_file.h"
#include "taxii.h"

namespace picket::intelligence {
namespace {

namespace fs = std::filesystem;

template <class T = void>
using Done = std::expected<T, FetchFault>;

/// A list that shrinks below half of what it was looks like a fault of its source; small ones may.
constexpr std::uint64_t kShrinkFrom = 20;

std::unexpected<FetchFault> fault(const Error& error) {
  return std::unexpected(FetchFault{error.code, describe(error)});
}

std::string joined_url(const std::string& base, const std::string& name) {
  return base.ends_with('/') ? base + name : base + '/' + name;
}

FetchRequest request_of(const ReadRequest& request) {
  const FeedSettings& settings = request.settings;
  FetchRequest out{.url = settings.source, .ca_file = settings.ca_file};
  if (!settings.user.empty()) {
    out.user = settings.user;
    out.password = request.secret;
  } else if (!request.secret.empty()) {
    const bool bearer = settings.auth_header.empty() || lower(settings.auth_header) == "authorization";
    out.headers.emplace_back(bearer ? "Authorization" : settings.auth_header,
                             bearer ? "Bearer " + request.secret : request.secret);
  }
  return out;
}

/// One read: what was taken goes into a new file, which replaces the old one at the end or not at all.
class Reading {
 public:
  explicit Reading(const ReadRequest& request) : request_(request), before_(request.status.indicators) {}

  Done<> start() {
    auto made = FeedFileWriter::make(request_.path);
    if (!made) return fault(made.error());
    writer_ = *std::move(made);
    return {};
  }
  Done<> take(std::string_view text) {
    const FeedSink sink{.take = [this](Indicator one) { return keep(std::move(one)); },
                        .anew = [this](std::string_view id) { anew_.emplace(id); }};
    const auto format = request_.settings.transport == Transport::taxii       ? Format::stix
                        : request_.settings.transport == Transport::misp_feed ? Format::misp
                                                                              : request_.settings.format;
    const auto report = parse_feed(format, text, sink);
    if (!report) return fault(report.error());
    report_.add(*report);
    return {};
  }
  /// What the file before holds and nothing new speaks of. Of sources that tell only what has changed.
  Done<> keep_others(const std::unordered_set<std::string>* still_there) {
    const auto done = read_feed_file(request_.path, [&](const Indicator& one) -> Result<> {
      if (anew_.contains(one.source_id)) return {};
      if (still_there != nullptr && !still_there->contains(one.source_id)) return {};
      return writer_->add(one);
    });
    if (!done && done.error().code != Errc::not_found) return fault(done.error());
    return {};
  }
  Done<bool> finish() {
    if (writer_->count() * 2 < before_ && before_ >= kShrinkFrom && !request_.force) {
      return std::unexpected(FetchFault{Errc::denied, "it would shrink from " + std::to_string(before_) + " to " +
                                                          std::to_string(writer_->count()) +
                                                          " indicators; refresh with force if that is right"});
    }
    if (const auto done = writer_->finish(); !done) return fault(done.error());
    request_.status.indicators = writer_->count();
    request_.status.report = report_;
    request_.status.changed = request_.now;
    return true;
  }

 private:
  Result<> keep(Indicator one) {
    const FeedSettings& settings = request_.settings;
    if (one.from.us == 0) one.from = request_.now;
    if (one.confidence == kConfidenceUnsaid) one.confidence = settings.confidence;
    if (one.threat.empty()) one.threat = settings.threat;
    if (one.until.us == 0 && settings.life_days != 0) one.until = one.from + Duration::days(settings.life_days);
    if (one.until.us != 0 && one.until <= request_.now) {
      report_.skip("expired", to_text(one.what));
      return {};
    }
    return writer_->add(one);
  }

  const ReadRequest& request_;
  std::uint64_t before_;
  std::unique_ptr<FeedFileWriter> writer_;
  ParseReport report_;
  std::unordered_set<std::string> anew_;
};

Done<bool> read_warnings(const ReadRequest& request, const std::string& text) {
  const auto list = parse_warning_list(text);
  if (!list) return fault(list.error());
  if (const auto done = replace_file(request.path, as_bytes(text)); !done) return fault(done.error());
  request.status.indicators = list->entries.size();
  request.status.report = list->report;
  request.status.changed = request.now;
  return true;
}

Done<bool> read_document(const ReadRequest& request, Fetcher& fetcher) {
  FetchRequest wanted = request_of(request);
  if (!request.force) {
    wanted.etag = request.status.etag;
    wanted.last_modified = request.status.last_modified;
  }
  TRY(const Fetched got, fetcher.get(wanted));
  if (got.not_modified()) return false;
  Done<bool> done = false;
  if (request.settings.format == Format::warning_list) {
    done = read_warnings(request, got.body);
  } else {
    Reading reading(request);
    TRY_VOID(reading.start());
    TRY_VOID(reading.take(got.body));
    done = reading.finish();
  }
  TRY_VOID(done);
  request.status.etag = got.etag;
  request.status.last_modified = got.last_modified;
  return done;
}

/// All files of a folder, by name; those of folders below are not read.
Done<bool> read_folder(const ReadRequest& request, Fetcher& fetcher) {
  std::set<std::string> files;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(request.settings.source, failed)) {
    if (entry.is_regular_file(failed) && !entry.path().filename().string().starts_with('.')) {
      files.insert(entry.path().string());
    }
    if (files.size() > kFolderFilesMax) {
      return std::unexpected(FetchFault{Errc::limit_exceeded, "more than 1,000 files in the folder"});
    }
  }
  if (failed) return std::unexpected(FetchFault{Errc::io, request.settings.source + ": " + failed.message()});
  Reading reading(request);
  TRY_VOID(reading.start());
  for (const std::string& file : files) {
    TRY(const Fetched got, fetcher.get({.url = file}));
    if (const auto done = reading.take(got.body); !done) {
      return std::unexpected(FetchFault{done.error().code, file + ": " + done.error().text});
    }
  }
  return reading.finish();
}

Done<bool> read_from_taxii(const ReadRequest& request, Fetcher& fetcher) {
  Reading reading(request);
  TRY_VOID(reading.start());
  auto cursors = request.force ? std::map<std::string, std::string>() : request.status.cursors;
  const bool whole = cursors.empty();
  const TaxiiRead read{request_of(request), request.settings.collection, cursors};
  bool any = false;
  TRY_VOID(read_taxii(read, fetcher, [&](std::string_view envelope) -> Done<> {
    any = any || envelope.find("\"indicator\"") != std::string_view::npos;
    return reading.take(envelope);
  }));
  if (!any && !whole) {
    request.status.cursors = std::move(cursors);
    return false;
  }
  if (!whole) TRY_VOID(reading.keep_others(nullptr));
  TRY(const bool done, reading.finish());
  request.status.cursors = std::move(cursors);
  return done;
}

Done<bool> read_misp_feed(const ReadRequest& request, Fetcher& fetcher) {
  FetchRequest wanted = request_of(request);
  const std::string base = wanted.url;
  wanted.url = joined_url(base, "manifest.json");
  TRY(const Fetched got, fetcher.get(wanted));
  const auto manifest = parse_misp_manifest(got.body);
  if (!manifest) return fault(manifest.error());
  auto& known = request.status.cursors;
  std::map<std::string, std::string> cursors;
  std::unordered_set<std::string> still_there;
  std::vector<std::string> changed;
  for (const MispEntry& entry : *manifest) {
    const std::string when = std::to_string(entry.changed.us);
    const auto before = known.find(entry.uuid);
    still_there.insert(entry.uuid);
    if (request.force || before == known.end() || before->second != when) changed.push_back(entry.uuid);
    cursors[entry.uuid] = when;
  }
  const bool gone = std::ranges::any_of(known, [&](const auto& one) { return !still_there.contains(one.first); });
  if (changed.empty() && !gone) return false;
  Reading reading(request);
  TRY_VOID(reading.start());
  for (const std::string& uuid : changed) {
    wanted.url = joined_url(base, uuid + ".json");
    TRY(const Fetched event, fetcher.get(wanted));
    TRY_VOID(reading.take(event.body));
  }
  TRY_VOID(reading.keep_others(&still_there));
  TRY(const bool done, reading.finish());
  known = std::move(cursors);
  return done;
}

Done<bool> settle(const ReadRequest& request, Done<bool> done) {
  request.status.tried = request.now;
  request.status.fault = done ? std::string() : done.error().text;
  if (done) request.status.read = request.now;
  return done;
}

}  // namespace

std::expected<bool, FetchFault> read_feed(const ReadRequest& request, Fetcher& fetcher) {
  switch (request.settings.transport) {
    case Transport::taxii:
      return settle(request, read_from_taxii(request, fetcher));
    case Transport::misp_feed:
      return settle(request, read_misp_feed(request, fetcher));
    default:
      break;
  }
  std::error_code ignored;
  const std::string& source = request.settings.source;
  if (source.starts_with('/') && fs::is_directory(source, ignored)) {
    return settle(request, read_folder(request, fetcher));
  }
  return settle(request, read_document(request, fetcher));
}

std::expected<bool, FetchFault> read_content(const ReadRequest& request, std::string_view content) {
  const auto read = [&]() -> Done<bool> {
    if (request.settings.format == Format::warning_list) return read_warnings(request, std::string(content));
    Reading reading(request);
    TRY_VOID(reading.start());
    TRY_VOID(reading.take(content));
    return reading.finish();
  };
  return settle(request, read());
}

Result<> read_warning_file(const std::string& path,
                           const std::function<Result<>(const Observable&, std::string_view list)>& each) {
  TRY(const std::string text, read_file(path, kFeedBytesMax));
  TRY(const WarningList list, parse_warning_list(text));
  for (const Observable& entry : list.entries) TRY_VOID(each(entry, list.name));
  return {};
}

}  // namespace picket::intelligence
