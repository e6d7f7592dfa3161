"""Having pip, or uv where pip is not, bring one exact wheel without what it depends on.

The wheel is not installed: only files in it are wanted. The tools' own settings (index, proxies,
certificates) hold, because they get the environment as it is.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from mycloset.errors import DownloadError
from mycloset.hub import cache
from mycloset.hub.entries import Wheel
from mycloset.hub.https import Progress

_POLL_SECONDS = 0.2


def bring(wheel: Wheel, folder: Path, report: Progress) -> Path:
    """Bring a wheel.

    Args:
        wheel: which one.
        folder: where to work; all that is left behind is in it.
        report: told the bytes that have arrived.

    Returns:
        The wheel's file (pip), or a folder with what it holds (uv).

    Raises:
        DownloadError: it could not be brought, or there is neither pip nor uv.
    """
    target = folder / "wheel"
    scratch = folder / "tmp"
    target.mkdir()
    scratch.mkdir()
    command = _command(wheel, target)
    report(0, wheel.size, f"fetching {wheel.file}")
    output = _run(command, _environment(scratch), lambda: _arrived(folder), wheel, report)
    file = target / wheel.file
    if file.is_file():
        return file
    if (target / wheel.package).is_dir():
        return target
    raise DownloadError(
        f"{wheel.file}: {command[0]} reported success but brought something else "
        f"({_last_words(output)}).",
        hint="Try again. " + _by_hand(wheel),
    )


def _command(wheel: Wheel, target: Path) -> list[str]:
    requirement = f"{wheel.package}=={wheel.version}"
    if importlib.util.find_spec("pip") is not None:
        return [
            sys.executable, "-m", "pip", "download", requirement, "--no-deps",
            "--only-binary=:all:", "--python-version", wheel.python,
            "--implementation", wheel.implementation, "--platform", wheel.platform,
            "--dest", str(target), "--progress-bar", "off", "--no-input",
        ]  # fmt: skip
    uv = shutil.which("uv")
    if uv is not None:
        return [
            uv, "pip", "install", requirement, "--no-deps", "--only-binary", ":all:",
            "--python", sys.executable, "--python-version", wheel.python,
            "--python-platform", _uv_platform(wheel.platform), "--target", str(target),
            "--no-progress",
        ]  # fmt: skip
    raise DownloadError(
        f"{wheel.file}: it is not in the cache {cache.home()}, and there is neither pip nor uv to "
        "fetch it.",
        hint="Install pip or uv. " + _by_hand(wheel),
    )


def _uv_platform(tag: str) -> str:
    """manylinux_2_28_x86_64 -> x86_64-manylinux_2_28, as uv writes it."""
    system, _, release = tag.partition("_")
    major, minor, machine = release.split("_", 2)
    return f"{machine}-{system}_{major}_{minor}"


def _environment(scratch: Path) -> dict[str, str]:
    environment = dict(os.environ)
    # A download touches no environment, so that a rule about environments must not stop it.
    environment["PIP_REQUIRE_VIRTUALENV"] = "0"
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    # Without a network the user should learn it in seconds.
    environment.setdefault("PIP_RETRIES", "2")
    environment.setdefault("PIP_DEFAULT_TIMEOUT", "20")
    environment["TMPDIR"] = environment["TEMP"] = environment["TMP"] = str(scratch)
    return environment


def _run(
    command: list[str],
    environment: dict[str, str],
    arrived: Callable[[], int],
    wheel: Wheel,
    report: Progress,
) -> str:
    """Run to the end, reporting on the way; the output. Kills the child if interrupted."""
    with tempfile.TemporaryFile() as log:
        # Its own session: Ctrl-C reaches this process only, which then ends the child.
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    code = child.wait(timeout=_POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    report(min(arrived(), wheel.size), wheel.size, f"fetching {wheel.file}")
        except BaseException:
            child.kill()
            child.wait()
            raise
        log.seek(0)
        output = log.read().decode("utf-8", errors="replace")
    if code != 0:
        raise _failure(wheel, output)
    report(wheel.size, wheel.size, f"fetched {wheel.file}")
    return output


def _arrived(folder: Path) -> int:
    """Bytes of the largest file so far: the wheel on its way."""
    sizes = [0]
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                sizes.append((Path(root) / name).stat().st_size)
            except FileNotFoundError:  # the tool moves its files while we look
                continue
    return max(sizes)


_NETWORK_SIGNS = (
    "NewConnectionError", "NameResolutionError", "ConnectTimeout", "ConnectionError",
    "Connection refused", "Max retries exceeded", "Network is unreachable", "ReadTimeout",
    "Temporary failure in name resolution", "ProxyError", "Retrying (", "(from versions: none)",
    "dns error", "error sending request", "Failed to fetch", "not found in the package registry",
    "network was disabled",
)  # fmt: skip


def _failure(wheel: Wheel, output: str) -> DownloadError:
    words = _last_words(output)
    if any(sign in output for sign in _NETWORK_SIGNS):
        return DownloadError(
            f"{wheel.file}: there is no network, or the package index did not answer, and the "
            f"files are not in the cache {cache.home()} ({words}).",
            hint="When online, run: mycloset pull embedded. " + _by_hand(wheel),
        )
    return DownloadError(
        f"{wheel.file}: it could not be fetched ({words}), and the files are not in the cache "
        f"{cache.home()}.",
        hint="Mend that and run: mycloset pull embedded. " + _by_hand(wheel),
    )


def _by_hand(wheel: Wheel) -> str:
    return (
        f"Or get {wheel.file} on another machine and run: mycloset pull embedded --from "
        f"{wheel.file}"
    )


def _last_words(output: str) -> str:
    """The line in which the tool says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.lower().startswith(("error", "× "))]
    return (told or lines or ["it said nothing"])[-1]
