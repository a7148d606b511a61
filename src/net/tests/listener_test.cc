#include "net/listener.h"

#include <atomic>
#include <filesystem>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/random.h"
#include "net/certificate_authority.h"
#include "test_certificates.h"
#include "tls_client.h"

namespace picket::net {
namespace {

/// Sends back what it gets; "auth" makes it authenticate.
asio::awaitable<void> echo(Connection connection) {
  std::vector<std::byte> buffer(4096);
  while (true) {
    const auto n = co_await connection.stream->read_some(buffer);
    if (!n) co_return;
    const auto got = Bytes(buffer).first(*n);
    if (as_text(got) == "auth") connection.admission.authenticated();
    const auto written = co_await connection.stream->write(got);
    if (!written) co_return;
  }
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 6'000; ++i) {  // a minute: machines stand still
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class NetListener : public testing::Test {
 protected:
  ~NetListener() override {
    if (listener_) listener_->stop();
    threads_.stop();
    std::filesystem::remove_all(directory_);
  }

  void open(ListenerOptions options = {}, Handler handler = echo, bool client_certificates = false) {
    identity_ = open_or_create_server_identity(directory_, {}, system_clock().now()).value();
    tls_ = TlsContext::create({.certificate_pem = identity_.certificate_pem,
                               .private_key_pem = identity_.private_key_pem,
                               .request_client_certificate = client_certificates,
                               .client_ca_pem = identity_.ca_certificate_pem})
               .value();
    options.address = "127.0.0.1";
    options.on_handshake_failed = [this](const Endpoint&, std::string_view reason) {
      const std::scoped_lock lock(mutex_);
      failures_.emplace_back(reason);
    };
    listener_ = Listener::open(threads_, std::move(options), tls_.get(), std::move(handler)).value();
  }
  std::unique_ptr<TestClient> connect(const TestClientOptions& options = {}) {
    return TestClient::connect(listener_->port(), options);
  }
  static std::string ask(TestClient& client, std::string_view text) {
    if (!client.send(as_bytes(text))) return "send failed";
    const auto answer = client.receive(text.size());
    return answer ? std::string(as_text(*answer)) : "no answer";
  }
  std::vector<std::string> failures() {
    const std::scoped_lock lock(mutex_);
    return failures_;
  }

  std::string directory_ = testing::TempDir() + "/net-" + random_uuid();
  IoThreads threads_{2};
  ServerIdentity identity_;
  std::unique_ptr<TlsContext> tls_;
  std::mutex mutex_;
  std::vector<std::string> failures_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(NetListener, SpeaksTls12And13WithACertificateOfThePrivateCa) {
  open();
  for (const bool old : {false, true}) {
    const auto client = connect({.ca_pem = identity_.ca_certificate_pem, .tls12_only = old});
    ASSERT_NE(client, nullptr);
    EXPECT_EQ(client->version(), old ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(ask(*client, "hello"), "hello");
  }
}

TEST_F(NetListener, CarriesMoreThanOneRecord) {
  open();
  const auto client = connect();
  const std::string text(200'000, 'x');
  EXPECT_EQ(ask(*client, text), text);
}

/// Writes until nothing goes out without a wait, then the rest; tells how much went at once.
Handler writer_of(const Buffer& answer, std::atomic<std::size_t>& at_once) {
  return [&](Connection connection) -> asio::awaitable<void> {
    Buffer question(1);
    if (!co_await connection.stream->read_some(question)) co_return;
    std::size_t sent = 0;
    while (sent < answer.size()) {
      const auto n = connection.stream->try_write(Bytes(answer).subspan(sent));
      if (!n) co_return;
      if (*n == 0) break;
      sent += *n;
    }
    at_once = sent;
    static_cast<void>(co_await connection.stream->write(Bytes(answer).subspan(sent)));
    static_cast<void>(co_await connection.stream->read_some(question));  // until the client has read it all
  };
}

TEST_F(NetListener, WhatASocketDoesNotTakeAtOnceIsWrittenInOrderBehindIt) {
  Buffer answer(32U << 20);  // more than sockets buffer
  for (std::size_t i = 0; i < answer.size(); ++i) answer[i] = static_cast<std::byte>(i * 31 >> 3);
  std::atomic<std::size_t> at_once = 0;
  open({}, writer_of(answer, at_once));
  const auto client = connect();
  ASSERT_TRUE(client->send(as_bytes(std::string_view("?"))));
  EXPECT_EQ(client->receive(answer.size()), answer);
  EXPECT_GT(at_once, 0u);
  EXPECT_LT(at_once, answer.size());
}

TEST_F(NetListener, TryWriteToAPeerThatHasGoneIsAnError) {
  std::promise<bool> failed;
  open({}, [&](Connection connection) -> asio::awaitable<void> {
    Buffer bytes(1);
    static_cast<void>(co_await connection.stream->read_some(bytes));
    connection.stream->close();
    failed.set_value(!connection.stream->try_write(bytes).has_value());
  });
  ASSERT_TRUE(connect()->send(as_bytes(std::string_view("?"))));
  EXPECT_TRUE(failed.get_future().get());
}

TEST_F(NetListener, ResumesASessionByTicket) {
  open();
  auto first = connect();
  ask(*first, "a");
  const auto session = first->session();
  const auto second = TestClient::resume(listener_->port(), session);
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->resumed());
  ASSERT_TRUE(
      tls_->replace({.certificate_pem = identity_.certificate_pem, .private_key_pem = identity_.private_key_pem})
          .has_value());
  EXPECT_FALSE(TestClient::resume(listener_->port(), session)->resumed()) << "tickets end with their context";
}

TEST_F(NetListener, ReportsTlsFacts) {
  std::atomic<bool> done = false;
  TlsFacts facts;
  open({}, [&](Connection connection) -> asio::awaitable<void> {
    facts = *connection.stream->tls();
    done = true;
    co_return;
  });
  const auto client = connect();
  client->send(as_bytes("x"));
  ASSERT_TRUE(eventually([&] { return done.load(); }));
  EXPECT_EQ(facts.version, "TLSv1.3");
  EXPECT_EQ(facts.server_name, "localhost");
  EXPECT_FALSE(facts.client_certificate.has_value());
}

TEST_F(NetListener, ClientCertificateThatDoesNotVerifyStillLeavesItsFacts) {
  std::atomic<bool> done = false;
  TlsFacts facts;
  open(
      {},
      [&](Connection connection) -> asio::awaitable<void> {
        facts = *connection.stream->tls();
        done = true;
        co_return;
      },
      true);
  const auto other_directory = directory_ + "/other";
  const auto other = open_or_create_server_identity(other_directory, {}, system_clock().now()).value();
  const auto client = connect({.certificate_pem = other.certificate_pem, .private_key_pem = other.private_key_pem});
  ASSERT_NE(client, nullptr);
  client->send(as_bytes("x"));
  ASSERT_TRUE(eventually([&] { return done.load(); }));
  ASSERT_TRUE(facts.client_certificate.has_value());
  EXPECT_FALSE(facts.client_certificate->verified);
  EXPECT_EQ(facts.client_certificate->common_name, "localhost");
  EXPECT_EQ(facts.client_certificate->sha1_thumbprint.size(), 40u);
  EXPECT_EQ(facts.client_certificate->sha256_thumbprint.size(), 64u);
  EXPECT_GT(facts.client_certificate->not_after, system_clock().now());
}

/// Connects with a certificate to a listener that trusts `authorities`, and returns what the server saw.
class NetClientCertificate : public NetListener {
 protected:
  TlsFacts seen(const std::string& authorities, const TestClientOptions& client_options) {
    std::promise<TlsFacts> seen;
    open(
        {},
        [&](Connection connection) -> asio::awaitable<void> {
          seen.set_value(*connection.stream->tls());
          co_return;
        },
        true);
    EXPECT_TRUE(tls_->replace({.certificate_pem = identity_.certificate_pem,
                               .private_key_pem = identity_.private_key_pem,
                               .request_client_certificate = true,
                               .client_ca_pem = authorities}));
    const auto client = connect(client_options);
    EXPECT_NE(client, nullptr) << failures().size();
    auto future = seen.get_future();
    if (client == nullptr) return {};
    client->send(as_bytes("x"));
    return future.get();
  }
  TestCertificate root_ = make_test_certificate({.common_name = "root", .is_ca = true});
  TestCertificate middle_ = make_test_certificate({.common_name = "middle", .issuer = &root_, .is_ca = true});
};

TEST_F(NetClientCertificate, ChainNamesTheCaThatVouchesForIt) {
  const auto device = make_test_certificate({.common_name = "press-1", .issuer = &root_});
  const auto facts = seen(middle_.certificate_pem + root_.certificate_pem,
                          {.certificate_pem = device.certificate_pem, .private_key_pem = device.private_key_pem});
  ASSERT_TRUE(facts.client_certificate);
  EXPECT_TRUE(facts.client_certificate->verified);
  EXPECT_EQ(facts.client_certificate->issuer_thumbprints,
            std::vector{parse_certificate(root_.certificate_pem)->sha256_thumbprint});
  EXPECT_EQ(facts.client_certificate->key_kind, "EC");
  EXPECT_FALSE(facts.group.empty());
}

TEST_F(NetClientCertificate, AnIntermediateCaCanBeTrustedAlone) {
  const auto device = make_test_certificate({.common_name = "press-1", .issuer = &middle_});
  const auto facts = seen(middle_.certificate_pem,
                          {.certificate_pem = device.certificate_pem, .private_key_pem = device.private_key_pem});
  EXPECT_TRUE(facts.client_certificate->verified);
}

TEST_F(NetClientCertificate, AnExpiredOneIsToldFromAStrangers) {
  const auto now = system_clock().now();
  const auto old = make_test_certificate({.common_name = "press-1",
                                          .issuer = &root_,
                                          .not_before = now - Duration::days(3),
                                          .not_after = now - Duration::days(1)});
  const auto facts =
      seen(root_.certificate_pem, {.certificate_pem = old.certificate_pem, .private_key_pem = old.private_key_pem});
  EXPECT_TRUE(facts.client_certificate->chained);
  EXPECT_FALSE(facts.client_certificate->verified);
  EXPECT_EQ(facts.client_certificate->verify_result, "certificate has expired");
  EXPECT_LT(facts.client_certificate->chain_not_after, now);
}

TEST_F(NetClientCertificate, AStrangersChainIsNoChain) {
  const auto other = make_test_certificate({.common_name = "root", .is_ca = true});
  const auto device = make_test_certificate({.common_name = "press-1", .issuer = &other});
  const auto facts = seen(root_.certificate_pem,
                          {.certificate_pem = device.certificate_pem, .private_key_pem = device.private_key_pem});
  EXPECT_FALSE(facts.client_certificate->chained);
  EXPECT_FALSE(facts.client_certificate->verified);
  EXPECT_TRUE(facts.client_certificate->issuer_thumbprints.empty());
}

TEST_F(NetClientCertificate, IsProvenAgainOnEachConnection) {
  open({}, echo, true);
  const auto device = make_test_certificate({.common_name = "press-1"});
  const TestClientOptions options{.certificate_pem = device.certificate_pem, .private_key_pem = device.private_key_pem};
  for (const bool with_certificate : {false, true}) {
    const auto first = connect(with_certificate ? options : TestClientOptions{});
    ASSERT_EQ(ask(*first, "a"), "a");
    const auto second = TestClient::resume(listener_->port(), first->session());
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(second->resumed(), !with_certificate);
  }
}

TEST_F(NetListener, StrictCiphersAndTls13AloneRefuseTheRest) {
  open();
  const TlsOptions base{.certificate_pem = identity_.certificate_pem, .private_key_pem = identity_.private_key_pem};
  auto strict = base;
  strict.strict_ciphers = true;
  ASSERT_TRUE(tls_->replace(strict));
  EXPECT_NE(connect({.tls12_only = true}), nullptr);
  auto newest = base;
  newest.tls13_only = true;
  ASSERT_TRUE(tls_->replace(newest));
  EXPECT_EQ(connect({.tls12_only = true}), nullptr);
  EXPECT_NE(connect(), nullptr);
}

TEST_F(NetListener, EndsAHandshakeThatDoesNotCome) {
  open({.handshake_timeout = Duration::milliseconds(100)});
  const auto client = TestClient::connect_tcp(listener_->port());
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return listener_->stats().handshake_timeouts == 1; }));
  EXPECT_TRUE(eventually([&] { return failures() == std::vector<std::string>{"timeout"}; }));
}

TEST_F(NetListener, SlowLorisDoesNotProlongTheHandshake) {
  open({.handshake_timeout = Duration::milliseconds(200)});
  const auto client = TestClient::connect_tcp(listener_->port());
  // The first bytes of a TLS record, one at a time.
  for (const char byte : std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", 10)) {
    if (!client->send_raw(as_bytes(std::string_view(&byte, 1)))) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return listener_->stats().handshake_timeouts == 1; }));
}

TEST_F(NetListener, EndsAConnectionThatSaysNothing) {
  open({.first_bytes_timeout = Duration::milliseconds(100)});
  const auto client = connect();
  ASSERT_NE(client, nullptr);
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return listener_->stats().first_bytes_timeouts == 1; }));
}

TEST_F(NetListener, DeadlinesEndWithTheFirstBytes) {
  // The machine may stand still for longer than a short deadline: then the same with a longer one.
  for (const int limit_ms : {300, 3'000, 30'000}) {
    const auto limit = Duration::milliseconds(limit_ms);
    if (listener_) listener_->stop();
    open({.handshake_timeout = limit, .first_bytes_timeout = limit});
    const auto client = connect();
    if (!client || ask(*client, "a") != "a") continue;
    std::this_thread::sleep_for(std::chrono::milliseconds(limit_ms + limit_ms / 2));
    EXPECT_EQ(ask(*client, "b"), "b");
    return;
  }
  FAIL() << "no connection within half a minute";
}

TEST_F(NetListener, NamesWhyAHandshakeFailed) {
  open();
  const auto client = TestClient::connect_tcp(listener_->port());
  client->send_raw(as_bytes("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(client->closed_by_peer());
  ASSERT_TRUE(eventually([&] { return failures().size() == 1; }));
  EXPECT_EQ(failures()[0], "http request");
}

TEST_F(NetListener, EvictsTheOldestUnauthenticatedConnectionFirst) {
  open({.unauthenticated_max = 3});
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(TestClient::connect_tcp(listener_->port()));
    ASSERT_TRUE(eventually([&] { return listener_->stats().accepted == clients.size(); }));
  }
  for (int i = 0; i < 2; ++i) {
    clients.push_back(TestClient::connect_tcp(listener_->port()));
    ASSERT_TRUE(eventually([&] { return listener_->stats().accepted == clients.size(); }));
    EXPECT_TRUE(clients[static_cast<std::size_t>(i)]->closed_by_peer()) << "the oldest that is left";
  }
  EXPECT_EQ(listener_->stats().evicted_unauthenticated, 2u);
  EXPECT_LE(listener_->stats().unauthenticated, 3u);
}

TEST_F(NetListener, AuthenticatedConnectionsAreNotEvicted) {
  open({.unauthenticated_max = 1});
  const auto device = connect();
  EXPECT_EQ(ask(*device, "auth"), "auth");
  ASSERT_TRUE(eventually([&] { return listener_->stats().unauthenticated == 0; }));
  const auto first = TestClient::connect_tcp(listener_->port());
  const auto second = TestClient::connect_tcp(listener_->port());
  EXPECT_TRUE(first->closed_by_peer());
  EXPECT_EQ(ask(*device, "still here"), "still here");
}

TEST_F(NetListener, RefusesConnectionsBeyondItsCap) {
  open({.connections_max = 1});
  const auto device = connect();
  EXPECT_EQ(ask(*device, "a"), "a");
  EXPECT_EQ(connect(), nullptr);
  EXPECT_EQ(listener_->stats().rejected_connections_max, 1u);
  EXPECT_EQ(ask(*device, "b"), "b");
}

TEST_F(NetListener, LimitsTheAcceptRateOfOneSource) {
  open({.accepts_per_second = 0.001, .accepts_burst = 2});
  EXPECT_NE(connect(), nullptr);
  EXPECT_NE(connect(), nullptr);
  EXPECT_EQ(connect(), nullptr);
  EXPECT_EQ(listener_->stats().rejected_rate, 1u);
  EXPECT_NE(connect({.source_address = "127.0.0.9"}), nullptr) << "another source is not affected";
}

TEST_F(NetListener, FailedHandshakesDoNotTouchTheOthers) {
  open();
  const auto device = connect();
  for (int i = 0; i < 50; ++i) {
    TestClient::connect_tcp(listener_->port())->send_raw(as_bytes("\x16\x03\x01garbage that is no hello"));
  }
  ASSERT_TRUE(eventually([&] { return listener_->stats().handshakes_failed == 50; }));
  EXPECT_EQ(ask(*device, "hello"), "hello");
  EXPECT_TRUE(eventually([&] { return listener_->stats().open == 1; }));
}

TEST_F(NetListener, StopClosesEverythingAndWaits) {
  open();
  const auto device = connect();
  ask(*device, "a");
  const auto half_open = TestClient::connect_tcp(listener_->port());
  listener_->stop();
  EXPECT_EQ(listener_->stats().open, 0u);
  EXPECT_TRUE(device->closed_by_peer());
  EXPECT_TRUE(half_open->closed_by_peer());
}

TEST_F(NetListener, ServesPlainTcpWithoutATlsContext) {
  listener_ =
      Listener::open(threads_, {.address = "127.0.0.1", .first_bytes_timeout = Duration::seconds(2)}, nullptr, echo)
          .value();
  const auto client = TestClient::connect_tcp(listener_->port());
  EXPECT_EQ(ask(*client, "plain"), "plain");
  const std::string large(1 << 20, 'x');
  std::jthread sender([&] { client->send(as_bytes(large)); });
  EXPECT_EQ(client->receive(large.size()).value_or(Buffer()).size(), large.size());
  EXPECT_TRUE(TestClient::connect_tcp(listener_->port())->closed_by_peer()) << "it says nothing";
}

TEST_F(NetListener, ExceptionOfAHandlerEndsOnlyItsConnection) {
  open({}, [](Connection connection) -> asio::awaitable<void> {
    std::byte first{};
    const auto n = co_await connection.stream->read_some({&first, 1});
    if (n && first == std::byte{'!'}) throw std::runtime_error("defect");
    co_await echo(std::move(connection));
  });
  const auto good = connect();
  good->send(as_bytes("x"));
  const auto bad = connect();
  bad->send(as_bytes("!"));
  EXPECT_TRUE(bad->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return listener_->stats().handler_failures == 1 && listener_->stats().open == 1; }));
  EXPECT_EQ(ask(*good, "hello"), "hello");
}

TEST_F(NetListener, TakenPortIsAnError) {
  open();
  ListenerOptions options{.address = "127.0.0.1", .port = listener_->port()};
  EXPECT_EQ(Listener::open(threads_, options, tls_.get(), echo).error().code, Errc::io);
}

}  // namespace
}  // namespace picket::net
