// Import and export jobs, and the files they read and write.
#include "registry_job_routes.h"

#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/core/random.h"
#include "http/file_body.h"
#include "registry_jobs.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

HubError no_jobs() { return {kNotOffered, "This hub imports and exports no identities."}; }

/// A file on its way; it takes its name in write_registry_file().
struct Incoming final : http::BodySink {
  Incoming(http::Workers& workers, asio::any_io_executor executor, UniqueFd file, std::string temporary_in,
           std::string path_in)
      : sink(workers, std::move(executor), std::move(file)),
        temporary(std::move(temporary_in)),
        path(std::move(path_in)) {}
  ~Incoming() override { ::unlink(temporary.c_str()); }
  asio::awaitable<Result<>> write(std::string piece) override { return sink.write(std::move(piece)); }
  bool finish() {
    const UniqueFd file = sink.release();
    return ::fsync(file.get()) == 0 && ::rename(temporary.c_str(), path.c_str()) == 0;
  }
  http::FileSink sink;
  std::string temporary;
  std::string path;
};

HubError no_file() { return {kNotFound, "There is no such file."}; }

asio::awaitable<http::Response> read_registry_file(Call& call) {
  const auto path = call.context.registry_jobs->path_of(call.service().hub, call.values[1]);
  auto file = path ? open_file(*path, O_RDONLY) : Result<UniqueFd>(std::unexpected(path.error()));
  struct stat facts{};
  if (!file || ::fstat(file->get(), &facts) != 0) co_return error_reply(no_file());
  http::Response response = http::Response::empty(200);
  response.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  response.source = http::file_source(call.context.workers, call.executor(), *std::move(file), 0,
                                      static_cast<std::uint64_t>(facts.st_size));
  co_return response;
}

asio::awaitable<http::Response> write_registry_file(Call& call) {
  auto& incoming = static_cast<Incoming&>(*call.request->sink);
  std::move_only_function<bool()> job = [&incoming] { return incoming.finish(); };
  const auto named = co_await http::on_worker<bool>(call.context.workers, call.executor(), std::move(job));
  if (!named || !*named) co_return error_reply({codes::kUnavailable, "The file was not stored."});
  co_return http::Response::empty(201);
}

constexpr CallRoute kRead{"GET", "/{container}/{name}", Access::service, kRegistryWrite, read_registry_file, 0};
constexpr CallRoute kWrite{"PUT", "/{container}/{name}", Access::service, kRegistryWrite, write_registry_file, 0};

}  // namespace

const CallRoute* registry_file_route(const http::Request& head) {
  if (head.header("authorization").empty() || !head.path.starts_with("/uploads-")) return nullptr;
  const std::string_view path = head.path;
  if (path.ends_with("/" + std::string(kDevicesFile))) {
    if (head.method == "PUT") return &kWrite;
    if (head.method == "GET") return &kRead;
  }
  return path.ends_with("/" + std::string(kImportErrorsFile)) && head.method == "GET" ? &kRead : nullptr;
}

std::expected<http::BodyPlan, http::Response> plan_registry_file(Call& call, const http::Request& head) {
  const RegistryJobs* jobs = call.context.registry_jobs.get();
  if (jobs == nullptr || call.values[0] != "uploads-" + call.service().hub)
    return std::unexpected(error_reply({kNotFound, "There is no such container."}));
  if (head.method != "PUT") return http::BodyPlan{.bytes_max = 0};
  const auto path = jobs->path_of(call.service().hub, kDevicesFile);
  if (!path) return std::unexpected(error_reply(from_store(path.error(), "devices.txt")));
  std::string temporary = *path + "." + random_uuid();
  auto file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return std::unexpected(error_reply(from_store(file.error(), "devices.txt")));
  return http::BodyPlan{.bytes_max = kBlobBytesMax,
                        .sink = std::make_shared<Incoming>(call.context.workers, call.executor(), *std::move(file),
                                                           std::move(temporary), *path)};
}

asio::awaitable<http::Response> create_registry_job(Call& call) {
  RegistryJobs* const jobs = call.context.registry_jobs.get();
  if (jobs == nullptr) co_return error_reply(no_jobs());
  co_return json_answer(jobs->create(call.service().hub, call.request->body, call.service().actor()));
}

asio::awaitable<http::Response> list_registry_jobs(Call& call) {
  const RegistryJobs* jobs = call.context.registry_jobs.get();
  co_return jobs == nullptr ? error_reply(no_jobs()) : json_reply(jobs->list(call.service().hub));
}

asio::awaitable<http::Response> get_registry_job(Call& call) {
  const RegistryJobs* jobs = call.context.registry_jobs.get();
  co_return jobs == nullptr ? error_reply(no_jobs()) : json_answer(jobs->get(call.service().hub, call.values[0]));
}

asio::awaitable<http::Response> cancel_registry_job(Call& call) {
  RegistryJobs* const jobs = call.context.registry_jobs.get();
  co_return jobs == nullptr ? error_reply(no_jobs()) : empty_reply(jobs->cancel(call.service().hub, call.values[0]));
}

}  // namespace picket::hub
