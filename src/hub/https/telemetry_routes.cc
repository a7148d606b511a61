// Messages from devices: one a request, or a batch.
#include <algorithm>
#include <chrono>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/core/encoding.h"
#include "batch_json.h"
#include "hub/await.h"
#include "message_headers.h"
#include "pay.h"
#include "reply.h"
#include "routes.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

constexpr Duration kRetryFirst = Duration::milliseconds(5);
constexpr Duration kRetryMax = Duration::milliseconds(500);

std::chrono::microseconds chrono(Duration duration) { return std::chrono::microseconds(duration.us); }

HubError unavailable() { return {codes::kUnavailable, "The hub cannot store messages now, try again."}; }

struct Message {
  Bytes body;
  const mqtt::PropertyBag* properties;
};

/// Body, values of system properties, names and values of the others.
std::size_t size_of(std::span<const Message> messages) {
  std::size_t size = 0;
  for (const Message& message : messages) size += message.body.size() + message.properties->counted_bytes();
  return size;
}

std::uint64_t blocks_of(std::span<const Message> messages) {
  std::uint64_t blocks = 0;
  for (const Message& message : messages) blocks += message_blocks(message.body.size());
  return blocks;
}

/// One try. The error is the journal's own.
asio::awaitable<Result<HubResult<>>> append_once(Call& call, std::span<const journal::Record> records) {
  Result<> taken;
  auto stored = co_await answer_of<void>(call.executor(), [&](Done<> done) {
    auto shared = std::make_shared<Done<>>(std::move(done));  // jointly: a refused append leaves it here
    taken = call.context.needs.journal.append_all(records, [shared](Result<journal::RecordId> id) {
      (*shared)(id ? HubResult<>{} : HubResult<>(std::unexpected(unavailable())));
    });
    if (!taken) (*shared)(HubResult<>{});
  });
  if (!taken) co_return std::unexpected(taken.error());
  co_return stored;
}

/// Waits while the journal is full; returns when the records are durable.
asio::awaitable<HubResult<>> append(Call& call, std::span<const journal::Record> records) {
  HttpsContext& context = call.context;
  const auto stats = context.needs.journal.stats();
  if (stats.reserve_reached || stats.failing) co_return std::unexpected(unavailable());
  const auto patience = std::chrono::steady_clock::now() + chrono(context.options.storage_patience);
  auto retry = kRetryFirst;
  for (bool first = true;; first = false) {
    const auto stored = co_await append_once(call, records);
    if (stored) co_return *stored;
    const Errc code = stored.error().code;
    if (first) ++context.counters.storage_waits;
    const bool full = code == Errc::limit_exceeded || code == Errc::unavailable;
    if (!full || context.stopping || std::chrono::steady_clock::now() >= patience)
      co_return std::unexpected(unavailable());
    asio::steady_timer pause(call.executor(), chrono(retry));
    boost::system::error_code ignored;
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    retry = std::min(retry * 2, kRetryMax);
  }
}

asio::awaitable<http::Response> store(Call& call, std::span<const Message> messages) {
  HttpsContext& context = call.context;
  if (size_of(messages) > kMessageBytesMax)
    co_return error_reply({codes::kTooLarge, "A message, or a batch of them, may have 256 KB with its properties."});
  std::vector<StampedProperties> stamped;
  std::vector<journal::Record> records;
  std::size_t bytes = 0;
  const DeviceCaller& caller = call.device();
  for (const Message& message : messages) {
    stamped.push_back(stamp(caller.sender, *message.properties, false, false));
    context.counters.reserved_properties += stamped.back().reserved_dropped;
    bytes += message.body.size();
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    records.push_back({.kind = journal::RecordKind::message,
                       .partition = caller.sender.partition,
                       .enqueued = call.now(),
                       .identity = caller.identity(),
                       .properties = stamped[i].properties,
                       .body = messages[i].body});
  }
  context.counters.messages_received += messages.size();
  if (records.empty()) co_return http::Response::empty(204);
  const auto paid = co_await pay_messages(call, messages.size(), blocks_of(messages));
  if (!paid) co_return error_reply(paid.error());
  const auto stored = co_await append(call, records);
  if (stored) {
    context.counters.messages_stored += messages.size();
    call.count(Operation::d2c_message, bytes, messages.size());
  }
  co_return empty_reply(stored);
}

HubError bad_properties() {
  return {codes::kArgumentInvalid, "A property of the message is not valid, or there are more than 128."};
}

bool is_batch(const http::Request& request) {
  std::string_view type = request.header("content-type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return http::equal_ignoring_case(type, kBatchContentType);
}

asio::awaitable<http::Response> store_batch(Call& call) {
  const auto batch = parse_batch(call.request->body);
  if (!batch) {
    const bool large = batch.error().code == Errc::limit_exceeded;
    co_return error_reply({codes::kArgumentInvalid,
                           large ? "A batch may have 500 messages of 128 properties." : "The batch is not valid."});
  }
  std::vector<Message> messages;
  for (const BatchMessage& message : *batch) messages.push_back({message.body, &message.properties});
  co_return co_await store(call, messages);
}

}  // namespace

asio::awaitable<http::Response> send_message(Call& call) {
  const http::Request& request = *call.request;
  if (is_batch(request)) co_return co_await store_batch(call);
  const auto own_path = percent_decode(request.path);
  const auto properties = properties_of(request.headers, own_path ? *own_path : request.path);
  if (!properties) co_return error_reply(bad_properties());
  const std::array messages = {Message{as_bytes(request.body), &*properties}};
  co_return co_await store(call, messages);
}

}  // namespace picket::hub
