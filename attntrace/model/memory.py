"""How much memory this process may have."""
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import accumulate

from attntrace.messages.errors import Problem

LITTLE = 2e7  # bytes that are always there, so that the limits are not read
SHARE = 0.8  # of the memory there is that one run, or one file, may take
GROUPS = {"": ("", "memory.max"), "memory": ("memory", "memory.limit_in_bytes")}  # by controllers: version 2, version 1


@cache
def memory() -> float:
    """Bytes that this process may have: those of the machine, or a lower limit of its own or of its control groups.
    Infinite where nothing can be asked."""
    limits = [math.inf, *_of_groups("/proc/self/cgroup", "/sys/fs/cgroup")]
    if hasattr(os, "sysconf"):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(ImportError):
        import resource  # which Windows lacks
        asked = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
        limits += [limit for limit in asked if limit != resource.RLIM_INFINITY]
    return min(limits)


def _of_groups(membership: str | os.PathLike[str], root: str | os.PathLike[str]) -> Iterator[int]:
    """The limits of the control groups of a process, and of those above them."""
    with suppress(OSError), open(membership) as lines:
        for line in lines:
            _, controllers, group = line.strip().split(":", 2)
            if controllers in GROUPS:
                folder, name = GROUPS[controllers]
                groups = list(accumulate(filter(None, group.split("/")), os.path.join))
                for above in [*reversed(groups), ""]:
                    with suppress(OSError, ValueError), open(os.path.join(root, folder, above, name)) as limit:
                        yield int(limit.read())  # else not visible from here, or `max`


def check_fits(problem: str, needed: float, **facts: object) -> None:
    """Raise Problem where a run, or a file, needs more bytes than it may take."""
    if needed > LITTLE and needed > SHARE * memory():
        raise Problem(problem, needed=format_bytes(needed), there=format_bytes(memory()), **facts)


def format_bytes(number: float) -> str:
    """Write a number of bytes: `3.2 TB`."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} EB"
