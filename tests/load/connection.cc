#include "connection.h"

#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/core/check.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "mqtt/property_bag.h"
#include "mqtt/topic.h"

namespace picket::load {

Connection::Connection(const DeviceLogin& login, std::string host, std::uint16_t port, SSL_CTX* tls, Totals& totals)
    : login_(login), host_(std::move(host)), port_(port), tls_(tls), totals_(totals) {
  limits_.literal_wildcards = true;
}

bool Connection::open(Timestamp now) {
  fd_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.valid()) return false;
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    return lose();
  }
  ssl_.reset(SSL_new(tls_));
  SSL_set_fd(ssl_.get(), fd_.get());
  SSL_set_tlsext_host_name(ssl_.get(), host_.c_str());
  SSL_set_connect_state(ssl_.get());
  state_ = State::connecting;
  wants_write_ = true;

  const std::string client_id = login_.module_id.empty() ? login_.device_id : login_.device_id + "/" + login_.module_id;
  const std::string user = host_ + "/" + client_id + "/?api-version=2021-04-12";
  const std::string secret = password(now);
  out_.clear();
  out_at_ = 0;
  const mqtt::Connect connect{.client_id = client_id,
                              .clean_session = false,
                              .keep_alive_s = 240,
                              .will = std::nullopt,
                              .user_name = user,
                              .password = mqtt::Payload{as_bytes(secret)}};
  const auto encoded = mqtt::encode(connect, out_, limits_);
  CHECK(encoded.has_value(), "CONNECT can be encoded");
  return true;
}

std::string Connection::password(Timestamp now) const {
  std::string path = host_ + "/devices/" + login_.device_id;
  if (!login_.module_id.empty()) path += "/modules/" + login_.module_id;
  const std::string resource = percent_encode(path);
  const std::string expiry = std::to_string(now.us / 1'000'000 + 3600);
  const auto key = from_base64(login_.key);
  CHECK(key.has_value(), "keys are base64");
  const Sha256 signature = hmac_sha256(*key, as_bytes(resource + "\n" + expiry));
  return "SharedAccessSignature sr=" + resource + "&sig=" + percent_encode(to_base64(signature)) + "&se=" + expiry;
}

bool Connection::advance(Timestamp now) {
  if (state_ == State::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return lose();
    state_ = State::handshake;
  }
  if (state_ == State::handshake && !handshake()) return false;
  if (state_ == State::handshake) return true;
  if (!read()) return false;
  if (state_ == State::ready) fill_window(now);
  return flush();
}

bool Connection::handshake() {
  const int done = SSL_do_handshake(ssl_.get());
  wants_write_ = false;
  if (done == 1) {
    state_ = State::connack;
    return true;
  }
  const int error = SSL_get_error(ssl_.get(), done);
  if (error == SSL_ERROR_WANT_WRITE) wants_write_ = true;
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || lose();
}

bool Connection::read() {
  std::array<std::byte, 16 * 1024> chunk;
  for (;;) {
    const int n = SSL_read(ssl_.get(), chunk.data(), static_cast<int>(chunk.size()));
    if (n <= 0) {
      const int error = SSL_get_error(ssl_.get(), n);
      return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || lose();
    }
    inbox_.append(Bytes(chunk).first(static_cast<std::size_t>(n)));
    for (;;) {
      const auto packet = inbox_.next(limits_, mqtt::Role::client);
      if (!packet) return lose();
      if (!*packet) break;
      if (!handle(**packet)) return false;
    }
  }
}

bool Connection::handle(const mqtt::Packet& packet) {
  if (const auto* connack = std::get_if<mqtt::Connack>(&packet)) {
    if (connack->code != mqtt::ConnectCode::accepted) {
      ++totals_.refused;
      return lose();
    }
    ++totals_.connects;
    state_ = State::ready;
  } else if (const auto* puback = std::get_if<mqtt::Puback>(&packet)) {
    const auto found = unacknowledged_.find(puback->packet_id);
    if (found == unacknowledged_.end()) return lose();
    ++totals_.acknowledged;
    acknowledged_.push_back(std::move(found->second));
    unacknowledged_.erase(found);
  }
  return true;
}

void Connection::fill_window(Timestamp now) {
  while (!waiting_.empty() && unacknowledged_.size() < kUnacknowledgedMax) {
    Message next = std::move(waiting_.front());
    waiting_.pop_front();
    publish(std::move(next), now);
  }
}

void Connection::publish(Message message, Timestamp now) {
  mqtt::PropertyBag bag;
  if (!message.mid.empty()) bag.add(mqtt::system_property::kMessageId, message.mid);
  bag.add(mqtt::system_property::kContentType, "application/json");
  bag.add(mqtt::system_property::kContentEncoding, "utf-8");
  bag.add(mqtt::system_property::kInterfaceId, mqtt::kSecurityInterface);
  const std::string topic = mqtt::telemetry_prefix(login_.device_id, login_.module_id) + mqtt::encode_property_bag(bag);
  while (next_packet_id_ == 0 || unacknowledged_.contains(next_packet_id_)) ++next_packet_id_;
  const mqtt::Publish packet{.topic = topic,
                             .payload = {as_bytes(message.body)},
                             .qos = mqtt::QoS::at_least_once,
                             .packet_id = next_packet_id_};
  const auto encoded = mqtt::encode(packet, out_, limits_);
  CHECK(encoded.has_value(), "PUBLISH can be encoded");
  ++totals_.published;
  if (message.first_sent.us == 0) {
    message.first_sent = now;
  } else {
    ++totals_.repeated;
  }
  unacknowledged_.emplace(next_packet_id_++, std::move(message));
}

bool Connection::flush() {
  wants_write_ = false;
  while (out_at_ < out_.size()) {
    const int n = SSL_write(ssl_.get(), out_.data() + out_at_, static_cast<int>(out_.size() - out_at_));
    if (n <= 0) {
      const int error = SSL_get_error(ssl_.get(), n);
      wants_write_ = error == SSL_ERROR_WANT_WRITE;
      return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || lose();
    }
    out_at_ += static_cast<std::size_t>(n);
  }
  out_.clear();
  out_at_ = 0;
  return true;
}

// What was not acknowledged goes back to the front of the queue, in its old order.
bool Connection::lose() {
  if (state_ != State::closed) ++totals_.connection_losses;
  state_ = State::closed;
  ssl_.reset();
  fd_.reset();
  inbox_ = {};
  out_.clear();
  out_at_ = 0;
  std::map<std::uint64_t, Message> in_order;
  for (auto& [id, message] : unacknowledged_) in_order.emplace(message.number, std::move(message));
  unacknowledged_.clear();
  while (!in_order.empty()) waiting_.push_front(std::move(in_order.extract(std::prev(in_order.end())).mapped()));
  return false;
}

}  // namespace picket::load
