// Claim: each event that is taken makes what is left shorter, and what it shows lies within what was read.
#include <cstdlib>

#include "file_system/fanotify_message.h"
#include "file_system/inotify_message.h"

namespace {

bool within(picket::Bytes whole, const void* begin, std::size_t size) {
  const auto* at = static_cast<const std::byte*>(begin);
  return size == 0 || (at >= whole.data() && at + size <= whole.data() + whole.size());
}

template <class Event, class Next, class Check>
void walk(picket::Bytes whole, Next next, Check check) {
  picket::Bytes rest = whole;
  for (Event event;;) {
    const std::size_t before = rest.size();
    if (!next(rest, event)) {
      if (rest.size() != before) std::abort();
      return;
    }
    if (rest.size() >= before) std::abort();
    check(event);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::agent;
  const picket::Bytes whole = std::as_bytes(std::span(data, size));
  walk<InotifyEvent>(whole, next_inotify, [&](const InotifyEvent& event) {
    if (!within(whole, event.name.data(), event.name.size())) std::abort();
  });
  walk<FanotifyEvent>(whole, next_fanotify, [&](const FanotifyEvent& event) {
    for (const FanotifyEntry* entry : {&event.entry, &event.old_entry}) {
      if (!within(whole, entry->folder.data(), entry->folder.size())) std::abort();
      if (!within(whole, entry->name.data(), entry->name.size())) std::abort();
      if (entry->folder.size() > kFileSystemIdBytes + kHandleHeaderBytes + kHandleBytesMax) std::abort();
    }
  });
  return 0;
}
