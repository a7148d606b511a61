// picket-load: devices that send security messages at a steady rate and lose none. Used by ./bench e2e and the kill
// test.
#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include <CLI/CLI.hpp>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/core/json_writer.h"
#include "connection.h"
#include "message.h"

namespace picket::load {
namespace {

struct Options {
  std::string identities;
  std::string host = "localhost";
  std::uint16_t port = 8883;
  std::string ca_file;
  double messages_per_s = 100;
  double seconds = 10;
  double drain_seconds = 60;  ///< Longest wait for the last acknowledgements.
  std::uint32_t without_mid_percent = 0;
  std::string acknowledged_file;
  Plan plan;
};

std::vector<DeviceLogin> read_identities(const std::string& path) {
  std::vector<DeviceLogin> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    DeviceLogin login;
    if (fields >> login.device_id >> login.module_id >> login.key) {
      if (login.module_id == "-") login.module_id.clear();
      out.push_back(std::move(login));
    }
  }
  return out;
}

class Generator {
 public:
  Generator(const Options& options, SSL_CTX* tls) : options_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (const DeviceLogin& login : read_identities(options.identities)) {
      devices_.push_back({std::make_unique<Connection>(login, options.host, options.port, tls, totals_)});
    }
    if (!options.acknowledged_file.empty()) acknowledged_.open(options.acknowledged_file);
  }

  [[nodiscard]] bool has_devices() const { return !devices_.empty(); }

  /// All devices connect first, then the clock of the load starts. Returns false when messages stayed unacknowledged.
  bool run() {
    const Duration connect_begin = clock_.monotonic();
    while (ready_count() < devices_.size()) {
      if (clock_.monotonic() - connect_begin > Duration::seconds(120)) return report(false);
      step(20);
    }
    std::fprintf(stderr, "load: %zu devices connected\n", devices_.size());
    begin_ = clock_.monotonic();
    const auto total = static_cast<std::uint64_t>(options_.messages_per_s * options_.seconds);
    while (sent_ < total) {
      offer_due(total);
      step(1);
    }
    const Duration drain_begin = clock_.monotonic();
    while (totals_.acknowledged < total && clock_.monotonic() - drain_begin < seconds(options_.drain_seconds)) step(5);
    end_ = clock_.monotonic();
    return report(totals_.acknowledged == total);
  }

 private:
  struct Device {
    std::unique_ptr<Connection> connection;
    Duration retry_at;
    bool registered = false;
    std::uint32_t interest = 0;
  };

  static Duration seconds(double value) { return {static_cast<std::int64_t>(value * 1e6)}; }

  [[nodiscard]] std::size_t ready_count() const {
    std::size_t count = 0;
    for (const Device& device : devices_) count += device.connection->ready() ? 1 : 0;
    return count;
  }

  void offer_due(std::uint64_t total) {
    const double elapsed_s = static_cast<double>((clock_.monotonic() - begin_).us) / 1e6;
    const auto due = std::min(total, static_cast<std::uint64_t>(elapsed_s * options_.messages_per_s));
    for (; sent_ < due; ++sent_) {
      Message message{
          .number = sent_, .body = make_message(options_.plan, sent_, clock_.now()), .mid = "", .first_sent = {}};
      if (sent_ % 100 >= options_.without_mid_percent) {
        message.mid = std::to_string(options_.plan.run) + "-" + std::to_string(sent_);
      }
      Device& device = devices_[sent_ % devices_.size()];
      device.connection->send(std::move(message));
      if (device.connection->ready()) drive(device);
    }
  }

  void step(int timeout_ms) {
    // Only a few new connections at a time: the point is the load, not a storm of handshakes.
    int opened = 0;
    for (Device& device : devices_) {
      if (device.connection->closed() && device.retry_at <= clock_.monotonic() && opened < kOpenAtOnce) {
        ++opened;
        if (!device.connection->open(clock_.now())) retry_later(device);
        watch(device);
      }
    }
    std::array<epoll_event, 256> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
    for (int i = 0; i < count; ++i) drive(devices_[events[static_cast<std::size_t>(i)].data.u64]);
  }

  void drive(Device& device) {
    if (device.connection->closed()) return;
    if (!device.connection->advance(clock_.now())) retry_later(device);
    const Timestamp now = clock_.now();
    for (const Message& message : device.connection->take_acknowledged()) {
      if (!acknowledged_.is_open()) continue;
      acknowledged_ << message.number << ' ' << message.first_sent.us << ' ' << now.us << ' '
                    << (holds_attack(options_.plan, message.number) ? 1 : 0) << '\n';
    }
    watch(device);
  }

  void retry_later(Device& device) {
    device.retry_at = clock_.monotonic() + Duration::milliseconds(200);
    device.registered = false;  // the closed descriptor left the set by itself
  }

  void watch(Device& device) {
    if (device.connection->closed()) return;
    const std::uint32_t interest = EPOLLIN | (device.connection->wants_write() ? EPOLLOUT : 0U);
    if (device.registered && device.interest == interest) return;
    epoll_event event{};
    event.events = interest;
    event.data.u64 = static_cast<std::uint64_t>(&device - devices_.data());
    ::epoll_ctl(epoll_.get(), device.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, device.connection->fd(), &event);
    device.registered = true;
    device.interest = interest;
  }

  bool report(bool complete) {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const double cpu_s = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    JsonWriter json;
    json.begin_object().key("complete").value(complete).key("devices").value(std::uint64_t{devices_.size()});
    json.key("messages")
        .value(sent_)
        .key("acknowledged")
        .value(totals_.acknowledged)
        .key("repeated")
        .value(totals_.repeated);
    json.key("events_per_message").value(options_.plan.events_per_message).key("connects").value(totals_.connects);
    json.key("connection_losses").value(totals_.connection_losses).key("refused").value(totals_.refused);
    std::uint64_t attacks = 0;
    for (std::uint64_t i = 0; i < sent_; ++i) attacks += holds_attack(options_.plan, i) ? 1 : 0;
    json.key("attacks").value(attacks).key("seconds").value(static_cast<double>((end_ - begin_).us) / 1e6);
    json.key("cpu_s").value(cpu_s).end_object();
    std::printf("%s\n", json.take().c_str());
    return complete;
  }

  static constexpr int kOpenAtOnce = 8;

  const Options& options_;
  const Clock& clock_ = system_clock();
  Totals totals_;
  UniqueFd epoll_;
  std::vector<Device> devices_;
  std::ofstream acknowledged_;
  std::uint64_t sent_ = 0;
  Duration begin_;
  Duration end_;
};

}  // namespace
}  // namespace picket::load

int main(int argc, char** argv) {
  using namespace picket::load;
  Options options;
  CLI::App app{"picket-load: devices that send security messages at a steady rate; prints one JSON object at the end"};
  app.add_option("--identities", options.identities, "file of lines: device id, module id or -, base64 key")
      ->required();
  app.add_option("--host", options.host, "host name in certificate and tokens");
  app.add_option("--port", options.port, "port on the loopback");
  app.add_option("--ca-file", options.ca_file, "CA certificate to verify the hub with")->required();
  app.add_option("--messages-per-s", options.messages_per_s);
  app.add_option("--events", options.plan.events_per_message, "events in a message")->check(CLI::Range(1, 4096));
  app.add_option("--seconds", options.seconds);
  app.add_option("--drain-seconds", options.drain_seconds);
  app.add_option("--attack-every", options.plan.attack_every, "one event in so many is a reverse shell; 0: none");
  app.add_option("--without-mid-percent", options.without_mid_percent)->check(CLI::Range(0, 100));
  app.add_option("--run", options.plan.run, "number of this run; part of every event id");
  app.add_option("--acknowledged-file", options.acknowledged_file,
                 "lines: number, first sent us, acknowledged us, attack 0/1");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);

  SSL_CTX* tls = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_locations(tls, options.ca_file.c_str(), nullptr) != 1) {
    std::fprintf(stderr, "picket-load: cannot read %s\n", options.ca_file.c_str());
    return 2;
  }
  bool complete = false;
  {
    Generator generator(options, tls);
    if (!generator.has_devices()) {
      std::fprintf(stderr, "picket-load: no identity in %s\n", options.identities.c_str());
      return 2;
    }
    complete = generator.run();
  }
  SSL_CTX_free(tls);
  return complete ? 0 : 1;
}
