#include "agent/lost_events.h"

#include <algorithm>

namespace picket::agent {

void LostEvents::count(std::string_view name) {
  std::string key = "lost: ";
  const bool fits = !name.empty() && name.size() <= kNameBytesMax;
  key += fits ? name : "other";
  if (counts_.size() >= kNamesMax && !counts_.contains(key)) key = "lost: other";
  ++counts_[key];
}

void LostEvents::lost(Bytes batch) {
  const std::string_view text = as_text(batch);
  int depth = 0;
  bool is_name = false;  // the next text is the value of Name
  std::string_view last, name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) {
          count(name);
          name = {};
        }
        break;
      case ':':
        is_name = depth == 1 && last == "Name";
        break;
      case '"': {
        const std::size_t begin = i + 1;
        for (++i; i < text.size() && text[i] != '"'; ++i) {
          if (text[i] == '\\') ++i;
        }
        last = text.substr(begin, std::min(i, text.size()) - begin);
        if (is_name) name = last;
        is_name = false;
        break;
      }
      default:
        break;
    }
  }
}

}  // namespace picket::agent
