#include "mini_hub.h"

#include <algorithm>
#include <csignal>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "mini_websocket.h"
#include "mqtt/codec.h"
#include "mqtt/inbox.h"
#include "mqtt/property_bag.h"

namespace picket::agent::test {
namespace {

template <class T, void (*kFree)(T*)>
struct Free {
  void operator()(T* each) const { kFree(each); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;

Key make_key(TestAuthority::KeyKind kind = TestAuthority::KeyKind::ec) {
  return Key(kind == TestAuthority::KeyKind::ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2'048));
}

void add_extension(X509* certificate, X509* issuer, int kind, const char* text) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, text);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make_certificate(const char* name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, long from_s,
                             long until_s) {
  Certificate out(X509_new());
  static std::atomic<long> serial{1};
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), from_s);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), until_s);
  X509_set_pubkey(out.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(out.get(), X509_get_subject_name(issuer == nullptr ? out.get() : issuer));
  if (issuer == nullptr) {
    add_extension(out.get(), out.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(out.get(), issuer_key, EVP_sha256());
  }
  return out;
}

template <class Write>
std::string to_pem(Write&& write) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio);
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio, &text);
  std::string out(text, static_cast<std::size_t>(length));
  BIO_free(bio);
  return out;
}

std::string gunzip(Bytes bytes) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(2 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_FINISH);
  out.resize(status == Z_STREAM_END ? stream.total_out : 0);
  inflateEnd(&stream);
  return out;
}

std::uint64_t number_after(const std::string& text, const std::string& start) {
  const auto at = text.find(start);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + start.size(), nullptr, 10);
}

}  // namespace

struct TestAuthority::Impl {
  Key key = make_key();
  Certificate certificate = make_certificate("Picket test CA", key.get(), nullptr, key.get(), -86'400, 86'400);
};

TestAuthority::TestAuthority() : impl_(std::make_unique<Impl>()) {}
TestAuthority::~TestAuthority() = default;

std::string TestAuthority::pem() const {
  return to_pem([this](BIO* bio) { PEM_write_bio_X509(bio, impl_->certificate.get()); });
}

TestAuthority::Server TestAuthority::issue(const std::string& names, long from_s, long until_s) const {
  const Key key = make_key();
  const Certificate certificate =
      make_certificate("hub", key.get(), impl_->certificate.get(), impl_->key.get(), from_s, until_s);
  add_extension(certificate.get(), impl_->certificate.get(), NID_subject_alt_name, names.c_str());
  X509_sign(certificate.get(), impl_->key.get(), EVP_sha256());
  return {to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate.get()); }),
          to_pem([&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); })};
}

TestAuthority::Server TestAuthority::issue_client(const std::string& common_name, KeyKind kind, long until_s) const {
  const Key key = make_key(kind);
  const Certificate certificate =
      make_certificate(common_name.c_str(), key.get(), impl_->certificate.get(), impl_->key.get(), -60, until_s);
  X509_sign(certificate.get(), impl_->key.get(), EVP_sha256());
  return {to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate.get()); }),
          to_pem([&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); })};
}

std::string TestAuthority::certify(const std::string& common_name, const std::string& public_key_pem) const {
  BIO* text = BIO_new_mem_buf(public_key_pem.data(), -1);
  const Key key(PEM_read_bio_PUBKEY(text, nullptr, nullptr, nullptr));
  BIO_free(text);
  const Certificate certificate =
      make_certificate(common_name.c_str(), key.get(), impl_->certificate.get(), impl_->key.get(), -60, 3'600);
  X509_sign(certificate.get(), impl_->key.get(), EVP_sha256());
  return to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate.get()); });
}

struct MiniHub::Tls {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  ~Tls() { SSL_CTX_free(context); }
};

struct MiniHub::Peer {
  SSL* ssl;
  mqtt::Role role = mqtt::Role::server_first;
  int published = 0;
  int questions = 0;  ///< Of a registration.
  std::unique_ptr<MiniWebSocket> websocket;
  void send(const mqtt::Packet& packet) const {
    Buffer out;
    if (!mqtt::encode(packet, out)) return;
    if (websocket) out = MiniWebSocket::frames(out);
    SSL_write(ssl, out.data(), static_cast<int>(out.size()));
  }
};

MiniHub::MiniHub(const TestAuthority::Server& identity, std::uint16_t port) : tls_(std::make_unique<Tls>()) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to a killed agent's socket
  BIO* certificate_text = BIO_new_mem_buf(identity.certificate_pem.data(), -1);
  BIO* key_text = BIO_new_mem_buf(identity.key_pem.data(), -1);
  const Certificate certificate(PEM_read_bio_X509(certificate_text, nullptr, nullptr, nullptr));
  const Key key(PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr));
  SSL_CTX_use_certificate(tls_->context, certificate.get());
  SSL_CTX_use_PrivateKey(tls_->context, key.get());
  // As a hub does: a certificate is asked for, and judged when the identity is known.
  SSL_CTX_set_verify(tls_->context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  BIO_free(certificate_text);
  BIO_free(key_text);

  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
  ::listen(listener_, 8);
  socklen_t length = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

MiniHub::~MiniHub() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void MiniHub::serve() {
  while (!stop_) {
    pollfd waited{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, 20) <= 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    serve_one(fd);
    ::close(fd);
  }
}

void MiniHub::serve_one(int fd) {
  const timeval patience{.tv_sec = 0, .tv_usec = 20'000};
  Peer peer{.ssl = SSL_new(tls_->context)};
  SSL_set_fd(peer.ssl, fd);
  bool good = SSL_accept(peer.ssl) == 1 && !faults.close_on_connect;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (good) {
    const Certificate client(SSL_get1_peer_certificate(peer.ssl));
    char name[128] = "";
    if (client) X509_NAME_get_text_by_NID(X509_get_subject_name(client.get()), NID_commonName, name, sizeof name);
    const std::lock_guard lock(mutex_);
    common_name_ = name;
    tls_version_ = SSL_get_version(peer.ssl);
  }
  mqtt::Inbox inbox;
  mqtt::Limits limits;
  limits.literal_wildcards = true;  // device ids are literals
  while (good && !stop_) {
    std::byte bytes[16'384];
    const int n = SSL_read(peer.ssl, bytes, sizeof bytes);
    if (n <= 0) {
      const int why = SSL_get_error(peer.ssl, n);
      if (why == SSL_ERROR_WANT_READ) continue;
      if (why == SSL_ERROR_SYSCALL && errno == EAGAIN) continue;
      break;
    }
    Bytes received = Bytes(bytes).first(static_cast<std::size_t>(n));
    if (!peer.websocket && as_text(received).starts_with("GET ")) {
      good = open_websocket(peer, received);
      continue;
    }
    std::optional<Buffer> unframed;
    if (peer.websocket) {
      unframed = peer.websocket->receive(received);
      pongs_ = peer.websocket->pongs;
      const std::lock_guard lock(mutex_);
      websocket_problem_ = peer.websocket->problem;
      if (!unframed) break;
      received = *unframed;
    }
    inbox.append(received);
    while (good) {
      const auto packet = inbox.next(limits, peer.role);
      if (!packet) good = false;
      if (!packet || !*packet) break;
      good = handle(peer, **packet);
    }
  }
  SSL_free(peer.ssl);
}

/// Tests send the handshake in one piece.
bool MiniHub::open_websocket(Peer& peer, Bytes first) {
  peer.websocket = std::make_unique<MiniWebSocket>();
  const std::string answer = peer.websocket->accept(std::string(as_text(first)));
  {
    const std::lock_guard lock(mutex_);
    websocket_problem_ = peer.websocket->problem;
  }
  if (answer.empty()) return false;
  ++websockets_;
  return SSL_write(peer.ssl, answer.data(), static_cast<int>(answer.size())) > 0;
}

/// The provisioning service, which assigns this hub itself.
void MiniHub::provision(Peer& peer, const mqtt::Publish& request) {
  const std::string topic(request.topic);
  const auto at = topic.find("$rid=");
  const std::string rid = topic.substr(at, topic.find('&', at) - at);
  const bool decided = peer.questions++ >= faults.decides_after;
  const int status = faults.registration_status != 200 ? faults.registration_status.load() : decided ? 200 : 202;
  std::string body = R"({"operationId":"5.op/1","status":"assigning"})";
  if (status >= 400) body = R"({"errorCode":401002,"message":"no such enrolment"})";
  if (status == 200) {
    ++registrations_;
    body = R"({"operationId":"5.op/1","status":"assigned","registrationState":{"deviceId":"dev-)" + client_ids_.back() +
           R"(","assignedHub":"127.0.0.1:)" + std::to_string(port_) + R"(","status":"assigned"}})";
  }
  const std::string answer = "$dps/registrations/res/" + std::to_string(status) + "/?" + rid + "&retry-after=0";
  peer.send(mqtt::Publish{.topic = answer, .payload = {as_bytes(body)}});
}

bool MiniHub::handle(Peer& peer, const mqtt::Packet& packet) {
  if (const auto* connect = std::get_if<mqtt::Connect>(&packet)) {
    {
      const std::lock_guard lock(mutex_);
      client_ids_.emplace_back(connect->client_id);
      user_name_ = connect->user_name.value_or("");
      password_ = connect->password ? std::string(as_text(connect->password->bytes)) : "";
    }
    peer.role = mqtt::Role::server;
    const int code = user_name_.contains("/registrations/") ? 0 : faults.refuse.load();
    peer.send(mqtt::Connack{.code = static_cast<mqtt::ConnectCode>(code)});
    return code == 0;
  }
  if (std::holds_alternative<mqtt::Pingreq>(packet)) peer.send(mqtt::Pingresp{});
  if (std::holds_alternative<mqtt::Disconnect>(packet)) return false;
  if (const auto* subscribe = std::get_if<mqtt::Subscribe>(&packet)) {
    peer.send(mqtt::Suback{subscribe->packet_id, {mqtt::SubackCode::at_most_once}});
  }
  const auto* publish = std::get_if<mqtt::Publish>(&packet);
  if (publish == nullptr) return true;
  if (publish->topic.starts_with("$dps/")) {
    peer.send(mqtt::Puback{publish->packet_id});
    provision(peer, *publish);
    return true;
  }
  if (publish->topic.starts_with("$iothub/twin/")) {
    answer_twin(peer, *publish);
    return true;
  }
  if (publish->topic.starts_with("$iothub/methods/res/")) {
    const std::lock_guard lock(mutex_);
    method_answers_.emplace_back(publish->topic);
    return true;
  }

  Arrived message{.topic = std::string(publish->topic)};
  const auto bag = mqtt::decode_property_bag(message.topic.substr(message.topic.rfind('/') + 1));
  if (!bag) return false;
  message.message_id = bag->find("$.mid").value_or("");
  message.compressed = bag->find("$.ce") == "gzip";
  message.body = message.compressed ? gunzip(publish->payload.bytes) : std::string(as_text(publish->payload.bytes));
  message.epoch = number_after(message.body, R"("StreamEpoch":")");
  message.sequence = number_after(message.body, R"("Sequence":)");
  ++peer.published;
  if (faults.close_after > 0 && peer.published >= faults.close_after) return false;
  const std::lock_guard lock(mutex_);
  arrived_.push_back(message);
  if (faults.withhold_every > 0 && peer.published % faults.withhold_every == 0 &&
      std::ranges::count(withheld_, message.message_id) == 0) {
    withheld_.push_back(message.message_id);
    return true;
  }
  peer.send(mqtt::Puback{publish->packet_id});
  if (faults.confirm_self_tests && message.body.contains(R"("Name":"SelfTest")")) confirm(peer, message.body);
  return true;
}

void MiniHub::answer_twin(Peer& peer, const mqtt::Publish& request) {
  const std::string_view tail = request.topic.substr(request.topic.rfind("/?"));
  const bool get = request.topic.starts_with("$iothub/twin/GET");
  std::string body;
  {
    const std::lock_guard lock(mutex_);
    if (get) body = "{\"desired\":" + twin_desired_ + ",\"reported\":{}}";
    if (!get) twin_reported_ = as_text(request.payload.bytes);
  }
  const std::string topic = "$iothub/twin/res/" + std::string(get ? "200" : "204") + std::string(tail);
  peer.send(mqtt::Publish{.topic = topic, .payload = {as_bytes(body)}});
}

void MiniHub::confirm(Peer& peer, const std::string& body) {
  const std::string start = R"("TestId":")";
  const auto from = body.find(start) + start.size();
  const std::string payload =
      R"({"testId":")" + body.substr(from, body.find('"', from) - from) + R"(","alertId":"alert-1"})";
  peer.send(mqtt::Publish{.topic = "$iothub/methods/POST/PicketSelfTest/?$rid=7", .payload = {as_bytes(payload)}});
}

std::vector<Arrived> MiniHub::arrived() const {
  const std::lock_guard lock(mutex_);
  return arrived_;
}
std::vector<std::string> MiniHub::client_ids() const {
  const std::lock_guard lock(mutex_);
  return client_ids_;
}
std::string MiniHub::last_user_name() const {
  const std::lock_guard lock(mutex_);
  return user_name_;
}
void MiniHub::set_twin(std::string desired) {
  const std::lock_guard lock(mutex_);
  twin_desired_ = std::move(desired);
}
std::string MiniHub::twin_reported() const {
  const std::lock_guard lock(mutex_);
  return twin_reported_;
}
std::vector<std::string> MiniHub::method_answers() const {
  const std::lock_guard lock(mutex_);
  return method_answers_;
}
std::string MiniHub::last_common_name() const {
  const std::lock_guard lock(mutex_);
  return common_name_;
}
std::string MiniHub::last_tls_version() const {
  const std::lock_guard lock(mutex_);
  return tls_version_;
}
std::string MiniHub::websocket_problem() const {
  const std::lock_guard lock(mutex_);
  return websocket_problem_;
}
std::string MiniHub::last_password() const {
  const std::lock_guard lock(mutex_);
  return password_;
}

}  // namespace picket::agent::test
