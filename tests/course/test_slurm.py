"""`dlphys simulate` and `dlphys grade` on a SLURM that is set up here: DLPHYS_SLURM=1 pytest tests/course/test_slurm.py

Needs root and the Debian packages slurm-wlm and munge; part of `.ci/run`, not of `make test`.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlphys.course import cluster, records, sandbox
from dlphys.datasets import shards

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slurm

CONF = """
ClusterName=course
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
MailProg=/bin/true
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=6000 State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=00:30:00 State=UP
"""

# what an instructor would write: SLURM starts the workers, the command line does the rest
PROGRAM = """
import subprocess, sys
from dask.distributed import Client
from dask_jobqueue import SLURMCluster

folder, *command = sys.argv[1:]
if __name__ == "__main__":
    options = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    with SLURMCluster(queue="debug", cores=1, processes=1, memory="1GB", walltime="00:10:00", interface="lo",
                      scheduler_options=options, local_directory=folder, log_directory=folder) as cluster:
        cluster.scale(jobs=2)
        with Client(cluster) as client:
            client.wait_for_workers(2, timeout=180)
            print(subprocess.run(["squeue", "-h", "-o", "%j %T"], capture_output=True, text=True).stdout)
        command = [sys.executable, "-m", "dlphys.cli", *command, "--scheduler", cluster.scheduler_address]
        subprocess.run(command, check=True)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def slurm(tmp_path_factory):
    """Environment in which sbatch finds a SLURM of one node with two processors."""
    folder = tmp_path_factory.mktemp("slurm")
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)  # munge has a user of its own
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir()
    shutil.chown(folder / "munge", "munge")
    (folder / "munge").chmod(0o711)
    key = folder / "munge/key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    shutil.chown(key, "munge")
    conf = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    conf.write_text(CONF.format(folder=folder, host=host, controller=free_port(), daemon=free_port()))
    munge = [
        f"--{name}={folder}/munge/{file}"
        for name, file in {
            "key-file": "key",
            "socket": "socket",
            "pid-file": "pid",
            "log-file": "log",
            "seed-file": "seed",
        }.items()
    ]
    commands = [
        ["runuser", "-u", "munge", "--", "munged", "-F", *munge],
        ["slurmctld", "-D", "-f", str(conf)],
        ["slurmd", "-D", "-f", str(conf), "-N", host],
    ]
    environment = {**os.environ, "SLURM_CONF": str(conf), "DASK_CONFIG": str(folder), "PYTHONPATH": str(ROOT)}
    with contextlib.ExitStack() as stack:
        for command in commands:
            daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(daemon.wait)
            stack.callback(daemon.terminate)
            time.sleep(2)
            assert daemon.poll() is None, f"{command[0]} has stopped"
        yield environment


def through_slurm(slurm, tmp_path, *command):
    """A command of dlphys, with two jobs of SLURM as workers; what it prints."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    words = [sys.executable, str(program), str(jobs), *map(str, command)]
    done = subprocess.run(words, env=slurm, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("dask-worker RUNNING") == 2, done.stdout
    return done.stdout


def test_shards_made_by_slurm_jobs_are_those_of_one_process(slurm, tmp_path):
    """Bit by bit, the manifest included."""
    command = ["simulate", "ising", "-n", 2000, "--seed", 7, "--out", tmp_path / "run", "--shard-events", 250]
    through_slurm(slurm, tmp_path, *command, "--set", "sweeps=500")
    assert shards.verify(tmp_path / "run") == {}
    cluster.simulate("ising", 2000, tmp_path / "here", seed=7, shard_events=250, parameters={"sweeps": 500})
    for path in (tmp_path / "here").iterdir():
        assert path.read_bytes() == (tmp_path / "run" / path.name).read_bytes()


@pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no sandbox here: {sandbox.why_not()}")
def test_a_class_is_graded_by_slurm_jobs(slurm, tmp_path):
    """In sandboxes, which each job makes for itself."""
    faces = {f"s{number}": "student" if number % 3 else "solution" for number in range(12)}
    for student, face in faces.items():
        (tmp_path / "in" / student).mkdir(parents=True)
        shutil.copy(ROOT / f"notebooks/{face}/ch03_building_blocks.ipynb", tmp_path / "in" / student)
    through_slurm(slurm, tmp_path, "grade", tmp_path / "in", "--out", tmp_path / "grades.csv")
    graded = records.read_all(tmp_path / "grades.records")
    points = {student: record.grade.points for (student, _), record in graded.items()}
    assert points == {student: 12 if face == "solution" else 0 for student, face in faces.items()}
