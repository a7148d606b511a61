// How `picket-agent status` and `selftest` reach the running agent: a Unix socket, one line in, one JSON text out.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/event_loop.h"
#include "base/core/file.h"
#include "base/core/result.h"

namespace picket::agent {

/// Serves a socket that only its owner (and root) may open. Bounded: kClientsMax clients, kRequestBytesMax each; a
/// client that says nothing for kClientTimeout is dropped. One thread: the loop's.
class ControlServer {
 public:
  static constexpr std::size_t kClientsMax = 8;
  static constexpr std::size_t kRequestBytesMax = 256;
  static constexpr std::size_t kStreamBytesMax = 64 << 10;
  static constexpr Duration kClientTimeout = Duration::seconds(120);

  /// `request` is the line without its end. The answer is given by reply(), then or later.
  using OnRequest = std::function<void(std::uint64_t client, std::string_view request)>;

  explicit ControlServer(EventLoop& loop) : loop_(loop) {}
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Replaces a socket left over at `path`: the caller holds the lock that makes it the only agent. Errors: io,
  /// limit_exceeded (the path is longer than a Unix socket's may be).
  Result<> listen(const std::string& path, OnRequest on_request);
  /// Sends and closes. A client that has gone is ignored.
  void reply(std::uint64_t client, std::string_view text);
  /// Sends and stays open. False, and nothing of it is sent: kStreamBytesMax wait for the client already, or it is
  /// gone.
  bool stream(std::uint64_t client, std::string_view text);
  [[nodiscard]] bool connected(std::uint64_t client) const;

 private:
  struct Client {
    std::uint64_t id;
    UniqueFd fd;
    std::string request;
    Duration deadline;
    std::string pending{};  ///< Of a stream.
    bool streams = false;   ///< May stay for ever.
  };
  void accept_one();
  void on_ready(std::uint64_t id, std::uint32_t events);
  void on_readable(std::uint64_t id);
  void flush(Client& client);
  void drop(std::uint64_t id);
  void drop_late();

  EventLoop& loop_;
  OnRequest on_request_;
  UniqueFd socket_;
  std::string path_;
  std::uint64_t next_id_ = 1;
  std::vector<Client> clients_;
};

/// The client's side: sends `request` and waits for the whole answer. Errors: unavailable (no agent listens there),
/// denied (not allowed to), io, truncated (no answer within `patience`).
Result<std::string> ask_agent(const std::string& path, std::string_view request, Duration patience);
/// The same for an answer without end: `on_line` gets each line until it returns false or the agent ends.
Result<> follow_agent(const std::string& path, std::string_view request,
                      const std::function<bool(std::string_view line)>& on_line);

}  // namespace picket::agent
