"""`dlphys simulate` on a real SLURM that the test sets up: DLPHYS_SLURM=1 pytest tests/course/test_slurm.py

Needs root and the Debian packages slurm-wlm and munge; not part of `make test`.
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

from dlphys.course import cluster
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

folder, out = sys.argv[1:]
if __name__ == "__main__":
    options = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    with SLURMCluster(queue="debug", cores=1, processes=1, memory="1GB", walltime="00:10:00", interface="lo",
                      scheduler_options=options, local_directory=folder, log_directory=folder) as cluster:
        cluster.scale(jobs=2)
        with Client(cluster) as client:
            client.wait_for_workers(2, timeout=180)
            print(subprocess.run(["squeue", "-h", "-o", "%j %T"], capture_output=True, text=True).stdout)
        command = [sys.executable, "-m", "dlphys.cli", "simulate", "ising", "-n", "2000", "--seed", "7", "--out", out,
                   "--shard-events", "250", "--set", "sweeps=500", "--scheduler", cluster.scheduler_address]
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


def test_shards_made_by_slurm_jobs_are_those_of_one_process(slurm, tmp_path):
    """Bit by bit, the manifest included."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    command = [sys.executable, str(program), str(jobs), str(tmp_path / "run")]
    done = subprocess.run(command, env=slurm, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("dask-worker RUNNING") == 2, done.stdout
    assert shards.verify(tmp_path / "run") == {}
    cluster.simulate("ising", 2000, tmp_path / "here", seed=7, shard_events=250, parameters={"sweeps": 500})
    for path in (tmp_path / "here").iterdir():
        assert path.read_bytes() == (tmp_path / "run" / path.name).read_bytes()
