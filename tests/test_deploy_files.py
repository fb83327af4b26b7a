"""What operators copy: the manifest of Kubernetes, the file of compose with its load balancer, and what pages say of them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import crossplane
import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from prometheus_client import CollectorRegistry

from chat import RoomClient, messages
from sockspec.runtime import Options
from sockspec.runtime.fleet import control
from sockspec.runtime.metrics import PrometheusMetrics
from sockspec.runtime.problems import RETRIABLE_CLOSE_CODES
from tests.runtime.chatting import scenario

ROOT: Final = Path(__file__).parents[1]
DEPLOY: Final = ROOT / "docs" / "deploy"
PATIENCE: Final = 15.0
LEAVE: Final = 10.0
"""What a node may need beside draining and closing, in seconds."""
DEFAULTS: Final = Options()


def seconds(text: str) -> float:
    """A time as compose, nginx and Kubernetes write it."""
    number, unit = re.fullmatch(r"([\d.]+)(ms|s|m|h)", text.strip()).groups()  # type: ignore[union-attr]  # or it fails
    return float(number) * {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}[unit]


# --- Kubernetes -------------------------------------------------------------------------------------------------------


def manifest() -> dict[str, Any]:
    """The objects by kind; there is one of each."""
    found = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))
    by_kind = {each["kind"]: each for each in found}
    assert len(by_kind) == len(found)
    return by_kind


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = manifest()["Deployment"]["spec"]["template"]["spec"]
    return spec


def test_kubernetes_waits_for_longer_than_a_node_needs_to_drain() -> None:
    (container,) = pod()["containers"]
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = sleep + DEFAULTS.drain_timeout + DEFAULTS.close_timeout + LEAVE
    assert pod()["terminationGracePeriodSeconds"] > needed
    assert pod()["terminationGracePeriodSeconds"] < DEFAULTS.session_timeout


def test_kubernetes_asks_what_a_node_answers() -> None:
    (container,) = pod()["containers"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "websocket"}
    assert container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/healthz"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    text = (DEPLOY / "Dockerfile").read_text()
    assert {f"PORT={ports['websocket']}", f"METRICS_PORT={ports['metrics']}"} <= set(text.split())
    assert manifest()["Deployment"]["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == str(
        ports["metrics"]
    )


def test_the_objects_of_kubernetes_mean_one_another() -> None:
    found = manifest()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [found["Deployment"]["spec"]["selector"]["matchLabels"], found["Service"]["spec"]["selector"]]
    selectors.append(found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"])
    selectors += [each["labelSelector"]["matchLabels"] for each in pod()["topologySpreadConstraints"]]
    assert all(selector.items() <= labels.items() for selector in selectors)
    (rule,) = found["HTTPRoute"]["spec"]["rules"]
    (service,) = rule["backendRefs"]
    assert service["name"] == found["Service"]["metadata"]["name"]
    assert [service["port"]] == [port["port"] for port in found["Service"]["spec"]["ports"]]
    assert found["BackendTrafficPolicy"]["spec"]["targetRefs"][0]["name"] == found["HTTPRoute"]["metadata"]["name"]


def test_nothing_between_kubernetes_and_a_node_ends_quiet_connections() -> None:
    (rule,) = manifest()["HTTPRoute"]["spec"]["rules"]
    assert set(rule["timeouts"].values()) == {"0s"}  # which is for no end
    idle = manifest()["BackendTrafficPolicy"]["spec"]["timeout"]["http"]["streamIdleTimeout"]
    assert seconds(idle) > DEFAULTS.ping_interval + DEFAULTS.ping_timeout


def test_a_node_in_kubernetes_may_do_little_and_one_is_missing_at_most() -> None:
    (container,) = pod()["containers"]
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    (secret,) = [each["valueFrom"] for each in container["env"] if each["name"] == "BACKPLANE"]
    assert list(secret) == ["secretKeyRef"]
    deployment = manifest()["Deployment"]["spec"]
    assert deployment["replicas"] == 3
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert manifest()["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1


# --- compose ----------------------------------------------------------------------------------------------------------


def composed() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def test_the_file_of_compose_is_one_and_names_files_that_are_there() -> None:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text(encoding="utf-8"))
    validator_for(schema, default=Draft202012Validator)(schema).validate(composed())
    node = composed()["x-node"]
    assert (DEPLOY / node["build"]["context"]).resolve() == ROOT
    assert (ROOT / node["build"]["dockerfile"]).is_file()
    for service in composed()["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in composed()["volumes"] or (DEPLOY / source).is_file()
    copied = re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert all((ROOT / path).exists() for line in copied for path in line.split())


def test_compose_waits_for_longer_than_a_node_needs_to_drain() -> None:
    assert seconds(composed()["x-node"]["stop_grace_period"]) > (
        DEFAULTS.drain_timeout + DEFAULTS.close_timeout + LEAVE
    )


def directives(parsed: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """All that a configuration of nginx says, whatever it is within."""
    found: list[tuple[str, list[str]]] = []
    for each in parsed:
        found += [(each["directive"], each["args"]), *directives(each.get("block", []))]
    return found


def test_nginx_knows_all_nodes_and_leaves_quiet_connections_alone() -> None:
    parsed: Any = crossplane.parse(str(DEPLOY / "nginx.conf"), strict=True, check_ctx=True, check_args=True)
    assert parsed["errors"] == []
    said = directives(parsed["config"][0]["parsed"])
    nodes = [name for name, service in composed()["services"].items() if service["image"] == "chat"]
    assert [args[0] for name, args in said if name == "server" and args] == [f"{node}:8765" for node in nodes]
    assert len(nodes) == 3
    values = dict(said)
    assert "least_conn" in values
    assert "ip_hash" not in values
    assert "http_503" in values["proxy_next_upstream"]
    for name in ("proxy_read_timeout", "proxy_send_timeout"):
        assert seconds(values[name][0]) > DEFAULTS.ping_interval + DEFAULTS.ping_timeout
    (host_port,) = composed()["services"]["nginx"]["ports"]
    assert host_port.rpartition(":")[2] == values["listen"][0]
    assert composed()["networks"]["fleet"]["ipam"]["config"] == [
        {"subnet": composed()["x-node"]["environment"]["TRUSTED_PROXIES"]}
    ]


# --- a node -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def running(backplane: str, folder: Path) -> AsyncGenerator[tuple[str, asyncio.subprocess.Process]]:
    """The program of a node, as the image has it: its files in one folder; and where it listens."""
    environment = {**os.environ, "BACKPLANE": backplane, "HOST": "127.0.0.1", "PORT": "0", "METRICS_PORT": "0"}
    paths = [ROOT / "generator", ROOT / "generated", ROOT / "examples" / "chat"]
    environment |= {"PYTHONPATH": os.pathsep.join(map(str, paths)), "TRUSTED_PROXIES": "127.0.0.0/8"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(DEPLOY / "node.py")),
        cwd=folder,
        env=environment,
        stdout=-1,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            url = (await process.stdout.readline()).decode().strip()
        assert url.startswith("ws://")
        yield url, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def ready(url: str) -> str:
    with urlopen(f"http{url.removeprefix('ws')}/readyz", timeout=PATIENCE) as answer:
        assert answer.status == 200
        text: str = answer.read().decode()
    return text


def test_nodes_meet_on_their_backplane_and_stop_with_exit_code_0(redis_url: str, tmp_path: Path) -> None:
    @scenario
    async def run() -> None:
        async with AsyncExitStack() as stack:
            nodes = [await stack.enter_async_context(running(redis_url, tmp_path)) for _ in range(2)]
            people = [RoomClient(room="deployed", url=f"{url}/v1", token=url) for url, _ in nodes]
            for person in people:
                await stack.enter_async_context(person)
                await person.send_join(data=messages.JoinData(nickname="somebody"))
                await person.wait_for(messages.PresenceChanged, timeout=PATIENCE)
            assert [await asyncio.to_thread(ready, url) for url, _ in nodes] == ["ready\n"] * 2
            await people[0].send_message(data=messages.SendMessageData(text="hello"))
            heard = await people[1].wait_for(messages.MessagePosted, timeout=PATIENCE)
            assert heard.data.text == "hello"
            for person in people:
                await person.close()
            for _, process in nodes:
                process.send_signal(signal.SIGTERM)
            assert [await process.wait() for _, process in nodes] == [0, 0]

    run()


def test_a_node_without_its_engine_is_ready_and_says_so(tmp_path: Path) -> None:
    @scenario
    async def run() -> None:
        async with running("redis://127.0.0.1:9", tmp_path) as (url, _):
            answer = await asyncio.to_thread(ready, url)
            assert re.fullmatch(r"ready\ndegraded: the backplane redis has not answered for \d+ s\n", answer)

    run()


# --- what the pages say -----------------------------------------------------------------------------------------------


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_the_page_of_fleets_says_the_defaults() -> None:
    section = page("fleet.md").partition("## Settings")[2].partition("\n## ")[0]
    said = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", section, re.MULTILINE))
    assert len(said) > 8
    defaults = {field.name: getattr(DEFAULTS, field.name) for field in fields(Options)}
    assert said == {name: repr(defaults[name]).replace("'", '"') for name in said}


def test_the_pages_name_metrics_that_there_are() -> None:
    registry = CollectorRegistry()
    PrometheusMetrics(registry)
    names = {metric.name + ("_total" if metric.type == "counter" else "") for metric in registry.collect()}
    for name in ("operations.md", "fleet.md"):
        said = set(re.findall(r"\bsockspec_\w+", page(name)))
        assert {re.sub(r"_(bucket|count|sum)$", "", each) for each in said} <= names
    assert names <= set(re.findall(r"\bsockspec_\w+", page("operations.md")))


def test_the_alerts_are_rules_of_prometheus() -> None:
    (block,) = re.findall(r"```yaml\n(groups:.*?)```", page("fleet.md"), re.DOTALL)
    (group,) = yaml.safe_load(block)["groups"]
    for rule in group["rules"]:
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert set(rule) <= {"alert", "expr", "for", "labels"}
        assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_the_page_of_the_protocol_shows_what_is_sent() -> None:
    blocks = re.findall(r"```json\n(.*?)```", page("resume-protocol.md"), re.DOTALL)
    client, server = ([line for line in block.splitlines() if line] for block in blocks)
    assert client
    assert server
    for line in client:
        asked = control.from_client(line)
        assert asked is not None
        assert control.frame_of(asked).payload == line
    shown = [control.from_server(line) for line in server]
    assert [None if one is None else control.frame_of(one).payload for one in shown] == server
    assert {type(one) for one in shown} == set(control.ToClient.__args__)


@pytest.mark.parametrize("name", ["resume-client.js", "resume-protocol.md"])
def test_clients_come_back_after_the_close_codes_that_are_meant_so(name: str) -> None:
    said = re.search(r"(?:new Set\(\[|close codes )(1\d{3}.*?)(?:\]|, with)", page(name))
    assert said is not None
    assert {int(code) for code in re.findall(r"\d+", said[1])} == RETRIABLE_CLOSE_CODES
