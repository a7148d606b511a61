// The security messages that the load generator sends: ordinary process, connection and login events, with an attack
// now and then. Everything is a function of the message's number, so that a test knows what must have arrived.
#pragma once

#include <cstdint>
#include <string>

#include "base/core/time.h"

namespace picket::load {

struct Plan {
  std::uint32_t run = 0;  ///< Part of every event id: two runs never share one.
  std::uint32_t events_per_message = 10;
  std::uint32_t attack_every = 1000;  ///< One event in so many is an attack; 0: none.
};

/// Id of event `index` of message `number`, 36 characters, unique over all runs with different `run`.
std::string event_id(const Plan& plan, std::uint64_t number, std::uint32_t index);

/// True when the message holds an attack: a reverse shell whose command line names the message.
bool holds_attack(const Plan& plan, std::uint64_t number);

/// The command line of that attack; unique for each message.
std::string attack_command_line(const Plan& plan, std::uint64_t number);

/// Body of message `number`: security message 3.0 without a stream, so that the hub's side de-duplicates by `$.mid` or
/// event id.
std::string make_message(const Plan& plan, std::uint64_t number, Timestamp now);

}  // namespace picket::load
