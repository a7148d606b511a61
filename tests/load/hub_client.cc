#include "hub_client.h"

#include <array>
#include <cerrno>
#include <ctime>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/check.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "mqtt/codec.h"

namespace picket::load {
namespace {

constexpr std::size_t kPerSource = 64;  ///< Devices behind one source address.

std::string device_id(std::uint32_t index) { return "dev" + std::to_string(index); }

std::string token(const HubTarget& target, const std::string& device) {
  const std::string resource = percent_encode(target.host + "/devices/" + device);
  const std::string expiry = std::to_string(std::time(nullptr) + target.token_seconds);
  const Sha256 signature = hmac_sha256(target.key, as_bytes(resource + "\n" + expiry));
  return "SharedAccessSignature sr=" + resource + "&sig=" + percent_encode(to_base64(signature)) + "&se=" + expiry;
}

Buffer encode_connect(const HubTarget& target, std::uint32_t index) {
  const std::string id = device_id(index);
  const std::string user = target.host + "/" + id + "/?api-version=2021-04-12";
  const std::string secret = token(target, id);
  Buffer out;
  const auto encoded = mqtt::encode(mqtt::Connect{.client_id = id,
                                                  .clean_session = false,
                                                  .keep_alive_s = target.keep_alive_s,
                                                  .will = std::nullopt,
                                                  .user_name = user,
                                                  .password = mqtt::Payload{as_bytes(secret)}},
                                    out);
  CHECK(encoded.has_value(), "CONNECT can be encoded");
  return out;
}

void append_text(Buffer& out, std::string_view text) {
  out.push_back(static_cast<std::byte>(text.size() >> 8));
  out.push_back(static_cast<std::byte>(text.size() & 0xFF));
  const Bytes bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_header(Buffer& out, std::uint8_t first, std::size_t length) {
  out.push_back(static_cast<std::byte>(first));
  do {
    const auto low = static_cast<std::uint8_t>(length & 0x7F);
    length >>= 7;
    out.push_back(static_cast<std::byte>(low | (length != 0 ? 0x80 : 0)));
  } while (length != 0);
}

}  // namespace

std::size_t encode_telemetry(std::uint32_t index, std::size_t body_bytes, Buffer& out) {
  const std::string topic = "devices/" + device_id(index) + "/messages/events/";
  append_header(out, 0x32, 2 + topic.size() + 2 + body_bytes);
  append_text(out, topic);
  const std::size_t id_at = out.size();
  out.resize(out.size() + 2);
  out.resize(out.size() + body_bytes, std::byte{'x'});
  return id_at;
}

Buffer encode_subscriptions(std::uint32_t index) {
  const std::array<std::pair<std::string, int>, kSubscriptions> filters{
      std::pair{"devices/" + device_id(index) + "/messages/devicebound/#", 1},
      {"$iothub/methods/POST/#", 0},
      {"$iothub/twin/res/#", 0},
      {"$iothub/twin/PATCH/properties/desired/#", 0}};
  Buffer out;
  std::uint8_t id = 200;
  for (const auto& [filter, qos] : filters) {
    append_header(out, 0x82, 2 + 2 + filter.size() + 1);
    out.push_back(std::byte{0});
    out.push_back(std::byte{id++});
    append_text(out, filter);
    out.push_back(static_cast<std::byte>(qos));
  }
  return out;
}

Buffer encode_twin_request() {
  constexpr std::string_view kTopic = "$iothub/twin/GET/?$rid=1";
  Buffer out;
  append_header(out, 0x30, 2 + kTopic.size() + 1);
  append_text(out, kTopic);
  out.push_back(std::byte{' '});
  return out;
}

Buffer encode_ping() { return {std::byte{0xC0}, std::byte{0}}; }

bool HubClient::open(const HubTarget& target, std::uint32_t index) {
  index_ = index;
  fd_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.valid()) return fail("no socket");
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr = htonl(0x7F000101U + index / kPerSource % 250);
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) return fail("bind");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    return fail("connect");
  }
  if (target.tls != nullptr) {
    ssl_.reset(SSL_new(target.tls));
    SSL_set_fd(ssl_.get(), fd_.get());
    SSL_set_tlsext_host_name(ssl_.get(), target.host.c_str());
    SSL_set_connect_state(ssl_.get());
  }
  in_.clear();
  out_.clear();
  state_ = State::connecting;
  return true;
}

void HubClient::close() {
  ssl_.reset();
  fd_.reset();
  state_ = State::closed;
}

bool HubClient::fail(const char* error) {
  close();
  error_ = error;
  return false;
}

bool HubClient::advance(const HubTarget& target, Arrived& arrived) {
  acknowledged_.clear();
  if (state_ == State::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return fail("refused");
    state_ = State::handshake;
  }
  if (state_ == State::handshake && !handshake(target)) return state_ != State::closed;
  if (wants_write_ && !flush()) return false;
  return read(arrived);
}

bool HubClient::handshake(const HubTarget& target) {
  if (ssl_) {
    const int done = SSL_do_handshake(ssl_.get());
    if (done != 1) {
      const int error = SSL_get_error(ssl_.get(), done);
      wants_write_ = error == SSL_ERROR_WANT_WRITE;
      return error == SSL_ERROR_WANT_READ || wants_write_ ? false : fail("handshake");
    }
  }
  wants_write_ = false;
  state_ = State::connack;
  return send(encode_connect(target, index_));
}

bool HubClient::send(std::span<const std::byte> packets) {
  out_.insert(out_.end(), packets.begin(), packets.end());
  return wants_write_ || flush();
}

bool HubClient::flush() {
  std::size_t at = 0;
  wants_write_ = false;
  while (at < out_.size()) {
    const int length = static_cast<int>(out_.size() - at);
    const int n = ssl_ ? SSL_write(ssl_.get(), out_.data() + at, length)
                       : static_cast<int>(::send(fd_.get(), out_.data() + at, out_.size() - at, MSG_NOSIGNAL));
    if (n > 0) {
      at += static_cast<std::size_t>(n);
      continue;
    }
    const bool later = ssl_ ? SSL_get_error(ssl_.get(), n) == SSL_ERROR_WANT_WRITE : errno == EAGAIN;
    if (!later) return fail("write");
    wants_write_ = true;
    break;
  }
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(at));
  return true;
}

/// -1: later; 0: the end.
int HubClient::read_some(std::span<std::byte> into) {
  if (!ssl_) {
    const auto n = ::recv(fd_.get(), into.data(), into.size(), 0);
    return n < 0 && errno == EAGAIN ? -1 : n < 0 ? 0 : static_cast<int>(n);
  }
  const int n = SSL_read(ssl_.get(), into.data(), static_cast<int>(into.size()));
  if (n > 0) return n;
  return SSL_get_error(ssl_.get(), n) == SSL_ERROR_WANT_READ ? -1 : 0;
}

bool HubClient::read(Arrived& arrived) {
  static std::array<std::byte, 16 * 1024> chunk;  // one thread
  for (;;) {
    const int n = read_some(chunk);
    if (n == 0) return fail("closed by the server");
    if (n < 0) return true;
    in_.insert(in_.end(), chunk.begin(), chunk.begin() + n);
    if (!take_packets(arrived)) return false;
    if (static_cast<std::size_t>(n) < chunk.size() && ssl_ && SSL_pending(ssl_.get()) == 0) return true;
  }
}

bool HubClient::take_packets(Arrived& arrived) {
  std::size_t at = 0;
  while (in_.size() - at >= 2) {
    std::size_t length = 0, header = 1;
    bool whole = false;
    for (int shift = 0; header < 5 && at + header < in_.size() && !whole; shift += 7, ++header) {
      const auto byte = std::to_integer<std::size_t>(in_[at + header]);
      length |= (byte & 0x7F) << shift;
      whole = (byte & 0x80) == 0;
    }
    if (!whole || in_.size() - at < header + length) break;
    const std::byte* const body = in_.data() + at + header;
    switch (std::to_integer<int>(in_[at]) >> 4) {
      case 2:
        if (length != 2 || body[1] != std::byte{0}) return fail("CONNACK with a refusal");
        state_ = State::ready;
        break;
      case 3:
        ++arrived.messages;
        break;
      case 4:
        ++arrived.pubacks;
        acknowledged_.push_back(static_cast<std::uint16_t>(std::to_integer<unsigned>(body[0]) << 8 |
                                                           std::to_integer<unsigned>(body[1])));
        break;
      case 9:
        ++arrived.subacks;
        break;
      case 13:
        ++arrived.pingresps;
        break;
      default:
        return fail("a packet that was not expected");
    }
    at += header + length;
  }
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
  return true;
}

}  // namespace picket::load
