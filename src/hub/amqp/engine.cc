#include "engine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <unordered_map>
#include <vector>

#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/connection_driver.h>
#include <proton/delivery.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/logger.h>
#include <proton/session.h>
#include <proton/terminus.h>
#include <proton/transport.h>

#include "frame_gate.h"
#include "sasl.h"

namespace picket::hub::amqp {
namespace {

constexpr std::string_view kContainer = "picket-hub";

std::string_view text_of(const char* text) { return text == nullptr ? std::string_view() : std::string_view(text); }

/// Proton's tree of a map as ours, by way of its bytes. Empty when it is no map, or larger than read_value takes.
Map map_of(pn_data_t* data) {
  if (data == nullptr || pn_data_size(data) == 0) return {};
  pn_data_rewind(data);
  const auto size = pn_data_encoded_size(data);
  if (size <= 0) return {};
  Buffer bytes(static_cast<std::size_t>(size));
  if (pn_data_encode(data, reinterpret_cast<char*>(bytes.data()), bytes.size()) < 0) return {};
  Cursor in{bytes};
  auto value = read_value(in);
  if (!value) return {};
  auto* map = std::get_if<Map>(&value->held);
  return map == nullptr ? Map() : std::move(*map);
}

void put_condition(pn_condition_t* into, const Condition& from) {
  if (from.name.empty()) return;
  pn_condition_set_name(into, from.name.c_str());
  pn_condition_set_description(into, from.description.c_str());
  if (from.info.empty()) return;
  Buffer bytes;
  write_value(bytes, from.info);
  pn_data_decode(pn_condition_info(into), reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Outcome outcome_of(std::uint64_t state) {
  switch (state) {
    case PN_ACCEPTED:
      return Outcome::accepted;
    case PN_REJECTED:
      return Outcome::rejected;
    case PN_MODIFIED:
      return Outcome::modified;
    default:
      return Outcome::released;
  }
}

std::uint64_t state_of(Outcome outcome) {
  constexpr std::array<std::uint64_t, 4> kStates = {PN_ACCEPTED, PN_REJECTED, PN_RELEASED, PN_MODIFIED};
  return kStates[static_cast<std::size_t>(outcome)];
}

struct LinkState {
  pn_link_t* link = nullptr;
  std::size_t message_bytes_max = 0;
  bool open = false;                                          ///< Accepted and not ended by us.
  std::unordered_map<DeliveryId, pn_delivery_t*> deliveries;  ///< Not settled yet.
};

void* as_context(std::uint64_t id) { return reinterpret_cast<void*>(id); }  // NOLINT: a number, never followed
std::uint64_t as_id(void* context) { return reinterpret_cast<std::uint64_t>(context); }

}  // namespace

struct Engine::Parts {
  EngineUser& user;
  EngineLimits limits;
  pn_connection_driver_t driver{};
  FrameGate gate;
  std::map<LinkId, LinkState> links;
  std::uint64_t next_id = 1;
  std::size_t sessions = 0;
  bool closing = false;
  std::size_t stuck_bytes = 0;  ///< Output of links that have gone, which Proton keeps.
  std::string failure;
  Buffer message;

  LinkState* find(LinkId id) {
    const auto found = links.find(id);
    return found == links.end() ? nullptr : &found->second;
  }
  LinkState* find_open(LinkId id) {
    auto* state = find(id);
    return state != nullptr && state->open ? state : nullptr;
  }

  void close(const Condition& condition) {
    if ((pn_connection_state(driver.connection) & PN_LOCAL_CLOSED) != 0) return;
    put_condition(pn_connection_condition(driver.connection), condition);
    pn_connection_open(driver.connection);  // without it no reason can be told
    pn_connection_close(driver.connection);
  }
  void fail(const char* name, const char* description) {
    if (failure.empty()) failure = name;
    closing = true;
    close({name, description, {}});
  }

  void handle(pn_event_t* event);
  void on_open();
  void on_session(pn_session_t* session);
  void on_session_end(pn_session_t* session);
  void on_attach(pn_link_t* link);
  void drop_output(LinkState& state);
  void on_detach(pn_link_t* link);
  void on_delivery(pn_delivery_t* delivery);
  void on_incoming(pn_delivery_t* delivery, LinkId id);
  void on_failure(pn_transport_t* transport);
  bool feed(Bytes bytes);
  void dispatch() {
    while (pn_event_t* event = pn_connection_driver_next_event(&driver)) handle(event);
  }
  void forget(LinkId id) {
    links.erase(id);
    user.detached(id);
  }
};

/// False: Proton takes no more.
bool Engine::Parts::feed(Bytes bytes) {
  while (!bytes.empty()) {
    const auto room = pn_connection_driver_read_buffer(&driver);
    if (room.size == 0) return false;  // closed
    const auto n = std::min(room.size, bytes.size());
    std::memcpy(room.start, bytes.data(), n);
    bytes = bytes.subspan(n);
    pn_connection_driver_read_done(&driver, n);
    dispatch();
  }
  return true;
}

void Engine::Parts::handle(pn_event_t* event) {
  switch (pn_event_type(event)) {
    case PN_CONNECTION_REMOTE_OPEN:
      return on_open();
    case PN_CONNECTION_REMOTE_CLOSE:
      closing = true;
      pn_connection_close(driver.connection);
      return;
    case PN_SESSION_REMOTE_OPEN:
      return on_session(pn_event_session(event));
    case PN_SESSION_REMOTE_CLOSE:
      return on_session_end(pn_event_session(event));
    case PN_LINK_REMOTE_OPEN:
      return on_attach(pn_event_link(event));
    case PN_LINK_REMOTE_CLOSE:
    case PN_LINK_REMOTE_DETACH:
      return on_detach(pn_event_link(event));
    case PN_LINK_FLOW: {
      auto* const link = pn_event_link(event);
      const auto id = as_id(pn_link_get_context(link));
      if (!pn_link_is_sender(link) || find_open(id) == nullptr || closing) return;
      if (pn_link_credit(link) > 0) user.credit(id);
      if (find_open(id) != nullptr && pn_link_get_drain(link)) pn_link_drained(link);
      return;
    }
    case PN_DELIVERY:
      return on_delivery(pn_event_delivery(event));
    case PN_TRANSPORT_ERROR:
      return on_failure(pn_event_transport(event));
    default:
      return;
  }
}

void Engine::Parts::on_open() {
  if (closing) return;
  pn_connection_set_container(driver.connection, kContainer.data());
  pn_connection_open(driver.connection);
  user.opened(text_of(pn_connection_remote_hostname(driver.connection)));
}

void Engine::Parts::on_session(pn_session_t* session) {
  if (closing) return;
  if (++sessions > limits.sessions_max) return fail("amqp:resource-limit-exceeded", "Too many sessions.");
  pn_session_set_incoming_capacity(session, limits.incoming_bytes_max);
  pn_session_open(session);
}

void Engine::Parts::on_session_end(pn_session_t* session) {
  std::vector<LinkId> ended;
  for (auto& [id, state] : links) {
    if (pn_link_session(state.link) != session) continue;
    drop_output(state);
    ended.push_back(id);
  }
  for (const auto id : ended) forget(id);
  if (sessions > 0) --sessions;
  pn_session_close(session);
  pn_session_free(session);
}

void Engine::Parts::on_attach(pn_link_t* link) {
  if (closing) return;
  if (links.size() >= limits.links_max) return fail("amqp:resource-limit-exceeded", "Too many links.");
  const auto id = next_id++;
  pn_link_set_context(link, as_context(id));
  links[id].link = link;
  const bool client_sends = pn_link_is_receiver(link);
  auto* const source = pn_link_remote_source(link);
  auto* const target = pn_link_remote_target(link);
  LinkRequest request{.client_sends = client_sends,
                      .address = std::string(text_of(pn_terminus_get_address(client_sends ? target : source))),
                      .other_address = std::string(text_of(pn_terminus_get_address(client_sends ? source : target))),
                      .properties = map_of(pn_link_remote_properties(link)),
                      .filter = client_sends ? Map() : map_of(pn_terminus_filter(source)),
                      .transaction = pn_terminus_get_type(target) == PN_COORDINATOR};
  user.attach(id, std::move(request));
}

/// Proton keeps what it has not sent of a link that has gone, and counts it as output that the client does not take.
void Engine::Parts::drop_output(LinkState& state) {
  if (!pn_link_is_sender(state.link)) return;
  for (auto& [number, delivery] : std::exchange(state.deliveries, {})) {
    if (pn_delivery_buffered(delivery)) {
      pn_delivery_abort(delivery);
    } else {
      pn_delivery_settle(delivery);
    }
  }
  // What the client wanted settled from the start cannot be taken back from Proton: it stays until the connection ends.
  if (pn_link_snd_settle_mode(state.link) != PN_SND_SETTLED || pn_link_queued(state.link) == 0) return;
  stuck_bytes += pn_session_outgoing_bytes(pn_link_session(state.link));
  if (stuck_bytes > limits.outgoing_bytes_max) {
    fail("amqp:resource-limit-exceeded", "Too much was asked for and not taken.");
  }
}

void Engine::Parts::on_detach(pn_link_t* link) {
  const auto id = as_id(pn_link_get_context(link));
  if (auto* const state = find(id)) drop_output(*state);
  pn_link_close(link);
  if (find(id) != nullptr) forget(id);
  pn_link_free(link);
}

void Engine::Parts::on_delivery(pn_delivery_t* delivery) {
  auto* const link = pn_delivery_link(delivery);
  const auto id = as_id(pn_link_get_context(link));
  auto* const state = find_open(id);
  if (state == nullptr || closing) return;
  if (pn_link_is_receiver(link)) return on_incoming(delivery, id);
  if (!pn_delivery_updated(delivery)) return;
  const auto number = as_id(pn_delivery_get_context(delivery));
  const auto remote = pn_delivery_remote_state(delivery);
  const bool settled = pn_delivery_settled(delivery);
  if (!settled && (remote < PN_ACCEPTED || remote > PN_MODIFIED)) return pn_delivery_clear(delivery);  // "received"
  if (state->deliveries.erase(number) == 0) return;
  pn_delivery_settle(delivery);
  user.settled(id, number, outcome_of(remote));
}

void Engine::Parts::on_incoming(pn_delivery_t* delivery, LinkId id) {
  auto* const link = pn_delivery_link(delivery);
  auto& state = *find(id);
  if (pn_delivery_aborted(delivery)) {
    pn_delivery_settle(delivery);
    return;
  }
  if (!pn_delivery_readable(delivery) || pn_delivery_get_context(delivery) != nullptr) return;
  if (pn_delivery_pending(delivery) > state.message_bytes_max) {
    user.oversized(id);
    if (auto* still = find_open(id)) {
      still->open = false;
      put_condition(pn_link_condition(link),
                    {"amqp:link:message-size-exceeded", "The message is larger than the link allows.", {}});
      pn_link_close(link);
    }
    return;
  }
  if (pn_delivery_partial(delivery)) return;
  if (pn_link_credit(link) < 0) {
    return fail("amqp:link:transfer-limit-exceeded", "More messages than credit was given for.");
  }
  message.resize(pn_delivery_pending(delivery));
  const auto read = pn_link_recv(link, reinterpret_cast<char*>(message.data()), message.size());
  if (read < 0 && !message.empty()) return;
  const auto number = next_id++;
  pn_delivery_set_context(delivery, as_context(number));
  state.deliveries.emplace(number, delivery);
  const auto tag = pn_delivery_tag(delivery);
  const auto format = gate.format_of({tag.start, tag.size});
  pn_link_advance(link);
  user.received(id, number, message, format);
}

void Engine::Parts::on_failure(pn_transport_t* transport) {
  auto* const condition = pn_transport_condition(transport);
  if (failure.empty()) failure = text_of(pn_condition_get_name(condition));
  if (failure.empty()) failure = "amqp:connection:framing-error";
  closing = true;
}

Engine::Engine(EngineUser& user, const EngineLimits& limits)
    : parts_(new Parts{.user = user, .limits = limits, .links = {}, .failure = {}, .message = {}}) {
  auto& driver = parts_->driver;
  pn_connection_driver_init(&driver, nullptr, nullptr);
  // What a client does wrong is told in our log, not on standard error.
  pn_logger_set_log_sink(
      pn_transport_logger(driver.transport), [](std::intptr_t, pn_log_subsystem_t, pn_log_level_t, const char*) {}, 0);
  pn_transport_set_server(driver.transport);
  serve_sasl(driver.transport, user);
  pn_transport_require_auth(driver.transport, false);  // rights are asked for at each link
  pn_transport_set_max_frame(driver.transport, limits.frame_bytes_max);
  pn_transport_set_channel_max(driver.transport, static_cast<std::uint16_t>(limits.sessions_max - 1));
  pn_transport_set_idle_timeout(driver.transport, static_cast<pn_millis_t>(limits.idle_timeout.whole_ms()));
  pn_connection_driver_bind(&driver);
}

Engine::~Engine() { pn_connection_driver_destroy(&parts_->driver); }

void Engine::input(Bytes bytes, Duration now) {
  auto& driver = parts_->driver;
  pn_transport_tick(driver.transport, now.whole_ms());
  while (!bytes.empty()) {
    const auto piece = parts_->gate.take(bytes);
    if (parts_->gate.repeated()) {
      pn_connection_driver_errorf(&driver, "amqp:connection:framing-error", "a frame that may come once came again");
      pn_connection_driver_close(&driver);
      return parts_->dispatch();
    }
    if (!parts_->feed(piece)) return;
  }
}

void Engine::input_ended() {
  pn_connection_driver_read_close(&parts_->driver);
  parts_->dispatch();
}

void Engine::tick(Duration now) {
  pn_transport_tick(parts_->driver.transport, now.whole_ms());
  parts_->dispatch();
}

bool Engine::take_output(Buffer& out, std::size_t bytes_max) {
  auto& driver = parts_->driver;
  const auto before = out.size();
  while (out.size() - before < bytes_max) {
    const auto bytes = pn_connection_driver_write_buffer(&driver);
    if (bytes.size == 0) break;
    append(out, std::as_bytes(std::span(bytes.start, bytes.size)));
    pn_connection_driver_write_done(&driver, bytes.size);
    parts_->dispatch();
  }
  return out.size() != before;
}

bool Engine::finished() const { return pn_connection_driver_finished(&parts_->driver); }
bool Engine::closing() const { return parts_->closing; }
const std::string& Engine::failure() const { return parts_->failure; }

void Engine::accept(LinkId id, std::size_t message_bytes_max) {
  auto* const state = parts_->find(id);
  if (state == nullptr || state->open) return;
  auto* const link = state->link;
  pn_terminus_copy(pn_link_source(link), pn_link_remote_source(link));
  pn_terminus_copy(pn_link_target(link), pn_link_remote_target(link));
  pn_link_set_snd_settle_mode(link, pn_link_remote_snd_settle_mode(link));
  pn_link_set_rcv_settle_mode(link, pn_link_remote_rcv_settle_mode(link));
  if (pn_link_is_receiver(link)) pn_link_set_max_message_size(link, message_bytes_max);
  state->message_bytes_max = message_bytes_max;
  state->open = true;
  pn_link_open(link);
}

void Engine::refuse(LinkId id, const Condition& condition) {
  auto* const state = parts_->find(id);
  if (state == nullptr || state->open) return;
  put_condition(pn_link_condition(state->link), condition);
  pn_link_open(state->link);
  pn_link_close(state->link);
}

void Engine::detach(LinkId id, const Condition& condition) {
  auto* const state = parts_->find_open(id);
  if (state == nullptr) return;
  state->open = false;
  put_condition(pn_link_condition(state->link), condition);
  pn_link_close(state->link);
}

void Engine::give_credit(LinkId id, int count) {
  if (auto* const state = parts_->find_open(id)) pn_link_flow(state->link, count);
}

void Engine::settle(LinkId id, DeliveryId number, Outcome outcome, const Condition& condition) {
  auto* const state = parts_->find(id);
  if (state == nullptr) return;
  const auto found = state->deliveries.find(number);
  if (found == state->deliveries.end()) return;
  auto* const delivery = found->second;
  state->deliveries.erase(found);
  if (outcome == Outcome::rejected) put_condition(pn_disposition_condition(pn_delivery_local(delivery)), condition);
  pn_delivery_update(delivery, state_of(outcome));
  pn_delivery_settle(delivery);
}

Engine::Sent Engine::send(LinkId id, DeliveryId number, Bytes message) {
  auto* const state = parts_->find_open(id);
  if (state == nullptr || parts_->closing) return Sent::no;
  auto* const link = state->link;
  if (pn_link_credit(link) <= 0) return Sent::no;
  if (pn_session_outgoing_bytes(pn_link_session(link)) > parts_->limits.outgoing_bytes_max) return Sent::no;
  const std::array<std::uint64_t, 2> tag = {number, ~number};  // .NET reads it as a GUID
  auto* const delivery = pn_delivery(link, pn_dtag(reinterpret_cast<const char*>(tag.data()), sizeof tag));
  pn_delivery_set_context(delivery, as_context(number));
  pn_link_send(link, reinterpret_cast<const char*>(message.data()), message.size());
  pn_link_advance(link);
  if (pn_link_snd_settle_mode(link) == PN_SND_SETTLED) {
    pn_delivery_settle(delivery);
    return Sent::settled;
  }
  state->deliveries.emplace(number, delivery);
  return Sent::waiting;
}

int Engine::credit_of(LinkId id) const {
  auto* const state = parts_->find_open(id);
  return state == nullptr ? 0 : pn_link_credit(state->link);
}

void Engine::close(const Condition& condition) {
  parts_->closing = true;
  parts_->close(condition);
}

}  // namespace picket::hub::amqp
