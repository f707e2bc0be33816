"""JupyterHub on one machine for a course with dlphys; ../README.md says how to start it.

Settings are environment variables, all named there. What a university has besides (its login, its address, its
certificates) belongs into `local.py` in the hub's folder, which is read last.
"""

import os
import secrets
import sys
from pathlib import Path

from dlphys.course import roster

c = get_config()  # noqa: F821


def number(name, default):
    """A setting that counts something, as text."""
    text = os.environ.get(name, default)
    if not text.isdecimal() or int(text) < 1:
        sys.exit(f"{name} must be a whole number of at least 1, got {text!r}")
    return text


HERE = Path(__file__).resolve().parent
HUB = Path(os.environ.get("DLPHYS_HUB", ".")).resolve()
SPAWNER = os.environ.get("DLPHYS_SPAWNER", "")
INSTRUCTORS = set(os.environ.get("DLPHYS_INSTRUCTORS", "instructor").replace(",", " ").split())
RELEASE = Path(os.environ.get("DLPHYS_RELEASE", HUB / "release"))
DATA = os.environ.get("DLPHYS_DATA_DIR", "")
EXCHANGE = os.environ.get("DLPHYS_EXCHANGE", "")
THREADS = number("DLPHYS_THREADS", "2")
IDLE = 60 * int(number("DLPHYS_IDLE_MINUTES", "60"))  # s

if SPAWNER not in ("simple", "systemd", "docker"):
    sys.exit("set DLPHYS_SPAWNER: simple (to try it out, no walls between students), systemd or docker")
if not (HUB / "roster.csv").is_file():
    sys.exit(f"write {HUB / 'roster.csv'}: a first line `student,name`, then a line for each student, login first")
if not RELEASE.is_dir():
    sys.exit(f"there is no {RELEASE}: make it with `dlphys build --release`")
try:
    PEOPLE = roster.read(HUB / "roster.csv")
except ValueError as error:
    sys.exit(str(error))
if other := [login for login in (*PEOPLE, *INSTRUCTORS) if login != login.lower()]:
    sys.exit(f"logins are lower case, JupyterHub makes them so: {', '.join(other)}")
os.umask(0o077)  # the database, the logs and, with the simple spawner, the homes


def secret(name):
    """A password or key that is made at the first start and stays in a file that only the hub's user can read."""
    path = HUB / "secrets" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            sys.exit(f"others can read {path}: chmod 600 it, and if they may have done so, remove it")
    return path.read_text().strip()


# --- the hub ------------------------------------------------------------------------------------------------

c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # a web server with TLS stands before it
c.JupyterHub.db_url = f"sqlite:///{HUB}/jupyterhub.sqlite"
secret("cookie_secret")
c.JupyterHub.cookie_secret_file = str(HUB / "secrets" / "cookie_secret")
c.ConfigurableHTTPProxy.auth_token = secret("proxy_token")
c.ConfigurableHTTPProxy.pid_file = str(HUB / "proxy.pid")
c.JupyterHub.cleanup_servers = SPAWNER == "simple"  # the others' servers outlive a restart of the hub

# --- who may come in ----------------------------------------------------------------------------------------

c.Authenticator.allowed_users = set(PEOPLE) | INSTRUCTORS
c.Authenticator.admin_users = INSTRUCTORS
c.Authenticator.username_pattern = roster.LOGIN.pattern  # a name becomes a folder
c.JupyterHub.authenticator_class = "shared-password"  # whoever knows the class's password can be any student
c.SharedPasswordAuthenticator.user_password = secret("student_password")
c.SharedPasswordAuthenticator.admin_password = secret("instructor_password")

# --- a student's server -------------------------------------------------------------------------------------


def key(spawner):
    """What a student's own data are made from."""
    person = PEOPLE.get(spawner.user.name)
    return person.key if person else spawner.user.name


def settings(spawner):
    """Where Jupyter finds its settings, the first before the others."""
    etc = HERE / "etc" if SPAWNER != "docker" else Path("/opt/dlphys/etc")
    student = spawner.user.name not in INSTRUCTORS
    folders = [etc / "student"] * student + [etc / "no_exchange"] * (student and not EXCHANGE) + [etc]
    return os.pathsep.join(map(str, folders))


def course(spawner):
    """The folder of nbgrader's course, for instructors."""
    return os.environ.get("DLPHYS_COURSE", str(HUB / "course")) if spawner.user.name in INSTRUCTORS else ""


c.Spawner.cmd = [str(HERE / "start_server"), "jupyterhub-singleuser"]
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.Spawner.mem_limit = os.environ.get("DLPHYS_MEMORY", "3G")  # enforced by systemd and docker, not by simple
c.Spawner.cpu_limit = float(THREADS)
c.Spawner.environment = {
    "DLPHYS_STUDENT": key,
    "DLPHYS_RELEASE": str(RELEASE),
    "DLPHYS_EXCHANGE": EXCHANGE,
    "DLPHYS_COURSE": course,
    "DLPHYS_COURSE_ID": os.environ.get("DLPHYS_COURSE_ID", "dlphys"),
    "JUPYTER_CONFIG_PATH": settings,
    "OMP_NUM_THREADS": THREADS,
    "OPENBLAS_NUM_THREADS": THREADS,
    "NUMBA_NUM_THREADS": THREADS,
    "TF_NUM_INTRAOP_THREADS": THREADS,
    "TF_NUM_INTEROP_THREADS": "1",
}
if DATA:
    c.Spawner.environment["DLPHYS_DATA_DIR"] = DATA
c.Spawner.args = [  # a kernel, then the whole server, is stopped when nobody has used it
    f"--MappingKernelManager.cull_idle_timeout={IDLE}",
    f"--MappingKernelManager.cull_interval={max(IDLE // 10, 5)}",
    "--MappingKernelManager.cull_connected=True",  # a browser left open overnight keeps nothing
    f"--ServerApp.shutdown_no_activity_timeout={2 * IDLE}",
    "--TerminalManager.cull_inactive_timeout=" + str(IDLE),
]

# --- what starts it -----------------------------------------------------------------------------------------

if SPAWNER == "simple":  # everybody is the hub's own user: no walls, no limits of memory
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(HUB / "homes" / "{username}")
    if os.geteuid() == 0:
        c.Spawner.args.append("--allow-root")
elif SPAWNER == "systemd":  # everybody is an OS user of the same name; the hub runs as root
    c.JupyterHub.spawner_class = "systemd"
    c.SystemdSpawner.isolate_tmp = True
    c.SystemdSpawner.isolate_devices = True
    c.SystemdSpawner.disable_user_sudo = True
else:
    IMAGE = os.environ.get("DLPHYS_IMAGE", "dlphys-hub")
    c.JupyterHub.spawner_class = "docker"
    c.JupyterHub.hub_ip = os.environ.get("DLPHYS_DOCKER_BRIDGE", "172.17.0.1")  # where containers find the hub
    c.DockerSpawner.image = IMAGE
    c.DockerSpawner.cmd = ["/opt/dlphys/start_server", "jupyterhub-singleuser"]
    c.DockerSpawner.remove = True
    c.DockerSpawner.volumes = {str(HUB / "homes" / "{username}"): "/home/jovyan"}
    c.DockerSpawner.read_only_volumes = {str(path): str(path) for path in (RELEASE, DATA) if path}
    if EXCHANGE:
        c.DockerSpawner.volumes[EXCHANGE] = EXCHANGE

    def make_home(spawner):
        """Docker would make it for root."""
        home = HUB / "homes" / spawner.user.name
        home.mkdir(parents=True, exist_ok=True)
        os.chown(home, 1000, 1000)

    c.Spawner.pre_spawn_hook = make_home
if SPAWNER != "docker":
    c.Spawner.environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

if (HUB / "local.py").is_file():
    load_subconfig(str(HUB / "local.py"))  # noqa: F821
