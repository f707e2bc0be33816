"""A pytest plugin for the run under nbval: no notebook costs more than twice its price tag (DESIGN section 7)."""

import pytest
from nbval.plugin import IPyNbCell

from dlphys.course import prices
from dlphys.course.meter import Meter


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """After the last cell of a notebook, while its kernel lives: what has it cost?"""
    last = isinstance(item, IPyNbCell) and (nextitem is None or nextitem.parent is not item.parent)
    problems = exceeded(item) if last else []
    outcome = yield
    assert problems == [], "; ".join(problems)
    return outcome


def exceeded(item):
    kernel = item.parent.kernel
    if kernel is None or not kernel.is_alive():
        return []
    meter = Meter()
    meter.sample(kernel.km.provisioner.pid)
    tags = prices.read(item.config.rootpath)
    tag = tags.get(item.path.stem, {"seconds": 0.0, "cpu_seconds": 0.0, "memory_mib": 0.0})
    cost = {"cpu_seconds": meter.cpu_seconds, "memory_mib": meter.peak_memory}
    return prices.within_factor(tags, {item.path.stem: {**tag, **cost}}, factor=2)
