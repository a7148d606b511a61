// Commands below a web server: a shell or a tool of reconnaissance whose ancestors include one, and a script that a
// server wrote into its own pages before it ran something.
#include <algorithm>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "behavior/process_rule.h"
#include "process_tree.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;

constexpr std::string_view kServers[] = {"apache2", "httpd",   "nginx", "lighttpd", "uhttpd", "thttpd",  "mini_httpd",
                                         "boa",     "goahead", "caddy", "php-cgi",  "tomcat", "catalina"};
constexpr std::string_view kTools[] = {
    "whoami",   "id",  "uname", "hostname", "ifconfig", "netstat", "ss",     "ps",      "w",       "last",   "wget",
    "curl",     "nc",  "ncat",  "netcat",   "telnet",   "tftp",    "base64", "crontab", "useradd", "passwd", "chmod",
    "iptables", "nft", "dig",   "nslookup", "arp",      "nmap",    "socat",  "ftpget",  "insmod"};
constexpr std::string_view kScripts[] = {".php",  ".phtml", ".php5", ".phar", ".jsp", ".jspx", ".asp",
                                         ".aspx", ".cgi",   ".pl",   ".py",   ".lua", ".sh"};
constexpr std::string_view kRoots[] = {"/var/www/", "/srv/www/", "/srv/http/",      "/usr/share/nginx/",
                                       "/www/",     "/htdocs/",  "/usr/local/www/", "/opt/lampp/"};

/// A script written so long before counts as the door of what runs then.
constexpr Duration kScriptWindow = Duration::hours(24);
constexpr std::size_t kDevicesMax = 16'384;

struct Script {
  std::string path;
  Timestamp time;
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.path, self.time, self.last); }
};

bool among(std::string_view name, const auto& list) { return std::ranges::find(list, name) != std::end(list); }

bool is_server(std::string_view path) {
  const auto name = file_name_of(path);
  return among(name, kServers) || name.starts_with("php-fpm") ||
         (name.starts_with("php") && name.find("cgi") != name.npos);
}

class WebShell final : public RememberingDetector<Script> {
 public:
  WebShell() : RememberingDetector("behavior.web_shell", kDevicesMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    if (event.event.kind == EventKind::FileSystem) return see_file(event);
    see_process(event, findings);
  }
  void forget(Timestamp now) override { forget_older(now - kScriptWindow); }

 private:
  /// A server writes a script where it runs scripts: by itself that is an upload of a content management system.
  void see_file(const DetectorEvent& event) {
    const auto path = event.text(Field::Path);
    const auto mask = event.text(Field::Mask);
    if (mask != "Created" && mask != "Modified" && mask != "Moved") return;
    if (std::ranges::none_of(kRoots, [&](std::string_view root) { return path.find(root) != path.npos; })) return;
    if (std::ranges::none_of(kScripts, [&](std::string_view end) { return path.ends_with(end); })) return;
    const auto lineage = event.processes.lineage(event);
    if (std::ranges::none_of(lineage, is_server)) return;
    table_.touch(device_key(event)) = Entry{{std::string(path), event.time, event.enqueued}};
    keep_bound();
  }

  void see_process(const DetectorEvent& event, std::vector<Finding>& findings) {
    const auto ancestors = event.processes.ancestors(event);
    const auto server = std::ranges::find_if(ancestors, is_server);
    if (server == ancestors.end()) return;
    const auto program = program_name(event);
    const std::string_view command = event.text(Field::CommandLine);
    std::string_view tool = program;
    // An applet is told by its name, a shell by what it is told to run.
    if (program == "busybox") tool = file_name_of(command.substr(0, command.find(' ')));
    const Script* script = table_.find(device_key(event));
    const bool written = script != nullptr && script->time <= event.time && event.time - script->time <= kScriptWindow;
    const bool is_tool = among(tool, kTools);
    if (!is_tool && !(written && is_shell(program))) return;
    Finding finding = process_finding("IoT_WebShell", event, event.groups.group_of(event),
                                      is_tool ? "a tool that pages do not need, below a web server"
                                              : "a shell below a web server that wrote a script before");
    finding.properties.emplace_back("Web Server", *server);
    if (written) finding.properties.emplace_back("Script", script->path);
    findings.push_back(std::move(finding));
  }
};

}  // namespace

std::unique_ptr<Detector> make_web_shell() { return std::make_unique<WebShell>(); }

}  // namespace picket::pipeline
