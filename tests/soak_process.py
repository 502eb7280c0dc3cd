"""The bot as a process of its own, and the table of what became of it: what soaks share."""

import asyncio
import os
import platform
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fake_discord import DiscordServer

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Report:
    """What happened."""

    uses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    setting: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        """The table, as Markdown."""
        lines = [f"| {name} | {text.replace('|', '/')} |" for name, text in self.rows()]
        return "\n".join(["|  |  |", "| --- | --- |", *lines])

    def rows(self) -> Iterator[tuple[str, str]]:
        """The rows of the table."""
        yield from self.setting
        yield "uses", f"{self.uses.total():,}: {_listed(self.uses)}"
        yield "faults", f"{self.faults.total():,}: {_listed(self.faults)}"
        yield "ends", _listed(self.ends)
        yield from self.notes
        yield "wrong", f"{len(self.wrong)}" + "".join(f"; {text}" for text in self.wrong[:10])


def machine() -> str:
    """The kind of machine, without its name, and how busy it is already."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        f"{os.cpu_count()} x {names[0] if names else platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}; load {load} at the start"
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())


class Process:
    """The bot."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._log = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, server: DiscordServer, model: str, database: Path) -> "Process":
        """Start it and wait until it is connected."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DISCORD_", "POOH_"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            cwd=ROOT,
            env={
                **kept,
                "DISCORD_TOKEN": server.token,
                "DISCORD_API_BASE": server.api_base,
                "DISCORD_GATEWAY": server.gateway_url,
                "POOH_MODEL": model,
                "POOH_COOLDOWN": "1",
                "POOH_BURST": "5",
                "POOH_DATABASE": str(database),
            },
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        await server.until(lambda: server.commands and server.gateway.socket, "the bot")
        return cls(process)

    async def _read(self) -> str:
        assert self._process.stderr
        return (await self._process.stderr.read()).decode()

    def resident(self) -> float:
        """Its resident memory in MB; NaN where there is no /proc."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return float("nan")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else float("nan")

    async def stop(self, report: Report) -> None:
        """Send it to sleep; what it leaves behind is in the report."""
        began = time.monotonic()
        self._process.terminate()
        log = await self._log
        code = await self._process.wait()
        took = time.monotonic() - began
        report.notes.append(("asleep after", f"{took:.1f} s, exit code {code}"))
        errors = Counter(re.findall(r"\w{8}: (\w+(?: \d+ \(\d+\))?) in", log))
        report.notes.append(("errors in the log", _listed(errors) or "none"))
        if code or took > 10:
            report.wrong.append("the bot did not go to sleep as it should")
        report.wrong += [f"in the log: {line}" for line in log.splitlines() if "Traceback" in line]
        for private in ("Friend number", "who liked"):
            if private in log:
                report.wrong.append("the log holds what somebody wrote")
