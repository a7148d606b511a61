#include "registry_jobs.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "hub/json_value.h"

namespace picket::hub {

struct RegistryJobs::Job {
  std::string id;
  std::string hub;
  state::Actor actor;
  bool import = false;
  bool with_keys = true;
  std::string input_uri;
  std::string output_uri;
  Timestamp started;
  Timestamp ended;
  std::string status = "enqueued";
  std::string failure;
  std::atomic<bool> cancelled{false};
};

namespace {

/// Lines of a file without their end; a line that is too long ends the file as broken.
class LineReader {
 public:
  explicit LineReader(UniqueFd file) : file_(std::move(file)) {}
  std::optional<std::string> next() {
    for (;;) {
      const std::size_t end = buffer_.find('\n');
      if (end != std::string::npos) return take(end, 1);
      if (buffer_.size() > kImportLineBytesMax) {
        broken_ = true;
        return std::nullopt;
      }
      if (!fill()) return buffer_.empty() ? std::nullopt : std::optional(take(buffer_.size(), 0));
    }
  }
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  std::string take(std::size_t size, std::size_t more) {
    std::string line = buffer_.substr(0, size);
    buffer_.erase(0, size + more);
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }
  bool fill() {
    std::array<char, 64U << 10> piece{};
    const ssize_t got = ::pread(file_.get(), piece.data(), piece.size(), static_cast<off_t>(offset_));
    if (got < 0) broken_ = true;
    if (got <= 0) return false;
    offset_ += static_cast<std::uint64_t>(got);
    buffer_.append(piece.data(), static_cast<std::size_t>(got));
    return true;
  }
  UniqueFd file_;
  std::uint64_t offset_ = 0;
  std::string buffer_;
  bool broken_ = false;
};

/// A container is "https://any-name/uploads-{hub}", with a signature or without, or not named at all.
bool is_own_container(std::string_view uri, std::string_view hub) {
  if (uri.empty()) return true;
  if (!uri.starts_with("https://")) return false;
  uri.remove_prefix(8);
  const std::size_t slash = uri.find('/');
  if (slash == std::string_view::npos) return false;
  std::string_view path = uri.substr(slash + 1);
  path = path.substr(0, path.find('?'));
  if (path.ends_with('/')) path.remove_suffix(1);
  return path == "uploads-" + std::string(hub);
}

/// A file that takes its name when it is whole.
class NewFile {
 public:
  static Result<NewFile> open(std::string path) {
    NewFile out;
    out.path_ = std::move(path);
    TRY(out.file_, open_file(out.temporary(), O_WRONLY | O_CREAT | O_TRUNC));
    return out;
  }
  Result<> append(std::string_view line) {
    buffer_.append(line).append("\n");
    return buffer_.size() < kBufferBytes ? Result<>{} : flush();
  }
  Result<> finish() {
    TRY_VOID(flush());
    if (::fsync(file_.get()) != 0) return fail_errno("hub.registry_jobs.sync");
    if (::rename(temporary().c_str(), path_.c_str()) != 0) return fail_errno("hub.registry_jobs.rename");
    return {};
  }

 private:
  static constexpr std::size_t kBufferBytes = 256U << 10;
  [[nodiscard]] std::string temporary() const { return path_ + ".job"; }
  Result<> flush() {
    const std::string piece = std::exchange(buffer_, {});
    return write_all(file_.get(), as_bytes(piece));
  }
  std::string path_;
  UniqueFd file_;
  std::string buffer_;
};

}  // namespace

RegistryJobs::RegistryJobs(Registry& registry, std::string directory, const Clock& clock)
    : registry_(registry), directory_(std::move(directory)), clock_(clock) {
  recall();
}

namespace {

constexpr std::string_view kListFile = "/jobs.json";
constexpr std::size_t kListBytesMax = 1U << 20;

Timestamp time_of(const JsonValue& object, std::string_view name) {
  return parse_rfc3339(object.text_of(name)).value_or(Timestamp{});
}

}  // namespace

void RegistryJobs::keep() const {
  JsonWriter out;
  out.begin_array();
  for (const JobPtr& job : jobs_) {
    out.begin_object().key("hub").value(job->hub).key("job").raw(json_of(*job)).end_object();
  }
  const std::string text = out.end_array().take();
  if (make_directories(directory_)) static_cast<void>(replace_file(directory_ + std::string(kListFile), as_bytes(text)));
}

void RegistryJobs::recall() {
  const auto text = read_file(directory_ + std::string(kListFile), kListBytesMax);
  const auto list = text ? parse_json(*text, {.bytes_max = kListBytesMax, .depth_max = 8}) : Result<JsonValue>(JsonValue());
  if (!list || list->array() == nullptr) return;
  for (const JsonValue& entry : *list->array()) {
    const JsonValue* stored = entry.find("job");
    if (stored == nullptr || stored->object() == nullptr || jobs_.size() == kRegistryJobsKept) continue;
    auto job = std::make_shared<Job>();
    job->hub = entry.text_of("hub");
    job->id = stored->text_of("jobId");
    job->import = stored->text_of("type") == "import";
    if (const auto* without = stored->find("excludeKeysInExport"); without != nullptr && without->boolean() != nullptr)
      job->with_keys = !*without->boolean();
    job->input_uri = stored->text_of("inputBlobContainerUri");
    job->output_uri = stored->text_of("outputBlobContainerUri");
    job->started = time_of(*stored, "startTimeUtc");
    job->ended = time_of(*stored, "endTimeUtc");
    job->status = stored->text_of("status");
    job->failure = stored->text_of("failureReason");
    if (job->ended.us == 0) {
      job->ended = clock_.now();
      job->status = "failed";
      job->failure = "The server was stopped before the job had ended.";
    }
    jobs_.push_back(std::move(job));
  }
}

RegistryJobs::~RegistryJobs() { stop(); }

HubResult<std::string> RegistryJobs::create(const std::string& hub, std::string_view body, const state::Actor& actor) {
  const auto json = parse_json(body, {.bytes_max = 64U << 10, .depth_max = 8});
  if (!json || json->object() == nullptr) return hub_fail(codes::kArgumentInvalid, "The body must be a JSON object.");
  const std::string_view type = json->text_of("type");
  if (type != "import" && type != "export") return hub_fail(codes::kArgumentInvalid, "type must be import or export.");
  auto job = std::make_shared<Job>();
  job->id = random_uuid();
  job->hub = hub;
  job->actor = actor;
  job->import = type == "import";
  if (const JsonValue* without = json->find("excludeKeysInExport"); without != nullptr && without->boolean() != nullptr)
    job->with_keys = !*without->boolean();
  job->input_uri = json->text_of("inputBlobContainerUri");
  job->output_uri = json->text_of("outputBlobContainerUri");
  if (!is_own_container(job->input_uri, hub) || !is_own_container(job->output_uri, hub)) {
    return hub_fail(codes::kArgumentInvalid,
                    "A container must be https://{this hub}/uploads-" + hub + ": Picket contacts no other storage.");
  }
  job->started = clock_.now();
  const std::scoped_lock lock(mutex_);
  if (!worker_.offer([this, job] { run(*job); }))
    return hub_fail(codes::kThrottled, "Too many imports and exports are waiting.");
  jobs_.push_front(job);
  if (jobs_.size() > kRegistryJobsKept) jobs_.pop_back();
  keep();
  return json_of(*job);
}

void RegistryJobs::run(Job& job) {
  {
    const std::scoped_lock lock(mutex_);
    job.status = "running";
  }
  HubResult<> result;
  if (!job.cancelled) result = job.import ? run_import(job) : run_export(job);
  const std::scoped_lock lock(mutex_);
  job.ended = clock_.now();
  job.status = job.cancelled ? "cancelled" : result ? "completed" : "failed";
  if (!result) job.failure = result.error().message;
  keep();
}

Result<std::string> RegistryJobs::path_of(const std::string& hub, std::string_view name) const {
  const std::string folder = directory_ + "/" + hub;
  TRY_VOID(make_directories(folder));
  return folder + "/" + std::string(name);
}

HubResult<> RegistryJobs::run_import(Job& job) {
  const auto path = path_of(job.hub, kDevicesFile);
  if (!path) return std::unexpected(from_store(path.error(), "The folder"));
  auto file = open_file(*path, O_RDONLY);
  if (!file) return hub_fail(codes::kArgumentInvalid, "There is no devices.txt: put it first.");
  LineReader lines(*std::move(file));
  const auto log_path = path_of(job.hub, kImportErrorsFile);
  if (!log_path) return std::unexpected(from_store(log_path.error(), "The folder"));
  auto log = NewFile::open(*log_path);
  if (!log) return std::unexpected(from_store(log.error(), "importErrors.log"));
  Result<> logged;
  const auto report = registry_.import_devices(
      job.hub, job.actor, [&]() -> std::optional<std::string> { return job.cancelled ? std::nullopt : lines.next(); },
      [&](std::string_view line) {
        if (logged) logged = log->append(line);
      });
  if (!report) return std::unexpected(report.error());
  if (logged) logged = log->finish();
  if (!logged) return std::unexpected(from_store(logged.error(), "importErrors.log"));
  if (lines.broken()) return hub_fail(codes::kArgumentInvalid, "devices.txt has a line that is longer than 256 KB.");
  return {};
}

HubResult<> RegistryJobs::run_export(Job& job) {
  const auto path = path_of(job.hub, kDevicesFile);
  if (!path) return std::unexpected(from_store(path.error(), "The folder"));
  auto file = NewFile::open(*path);
  if (!file) return std::unexpected(from_store(file.error(), "devices.txt"));
  Result<> written;
  const auto count = registry_.export_devices(job.hub, job.actor, job.with_keys, [&](std::string_view line) {
    written = file->append(line);
    return written.has_value() && !job.cancelled;
  });
  if (!count) return std::unexpected(count.error());
  if (written && !job.cancelled) written = file->finish();
  if (!written) return std::unexpected(from_store(written.error(), "devices.txt"));
  return {};
}

RegistryJobs::JobPtr RegistryJobs::find(std::string_view hub, std::string_view id) const {
  const auto found = std::ranges::find_if(jobs_, [&](const JobPtr& job) { return job->hub == hub && job->id == id; });
  return found == jobs_.end() ? nullptr : *found;
}

std::string RegistryJobs::json_of(const Job& job) const {
  JsonWriter out;
  out.begin_object().key("jobId").value(job.id).key("type").value(job.import ? "import" : "export");
  out.key("status").value(job.status).key("progress").value(job.status == "completed" ? 100 : 0);
  out.key("startTimeUtc").value(job.started);
  if (job.ended.us != 0) out.key("endTimeUtc").value(job.ended);
  out.key("inputBlobContainerUri").value(job.input_uri).key("outputBlobContainerUri").value(job.output_uri);
  out.key("excludeKeysInExport").value(!job.with_keys).key("storageAuthenticationType").value("keyBased");
  if (!job.failure.empty()) out.key("failureReason").value(job.failure);
  return out.end_object().take();
}

HubResult<std::string> RegistryJobs::get(std::string_view hub, std::string_view id) const {
  const std::scoped_lock lock(mutex_);
  const auto job = find(hub, id);
  if (!job) return hub_fail(codes::kJobNotFound, "There is no such job.");
  return json_of(*job);
}

std::string RegistryJobs::list(std::string_view hub) const {
  const std::scoped_lock lock(mutex_);
  JsonWriter out;
  out.begin_array();
  for (const JobPtr& job : jobs_) {
    if (job->hub == hub) out.raw(json_of(*job));
  }
  return out.end_array().take();
}

HubResult<> RegistryJobs::cancel(std::string_view hub, std::string_view id) {
  const std::scoped_lock lock(mutex_);
  const auto job = find(hub, id);
  if (!job) return hub_fail(codes::kJobNotFound, "There is no such job.");
  if (job->ended.us == 0) job->cancelled = true;
  return {};
}

void RegistryJobs::stop() {
  {
    const std::scoped_lock lock(mutex_);
    for (const JobPtr& job : jobs_) {
      if (job->ended.us == 0) job->cancelled = true;
    }
  }
  worker_.stop();
}

}  // namespace picket::hub
