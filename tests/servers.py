"""Real servers on free ports of the loopback, as a user who is not root: started and stopped by the tests."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PASSWORD = "canary-of-the-database"
PASSWORD_VARIABLE = "SHELFCAST_TEST_PASSWORD"
_STARTS_SECONDS = 30
_DEBIANS = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
_PATH = ":".join([*_DEBIANS, "/usr/sbin", os.environ["PATH"]])


@dataclass
class Process:
    """A server that can be stopped and started again, on its port. ask: the command by which it answers. ending: the
    signal at which it ends at once, whoever is connected; crashing: the one at which it leaves all as it is. whose: the
    user that it runs as, where that is another."""

    command: Sequence[str]
    port: int
    log: Path
    ask: Sequence[str] = ()
    whose: Mapping[str, object] = field(default_factory=dict)
    ending: signal.Signals = signal.SIGTERM
    crashing: signal.Signals = signal.SIGKILL
    _running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(self.command, stdout=log, stderr=log, **self.whose)
        _wait_until(self._answers, f"{self.command[0]}: {self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        self._end(self.ending)

    def crash(self) -> None:
        """End it as a failure of its machine would; the next start has to recover."""
        self._end(self.crashing)

    def _end(self, by: signal.Signals) -> None:
        if self._running is not None:
            self._running.send_signal(by)
            self._running.wait(_STARTS_SECONDS)
            self._running = None

    def _answers(self) -> bool:
        assert self._running is not None
        assert self._running.poll() is None, self.log.read_text()[-2000:]
        if self.ask:
            return subprocess.run(self.ask, capture_output=True).returncode == 0
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass
class Sql:
    """A database server: its process, how it is asked as its owner, and its part of a configuration."""

    process: Process
    client: Sequence[str]
    settings: dict[str, object]

    @property
    def asked(self) -> dict[str, object]:
        """The section `database` of a configuration."""
        return {name: value for name, value in self.settings.items() if name != "certificate"}

    def run(self, script: str) -> list[list[str]]:
        """Run SQL as the owner; the rows that it prints, as text."""
        done = subprocess.run(self.client, input=script, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]


@contextmanager
def postgresql() -> Iterator[Sql]:
    """PostgreSQL, its clock in New York, with TLS, and a user `shop` whose password is PASSWORD."""
    initdb, postgres, psql = (_program(name, "PostgreSQL") for name in ("initdb", "postgres", "psql"))
    with own_folder() as home:
        data, port = home / "data", free_port()
        (home / "word").write_text(PASSWORD)
        hand_over(home)
        whose = ("-U", "shop", "--pwfile", home / "word", "-A", "scram-sha-256")
        _run(initdb, "-D", data, *whose, "-E", "UTF8", "--no-sync")
        certify(home)
        tls = ("ssl=on", f"ssl_cert_file={home}/server.pem", f"ssl_key_file={home}/server.key")
        options = ("fsync=off", "timezone=America/New_York", f"unix_socket_directories={home}", *tls)
        words = [word for option in options for word in ("-c", option)]
        address = f"host=127.0.0.1 port={port} user=shop password={PASSWORD} dbname=postgres"
        client = (psql, address, "-qAtF", "\t", "-v", "ON_ERROR_STOP=1")
        command = (postgres, "-D", str(data), "-h", "127.0.0.1", "-p", str(port), *words)
        ask, endings = (*client, "-c", "select 1"), (signal.SIGINT, signal.SIGQUIT)
        server = Process(command, port, home / "log", ask, unprivileged(), *endings)
        server.start()
        try:
            yield Sql(server, client, _settings("postgresql", port, "postgres", home))
        finally:
            server.stop()


@contextmanager
def mariadb() -> Iterator[Sql]:
    """MariaDB, its clock in New York (by offset), with TLS, and a user `shop` whose password is PASSWORD."""
    install, mariadbd, client = (_program(name, "MariaDB") for name in ("mariadb-install-db", "mariadbd", "mariadb"))
    with own_folder() as home:
        data, port = home / "data", free_port()
        hand_over(home)
        user = () if os.geteuid() else (f"--user={_NOBODY}",)
        how = ("--auth-root-authentication-method=normal", "--skip-test-db", *user)
        _run(install, "--no-defaults", f"--datadir={data}", *how)
        certify(home)
        where = (f"--datadir={data}", f"--socket={home}/socket", f"--pid-file={home}/pid", f"--port={port}")
        how = (
            "--bind-address=127.0.0.1",
            "--default-time-zone=-05:00",
            "--character-set-server=utf8mb4",
            "--skip-log-bin",
        )
        tls = (f"--ssl-cert={home}/server.pem", f"--ssl-key={home}/server.key")
        as_root = (
            client,
            "--no-defaults",
            f"--socket={home}/socket",
            "-uroot",
            "-BN",
            "--default-character-set=utf8mb4",
        )
        command = (mariadbd, "--no-defaults", *where, *how, *tls)
        server = Process(command, port, home / "log", (*as_root, "-e", "select 1"), unprivileged())
        server.start()
        try:
            whose = f"shop@'127.0.0.1' identified by '{PASSWORD}'"
            make = f"create database shop; create user {whose}; grant all on shop.* to shop@'127.0.0.1';"
            subprocess.run(as_root, input=make, text=True, check=True)
            yield Sql(server, (*as_root, "shop"), _settings("mysql", port, "shop", home))
        finally:
            server.stop()


@contextmanager
def password_in_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSWORD_VARIABLE, PASSWORD)
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_NOBODY = "nobody"


def unprivileged() -> dict[str, object]:
    """Servers refuse to run as root: then they are another user's."""
    if os.geteuid():
        return {}
    user = pwd.getpwnam(_NOBODY)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def certify(home: Path) -> None:
    """A certificate for localhost and 127.0.0.1, and the authority that signed it."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    made = ("openssl", "req", "-x509", *curve, "-nodes", "-days", "2")
    _run(*made, "-subj", "/CN=authority", "-keyout", home / "authority.key", "-out", home / "authority.pem")
    names = ("subjectAltName=DNS:localhost,IP:127.0.0.1", "basicConstraints=critical,CA:FALSE")
    named = ("-subj", "/CN=localhost", *[word for name in names for word in ("-addext", name)])
    signed = ("-CA", home / "authority.pem", "-CAkey", home / "authority.key")
    _run(*made, *named, *signed, "-keyout", home / "server.key", "-out", home / "server.pem")
    hand_over(home)


@contextmanager
def stranger() -> Iterator[Path]:
    """The certificate of an authority that signed for none of the servers."""
    with own_folder() as home:
        hand_over(home)
        certify(home)
        yield home / "authority.pem"


def _settings(kind: str, port: int, name: str, home: Path) -> dict[str, object]:
    return {
        "kind": kind,
        "host": "127.0.0.1",
        "port": port,
        "name": name,
        "user": "shop",
        "password": PASSWORD_VARIABLE,
        "tls": {"mode": "disable"},
        "certificate": str(home / "authority.pem"),
    }


def _program(name: str, of: str) -> str:
    found = shutil.which(name, path=_PATH)
    if found is None:
        pytest.skip(f"{of} is not installed: no {name}; `make servers` installs it")
    return found


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that another user may enter, as those of pytest may not be."""
    home = Path(tempfile.mkdtemp(prefix="shelfcast-server-"))
    try:
        yield home
    finally:
        shutil.rmtree(home)


def hand_over(home: Path) -> None:
    who = unprivileged()
    for path in (home, *home.rglob("*")):
        if who:
            os.chown(path, who["user"], who["group"])
        if path.is_file():
            path.chmod(0o600)


def _run(*command: object) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **unprivileged())
    assert done.returncode == 0, done.stdout + done.stderr


def _wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + _STARTS_SECONDS
    while not is_so():
        assert time.monotonic() < until, otherwise
        time.sleep(0.05)
