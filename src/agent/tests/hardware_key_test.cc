// Keys that never leave their place: a PKCS#11 token (SoftHSM) and a TPM (swtpm), used in real handshakes.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "openssl_key.h"
#include "uplink_fixture.h"

namespace picket::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class HardwareKeyTest : public UplinkTest {
 protected:
  void TearDown() override {
    uplink_.reset();
    if (child_ > 0) {
      ::kill(child_, SIGTERM);
      ::waitpid(child_, nullptr, 0);
    }
    UplinkTest::TearDown();
  }
  /// A shell command; its output is in the test's folder when it fails.
  void run(const std::string& command) {
    const std::string log = folder_ + "/log";
    ASSERT_EQ(std::system(("(" + command + ") >" + log + " 2>&1 </dev/null").c_str()), 0) << command << "\n"
                                                                                          << content(log);
  }
  static std::string content(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  /// The hub sees the certificate, so the private key has signed the handshake.
  void prove(const std::string& public_key_file, const std::string& key, const std::string& name) {
    test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
    put("{}");
    start({},
          *parse_connection_string("HostName=hub.example;x509=true;DeviceId=" + name +
                                   ";GatewayHostName=127.0.0.1:" + std::to_string(hub.port())),
          {.certificate_file = write("d.crt", authority_.certify(name, content(public_key_file))), .key_file = key});
    ASSERT_TRUE(uplink_);
    ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
    EXPECT_EQ(hub.last_common_name(), name);
    EXPECT_EQ(hub.last_tls_version(), "TLSv1.3");
    uplink_.reset();
  }

  pid_t child_ = 0;
};

constexpr std::string_view kModule = "/usr/lib/softhsm/libsofthsm2.so";

TEST_F(HardwareKeyTest, AKeyInAPkcs11TokenSignsTheHandshake) {
  write("softhsm.conf", "directories.tokendir = " + folder_ + "/tokens\nobjectstore.backend = file\n");
  run("mkdir " + folder_ + "/tokens");
  ::setenv("SOFTHSM2_CONF", (folder_ + "/softhsm.conf").c_str(), 1);
  const std::string tool = "pkcs11-tool --module " + std::string(kModule) + " --login --pin 4711 ";
  run("softhsm2-util --init-token --free --label picket --pin 4711 --so-pin 4712");
  run(tool + "--keypairgen --key-type EC:prime256v1 --id 01 --label device");
  run(tool + "--keypairgen --key-type RSA:2048 --id 02 --label device-rsa");
  write("pin", "4711\n");
  const std::string query = "?module-path=" + std::string(kModule) + "&pin-source=file:" + folder_ + "/pin";
  for (const std::string& label : {std::string("device"), std::string("device-rsa")}) {
    run(tool + "--read-object --type pubkey --label " + label + " -o " + folder_ + "/public.der");
    run("openssl pkey -pubin -inform DER -in " + folder_ + "/public.der -out " + folder_ + "/public.pem");
    prove(folder_ + "/public.pem", "pkcs11:token=picket;object=" + label + query, label);
  }
  const auto missing = load_openssl_key("pkcs11:token=picket;object=nobody" + query);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error(), HasSubstr("no such key"));
  EXPECT_THAT(missing.error(), Not(HasSubstr("4711")));
}

TEST_F(HardwareKeyTest, AKeyInATpmSignsTheHandshake) {
  const std::string socket = folder_ + "/tpm";
  run("mkdir " + folder_ + "/state");
  child_ = ::fork();
  if (child_ == 0) {
    const int log = ::open((folder_ + "/swtpm.log").c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", ("dir=" + folder_ + "/state").c_str(), "--server",
             ("type=unixio,path=" + socket).c_str(), "--ctrl", ("type=unixio,path=" + socket + ".ctrl").c_str(),
             "--flags", "not-need-init,startup-clear", nullptr);
    ::_exit(1);
  }
  const std::string tcti = "swtpm:path=" + socket;
  ASSERT_TRUE(run_until([&] { return std::filesystem::exists(socket) && std::filesystem::exists(socket + ".ctrl"); }))
      << content(folder_ + "/swtpm.log");
  ::setenv("TPM2TOOLS_TCTI", tcti.c_str(), 1);
  ::setenv("TPM2OPENSSL_TCTI", tcti.c_str(), 1);
  // A TPM holds three objects at a time, and nobody manages them here.
  const auto tpm = [&](const std::string& command) {
    run("cd " + folder_ + " && " + command + " && tpm2_flushcontext -t");
  };
  tpm("tpm2_createprimary -Q -C o -c primary.ctx");
  tpm("tpm2_create -Q -C primary.ctx -G ecc -a 'sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth' -u k.pub "
      "-r k.priv");
  tpm("tpm2_load -Q -C primary.ctx -u k.pub -r k.priv -c k.ctx");
  tpm("tpm2_evictcontrol -Q -C o -c k.ctx 0x81000001");
  tpm("tpm2_readpublic -Q -c 0x81000001 -f pem -o public.pem");
  prove(folder_ + "/public.pem", "handle:0x81000001", "tpm-device");
  const auto missing = load_openssl_key("handle:0x81000009");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error(), HasSubstr("no key at"));
}

TEST(Pkcs11Name, ReadsTheQueryAndLeavesTheKey) {
  const auto name = parse_pkcs11_name("pkcs11:token=a%20b;object=k?pin-value=1%3d2&module-path=/lib/x.so");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->key, "pkcs11:token=a%20b;object=k");
  EXPECT_EQ(name->pin, "1=2");
  EXPECT_EQ(name->module_path, "/lib/x.so");
  EXPECT_FALSE(parse_pkcs11_name("pkcs11:object=k?pin"));
  EXPECT_FALSE(parse_pkcs11_name("pkcs11:object=k?colour=1"));
  EXPECT_FALSE(parse_pkcs11_name("pkcs11:object=k?pin-source=/nowhere"));
}

}  // namespace
}  // namespace picket::agent
