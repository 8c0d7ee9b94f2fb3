// SPDX-License-Identifier: Apache-2.0
// The machine: memory, open files, clock, and what running virtual machines will need.

import CSystem
import Core
import Glibc

enum HostChecks {
    static func all() -> [Finding] { [memory(), openFiles(), clock(), virtualization(), libvirt(), emulator()] }

    private static func memory() -> Finding {
        guard let available = meminfo("MemAvailable") else { return .note("memory", "/proc/meminfo cannot be read") }
        let text = "\(available >> 10) MiB available, \(cores) processors"
        return available >= 256 << 10
            ? .fine("memory", text)
            : .warning("memory", text, cure: "Free some memory or add some; a coordinator wants 256 MiB to spare.")
    }

    static var cores: Int { max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1) }

    /// In KiB.
    private static func meminfo(_ name: String) -> Int? {
        guard let text = try? Files.text("/proc/meminfo") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }
        return nil
    }

    private static func openFiles() -> Finding {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return .note("open files", "the limit cannot be read")
        }
        let text = "at most \(limit.rlim_max) open files"
        return limit.rlim_max >= UInt(Limits.connections)
            ? .fine("open files", text)
            : .warning(
                "open files", text,
                cure:
                    "Raise it to \(Limits.connections * 2): LimitNOFILE= in the unit, or ulimit -n."
            )
    }

    private static func clock() -> Finding {
        let now = SystemClock().now
        // The program is younger than this moment.
        guard now > Instant(seconds: 1_760_000_000) else {
            return .error(
                "clock", "the time is \(now.shortText)", cure: "Set the clock; tokens and certificates depend on it.")
        }
        return csystem_clock_is_synchronized() == 1
            ? .fine("clock", "\(now.shortText), kept by a time service")
            : .note(
                "clock", "\(now.shortText); the kernel does not know of a time service",
                cure: "With several machines, run one: apt-get install chrony.")
    }

    private static func virtualization() -> Finding {
        if access("/dev/kvm", R_OK | W_OK) == 0 { return .fine("virtualization", "/dev/kvm can be used") }
        if Files.exists("/dev/kvm") {
            return .note(
                "virtualization", "/dev/kvm is there, not for this user", cure: "Add the agent's user to the group kvm."
            )
        }
        return .note(
            "virtualization", "no /dev/kvm: virtual machines would be emulated, slowly",
            cure:
                "Turn on VT-x or AMD-V in the firmware (or nested virtualization), then: modprobe kvm_intel or kvm_amd."
        )
    }

    private static func libvirt() -> Finding {
        let socket = ["/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock"].first(where: Files.exists)
        return socket.map { .fine("libvirt", "listens on \($0)") }
            ?? .note(
                "libvirt", "not running; only a machine that runs guests needs it",
                cure: "apt-get install libvirt-daemon-system")
    }

    private static func emulator() -> Finding {
        let program = ["/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-aarch64", "/usr/bin/kvm"].first(
            where: Files.exists)
        return program.map { .fine("qemu", $0) }
            ?? .note(
                "qemu", "not installed; only a machine that runs guests needs it",
                cure: "apt-get install qemu-system-x86")
    }
}
