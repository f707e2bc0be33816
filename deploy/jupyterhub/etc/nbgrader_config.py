"""nbgrader on the hub: where the course is (for instructors), and where assignments are exchanged."""

import os

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = os.environ.get("DLPHYS_COURSE_ID", "dlphys")
if os.environ.get("DLPHYS_COURSE"):
    c.CourseDirectory.root = os.environ["DLPHYS_COURSE"]
if os.environ.get("DLPHYS_EXCHANGE"):
    c.Exchange.root = os.environ["DLPHYS_EXCHANGE"]
