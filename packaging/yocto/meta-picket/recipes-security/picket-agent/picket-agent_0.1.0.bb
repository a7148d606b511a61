SUMMARY = "Security agent of the Picket IoT and OT security platform"
DESCRIPTION = "Watches processes, connections, logins, files, devices, users, packages and settings of this device and reports to a \
Picket hub or an IoT Hub. One static program without libraries."
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

# Picket is built with clang 19 and a C++23 library, newer than what these releases of Yocto bring. The recipe takes the static
# program that tools/build_agent.sh makes, one for each architecture, from PICKET_AGENT_DIR (in local.conf):
#   PICKET_AGENT_DIR = "/path/to/picket/build"      with agent-arm64/picket-agent, agent-arm64/baseline.bin and so on below it
PICKET_AGENT_DIR ?= ""
PICKET_ARCH:aarch64 = "arm64"
PICKET_ARCH:arm = "armhf"
PICKET_ARCH:x86-64 = "amd64"
PICKET_ARCH:riscv64 = "riscv64"

FILESEXTRAPATHS:prepend := "${THISDIR}/files:${THISDIR}/../../../../systemd:${THISDIR}/../../../../sysv:"
SRC_URI = "file://agent.toml file://picket-agent.service file://picket-agent"

inherit systemd update-rc.d

SYSTEMD_SERVICE:${PN} = "picket-agent.service"
INITSCRIPT_NAME = "picket-agent"
INITSCRIPT_PARAMS = "defaults 80"

COMPATIBLE_HOST = "(aarch64|arm|x86_64|riscv64).*-linux"
S = "${WORKDIR}"
UNPACKDIR ??= "${WORKDIR}"

do_configure[noexec] = "1"
do_compile[noexec] = "1"
do_install[file-checksums] += "${PICKET_AGENT_DIR}/agent-${PICKET_ARCH}/picket-agent:False ${PICKET_AGENT_DIR}/agent-${PICKET_ARCH}/baseline.bin:False"

do_install() {
    program="${PICKET_AGENT_DIR}/agent-${PICKET_ARCH}/picket-agent"
    if [ ! -f "$program" ]; then
        bbfatal "there is no $program: build it with tools/build_agent.sh ${PICKET_ARCH} and set PICKET_AGENT_DIR"
    fi
    install -D -m 0755 "$program" ${D}${sbindir}/picket-agent
    install -D -m 0644 "${PICKET_AGENT_DIR}/agent-${PICKET_ARCH}/baseline.bin" ${D}${datadir}/picket-agent/baseline.bin
    install -d -m 0700 ${D}${sysconfdir}/picket-agent
    install -m 0600 ${UNPACKDIR}/agent.toml ${D}${sysconfdir}/picket-agent/agent.toml
    if ${@bb.utils.contains('DISTRO_FEATURES', 'systemd', 'true', 'false', d)}; then
        install -D -m 0644 ${UNPACKDIR}/picket-agent.service ${D}${systemd_system_unitdir}/picket-agent.service
    fi
    if ${@bb.utils.contains('DISTRO_FEATURES', 'sysvinit', 'true', 'false', d)}; then
        install -D -m 0755 ${UNPACKDIR}/picket-agent ${D}${sysconfdir}/init.d/picket-agent
    fi
}

CONFFILES:${PN} = "${sysconfdir}/picket-agent/agent.toml"
FILES:${PN} += "${systemd_system_unitdir} ${datadir}/picket-agent"

# It is stripped and static, and was not linked by Yocto's toolchain.
INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"
INSANE_SKIP:${PN} += "already-stripped ldflags"
