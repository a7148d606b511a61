#include "record_duplicates.h"

#include <algorithm>
#include <utility>

namespace picket::pipeline {
namespace {

std::string sender_key(const journal::IdentityView& identity) {
  return state_key(identity.hub, identity.device_id, identity.module_id, identity.generation_id);
}

std::string_view message_id_of(const journal::RecordView& record) {
  const auto* value = record.property("$.mid");
  return value == nullptr ? std::string_view{} : *value;
}

bool is_numbered(const message::SecurityMessage& message) { return message.sequence && !message.stream_epoch.empty(); }

}  // namespace

void RecordDuplicates::begin(const journal::RecordView& record, Pass pass) {
  if (decides(record, pass)) fingerprints_.advance(record.enqueued);
}

bool RecordDuplicates::has_message(const journal::RecordView& record, const message::SecurityMessage* message,
                                   Pass pass) {
  return has_record(record, pass, [&](const journal::RecordView& one) { return seen_message(one, message); });
}

std::vector<bool> RecordDuplicates::events(const journal::RecordView& record, const message::SecurityMessage& message,
                                           Pass pass) {
  if (is_numbered(message) || !message_id_of(record).empty()) return {};
  return decides(record, pass) ? seen_events(record, message) : skipped_events(record, message);
}

void RecordDuplicates::resume(std::uint64_t last, SkippedBook skipped) {
  resumed_after_ = last;
  skipped_ = std::move(skipped);
}

void RecordDuplicates::add_stats(Stats& stats) const {
  stats.stream_senders = streams_.senders();
  stats.stream_senders_evicted = streams_.stats().senders_evicted;
  stats.stream_gaps_given_up = streams_.stats().gaps_given_up;
  stats.fingerprints = fingerprints_.size();
  stats.fingerprints_evicted = fingerprints_.evicted();
}

bool RecordDuplicates::decides(const journal::RecordView& record, Pass pass) const {
  return pass != Pass::detection && record.id.sequence > resumed_after_;
}

bool RecordDuplicates::skipped_whole(const journal::RecordView& record) const {
  const auto skipped = skipped_.of(record.id.sequence);
  return !skipped.empty() && skipped.front().event == Skipped::kWholeRecord;
}

std::vector<bool> RecordDuplicates::skipped_events(const journal::RecordView& record,
                                                   const message::SecurityMessage& message) const {
  const auto skipped = skipped_.of(record.id.sequence);
  std::vector<bool> out;
  if (skipped.empty()) return out;
  for (const std::size_t index : message.event_index) {
    out.push_back(std::ranges::find(skipped, index, &Skipped::event) != skipped.end());
  }
  return out;
}

std::vector<bool> RecordDuplicates::seen_events(const journal::RecordView& record,
                                                const message::SecurityMessage& message) {
  const std::string sender = sender_key(record.identity);
  std::vector<bool> out;
  std::vector<std::uint64_t> prints;
  for (const message::Event& event : message.events) {
    prints.push_back(fingerprint(sender, 'e', event.id));
    out.push_back(fingerprints_.contains(prints.back()));
    const auto index = static_cast<std::uint32_t>(message.event_index[out.size() - 1]);
    if (out.back()) skipped_.add({record.id.sequence, index});
  }
  for (const std::uint64_t print : prints) fingerprints_.add(print);
  return out;
}

bool RecordDuplicates::seen_message(const journal::RecordView& record, const message::SecurityMessage* message) {
  const std::string sender = sender_key(record.identity);
  if (message != nullptr && is_numbered(*message)) {
    return streams_.seen(sender, message->stream_epoch, *message->sequence, record.enqueued);
  }
  const auto message_id = message_id_of(record);
  if (message_id.empty()) return false;
  const std::uint64_t print = fingerprint(sender, 'm', message_id);
  if (fingerprints_.contains(print)) return true;
  fingerprints_.add(print);
  return false;
}

std::uint64_t RecordDuplicates::fingerprint(std::string_view sender, char kind, std::string_view id) const {
  std::string text(sender);
  text += kind;
  text += id;
  return siphash24(key_, as_bytes(text));
}

}  // namespace picket::pipeline
