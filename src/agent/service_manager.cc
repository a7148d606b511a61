#include "agent/service_manager.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

namespace picket::agent {
namespace {

constexpr std::int64_t kAliveUsMin = 100'000;
constexpr std::int64_t kWatchdogUsMax = std::int64_t{1} << 50;  // 35 years

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

ServiceEnvironment service_environment() {
  return {.notify_socket = variable("NOTIFY_SOCKET"),
          .watchdog_usec = variable("WATCHDOG_USEC"),
          .watchdog_pid = variable("WATCHDOG_PID")};
}

ServiceManager::ServiceManager(const ServiceEnvironment& environment, long pid) {
  const std::string_view name = environment.notify_socket;
  // Both forms need a byte more than the name: its end, or the 0 that marks an abstract one in place of the @.
  if (name.size() < 2 || name.size() >= sizeof(sockaddr_un::sun_path)) return;
  if (name.front() != '/' && name.front() != '@') return;
  abstract_ = name.front() == '@';
  address_ = name.substr(abstract_ ? 1 : 0);
  socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!environment.watchdog_pid.empty() && whole_number(environment.watchdog_pid) != pid) return;
  const auto silence = whole_number(environment.watchdog_usec);
  if (!silence || *silence <= 0 || *silence > kWatchdogUsMax) return;
  alive_every_ = Duration::microseconds(std::max(*silence / 2, kAliveUsMin));
}

void ServiceManager::ready() { send("READY=1"); }
void ServiceManager::alive() { send("WATCHDOG=1"); }
void ServiceManager::stopping() { send("STOPPING=1"); }

void ServiceManager::status(std::string_view text) {
  std::string line = "STATUS=" + std::string(text.substr(0, kStatusBytesMax));
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  send(line);
}

/// The address each time, not once: a manager that restarts makes its socket anew.
void ServiceManager::send(std::string_view text) {
  if (!socket_.valid()) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  const std::size_t mark = abstract_ ? 1 : 0;
  std::memcpy(to.sun_path + mark, address_.data(), address_.size());
  // The name of an abstract socket ends with the address, the other with its 0.
  const auto bytes = offsetof(sockaddr_un, sun_path) + address_.size() + 1;
  (void)::sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&to), static_cast<socklen_t>(bytes));
}

}  // namespace picket::agent
