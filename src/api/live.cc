#include "api/live.h"

#include <charconv>

namespace picket::api {
namespace {

std::string frame(std::string_view id, std::string_view name, std::string_view json) {
  std::string out;
  out.reserve(json.size() + name.size() + id.size() + 24);
  if (!id.empty()) out.append("id: ").append(id).append("\n");
  out.append("event: ").append(name).append("\ndata: ");
  for (const char c : json) {
    if (c != '\n' && c != '\r') out.push_back(c);  // white space between tokens only: JSON escapes it inside strings
  }
  return out.append("\n\n");
}

}  // namespace

Live::Live(std::string_view epoch) : epoch_(epoch) {}

void Live::publish(std::string_view name, std::string_view json) {
  const std::scoped_lock lock(mutex_);
  ++newest_;
  ring_.push_back(std::make_shared<const std::string>(frame(epoch_ + "." + std::to_string(newest_), name, json)));
  if (ring_.size() > kLiveEventsKept) ring_.pop_front();
  wake_all();
}

void Live::stats(std::string_view json) {
  const std::scoped_lock lock(mutex_);
  stats_ = std::make_shared<const std::string>(frame("", "stats", json));
  ++stats_version_;
  wake_all();
}

void Live::device_changed(std::string_view device_id) {
  const std::scoped_lock lock(mutex_);
  if (changed_devices_.contains(device_id)) return;
  if (changed_devices_.size() >= kDirtyDevicesMax) {
    ++devices_skipped_;
    return;
  }
  changed_devices_.emplace(device_id);
}

std::vector<std::string> Live::take_changed_devices() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> out(changed_devices_.begin(), changed_devices_.end());
  changed_devices_.clear();
  return out;
}

void Live::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  wake_all();
}

void Live::wake_all() {
  for (Reader* reader : readers_) reader->wake_();
}

std::unique_ptr<Live::Reader> Live::subscribe(std::string_view last_event_id, std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  if (closed_ || readers_.size() >= kLiveReadersMax) {
    ++refused_;
    return nullptr;
  }
  std::unique_ptr<Reader> reader(new Reader(*this, std::move(wake)));
  reader->sequence_ = newest_;
  if (!last_event_id.empty()) {
    std::uint64_t seen = 0;
    const bool ours = last_event_id.starts_with(epoch_) && last_event_id.substr(epoch_.size()).starts_with('.');
    const char* const end = last_event_id.data() + last_event_id.size();
    const bool number = ours && std::from_chars(last_event_id.data() + epoch_.size() + 1, end, seen).ptr == end;
    const bool known = number && seen <= newest_ && newest_ - seen <= ring_.size();
    reader->reset_ = !known;
    if (known) reader->sequence_ = seen;
  }
  readers_.insert(reader.get());
  return reader;
}

Live::Reader::~Reader() {
  const std::scoped_lock lock(live_.mutex_);
  live_.readers_.erase(this);
}

std::optional<std::vector<Live::Frame>> Live::Reader::next(std::size_t count_max) {
  static const Frame kReset = std::make_shared<const std::string>(frame("", "reset", "{}"));
  const std::scoped_lock lock(live_.mutex_);
  if (live_.closed_) return std::nullopt;
  if (live_.newest_ - sequence_ > live_.ring_.size()) {
    ++live_.behind_;
    return std::nullopt;
  }
  std::vector<Frame> out;
  if (reset_) out.push_back(kReset);
  reset_ = false;
  while (sequence_ < live_.newest_ && out.size() < count_max) {
    out.push_back(live_.ring_[live_.ring_.size() - (live_.newest_ - sequence_)]);
    ++sequence_;
  }
  if (stats_seen_ != live_.stats_version_) {
    out.push_back(live_.stats_);
    stats_seen_ = live_.stats_version_;
  }
  return out;
}

std::size_t Live::readers() const {
  const std::scoped_lock lock(mutex_);
  return readers_.size();
}

std::uint64_t Live::published() const {
  const std::scoped_lock lock(mutex_);
  return newest_;
}

}  // namespace picket::api
