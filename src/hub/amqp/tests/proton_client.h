// An AMQP client made of Proton, without sockets: bytes in, bytes out.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "message.h"

struct pn_connection_driver_t;
struct pn_link_t;
struct pn_delivery_t;

namespace picket::hub::amqp {

/// How the client proves itself in SASL.
struct ClientSasl {
  std::string mechanism = "ANONYMOUS";  ///< Empty: no SASL.
  std::string user;
  std::string password;
};

struct ReceivedMessage {
  Message message;
  pn_delivery_t* delivery = nullptr;
};

/// A link of the client.
struct ClientLink {
  pn_link_t* link = nullptr;
  bool open = false;    ///< The hub has answered the attach.
  bool closed = false;  ///< The hub has ended it.
  std::string error;    ///< Why: the condition's name.
  Map error_info;
  std::deque<ReceivedMessage> received;
  int credit = 0;  ///< What the hub has given.
};

/// What became of a sent message.
struct Sending {
  pn_delivery_t* delivery = nullptr;
  std::string outcome;  ///< "accepted", "rejected:amqp:…", "released", "modified"; empty: none yet.
};

class ProtonClient {
 public:
  explicit ProtonClient(const ClientSasl& sasl = {}, const std::string& host = "localhost");
  ~ProtonClient();
  ProtonClient(const ProtonClient&) = delete;
  ProtonClient& operator=(const ProtonClient&) = delete;

  void input(Bytes bytes);
  Buffer output();
  /// Sends keep-alives.
  void tick(Duration now);

  ClientLink* sender(const std::string& address, const Map& properties = {}, bool new_session = false);
  ClientLink* receiver(const std::string& address, int credit = 10, const Map& properties = {}, const Map& filter = {},
                       bool settled = false);
  /// Sends whether there is credit or not. `tag` empty: the next number.
  Sending* send(ClientLink* link, const Message& message, bool settled = false);
  Sending* send_bytes(ClientLink* link, Bytes bytes, bool settled = false);
  static void settle(const ReceivedMessage& message, std::uint64_t state);
  void detach(ClientLink* link);
  void close();
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  struct Sasl;
  ClientLink* attach(pn_link_t* link, const std::string& address, const Map& properties);
  void dispatch();
  std::unique_ptr<pn_connection_driver_t> driver_;
  std::unique_ptr<Sasl> sasl_;
  void* session_ = nullptr;
  std::vector<std::unique_ptr<ClientLink>> links_;
  std::vector<std::unique_ptr<Sending>> sendings_;
  bool closed_ = false;
  std::string error_;
  int next_ = 0;
};

}  // namespace picket::hub::amqp
