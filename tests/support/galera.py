"""A Galera cluster of three real MariaDB servers on loopback addresses."""

import re
import subprocess
from pathlib import Path

from support.mariadb import MariaDb, free_port
from support.polling import until

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
MISSING = "Galera is not installed (apt install mariadb-server galera-4)"
HOSTS = ("127.0.1.1", "127.0.1.2", "127.0.1.3")
_JOIN_S = 60.0
_POSITION = re.compile(r"WSREP: Recovered position:? *(\S+)")
_STATE = "SHOW STATUS LIKE 'wsrep_local_state_comment'"
_SIZE = "SHOW STATUS LIKE 'wsrep_cluster_size'"


def is_installed() -> bool:
    return PROVIDER.exists()


class Member(MariaDb):
    """One server of a cluster."""

    def __init__(self, folder: Path, host: str) -> None:
        # The copying of a whole server from another is refused to root by its own tools.
        super().__init__(folder, host, user="mysql")
        self.group_port, self._state_port, self._copy_port = (free_port(host) for _ in range(3))

    def join(self, members: str, *more: str) -> None:
        """Starts it as part of the cluster; waits until it is in step with the others."""
        self.launch(*self._cluster_options(members), *more)
        self.await_answer()
        until(lambda: self.ask(_STATE)[0][1] == "Synced", f"{self.host} is in step", _JOIN_S)

    def begin(self, members: str) -> None:
        """Starts the cluster that the others join."""
        self.join(members, "--wsrep-new-cluster")

    def rejoin(self, members: str) -> None:
        """Comes back after a kill with what it had; the others send only what it missed."""
        self.join(members, f"--wsrep-start-position={self._recovered_position(members)}")

    def size(self) -> int:
        """How many members it sees, itself among them."""
        return int(self.ask(_SIZE)[0][1])

    def _cluster_options(self, members: str) -> list[str]:
        group = f"gmcast.listen_addr=tcp://{self.host}:{self.group_port}"
        group += f";ist.recv_addr={self.host}:{self._state_port};gcache.size=128M"
        # Loopback is quick: a member that is gone is given up after two seconds, not five.
        group += ";evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT2S"
        return [
            "--wsrep-on=ON",
            f"--wsrep-provider={PROVIDER}",
            f"--wsrep-cluster-address=gcomm://{members}",
            "--wsrep-cluster-name=bank",
            f"--wsrep-node-name={self.host}",
            f"--wsrep-node-address={self.host}:{self.group_port}",
            f"--wsrep-provider-options={group}",
            "--wsrep-sst-method=rsync",
            f"--wsrep-sst-receive-address={self.host}:{self._copy_port}",
            "--binlog-format=ROW",
            "--default-storage-engine=InnoDB",
            "--innodb-autoinc-lock-mode=2",
        ]

    def _recovered_position(self, members: str) -> str:
        """Where its own log ends, which the service scripts of Galera ask in the same way."""
        command = [*self.command(), *self._cluster_options(members), "--wsrep-recover"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        found = _POSITION.findall(done.stderr + done.stdout)
        assert found, done.stderr[-2000:]
        return str(found[-1])


class Cluster:
    """Three members; the first begins, and the others get a copy of it."""

    def __init__(self, folder: Path) -> None:
        """`folder` must be one that any user can look into."""
        self.members = [Member(folder / host, host) for host in HOSTS]
        self.addresses = ",".join(f"{m.host}:{m.group_port}" for m in self.members)

    def start(self) -> None:
        first, *others = self.members
        for member in self.members:
            member.install()
        first.begin(self.addresses)
        for member in others:
            member.join(self.addresses)
        self.await_size(len(self.members))

    def await_size(self, size: int) -> None:
        """Waits until every member that runs sees so many."""
        for member in self.members:
            if member.is_running:
                until(lambda m=member: m.size() == size, "the cluster agrees", 30)

    def url(self, database: str, *order: int) -> str:
        """The URL that asks the members in this order, the second when the first is away."""
        first = self.members[0]
        hosts = ",".join(f"{self.members[i].host}:{self.members[i].port}" for i in order)
        return first.url(database).replace(f"@{first.host}:{first.port}/", f"@{hosts}/")

    def stop(self) -> None:
        for member in reversed(self.members):
            member.stop()
