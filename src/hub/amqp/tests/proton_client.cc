#include "proton_client.h"

#include <cstring>

#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/connection_driver.h>
#include <proton/delivery.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/sasl.h>
#include <proton/sasl_plugin.h>
#include <proton/session.h>
#include <proton/terminus.h>
#include <proton/transport.h>

namespace picket::hub::amqp {

struct ProtonClient::Sasl {
  ClientSasl wanted;
  std::string initial;
};

namespace {

std::string name_of(pn_condition_t* condition) {
  const auto* name = pn_condition_get_name(condition);
  return name == nullptr ? "" : name;
}

void put(pn_data_t* into, const Map& map) {
  if (map.empty()) return;
  Buffer bytes;
  write_value(bytes, map);
  pn_data_decode(into, reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Map map_of(pn_data_t* data) {
  pn_data_rewind(data);
  const auto size = pn_data_encoded_size(data);
  if (size <= 0) return {};
  Buffer bytes(static_cast<std::size_t>(size));
  pn_data_encode(data, reinterpret_cast<char*>(bytes.data()), bytes.size());
  Cursor in{bytes};
  const auto value = read_value(in);
  const auto* map = value ? value->get<Map>() : nullptr;
  return map == nullptr ? Map() : *map;
}

}  // namespace

ProtonClient::ProtonClient(const ClientSasl& sasl, const std::string& host)
    : driver_(std::make_unique<pn_connection_driver_t>()), sasl_(std::make_unique<Sasl>(Sasl{sasl, {}})) {
  pn_connection_driver_init(driver_.get(), nullptr, nullptr);
  auto* const connection = driver_->connection;
  pn_connection_set_container(connection, "client");
  pn_connection_set_hostname(connection, host.c_str());
  if (!sasl.mechanism.empty()) {
    static const pnx_sasl_implementation kClient = {
        .free = [](pn_transport_t*) {},
        .list_mechanisms = [](pn_transport_t*) { return ""; },
        .init_server = [](pn_transport_t*) { return false; },
        .init_client = [](pn_transport_t*) { return true; },
        .prepare_write = [](pn_transport_t*) {},
        .process_init = [](pn_transport_t*, const char*, const pn_bytes_t*) {},
        .process_response = [](pn_transport_t*, const pn_bytes_t*) {},
        .process_mechanisms =
            [](pn_transport_t* t, const char*) {
              auto& self = *static_cast<Sasl*>(pnx_sasl_get_context(t));
              pnx_sasl_set_selected_mechanism(t, self.wanted.mechanism.c_str());
              if (self.wanted.mechanism == "PLAIN") {
                self.initial = std::string(1, '\0') + self.wanted.user + std::string(1, '\0') + self.wanted.password;
                pnx_sasl_set_bytes_out(t, pn_bytes(self.initial.size(), self.initial.data()));
              }
              pnx_sasl_set_desired_state(t, SASL_POSTED_INIT);
              return true;
            },
        .process_challenge = [](pn_transport_t*, const pn_bytes_t*) {},
        .process_outcome = [](pn_transport_t*, const pn_bytes_t*) {},
        .can_encrypt = [](pn_transport_t*) { return false; },
        .max_encrypt_size = [](pn_transport_t*) -> ssize_t { return 0; },
        .encode = [](pn_transport_t*, pn_bytes_t, pn_bytes_t*) -> ssize_t { return 0; },
        .decode = [](pn_transport_t*, pn_bytes_t, pn_bytes_t*) -> ssize_t { return 0; },
    };
    pn_sasl(driver_->transport);
    pnx_sasl_set_implementation(driver_->transport, &kClient, sasl_.get());
  }
  pn_connection_driver_bind(driver_.get());
  pn_connection_open(connection);
  auto* const session = pn_session(connection);
  session_ = session;
  pn_session_open(session);
}

ProtonClient::~ProtonClient() { pn_connection_driver_destroy(driver_.get()); }

void ProtonClient::input(Bytes bytes) {
  while (!bytes.empty()) {
    const auto room = pn_connection_driver_read_buffer(driver_.get());
    if (room.size == 0) break;
    const auto n = std::min(room.size, bytes.size());
    std::memcpy(room.start, bytes.data(), n);
    pn_connection_driver_read_done(driver_.get(), n);
    bytes = bytes.subspan(n);
    dispatch();
  }
}

Buffer ProtonClient::output() {
  Buffer out;
  for (;;) {
    const auto bytes = pn_connection_driver_write_buffer(driver_.get());
    if (bytes.size == 0) break;
    append(out, std::as_bytes(std::span(bytes.start, bytes.size)));
    pn_connection_driver_write_done(driver_.get(), bytes.size);
    dispatch();
  }
  dispatch();
  return out;
}

void ProtonClient::tick(Duration now) { pn_transport_tick(driver_->transport, now.whole_ms()); }

ClientLink* ProtonClient::attach(pn_link_t* link, const std::string& address, const Map& properties) {
  auto& made = *links_.emplace_back(std::make_unique<ClientLink>());
  made.link = link;
  pn_link_set_context(link, &made);
  pn_terminus_set_address(pn_link_source(link), address.c_str());
  pn_terminus_set_address(pn_link_target(link), address.c_str());
  put(pn_link_properties(link), properties);
  return &made;
}

ClientLink* ProtonClient::sender(const std::string& address, const Map& properties, bool new_session) {
  if (new_session) {
    auto* const session = pn_session(driver_->connection);
    session_ = session;
    pn_session_open(session);
  }
  auto* const link = pn_sender(static_cast<pn_session_t*>(session_), ("s" + std::to_string(next_++)).c_str());
  auto* const made = attach(link, address, properties);
  pn_link_open(link);
  return made;
}

ClientLink* ProtonClient::receiver(const std::string& address, int credit, const Map& properties, const Map& filter,
                                   bool settled) {
  auto* const link = pn_receiver(static_cast<pn_session_t*>(session_), ("r" + std::to_string(next_++)).c_str());
  auto* const made = attach(link, address, properties);
  put(pn_terminus_filter(pn_link_source(link)), filter);
  if (settled) pn_link_set_snd_settle_mode(link, PN_SND_SETTLED);
  pn_link_open(link);
  pn_link_flow(link, credit);
  return made;
}

Sending* ProtonClient::send(ClientLink* link, const Message& message, bool settled) {
  return send_bytes(link, write_message(message), settled);
}

Sending* ProtonClient::send_bytes(ClientLink* link, Bytes bytes, bool settled) {
  auto& made = *sendings_.emplace_back(std::make_unique<Sending>());
  const auto tag = std::to_string(next_++);
  made.delivery = pn_delivery(link->link, pn_dtag(tag.data(), tag.size()));
  pn_delivery_set_context(made.delivery, &made);
  pn_link_send(link->link, reinterpret_cast<const char*>(bytes.data()), bytes.size());
  pn_link_advance(link->link);
  if (settled) pn_delivery_settle(made.delivery);
  return &made;
}

void ProtonClient::settle(const ReceivedMessage& message, std::uint64_t state) {
  pn_delivery_update(message.delivery, state);
  pn_delivery_settle(message.delivery);
}

void ProtonClient::detach(ClientLink* link) { pn_link_close(link->link); }
void ProtonClient::close() { pn_connection_close(driver_->connection); }

void ProtonClient::dispatch() {
  while (pn_event_t* event = pn_connection_driver_next_event(driver_.get())) {
    auto* const link = pn_event_link(event);
    auto* const mine = link == nullptr ? nullptr : static_cast<ClientLink*>(pn_link_get_context(link));
    switch (pn_event_type(event)) {
      case PN_LINK_REMOTE_OPEN:
        mine->open = true;
        break;
      case PN_LINK_FLOW:
        if (mine != nullptr) mine->credit = pn_link_credit(link);
        break;
      case PN_LINK_REMOTE_CLOSE:
      case PN_LINK_REMOTE_DETACH:
        mine->closed = true;
        mine->error = name_of(pn_link_remote_condition(link));
        mine->error_info = map_of(pn_condition_info(pn_link_remote_condition(link)));
        break;
      case PN_DELIVERY: {
        auto* const delivery = pn_event_delivery(event);
        if (pn_link_is_receiver(link)) {
          if (pn_delivery_partial(delivery) || !pn_delivery_readable(delivery)) break;
          Buffer bytes(pn_delivery_pending(delivery));
          pn_link_recv(link, reinterpret_cast<char*>(bytes.data()), bytes.size());
          pn_link_advance(link);
          auto message = read_message(bytes);
          if (message) mine->received.push_back({*std::move(message), delivery});
        } else if (pn_delivery_updated(delivery)) {
          auto* const sending = static_cast<Sending*>(pn_delivery_get_context(delivery));
          const auto state = pn_delivery_remote_state(delivery);
          sending->outcome = state == PN_ACCEPTED ? "accepted"
                             : state == PN_REJECTED
                                 ? "rejected:" + name_of(pn_disposition_condition(pn_delivery_remote(delivery)))
                             : state == PN_RELEASED ? "released"
                                                    : "modified";
          pn_delivery_settle(delivery);
        }
        break;
      }
      case PN_CONNECTION_REMOTE_CLOSE:
        closed_ = true;
        error_ = name_of(pn_connection_remote_condition(driver_->connection));
        pn_connection_close(driver_->connection);
        break;
      case PN_TRANSPORT_ERROR:
        closed_ = true;
        if (error_.empty()) error_ = name_of(pn_transport_condition(driver_->transport));
        break;
      case PN_TRANSPORT_CLOSED:
        closed_ = true;
        break;
      default:
        break;
    }
  }
}

}  // namespace picket::hub::amqp
