// What all connections of the head share.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "completion_queue.h"
#include "hub/mqtt_head.h"
#include "telemetry_batch.h"

namespace picket::hub {

/// Counters of all threads.
struct Counters {
  std::atomic<std::uint64_t> connects, connected, messages_received, messages_stored, message_bytes_received,
      refused_overload, refused_protocol, refused_provisioning, subscribes_denied, sessions_resumed,
      reserved_properties, not_offered, unanswered, twin_requests, method_calls, method_answers, commands_sent,
      commands_completed, stray_acknowledgements, throttled, storage_waits;
  std::array<std::atomic<std::uint64_t>, kAuthChecks> refused;
  std::array<std::atomic<std::uint64_t>, kDisconnectReasons> disconnects;
};

/// Thread only.
struct ThreadParts {
  std::shared_ptr<CompletionQueue> completions;
  ConnectionSlots connections;
  std::vector<Stored> durable;  ///< Scratch of deliver().
  TelemetryBatch batch;         ///< Of the connection that reads now; empty whenever a coroutine waits.
};

/// Fixed after construction but for the counters.
struct HeadContext {
  MqttHeadNeeds needs;
  MqttHeadOptions options;
  Counters counters{};
  std::vector<ThreadParts> threads;  ///< Index: thread.
  std::atomic<bool> stopping = false;
};

}  // namespace picket::hub
