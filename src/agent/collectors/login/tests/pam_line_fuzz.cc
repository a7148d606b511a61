// A line of the PAM log: its views lie inside it and hold no line end, and code and type agree.
#include <cstdlib>

#include "login/pam_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::agent;
  const std::string_view line{reinterpret_cast<const char*>(data), size};
  const auto parsed = parse_pam_line(line);
  if (!parsed) return 0;
  for (const auto view :
       {parsed->service, parsed->user, parsed->remote_host, parsed->terminal, parsed->type, parsed->by}) {
    if (!view.empty() && (view.data() < line.data() || view.data() + view.size() > line.data() + line.size()))
      std::abort();
  }
  if (parsed->service.empty() || parsed->terminal.find(',') != std::string_view::npos) std::abort();
  if ((parsed->kind == LoginRecord::Kind::logout) != (parsed->type == "close_session")) std::abort();
  return 0;
}
