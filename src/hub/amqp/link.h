// One attached link. Each kind of address has its own, in a file of its own.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "engine.h"
#include "hub/directory.h"
#include "hub/hub_error.h"
#include "rim.h"

namespace picket::hub::amqp {

class Connection;
struct Services;

/// Called by the connection, on its thread. A link may end itself by Connection calls; it is destroyed after the call.
class Link {
 public:
  Link(Connection& connection, LinkId id) : connection_(connection), id_(id), alive_(std::make_shared<char>()) {}
  virtual ~Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// The link is open now: give credit, ask services.
  virtual void opened() {}
  virtual void received(DeliveryId /*delivery*/, Bytes /*message*/, std::uint32_t /*format*/) {}
  virtual void credit() {}
  virtual void settled(DeliveryId /*delivery*/, Outcome /*outcome*/) {}
  /// A record is durable, or the journal has given it up.
  virtual void stored(Number /*work*/, bool /*good*/) {}
  virtual void tick() {}
  /// False: not for this link.
  virtual bool notify(const Notification& /*notification*/) { return false; }
  /// It is gone for the client: detached, or the connection has ended. Nothing can be sent any more.
  virtual void closed() {}

  [[nodiscard]] LinkId id() const { return id_; }

 protected:
  Connection& connection() const { return connection_; }
  /// An answer of a service, on the connection's thread; dropped when the link has gone by then.
  template <class T, class Then>
  Done<T> on_thread(Then then) {
    return [post = poster(), alive = std::weak_ptr(alive_), then = std::move(then)](HubResult<T> result) mutable {
      post([alive = std::move(alive), then = std::move(then), result = std::move(result)]() mutable {
        if (!alive.expired()) then(std::move(result));
      });
    };
  }

 private:
  [[nodiscard]] Poster poster() const;
  Connection& connection_;
  LinkId id_;
  std::shared_ptr<char> alive_;  ///< Answers under way look whether it is still there.
};

}  // namespace picket::hub::amqp
