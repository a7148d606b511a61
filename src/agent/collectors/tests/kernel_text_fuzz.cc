// Texts of procfs and friends, and binary records of netlink and btmp.
#include <cstdlib>

#include "login/accounting.h"
#include "login/login_assembler.h"
#include "network/diag_message.h"
#include "network/net_table.h"
#include "process/tracepoint_format.h"
#include "support/bpf_text.h"
#include "support/container_id.h"
#include "support/procfs.h"
#include "system/system_facts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto stat = parse_proc_stat(text); stat && text.find(stat->comm) == std::string_view::npos) std::abort();
  (void)parse_proc_status(text);
  if (const auto entry = parse_net_line(text, 6); entry && entry->local.address.length == 0) std::abort();
  (void)os_release_value(text, "NAME");
  (void)meminfo_kib(text, "MemTotal");
  (void)parse_address(text);
  (void)parse_accounting(as_bytes(text));
  (void)diag_error(as_bytes(text));
  std::size_t sockets = 0;
  (void)for_each_diag(as_bytes(text), [&](const DiagSocket&) { ++sockets; });
  if (sockets > size / 16) std::abort();
  for (const auto id : {container_of_cgroup(text), container_of_cgroup_file(text)}) {
    if (id.size() > kContainerIdMax || id.find('/') != std::string_view::npos) std::abort();
    if (text.find(id) == std::string_view::npos) std::abort();
  }
  if (const auto field = tracepoint_field(text, "filename"); field && field->offset > 0xffff) std::abort();
  PathText path;
  if (path.join(text, true).size() > kPathBytesMax + 16) std::abort();
  return 0;
}
