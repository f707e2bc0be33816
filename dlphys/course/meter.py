"""What a running process costs: CPU time and peak memory, with those of its children."""

from __future__ import annotations

import threading


class Meter:
    """CPU time and peak memory of a process and its children, from samples and what the system keeps itself."""

    def __init__(self, interval: float = 0.25) -> None:
        self.interval = interval  # s
        self.cpu_seconds = 0.0
        self.peak_memory = 0.0  # MiB
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def sample(self, pid: int) -> None:
        """What a process that still runs has cost since it began."""
        import psutil

        self._process = psutil.Process(pid)
        self._sample()

    def start(self, pid: int) -> None:
        """Sample a process until `stop`."""
        self.sample(pid)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._sample()

    def _watch(self) -> None:
        while not self._stop.wait(self.interval):
            self._sample()

    def _sample(self) -> None:
        import psutil

        resident = cpu = 0.0
        try:
            for process in (self._process, *self._process.children(recursive=True)):
                try:
                    with process.oneshot():
                        memory, times = process.memory_info(), process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                resident += memory.rss
                cpu += times.user + times.system
                if process == self._process:  # children that have ended are counted with their parent
                    cpu += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
                    # the peak since the start: Windows in memory_info, Linux in /proc
                    resident_peak = max(getattr(memory, "peak_wset", 0), _high_water_mark(process.pid))
                    self.peak_memory = max(self.peak_memory, resident_peak / 2**20)
        except psutil.Error:
            return
        self.cpu_seconds = max(self.cpu_seconds, cpu)
        self.peak_memory = max(self.peak_memory, resident / 2**20)


def _high_water_mark(pid: int) -> int:
    """Largest resident memory so far, in bytes; 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
            return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0
