// picket-hub-load: the load generator of ./bench hub, for Picket's hub and for any MQTT broker alike. One thread, epoll.
//   pub   N connections with W unacknowledged QoS 1 PUBLISHes each, for some seconds after all are connected
//   hs    32 connections at a time through TCP, TLS and CONNECT to CONNACK, then closed, for some seconds
//   hold  connects N (with --session also subscriptions and a twin request), prints {"ready":N} and holds them until standard
//         input ends; with --ping-seconds P each sends PINGREQ every P seconds
// Prints one JSON object at the end.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "hub_client.h"

namespace picket::load {
namespace {

struct Options {
  std::string mode;
  std::uint32_t connections = 50;
  std::uint32_t window = 20;
  std::size_t body_bytes = 256;
  double seconds = 10;
  double ping_seconds = 0;
  std::uint32_t silent = 0;  ///< hold: so many more connections, which never ping.
  bool session = false;
  bool plain = false;
  std::uint32_t connecting_max = 32;
  std::string key;
  HubTarget target;
};

double now_s() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double own_cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/// What one client is doing beyond its connection.
struct Slot {
  HubClient client;
  std::uint32_t interest = 0;
  Buffer packet;  ///< pub: the PUBLISH, complete but for its id.
  std::size_t packet_id_at = 0;
  double sent_at = 0;  ///< pub: of packet id 1, while it is a sample.
  std::uint32_t subacks = 0;
  std::uint32_t twin_answers = 0;
  bool done_connecting = false;
};

class Run {
 public:
  explicit Run(const Options& options)
      : options_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)), slots_(options.connections + options.silent) {}

  int publish() {
    for (std::uint32_t i = 0; i < options_.connections; ++i) {
      slots_[i].packet_id_at = encode_telemetry(i, options_.body_bytes, slots_[i].packet);
    }
    if (!connect_all()) return 1;
    announce();
    const double begin = now_s();
    measuring_ = true;
    for (Slot& slot : slots_) {
      Buffer batch;
      for (std::uint16_t id = 1; id <= options_.window; ++id) append_publish(slot, id, batch);
      slot.sent_at = now_s();
      slot.client.send(batch);
      watch(slot);
    }
    while (now_s() - begin < options_.seconds && lost_ == 0) step(10);
    return report(now_s() - begin);
  }

  int handshakes() {
    const double begin = now_s();
    announce();
    for (Slot& slot : slots_) open(slot, next_index_++ % kHandshakeDevices);
    while (now_s() - begin < options_.seconds && lost_ == 0) step(10);
    return report(now_s() - begin);
  }

  int hold() {
    if (!connect_all()) return 1;
    const double settle = now_s();
    while (now_s() - settle < 2) step(20);
    announce();
    const double begin = now_s();
    const Buffer ping = encode_ping();
    std::uint64_t pings = 0;
    while (!input_ended()) {
      step(5);
      if (options_.ping_seconds <= 0) continue;
      const auto due = static_cast<std::uint64_t>((now_s() - begin) / options_.ping_seconds * options_.connections);
      for (; pings < due; ++pings) {
        Slot& slot = slots_[pings % options_.connections];
        if (slot.client.state() != HubClient::State::ready) continue;
        ++pings_;
        if (!slot.client.send(ping)) lose(slot);
        watch(slot);
      }
    }
    return report(now_s() - begin);
  }

 private:
  static constexpr std::uint32_t kHandshakeDevices = 4000;

  bool connect_all() {
    const double begin = now_s();
    std::uint32_t opened = 0;
    while (ready_ < slots_.size()) {
      while (opened < slots_.size() && opened - ready_ < options_.connecting_max) {
        open(slots_[opened], opened);
        ++opened;
      }
      if (lost_ > 0 || now_s() - begin > 600) {
        std::fprintf(stderr, "hub-load: %u of %zu connected, %u lost: %s\n", ready_, slots_.size(), lost_, error_);
        return false;
      }
      step(20);
    }
    return true;
  }

  void open(Slot& slot, std::uint32_t index) {
    slot.interest = 0;
    if (!slot.client.open(options_.target, index)) return lose(slot);
    watch(slot);
  }

  void step(int timeout_ms) {
    std::array<epoll_event, 256> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
    for (int i = 0; i < count; ++i) drive(slots_[events[static_cast<std::size_t>(i)].data.u64]);
  }

  void drive(Slot& slot) {
    Arrived arrived;
    const bool was_ready = slot.client.state() == HubClient::State::ready;
    if (!slot.client.advance(options_.target, arrived)) return lose(slot);
    const bool is_ready = slot.client.state() == HubClient::State::ready;
    if (is_ready && !was_ready && !begin_session(slot)) return;
    pingresps_ += arrived.pingresps;
    take_session(slot, arrived);
    if (arrived.pubacks > 0) answer_pubacks(slot);
    watch(slot);
  }

  /// CONNACK is there. False: the slot already does something else.
  bool begin_session(Slot& slot) {
    if (options_.mode == "hs") {
      ++handshakes_;
      slot.client.close();
      open(slot, next_index_++ % kHandshakeDevices);
      return false;
    }
    if (!options_.session) {
      finish_connecting(slot);
    } else if (!slot.client.send(encode_subscriptions(slot.client.index()))) {
      lose(slot);
      return false;
    }
    return true;
  }

  void take_session(Slot& slot, const Arrived& arrived) {
    if (!options_.session || slot.done_connecting) return;
    const bool subscribed = slot.subacks < kSubscriptions && slot.subacks + arrived.subacks >= kSubscriptions;
    slot.subacks += arrived.subacks;
    slot.twin_answers += arrived.messages;
    if (subscribed) {
      slot.client.send(encode_twin_request());
      finish_connecting(slot);  // a broker has no twin: the answer is not waited for here, hold() lets it arrive
    }
  }

  void finish_connecting(Slot& slot) {
    if (slot.done_connecting) return;
    slot.done_connecting = true;
    ++ready_;
  }

  void answer_pubacks(Slot& slot) {
    batch_.clear();
    for (const std::uint16_t id : slot.client.acknowledged()) {
      if (id == 1) sample(slot);
      append_publish(slot, id, batch_);
    }
    if (measuring_) acknowledged_ += slot.client.acknowledged().size();
    if (!slot.client.send(batch_)) lose(slot);
  }

  void sample(Slot& slot) {
    const double now = now_s();
    if (++samples_seen_ % 16 == 0 && latencies_.size() < 1'000'000) latencies_.push_back(now - slot.sent_at);
    slot.sent_at = now;
  }

  static void append_publish(Slot& slot, std::uint16_t id, Buffer& out) {
    slot.packet[slot.packet_id_at] = static_cast<std::byte>(id >> 8);
    slot.packet[slot.packet_id_at + 1] = static_cast<std::byte>(id & 0xFF);
    out.insert(out.end(), slot.packet.begin(), slot.packet.end());
  }

  void lose(Slot& slot) {
    if (slot.client.index() < options_.connections) ++lost_;
    error_ = slot.client.error();
    slot.client.close();
  }

  void watch(Slot& slot) {
    if (slot.client.state() == HubClient::State::closed) return;
    const std::uint32_t interest = EPOLLIN | (slot.client.wants_write() ? EPOLLOUT : 0U);
    if (slot.interest == interest) return;
    epoll_event event{};
    event.events = interest;
    event.data.u64 = static_cast<std::uint64_t>(&slot - slots_.data());
    ::epoll_ctl(epoll_.get(), slot.interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, slot.client.fd(), &event);
    slot.interest = interest;
  }

  /// The measuring script reads the server's times now.
  void announce() const {
    std::printf("{\"ready\":%u}\n", ready_);
    std::fflush(stdout);
  }

  static bool input_ended() {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&input, 1, 0) <= 0) return false;
    char byte = 0;
    return ::read(STDIN_FILENO, &byte, 1) <= 0;
  }

  double latency_ms(double share) {
    if (latencies_.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(latencies_.size() - 1));
    std::nth_element(latencies_.begin(), latencies_.begin() + at, latencies_.end());
    return latencies_[static_cast<std::size_t>(at)] * 1000;
  }

  int report(double seconds) {
    std::uint64_t alive = 0, silent_alive = 0;
    for (const Slot& slot : slots_) {
      if (slot.client.state() != HubClient::State::ready) continue;
      ++(slot.client.index() < options_.connections ? alive : silent_alive);
    }
    JsonWriter json;
    json.begin_object().key("seconds").value(seconds).key("acknowledged").value(acknowledged_);
    json.key("handshakes").value(handshakes_).key("pings").value(pings_).key("pingresps").value(pingresps_);
    json.key("alive").value(alive).key("silent_alive").value(silent_alive);
    json.key("lost").value(std::uint64_t{lost_});
    json.key("error").value(std::string_view(error_)).key("p50_ms").value(latency_ms(0.5));
    json.key("p99_ms").value(latency_ms(0.99)).key("cpu_s").value(own_cpu_s()).end_object();
    std::printf("%s\n", json.take().c_str());
    return lost_ == 0 ? 0 : 1;
  }

  const Options& options_;
  UniqueFd epoll_;
  std::vector<Slot> slots_;
  Buffer batch_;
  std::vector<double> latencies_;
  const char* error_ = "";
  std::uint64_t acknowledged_ = 0, handshakes_ = 0, pings_ = 0, pingresps_ = 0, samples_seen_ = 0;
  std::uint32_t ready_ = 0, lost_ = 0, next_index_ = 0;
  bool measuring_ = false;
};

SSL_CTX* client_context() {
  SSL_CTX* tls = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, nullptr);  // the generator's time is not what is measured
  return tls;
}

}  // namespace
}  // namespace picket::load

int main(int argc, char** argv) {
  using namespace picket::load;
  Options options;
  CLI::App app{"picket-hub-load: load generator of ./bench hub"};
  app.add_option("mode", options.mode)->required()->check(CLI::IsMember({"pub", "hs", "hold"}));
  app.add_option("--connections", options.connections);
  app.add_option("--window", options.window)->check(CLI::Range(1, 1000));
  app.add_option("--body-bytes", options.body_bytes);
  app.add_option("--seconds", options.seconds);
  app.add_option("--ping-seconds", options.ping_seconds);
  app.add_option("--silent", options.silent, "hold: so many more connections that never ping");
  app.add_option("--connecting", options.connecting_max, "connections on their way at a time");
  app.add_option("--port", options.target.port)->required();
  app.add_option("--key", options.key, "base64 key of every device dev0, dev1, …")->required();
  app.add_flag("--session", options.session, "subscribe as an SDK does, and ask for the twin");
  app.add_flag("--plain", options.plain, "TCP without TLS");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  const auto key = picket::from_base64(options.key);
  if (!key) return std::fprintf(stderr, "hub-load: the key is not base64\n"), 2;
  options.target.key = *key;
  if (options.mode == "hs") options.connections = options.connecting_max;
  SSL_CTX* const tls = client_context();
  if (!options.plain) options.target.tls = tls;
  int status = 0;
  {
    Run run(options);
    status = options.mode == "pub" ? run.publish() : options.mode == "hs" ? run.handshakes() : run.hold();
  }
  SSL_CTX_free(tls);
  return status;
}
