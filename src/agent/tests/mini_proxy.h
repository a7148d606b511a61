// An HTTP proxy for tests: CONNECT to a port of this machine, with Basic credentials where asked for.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace picket::agent::test {

class MiniProxy {
 public:
  struct Behaviour {
    std::string credentials;  ///< "user:password"; empty: none wanted.
    std::string refuse;       ///< Answer to every CONNECT in place of a tunnel.
    bool dribble = false;     ///< The answer byte by byte.
  };
  explicit MiniProxy(Behaviour behaviour);
  ~MiniProxy();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Targets of all CONNECTs: "host:port".
  [[nodiscard]] std::vector<std::string> asked() const;

 private:
  void serve();
  void serve_one(int fd);
  std::string answer_to(const std::string& head, std::uint16_t& target);

  Behaviour behaviour_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  std::thread thread_;
};

}  // namespace picket::agent::test
