// An HTTPS head on loopback with device "dev1", its module "mod1", and "dev2"; and a client that speaks bytes to it.
#pragma once

#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/encoding.h"
#include "base/core/random.h"
#include "hub/https_head.h"
#include "hub/memory_identity_store.h"
#include "hub/sas_token.h"
#include "hub_testing.h"
#include "memory_journal.h"
#include "net/certificate_authority.h"
#include "tls_client.h"

namespace picket::hub {

struct Reply {
  int status = 0;                                   ///< 0: the connection ended.
  std::multimap<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

using Headers = std::vector<http::Header>;

class HttpsTest : public testing::Test {
 protected:
  HttpsTest() {
    store_.put("hub1", "dev1", "",
               {.generation_id = "g1", .primary_key = bytes_of("key of dev1"), .secondary_key = bytes_of("secondary")});
    store_.put("hub1", "dev1", "mod1", {.generation_id = "g2", .primary_key = bytes_of("module key")});
    store_.put("hub1", "dev2", "", {.generation_id = "g3", .primary_key = bytes_of("key of dev2")});
  }
  ~HttpsTest() override {
    client_.reset();
    head_.reset();
    threads_.stop();
    std::filesystem::remove_all(directory_);
  }

  /// Gives the head what a test needs beyond the basics.
  virtual void add(HttpsHeadNeeds& needs) { (void)needs; }

  void start(std::function<void(HttpsHeadOptions&)> change = {}) {
    const auto server = net::open_or_create_server_identity(directory_, {}, system_clock().now()).value();
    tls_ = net::TlsContext::create({.certificate_pem = server.certificate_pem,
                                    .private_key_pem = server.private_key_pem,
                                    .request_client_certificate = true})
               .value();
    HttpsHeadOptions options{.hubs = {.default_hub = "hub1"}};
    options.listener.address = "127.0.0.1";
    options.listener.port = 0;
    if (change) change(options);
    HttpsHeadNeeds needs{threads_, *tls_, store_, journal_, log_, clock_};
    add(needs);
    head_ = HttpsHead::open(std::move(needs), options).value();
  }

  [[nodiscard]] std::string token(std::string_view device, std::string_view module, std::string_view key,
                                  Duration lifetime = Duration::hours(1)) const {
    return make_sas_token("localhost", device, module, as_bytes(key), clock_.now() + lifetime);
  }
  [[nodiscard]] std::string dev1() const { return token("dev1", "", "key of dev1"); }

  /// A request as bytes; the body is sent in one chunk, as the SDKs do.
  static std::string request_text(std::string_view method, std::string_view target, const Headers& headers,
                                  std::string_view body) {
    std::string out = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
    if (body.empty()) return out + "Content-Length: 0\r\n\r\n";
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx", body.size());
    return out + "Transfer-Encoding: chunked\r\n\r\n" + size.data() + "\r\n" + std::string(body) + "\r\n0\r\n\r\n";
  }

  static Reply read_reply(net::TestClient& client) {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      const auto byte = client.receive(1);
      if (!byte) return {};
      head.append(as_text(*byte));
    }
    Reply reply{.status = std::stoi(head.substr(9, 3))};
    for (std::size_t at = head.find("\r\n") + 2; at < head.size() - 2;) {
      const std::size_t end = head.find("\r\n", at);
      const std::string line = head.substr(at, end - at);
      const std::size_t colon = line.find(": ");
      std::string name = line.substr(0, colon);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      reply.headers.emplace(name, line.substr(colon + 2));
      at = end + 2;
    }
    const auto length = reply.header("content-length");
    if (!length.empty() && length != "0") {
      const auto body = client.receive(std::stoul(length));
      reply.body = body ? std::string(as_text(*body)) : "(cut off)";
    }
    return reply;
  }

  /// On a connection that is kept while it can be.
  Reply call(std::string_view method, std::string_view target, const std::string& authorization = "",
             std::string_view body = "", Headers headers = {}) {
    if (!client_) client_ = net::TestClient::connect(head_->port());
    if (!authorization.empty()) headers.emplace_back("Authorization", authorization);
    if (!client_->send(as_bytes(request_text(method, target, headers, body)))) client_.reset();
    Reply reply = client_ ? read_reply(*client_) : Reply{};
    if (reply.status == 0 || reply.header("connection") == "close") client_.reset();
    return reply;
  }

  std::string directory_ = testing::TempDir() + "/https-" + random_uuid();
  TestClock clock_;
  TestLog log_;
  MemoryJournal journal_;
  MemoryIdentityStore store_;
  net::IoThreads threads_{2};
  std::unique_ptr<net::TlsContext> tls_;
  std::unique_ptr<HttpsHead> head_;
  std::unique_ptr<net::TestClient> client_;
};

}  // namespace picket::hub
