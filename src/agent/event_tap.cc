#include "agent/event_tap.h"

namespace picket::agent {

void EventTap::deliver(Priority priority, std::string_view event) {
  next_.deliver(priority, event);
  std::string line = R"({"priority":")";
  line.append(to_string(priority)).append(R"(","event":)").append(event).append("}\n");
  std::erase_if(followers_, [this](const Follower& each) { return !control_.connected(each.client); });
  for (Follower& each : followers_) show(each, line);
  if (line.size() > kRecentBytes / 2) return;  // a long snapshot would push out all else
  recent_bytes_ += line.size();
  recent_.push_back(std::move(line));
  while (recent_.size() > kRecentMax || recent_bytes_ > kRecentBytes) {
    recent_bytes_ -= recent_.front().size();
    recent_.pop_front();
  }
}

void EventTap::show(Follower& follower, const std::string& line) {
  if (follower.lost > 0) {
    if (!control_.stream(follower.client, "{\"lost\":" + std::to_string(follower.lost) + "}\n")) {
      ++follower.lost;
      return;
    }
    follower.lost = 0;
  }
  if (!control_.stream(follower.client, line)) ++follower.lost;
}

std::string EventTap::recent() const {
  std::string out;
  out.reserve(recent_bytes_);
  for (const std::string& line : recent_) out += line;
  return out;
}

bool EventTap::follow(std::uint64_t client) {
  std::erase_if(followers_, [this](const Follower& each) { return !control_.connected(each.client); });
  if (followers_.size() == kFollowersMax) return false;
  Follower& follower = followers_.emplace_back(client);
  for (const std::string& line : recent_) show(follower, line);
  return true;
}

}  // namespace picket::agent
