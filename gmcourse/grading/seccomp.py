"""System calls that a student's code has no use for, as a seccomp filter that bubblewrap loads.

What they would open: memory that no limit counts, namespaces and mounts of one's own, keyrings of the instructor,
other processes, sockets that are not local. A denied call gives EPERM; clone3 gives ENOSYS, so that libc takes clone.
"""

import errno
import platform
import struct

NUMBERS = {  # by machine: AUDIT_ARCH, then the number of each call (Linux's own tables, asm/unistd.h)
    "x86_64": (
        0xC000003E,
        {
            **{"clone": 56, "clone3": 435, "socket": 41, "ptrace": 101, "process_vm_readv": 310},
            **{"process_vm_writev": 311, "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "shmat": 30},
            **{"shmctl": 31, "semget": 64, "msgget": 68, "mq_open": 240, "unshare": 272, "setns": 308},
            **{"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "open_tree": 428, "move_mount": 429},
            **{"fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442, "keyctl": 250},
            **{"add_key": 248, "request_key": 249, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323},
            **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_by_handle_at": 304},
            **{"kexec_load": 246, "init_module": 175, "finit_module": 313, "quotactl": 179, "acct": 163, "swapon": 167},
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            **{"clone": 220, "clone3": 435, "socket": 198, "ptrace": 117, "process_vm_readv": 270},
            **{"process_vm_writev": 271, "memfd_create": 279, "memfd_secret": 447, "shmget": 194, "shmat": 196},
            **{"shmctl": 195, "semget": 190, "msgget": 186, "mq_open": 180, "unshare": 97, "setns": 268},
            **{"mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "open_tree": 428, "move_mount": 429},
            **{"fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442, "keyctl": 219},
            **{"add_key": 217, "request_key": 218, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282},
            **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_by_handle_at": 265},
            **{"kexec_load": 104, "init_module": 105, "finit_module": 273, "quotactl": 60, "acct": 89, "swapon": 224},
        },
    ),
}
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF: ld abs, jeq, jge, jset, ret
NUMBER, ARCH, FIRST = 0, 4, 16  # where struct seccomp_data holds them; of the first argument the lower half
ALLOW, ERROR, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
AF_UNIX = 1


def program(machine: str | None = None) -> bytes | None:
    """The filter as BPF for this machine's processor, or None where its calls are not in the table."""
    if (machine or platform.machine()) not in NUMBERS:
        return None
    arch, calls = NUMBERS[machine or platform.machine()]
    denied = [number for name, number in calls.items() if name not in ("clone", "clone3", "socket")]
    no = _step(RETURN, ERROR | errno.EPERM)
    yes = _step(RETURN, ALLOW)
    steps = [_step(LOAD, ARCH), _step(EQUAL, arch, 1, 0), _step(RETURN, KILL), _step(LOAD, NUMBER)]
    steps += [_step(AT_LEAST, 0x40000000, 0, 1), no]  # x86's x32, which numbers the calls in another way
    steps += [_step(EQUAL, calls["clone3"], 0, 1), _step(RETURN, ERROR | errno.ENOSYS)]
    for number in denied:
        steps += [_step(EQUAL, number, 0, 1), no]
    steps += [_step(EQUAL, calls["clone"], 0, 4), _step(LOAD, FIRST), _step(ANY_BIT, NEW_NAMESPACES, 0, 1), no, yes]
    steps += [_step(EQUAL, calls["socket"], 0, 3), _step(LOAD, FIRST), _step(EQUAL, AF_UNIX, 1, 0), no, yes]
    return b"".join(steps)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction: where a comparison holds, skip so many of the next, and so many otherwise."""
    return struct.pack("<HBBI", code, then, otherwise, value)
