"""What is deployed is what there is: the image's recipe and the proxy's compose file."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # pyright: ignore[reportMissingModuleSource]

from switchboard.app import create_app
from switchboard.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "deploy/proxy/compose.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STAGES = dict(
    re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.DOTALL | re.MULTILINE)
)
"""The Dockerfile's named stages: what is done in each."""
GIVEN = {"AZURE_VOICELIVE_ENDPOINT": "https://r.services.ai.azure.com"}


@pytest.fixture
def proxy() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["proxy"]


def environment(proxy: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """What the container is told where whoever starts it has set `given`."""
    told = {name: given.get(name) if text is None else text for name, text in _items(proxy)}
    return {name: _filled_in(text, given) for name, text in told.items() if text is not None}


def _items(proxy: dict[str, Any]) -> list[tuple[str, str | None]]:
    return list(proxy["environment"].items())


def _filled_in(text: str, given: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, how, default = found.groups()
        if how == ":?":
            return given[name]
        return given.get(name) or default

    return re.sub(r"\$\{(\w+)(:-|:\?)([^}]*)\}", value, text)


def test_every_variable_of_the_compose_file_is_one_of_ours(proxy: dict[str, Any]) -> None:
    ours = {name.upper() for name in Settings.model_fields}
    assert {name for name, _ in _items(proxy)} <= ours


def test_what_the_compose_file_says_is_enough_to_serve_the_proxy(
    proxy: dict[str, Any], tmp_path: Path
) -> None:
    told = environment(proxy, {**GIVEN, "ALLOWED_ORIGINS": "https://a.example"})
    settings = Settings.model_validate(
        {
            **{name.lower(): value for name, value in told.items()},
            "data_dir": tmp_path,
            "session_config": ROOT / "session_config.json",
        }
    )
    app = create_app(settings)
    assert app.state.house.proxy is not None
    assert app.state.house.origins.allowed == {"http://127.0.0.1:8000", "https://a.example"}
    assert settings.allow_anonymous  # or it would not start on an address of its own


def test_without_an_endpoint_it_does_not_start(proxy: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match="AZURE_VOICELIVE_ENDPOINT"):
        environment(proxy, {})


def test_the_proxys_container_may_do_little_and_lives_long_enough(proxy: dict[str, Any]) -> None:
    told = environment(proxy, GIVEN)
    assert proxy["user"].split(":")[0] not in ("", "0", "root")
    assert (proxy["read_only"], proxy["cap_drop"]) == (True, ["ALL"])
    assert proxy["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in proxy["ports"])
    assert proxy["ulimits"]["nofile"] > 2 * int(told["PROXY_MAX_CONNECTIONS"]) + 500
    assert int(proxy["stop_grace_period"].removesuffix("s")) > int(told["DRAIN_SECONDS"])
    assert (COMPOSE.parent / proxy["build"]["context"]).resolve() == ROOT
    assert proxy["build"]["target"] == "production"


def test_the_image_has_neither_the_local_cloud_nor_a_root_user() -> None:
    packages, production = STAGES["packages"], STAGES["production"]
    assert "--extra" not in packages
    assert "--all-extras" not in packages
    assert packages.count("--no-dev") == 2
    assert "rm -r /app/.venv/lib/python3.*/site-packages/switchboard_local" in packages
    assert re.findall(r"^COPY --from=(\S+)", production, re.MULTILINE) == ["packages"] * 2
    user = re.findall(r"^USER (\S+)", production, re.MULTILINE)
    assert user == ["10001:10001"]
    assert "HEALTHCHECK" in production


def test_whoever_names_no_target_gets_the_image_and_not_the_demonstration() -> None:
    last = re.findall(r"^FROM .*", DOCKERFILE, re.MULTILINE)[-1]
    assert last == "FROM production"
    assert DOCKERFILE.endswith(f"{last}\n")


def test_the_image_begins_with_azure_linux_and_asks_its_package_manager_for_nothing() -> None:
    bases = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", DOCKERFILE, re.MULTILINE))
    assert set(bases) == {"PY_IMAGE", "NODE_IMAGE"}
    for base in bases.values():
        assert base.startswith("mcr.microsoft.com/azurelinux/base/")
    assert set(re.findall(r"^FROM \$\{(\w+)\}", DOCKERFILE, re.MULTILINE)) == set(bases)
    assert not re.search(r"\b(tdnf|dnf|yum|rpm|apt|apt-get|apk)\b", DOCKERFILE)
    assert not re.search(r"^RUN ", STAGES["production"], re.MULTILINE)


def test_the_workflow_pins_the_bases_that_the_image_names() -> None:
    workflow = (ROOT / ".github/workflows/image.yml").read_text(encoding="utf-8")
    bases = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", DOCKERFILE, re.MULTILINE))
    pinned = dict(re.findall(r"^  (\w+_IMAGE): (\S+)@sha256:[0-9a-f]{64}$", workflow, re.MULTILINE))
    for name, base in bases.items():
        assert pinned[name].startswith(base), name  # of the same line, or a closer tag
        assert f"--build-arg {name}" in workflow
    assert "--target production" in workflow


def test_everything_installed_is_locked_by_hash() -> None:
    assert DOCKERFILE.count("pip install") == DOCKERFILE.count("--require-hashes") == 1
    assert DOCKERFILE.count("uv sync") == DOCKERFILE.count("uv sync --quiet --frozen") == 3
    assert "npm ci" in DOCKERFILE
    assert "npm install" not in DOCKERFILE


def test_the_demonstration_is_the_image_with_the_local_cloud() -> None:
    assert "FROM packages AS demo-packages" in DOCKERFILE
    assert "--extra local" in STAGES["demo-packages"]
    assert "FROM production AS demo" in DOCKERFILE  # its user, its healthcheck
    assert "USER" not in STAGES["demo"]
    assert 'CMD ["switchboard-local", "up"]' in STAGES["demo"]


def test_everything_the_image_copies_is_there_and_sent_to_the_build() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = [line.removeprefix("!") for line in ignore if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = [source.rstrip("/") for line in copied for source in line.split()]
    assert len(sources) > 8
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == part or source.startswith(f"{part}/") for part in sent), source


def test_a_machine_that_cannot_build_it_says_so_and_is_not_failed(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n", encoding="utf-8")
    (tmp_path / "id").chmod(0o755)
    ran = subprocess.run(
        ["bash", str(ROOT / "scripts/container.sh")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path), "CI": "true"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 0
    assert ran.stderr == "Container: NOT built and NOT run here: it needs root.\n"
