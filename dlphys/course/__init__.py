"""The course as a product: notebooks built from their sources, releases for students, coverage of the material.

Import the part that is needed; each costs what it uses:
``dlphys.course.build``, ``dlphys.course.leaks``, ``dlphys.course.coverage``.
"""

__all__: list[str] = []
