"""A private PostgreSQL: one server on 127.0.0.1 with a folder and a port of its own, and databases by the dozen."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psycopg

PASSWORD: Final = "Password-of-the-tests-1"
_PATIENCE: Final = 30.0
_POLL: Final = 0.05
_DEBIAN: Final = Path("/usr/lib/postgresql")
_SETTINGS: Final = {
    "fsync": "off",  # processes die in these tests, never the machine
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "40",
    "shared_buffers": "32MB",
    "log_min_messages": "error",
}


class PostgresError(Exception):
    """The server does not do what was asked; the message ends with its own last words."""


class Postgres:
    """One server. `with` starts it, ends it and removes its folder.

    PostgreSQL refuses to run as root: there it runs as `postgres`, whom Debian's package brings, or as `nobody`.
    """

    def __init__(self) -> None:
        self._user = _other_user()
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="usher-postgres-"))
        self.port = _free_port()
        self._made = 0

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Returns when it answers. Raises PostgresError with the words of the server when that doesn't happen."""
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [program("postgres"), "-D", str(self._data), "-p", str(self.port), *options]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **self._user
            )
        self._await_answer(self._process)

    def stop(self) -> None:
        """Ends it at once, as a crash would: its clients are cut off. `start` brings it back with what it held."""
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT: the immediate shutdown
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def close(self) -> None:
        """Ends the server and removes its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The URL of a database, with user and password."""
        return f"postgresql://usher:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template0", options: str = "") -> str:
        """A new database, and its name."""
        self._made += 1
        name = f"state_{self._made}"
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template} {options}")
        return name

    def is_log(self, name: str) -> bool:
        """Whether a file of that name is of the server's own log, which forgets in its own time."""
        return (self._data / "pg_wal" / name).exists()

    def drop(self, name: str) -> None:
        """Removes a database, whoever is connected to it."""
        self.execute("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """What one statement gives, in a transaction of its own."""
        with closing(psycopg.connect(self.url(database), autocommit=True)) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "postgres.log"

    def _prepare(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        if self._user:
            for path in (self.folder, password):
                os.chown(path, self._user["user"], self._user["group"])
        command = [program("initdb"), "-D", str(self._data), "-U", "usher", "-A", "scram-sha-256", "-E", "UTF8"]
        command += ["--pwfile", str(password), "--no-sync", "--locale=C"]
        if _version() >= 15:  # a language whose order is not that of the bytes: the state must not depend on it
            command += ["--locale-provider=icu", "--icu-locale=en"]
        done = subprocess.run(command, capture_output=True, check=False, cwd="/", **self._user)
        if done.returncode != 0:
            raise PostgresError(f"initdb ended with {done.returncode}:\n{_tail(done.stderr)}")

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.execute("postgres", "SELECT 1")
            except psycopg.OperationalError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise PostgresError(f"postgres does not answer:\n{_tail(self._log.read_bytes())}") from error
                time.sleep(_POLL)
            else:
                return


def program(name: str) -> str:
    """Where a program of PostgreSQL is: in the PATH, or where Debian keeps those of the newest version."""
    versions = sorted(_DEBIAN.glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    path = os.pathsep.join([*map(str, versions), os.environ.get("PATH", os.defpath)])
    found = shutil.which(name, path=path)
    if found is None:
        raise PostgresError(f"missing: {name} (Debian has it in the package postgresql)")
    return found


def _version() -> int:
    told = subprocess.run([program("postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    return int(told.split()[2].partition(".")[0])


def _other_user() -> Mapping[str, Any]:
    """Arguments of subprocess by which root becomes somebody else; none for whoever is somebody else already."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(output: bytes) -> str:
    return "\n".join(output.decode("utf-8", errors="replace").splitlines()[-15:])
