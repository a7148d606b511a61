// What sshd does when somebody types a wrong password, in two words: the record in btmp (by the C library of this
// architecture, which decides its layout), and the message of PAM to the kernel's audit.
//   login_as btmp USER ADDRESS
//   login_as audit USER ADDRESS
#include <arpa/inet.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utmp.h>

enum { kUserAuth = 1100 };  // AUDIT_USER_AUTH; the kernel's header has only the range

static int to_btmp(const char* user, const char* address) {
  struct utmp entry = {.ut_type = LOGIN_PROCESS, .ut_pid = getpid()};
  struct timeval now;
  strncpy(entry.ut_line, "ssh:notty", sizeof(entry.ut_line));
  strncpy(entry.ut_user, user, sizeof(entry.ut_user));
  strncpy(entry.ut_host, address, sizeof(entry.ut_host));
  inet_pton(AF_INET, address, entry.ut_addr_v6);
  gettimeofday(&now, NULL);
  entry.ut_tv.tv_sec = now.tv_sec;
  entry.ut_tv.tv_usec = now.tv_usec;
  updwtmp("/var/log/btmp", &entry);
  printf("%u\n", (unsigned)sizeof(entry));
  return 0;
}

static int to_audit(const char* user, const char* address) {
  struct {
    struct nlmsghdr header;
    char text[512];
  } message = {{0}};
  char exe[256] = {0};
  if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) return 1;
  const int length = snprintf(message.text, sizeof(message.text),
                              "op=PAM:authentication grantors=? acct=\"%s\" exe=\"%s\" hostname=%s addr=%s terminal=ssh res=failed",
                              user, exe, address, address);
  message.header.nlmsg_len = NLMSG_LENGTH((unsigned)length + 1);
  message.header.nlmsg_type = kUserAuth;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
  if (fd < 0 || sendto(fd, &message, message.header.nlmsg_len, 0, (const struct sockaddr*)&kernel, sizeof(kernel)) < 0) {
    perror("audit");
    return 1;
  }
  printf("%d\n", (int)getpid());
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return strcmp(argv[1], "btmp") == 0 ? to_btmp(argv[2], argv[3]) : to_audit(argv[2], argv[3]);
}
