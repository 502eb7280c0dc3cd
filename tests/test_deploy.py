"""What a host deploys fits the bot that it runs."""

import ast
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from bot.__main__ import INVALID, TRY_AGAIN
from bot.client import GOODBYE, GRACE, Pooh
from bot.metrics import Metrics
from tests.hosting import stage

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
UNIT = (ROOT / "deploy" / "pooh.service").read_text("utf-8")
DASHBOARD = json.loads((ROOT / "deploy" / "grafana.json").read_text("utf-8"))


def expressions() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def known(client: Pooh) -> dict[str, set[str]]:
    """The samples that /metrics may have, and the labels that each of them may have."""
    registry = Metrics(client).registry
    names: dict[str, set[str]] = {}
    for family in registry.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
        for suffix in suffixes.get(family.type, [""]):
            names[family.name + suffix] = set()
    for collector in list(registry._collector_to_names):
        for name in registry._collector_to_names[collector]:
            if name in names:
                names[name] |= set(getattr(collector, "_labelnames", ()))
    for family in registry.collect():
        for sample in family.samples:
            names[sample.name] |= set(sample.labels)
    return names


async def test_the_dashboard_asks_for_what_there_is() -> None:
    async with stage(start=False) as theatre:
        theatre.prepare()
        there = known(theatre.bot)
    assert len(expressions()) > 15
    for expression in expressions():
        (name,) = set(re.findall(r"(?:pooh|process)_[a-z_]+", expression))
        assert name in there, f"{name} is not a metric"
        by = re.findall(r"by \(([a-z, ]+)\)", expression)
        labels = {label for group in by for label in group.split(", ")} - {"instance"}
        assert labels <= there[name] | {"le"}, expression


def test_panels_have_ids_and_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for cell in {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }:
            assert cell not in taken, panel["title"]
            taken.add(cell)


def seconds(pattern: str, text: str) -> float:
    found = re.search(pattern, text, re.M)
    assert found is not None, pattern
    return float(found[1])


def test_nobody_is_killed_while_stories_are_finished() -> None:
    assert seconds(r"^TimeoutStopSec=(\d+)$", UNIT) > GRACE + GOODBYE
    assert seconds(r"stop_grace_period: (\d+)s", COMPOSE) > GRACE + GOODBYE


def test_it_is_started_again_where_that_helps() -> None:
    assert re.search(rf"^RestartPreventExitStatus={INVALID}$", UNIT, re.M)
    assert "Restart=on-failure" in UNIT and TRY_AGAIN not in (0, INVALID)
    assert re.search(r"^Type=notify$", UNIT, re.M)


def test_every_place_means_the_same_port() -> None:
    port = seconds(r"POOH_METRICS_PORT=(\d+)", DOCKERFILE)
    assert seconds(r"POOH_METRICS_PORT: 0\.0\.0\.0:(\d+)", COMPOSE) == port
    scraped = (ROOT / "deploy" / "prometheus.yml").read_text("utf-8")
    assert seconds(r"port: (\d+)", scraped) == port


def test_the_image_starts_without_a_shell_and_without_rights() -> None:
    for instruction in ("ENTRYPOINT", "HEALTHCHECK .*CMD"):
        (form,) = re.findall(rf"^{instruction} (\[.*\])$", DOCKERFILE, re.M)
        assert ast.literal_eval(form)[:3] == ["python", "-m", "bot"]
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    (user,) = re.findall(r"^USER (\d+)$", last, re.M)
    assert int(user) > 0 and f"--uid {user}" in last
    assert "torch" not in DOCKERFILE.lower().replace("pytorch", "")


def test_the_image_has_all_that_is_installed_and_no_more() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
    places = {place for line in copied for place in line.split()}
    for place in places:
        assert (ROOT / place).exists(), place
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = set(project["tool"]["setuptools"]["packages"])
    assert packages <= places
    ignored, *allowed = [
        line
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert ignored == "*", "what is not named stays out: .env, books, checkpoints"
    named = {line[1:].split("/")[0] for line in allowed if line.startswith("!")}
    assert named == {place.split("/")[0] for place in places}
    files = project["tool"]["setuptools"]["package-data"]["data"]
    assert {f"!data/{name}" for name in files} <= set(allowed)


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed here")
    unit = tmp_path / "pooh.service"
    unit.write_text(UNIT.replace("/opt/pooh/.venv/bin/python", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "pooh.service" not in done.stderr, done.stderr


def test_what_is_kept_outlives_the_process_wherever_it_runs() -> None:
    (path,) = re.findall(r"POOH_DATABASE=(\S+)", DOCKERFILE)
    folder = path.rpartition("/")[0]
    assert f"VOLUME {folder}" in DOCKERFILE
    assert re.search(rf"install .*--owner=10001 .*{folder}$", DOCKERFILE, re.M)
    shards = (ROOT / "deploy" / "compose.shards.yaml").read_text("utf-8")
    for text in (COMPOSE, shards):
        assert f"- pooh:{folder}" in text and "read_only: true" in text
    assert re.search(r"^volumes:\n  pooh:", COMPOSE, re.M)
    assert f"Environment=POOH_DATABASE={path}\n" in UNIT
    (state,) = re.findall(r"^StateDirectory=(\S+)$", UNIT, re.M)
    assert f"/var/lib/{state}" == folder
    pods = (ROOT / "deploy" / "statefulset.yaml").read_text("utf-8")
    assert f"mountPath: {folder}}}" in pods and "volumeClaimTemplates:" in pods


def test_nothing_may_take_the_machines_memory_and_what_is_needed_is_there() -> None:
    hosting = (ROOT / "docs" / "hosting.md").read_text("utf-8")
    needed = seconds(r"and (\d+) at the\s+most\. So \d+ MB are enough", hosting) * 2**20
    enough = seconds(r"So (\d+) MB are enough", hosting) * 10**6
    room = seconds(r"and (\d+) GB is room: it is\s+the limit", hosting) * 2**30
    assert needed < enough < room
    limits = {"compose.yaml": r"mem_limit: (\d+)g\b", "deploy/pooh.service": r"^MemoryMax=(\d+)G$"}
    limits |= {"deploy/compose.shards.yaml": limits["compose.yaml"]}
    limits |= {"deploy/statefulset.yaml": r"image: pooh\b[\s\S]+?limits: \{memory: (\d+)Gi\}"}
    for name, limit in limits.items():
        assert seconds(limit, (ROOT / name).read_text("utf-8")) * 2**30 == room, name
    for text in (DOCKERFILE, UNIT):
        assert "MALLOC_ARENA_MAX=2" in text


def test_prometheus_finds_every_process_of_the_compose_files() -> None:
    (name,) = re.findall(
        r"names: \[(\w+)\]", (ROOT / "deploy" / "prometheus.yml").read_text("utf-8")
    )
    shards = (ROOT / "deploy" / "compose.shards.yaml").read_text("utf-8")
    first, *others = re.split(r"^  (?=\S)", shards[shards.index("\nservices:\n") :], flags=re.M)[1:]
    assert first.startswith(f"{name}:") and others
    for service in others:
        assert f"aliases: [{name}]" in service


def test_pods_hold_no_key_to_the_cluster_and_valkey_hears_the_bot_alone() -> None:
    pods = (ROOT / "deploy" / "statefulset.yaml").read_text("utf-8")
    specs = pods.count("template:\n    metadata:")
    assert specs == 2
    for line in ("automountServiceAccountToken: false", "seccompProfile: {type: RuntimeDefault}"):
        assert pods.count(line) == specs
    policy = pods[pods.index("kind: NetworkPolicy") :]
    assert "app: pooh-valkey" in policy and "app: pooh}" in policy


def test_an_upgrade_as_written_keeps_docker_from_starting_the_old_one_again() -> None:
    assert "restart: unless-stopped" in COMPOSE
    hosting = (ROOT / "docs" / "hosting.md").read_text("utf-8")
    recipe = hosting.partition("old=$(docker compose ps")[2].partition("\n\n")[0]
    assert 0 < recipe.find("docker update --restart=no $old") < recipe.index("docker kill")
