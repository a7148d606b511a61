#include "blob_routes.h"

#include <charconv>

#include "base/core/random.h"
#include "http/file_body.h"
#include "hub/await.h"
#include "reply.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kStorageVersion = "2021-12-02";

/// A body on its way into the store.
class BlobSink final : public http::BodySink {
 public:
  explicit BlobSink(std::unique_ptr<BlobUpload> upload) : upload_(std::move(upload)) {}
  asio::awaitable<Result<>> write(std::string piece) override {
    auto taken = upload_->append(as_bytes(piece));  // the page cache: does not wait for the disk
    if (taken) co_return Result<>{};
    error_ = std::move(taken.error());
    co_return fail(Errc::io, "hub.blob.append");
  }
  http::Response refusal() override { return storage_reply(error_); }
  BlobUpload& upload() { return *upload_; }

 private:
  std::unique_ptr<BlobUpload> upload_;
  HubError error_;
};

void add_storage_headers(http::Response& response) {
  response.headers.emplace_back("x-ms-request-id", random_uuid());
  response.headers.emplace_back("x-ms-version", kStorageVersion);
}

void add_facts(http::Response& response, const BlobFacts& facts) {
  response.headers.emplace_back("ETag", facts.etag);
  response.headers.emplace_back("Last-Modified", http::format_http_date(facts.modified));
}

std::string content_type(const http::Request& request) {
  const std::string_view blob = request.header("x-ms-blob-content-type");
  return std::string(blob.empty() ? request.header("content-type") : blob);
}

http::Response created(BlobAction action, const HubResult<BlobFacts>& facts) {
  if (!facts) return storage_reply(facts.error());
  http::Response response = http::Response::empty(201);
  add_storage_headers(response);
  if (action != BlobAction::put_block) add_facts(response, *facts);
  response.headers.emplace_back("x-ms-request-server-encrypted", "false");
  return response;
}

asio::awaitable<http::Response> finish_upload(Call& call, BlobAction action) {
  BlobUpload& upload = static_cast<BlobSink&>(*call.request->sink).upload();
  const auto facts =
      co_await answer_of<BlobFacts>(call.executor(), [&](Done<BlobFacts> done) { upload.finish(std::move(done)); });
  co_return created(action, facts);
}

asio::awaitable<http::Response> commit_list(Call& call, const BlobGrant& grant) {
  const auto facts = co_await answer_of<BlobFacts>(call.executor(), [&](Done<BlobFacts> done) {
    call.context.needs.files->commit_blocks(grant, call.request->body, content_type(*call.request), std::move(done));
  });
  co_return created(grant.action, facts);
}

http::Response read_file(Call& call, const BlobGrant& grant) {
  auto reading = call.context.needs.files->read_blob(grant);
  if (!reading) return storage_reply(reading.error());
  http::Response response = http::Response::empty(200);
  add_storage_headers(response);
  add_facts(response, reading->facts);
  const std::string& type = reading->facts.content_type;
  // What a device has stored is data to whoever reads it, never a page of this host.
  response.headers.emplace_back("Content-Disposition", "attachment");
  response.headers.emplace_back("Content-Security-Policy", "sandbox");
  response.headers.emplace_back("Content-Type", type.empty() ? "application/octet-stream" : type);
  response.headers.emplace_back("x-ms-blob-type", "BlockBlob");
  response.source =
      http::file_source(call.context.workers, call.executor(), std::move(reading->file), 0, reading->facts.size_bytes);
  return response;
}

asio::awaitable<http::Response> serve_blob(Call& call) {
  const auto& grant = std::get<BlobGrant>(call.caller);
  switch (grant.action) {
    case BlobAction::put:
    case BlobAction::put_block:
      co_return co_await finish_upload(call, grant.action);
    case BlobAction::put_list:
      co_return co_await commit_list(call, grant);
    case BlobAction::read:
    case BlobAction::properties:
      break;
  }
  co_return read_file(call, grant);
}

std::optional<std::uint64_t> length_of(const http::Request& head) {
  const std::string_view text = head.header("content-length");
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || text.empty()) return std::nullopt;
  return length;
}

std::expected<http::BodyPlan, http::Response> plan_put(Call& call, const http::Request& head, const BlobGrant& grant) {
  auto upload = call.context.needs.files->begin_blob(grant, length_of(head), content_type(head));
  if (!upload) return std::unexpected(storage_reply(upload.error()));
  return http::BodyPlan{.bytes_max = kBlobBytesMax, .sink = std::make_shared<BlobSink>(*std::move(upload))};
}

constexpr CallRoute kRoute{"", "/*", Access::blob, 0, serve_blob, 0};

}  // namespace

const CallRoute& blob_route() { return kRoute; }

http::Response storage_reply(const HubError& error) {
  StorageError storage = storage_error(error);
  http::Response response = http::Response::text(storage.status, std::move(storage.xml), "application/xml");
  response.headers.emplace_back("x-ms-error-code", storage.code);
  add_storage_headers(response);
  return response;
}

std::expected<http::BodyPlan, http::Response> plan_blob(Call& call, const http::Request& head) {
  Files& files = *call.context.needs.files;
  const std::string target = head.query.empty() ? head.path : head.path + "?" + head.query;
  auto grant = files.grant_blob(head.method, target);
  if (!grant) {
    ++call.context.counters.unauthorized;
    return std::unexpected(storage_reply(grant.error()));
  }
  http::BodyPlan plan{.bytes_max = 0};
  if (grant->action == BlobAction::put_list) plan.bytes_max = kBlockListBytesMax;
  if (grant->action == BlobAction::put || grant->action == BlobAction::put_block) {
    auto put = plan_put(call, head, *grant);
    if (!put) return put;
    plan = *std::move(put);
  }
  call.caller = *std::move(grant);
  return plan;
}

}  // namespace picket::hub
