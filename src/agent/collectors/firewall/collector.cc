// Firewall configuration: the rules of nf_tables and of the older ip_tables, in order; whole once, then differences.
#include "agent/collector.h"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

#include "firewall/nft_dump.h"
#include "firewall/xtables.h"
#include "support/snapshot_source.h"

namespace picket::agent {
namespace {

/// Views of a rule's details, as the payload wants them.
std::vector<message::Detail> details_of(const FirewallRule& rule) {
  std::vector<message::Detail> out;
  for (const auto& [key, text] : rule.details) out.push_back({key, text});
  return out;
}

std::string_view action_letter(message::FirewallAction action) {
  using enum message::FirewallAction;
  return action == Allow ? "A" : action == Deny ? "D" : "O";
}

/// What a rule is called when it is gone.
std::string brief(const FirewallRule& rule) {
  std::string out(action_letter(rule.action));
  for (const std::string_view part :
       {std::string_view(rule.chain), std::string_view(rule.protocol), std::string_view(rule.source_address),
        std::string_view(rule.source_port), std::string_view(rule.destination_address),
        std::string_view(rule.destination_port)}) {
    out += SnapshotDifference::kFieldEnd;
    out += part;
  }
  return out;
}

class Firewall : public SnapshotSource {
 public:
  Firewall(const Environment& environment, std::string_view tier)
      : SnapshotSource(environment, "firewall"), tier_(tier), xtables_(environment.settings.procfs) {}

 protected:
  virtual Result<> read(FirewallPicture& out) { return xtables_.read(out); }
  XtDump& xtables() { return xtables_; }

 private:
  void look() override {
    FirewallPicture picture;
    if (!read(picture)) {  // what was seen before stays; it is tried again at the next look
      ++counters_.seen;
      ++counters_.dropped_user;
      return;
    }
    counters_.seen += picture.past_bounds;
    counters_.dropped_user += picture.past_bounds;
    SnapshotReport report(difference_, environment_, {"firewall", tier_, false}, message::FirewallConfiguration::kEvent,
                          Priority::high, counters_);
    for (const PlacedRule& placed : picture.rules) {
      const FirewallRule& rule = placed.rule;
      const std::vector<message::Detail> details = details_of(rule);
      // The place among others is no content: a rule in front changes nothing in those behind it.
      report.item_in_place(placed.identity, brief(rule),
                           message::FirewallConfiguration{.enabled = rule.enabled,
                                                          .action = rule.action,
                                                          .priority = rule.priority,
                                                          .direction = rule.direction,
                                                          .chain_name = rule.chain,
                                                          .source_address = rule.source_address,
                                                          .source_port = rule.source_port,
                                                          .destination_address = rule.destination_address,
                                                          .destination_port = rule.destination_port,
                                                          .protocol = rule.protocol,
                                                          .source = tier_,
                                                          .extra_details = details});
    }
    report.finish([this](std::string_view text, auto send) {
      const std::string_view identity = take_field(text), letter = take_field(text);
      using enum message::FirewallAction;
      const message::Detail detail{"Identity", identity};
      message::FirewallConfiguration gone{.action = letter == "A"   ? Allow
                                                    : letter == "D" ? Deny
                                                                    : Other,
                                          .source = tier_,
                                          .extra_details = {&detail, 1}};
      gone.chain_name = take_field(text);
      gone.protocol = take_field(text);
      gone.source_address = take_field(text);
      gone.source_port = take_field(text);
      gone.destination_address = take_field(text);
      gone.destination_port = take_field(text);
      send(gone);
    });
  }

  std::string_view tier_;
  XtDump xtables_;
};

class NetlinkFirewall final : public Firewall {
 public:
  NetlinkFirewall(const Environment& environment, NftDump dump, UniqueFd monitor)
      : Firewall(environment, "netlink"), dump_(std::move(dump)), monitor_(std::move(monitor)), fd_(monitor_.get()) {}
  std::span<const int> fds() const override { return {&fd_, 1}; }
  Duration on_ready(int) override { return drain_nft_monitor(fd_) ? changed() : on_timer(); }

 private:
  Result<> read(FirewallPicture& out) override {
    TRY_VOID(dump_.read(out));
    return xtables().read(out);
  }

  NftDump dump_;
  UniqueFd monitor_;
  int fd_;
};

Result<std::unique_ptr<Source>> open_netlink(const Environment& environment) {
  TRY(NftDump dump, NftDump::open());
  TRY(UniqueFd monitor, open_nft_monitor());
  return std::make_unique<NetlinkFirewall>(environment, std::move(dump), std::move(monitor));
}

Result<std::unique_ptr<Source>> open_xtables(const Environment& environment) {
  // A kernel without any packet filter has no rules, which is an answer; one that forbids to look has none.
  const std::string names = environment.settings.procfs + "/net/ip_tables_names";
  if (access(names.c_str(), R_OK) != 0 && errno != ENOENT) return fail_errno("agent.xtables.names");
  XtDump dump(environment.settings.procfs);
  FirewallPicture probe;
  TRY_VOID(dump.read(probe));
  return std::make_unique<Firewall>(environment, "xtables");
}

constexpr Tier kTiers[] = {{"netlink", "rules of nftables and iptables; changes of nftables at once",
                            "CAP_NET_ADMIN, nf_tables", false, open_netlink},
                           {"xtables", "rules of iptables", "CAP_NET_ADMIN", false, open_xtables}};

}  // namespace

const CollectorSpec& firewall_collector() {
  static constexpr CollectorSpec spec{"firewall", "rules of the packet filter", kTiers, Priority::low,
                                      Duration::minutes(5)};
  return spec;
}

}  // namespace picket::agent
