// The load of `./bench agent`: programs that start and end at once, and connections over loopback, at a given rate.
//
//   picket-agent-load --child PROGRAM --tag TEXT --seconds S [--exec-rate N] [--connect-rate N]
//                     [--commands N] [--peers N] [--list FILE]
//
// An exec is `PROGRAM TAG NUMBER x`; the number has 8 digits, counts up and begins anew after --commands of them (0:
// each is unique). A connect goes from here to 127.77.x.y, one of --peers addresses, and is accepted, closed and gone
// before the next. FILE gets one line for each exec that worked: its number and the microseconds since the epoch right
// before it. At the end one line of JSON tells how much was done, and in how many seconds: behind its rate it does what
// it can.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

struct Options {
  std::string child, tag = "load", list;
  double seconds = 10;
  std::uint32_t exec_rate = 0, connect_rate = 0;
  std::uint32_t commands = 0, peers = 1;
};

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::uint32_t kPeersMax = 250 * 250;

std::int64_t now_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "picket-agent-load: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

/// Calls `act(number)` `rate` times a second until the time is over; who is late does not wait. Returns how often.
template <class Act>
std::uint64_t at_rate(std::uint32_t rate, std::int64_t start, double seconds, Act&& act) {
  if (rate == 0) return 0;
  const std::int64_t end = start + static_cast<std::int64_t>(seconds * 1e9);
  const auto whole = static_cast<std::uint64_t>(seconds * rate);
  for (std::uint64_t number = 0; number < whole; ++number) {
    const std::int64_t due = start + static_cast<std::int64_t>(number) * kSecondNs / rate;
    const std::int64_t now = now_ns(CLOCK_MONOTONIC);
    if (now >= end) return number;
    if (due > now) {
      const timespec until{.tv_sec = due / kSecondNs, .tv_nsec = due % kSecondNs};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }
    act(number);
  }
  return whole;
}

/// Starts one program and waits for its end. False: it did not start.
bool start_program(const Options& options, const char* number) {
  const char* argv[] = {options.child.c_str(), options.tag.c_str(), number, "x", nullptr};
  pid_t child = 0;
  if (::posix_spawn(&child, argv[0], nullptr, nullptr, const_cast<char**>(argv), environ) != 0) return false;
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

std::uint64_t start_programs(const Options& options, std::int64_t start) {
  std::FILE* list = options.list.empty() ? nullptr : std::fopen(options.list.c_str(), "w");
  if (!options.list.empty() && list == nullptr) die(options.list.c_str());
  std::uint64_t started = 0;
  at_rate(options.exec_rate, start, options.seconds, [&](std::uint64_t count) {
    char number[24];
    const std::uint64_t which = options.commands == 0 ? count : count % options.commands;
    std::snprintf(number, sizeof number, "%08llu", static_cast<unsigned long long>(which));
    const std::int64_t at = now_ns(CLOCK_REALTIME);
    if (!start_program(options, number)) return;
    ++started;
    if (list != nullptr) std::fprintf(list, "%s %lld\n", number, static_cast<long long>(at / 1000));
  });
  if (list != nullptr && std::fclose(list) != 0) die("list");
  return started;
}

/// Connections to itself, by many addresses of loopback.
class Peers {
 public:
  explicit Peers(std::uint32_t count) : count_(count) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    socklen_t size = sizeof address_;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address_), size) != 0) die("bind");
    if (::listen(listener_, 16) != 0) die("listen");
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size);
  }
  ~Peers() { ::close(listener_); }
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  bool connect(std::uint64_t number) {
    const auto which = static_cast<std::uint32_t>(number % count_);
    sockaddr_in to = address_;
    to.sin_addr.s_addr = htonl(0x7f000000U | 77U << 16 | (which / 250) << 8 | (1 + which % 250));
    const int here = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const linger at_once{.l_onoff = 1, .l_linger = 0};  // no TIME_WAIT: ports would run out within half a minute
    ::setsockopt(here, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    const bool connected = ::connect(here, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    const int there = connected ? ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC) : -1;
    ::close(here);
    if (there >= 0) ::close(there);
    return connected && there >= 0;
  }

 private:
  std::uint32_t count_;
  int listener_;
  sockaddr_in address_{};
};

std::uint64_t make_connections(const Options& options, std::int64_t start) {
  Peers peers(options.peers);
  std::uint64_t made = 0;
  at_rate(options.connect_rate, start, options.seconds,
          [&](std::uint64_t number) { made += peers.connect(number) ? 1 : 0; });
  return made;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (++i == argc) {
      std::fprintf(stderr, "picket-agent-load: %s needs a value\n", argv[i - 1]);
      std::exit(2);
    }
    const char* value = argv[i];
    const auto number = static_cast<std::uint32_t>(std::strtoul(value, nullptr, 10));
    if (name == "--child") {
      options.child = value;
    } else if (name == "--tag") {
      options.tag = value;
    } else if (name == "--list") {
      options.list = value;
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else if (name == "--exec-rate") {
      options.exec_rate = number;
    } else if (name == "--connect-rate") {
      options.connect_rate = number;
    } else if (name == "--commands") {
      options.commands = number;
    } else if (name == "--peers" && number > 0 && number <= kPeersMax) {
      options.peers = number;
    } else {
      std::fprintf(stderr, "picket-agent-load: what is %s %s?\n", argv[i - 1], value);
      std::exit(2);
    }
  }
  if (options.exec_rate > 0 && ::access(options.child.c_str(), X_OK) != 0) die("--child");
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const std::int64_t start = now_ns(CLOCK_MONOTONIC);
  std::uint64_t connects = 0;
  std::thread connecting([&] { connects = make_connections(options, start); });
  const std::uint64_t execs = start_programs(options, start);
  connecting.join();
  const double seconds = static_cast<double>(now_ns(CLOCK_MONOTONIC) - start) / 1e9;
  std::printf("{\"execs\":%llu,\"connects\":%llu,\"seconds\":%.3f}\n", static_cast<unsigned long long>(execs),
              static_cast<unsigned long long>(connects), seconds);
  return 0;
}
