#include "file_system/inotify_message.h"

#include <cstring>

#include <sys/inotify.h>

namespace picket::agent {

bool next_inotify(Bytes& rest, InotifyEvent& event) {
  inotify_event header{};
  if (rest.size() < sizeof(header)) return false;
  std::memcpy(&header, rest.data(), sizeof(header));
  if (header.len > rest.size() - sizeof(header)) return false;
  const auto name = as_text(rest.subspan(sizeof(header), header.len));
  event = {.watch = header.wd, .mask = header.mask, .cookie = header.cookie, .name = name.substr(0, name.find('\0'))};
  rest = rest.subspan(sizeof(header) + header.len);
  return true;
}

}  // namespace picket::agent
