"""What code in a sandbox may not ask of the kernel: a filter (seccomp) in the form that bubblewrap reads.

Walls of namespaces leave gaps that only this closes: memory that belongs to no process and that no limit counts
(memory files, System V segments, file systems of a user namespace of one's own), sockets that reach the host of a
virtual machine, and rarely used parts of the kernel where its errors are found.
"""

from __future__ import annotations

import platform
import struct

# Calls by machine: number on x86_64, on aarch64.
FORBIDDEN = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "syslog": (103, 116),
}
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, and the kernel's name for it
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
NEW_USER = 0x10000000  # flag of clone: a user namespace, in which one is root
FAMILIES = (1, 2, 10, 16)  # sockets: local, both internets (of a network with nobody in it), the kernel's own lists
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where the kernel puts what is asked
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
NOT_PERMITTED, NOT_THERE, NO_SUCH_FAMILY = 1, 38, 97


def filter_program(machine: str = "") -> bytes:
    """The filter for a kind of processor, by default this one; empty where its numbers are not known.

    >>> len(filter_program("x86_64")) % 8, filter_program("abacus")
    (0, b'')
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        return b""
    column, architecture = MACHINES[machine]

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("<HBBI", code, if_true, if_false, value)

    def refuse(number: int, error: int = NOT_PERMITTED) -> bytes:
        return step(EQUAL, number, 0, 1) + step(RETURN, ERROR | error)

    program = step(LOAD, ARCHITECTURE) + step(EQUAL, architecture, 1, 0) + step(RETURN, KILL) + step(LOAD, NUMBER)
    if machine == "x86_64":  # the same calls under other numbers
        program += step(AT_LEAST, 0x40000000, 0, 1) + step(RETURN, ERROR | NOT_PERMITTED)
    for numbers in FORBIDDEN.values():
        program += refuse(numbers[column])
    program += refuse(CLONE3[column], NOT_THERE)  # its flags cannot be seen; the C library then takes clone
    families = b"".join(step(EQUAL, family, len(FAMILIES) - k, 0) for k, family in enumerate(FAMILIES))
    program += step(EQUAL, SOCKET[column], 0, len(FAMILIES) + 3) + step(LOAD, FIRST_ARGUMENT) + families
    program += step(RETURN, ERROR | NO_SUCH_FAMILY) + step(RETURN, ALLOW)
    program += step(EQUAL, CLONE[column], 0, 3) + step(LOAD, FIRST_ARGUMENT)
    program += step(ANY_BIT, NEW_USER, 0, 1) + step(RETURN, ERROR | NOT_PERMITTED)
    return program + step(RETURN, ALLOW)
