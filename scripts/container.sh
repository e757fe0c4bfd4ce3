#!/usr/bin/env bash
# Build the image from the real Dockerfile and run it: read-only, without capabilities, without root.
# As root on Debian it needs no Docker daemon and no image registry: the images that the Dockerfile
# begins with are stand-ins then (container-bases.sh), so sizes and digests are not theirs.
# With CONTAINER_IMAGE set nothing is built, and that image is run by CONTAINER_ENGINE (docker).
# With the word `bases` it only makes the stand-ins, which take a minute and a half, once.
# Where neither is possible this says so and ends well: `make test` needs no container.
set -euo pipefail
cd "$(dirname "$0")/.."

run_scenes() { # ENGINE IMAGE
    echo "Running $2 …"
    CONTAINER_ENGINE=$1 CONTAINER_IMAGE=$2 .venv/bin/python -m pytest -q tests/container </dev/null
}

not_here() {
    echo "Container: NOT built and NOT run here: $1" >&2
    exit 0
}

if [ -n "${CONTAINER_IMAGE:-}" ]; then
    run_scenes "${CONTAINER_ENGINE:-docker}" "$CONTAINER_IMAGE"
    exit
fi

[ "$(id -u)" = 0 ] || not_here "it needs root."
type -P apt-get >/dev/null || not_here "it needs Debian's packages."
unshare --mount true 2>/dev/null || not_here "this machine lets nobody mount."
type -P npm >/dev/null || not_here "Node.js is missing."
missing=()
for program in buildah podman runc debootstrap; do
    type -P "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing ${missing[*]} …"
    export DEBIAN_FRONTEND=noninteractive
    if ! apt-get update -qq </dev/null ||
        ! apt-get install -qq -y --no-install-recommends "${missing[@]}" uidmap </dev/null >/dev/null; then
        not_here "${missing[*]} cannot be installed."
    fi
fi

export CONTAINER_WORK=${CONTAINER_WORK:-${XDG_CACHE_HOME:-$HOME/.cache}/switchboard-container}
mkdir -p "$CONTAINER_WORK"
# One at a time: two clones of this repository may share CONTAINER_WORK.
exec 9>"$CONTAINER_WORK/lock"
flock 9
cat >"$CONTAINER_WORK/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$CONTAINER_WORK/root"
runroot = "$CONTAINER_WORK/run"
CONF
# runc and cgroupfs, because they run without systemd; the host's network, because nothing sets up another.
cat >"$CONTAINER_WORK/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
CONF
export CONTAINERS_STORAGE_CONF=$CONTAINER_WORK/storage.conf
export CONTAINERS_CONF=$CONTAINER_WORK/containers.conf
export BUILDAH_ISOLATION=chroot

readonly PYTHON_BASE=localhost/switchboard-base-python:standin
readonly NODE_BASE=localhost/switchboard-base-node:standin
scripts/container-bases.sh "$PYTHON_BASE" "$NODE_BASE"
[ "${1:-}" != bases ] || exit 0

readonly IMAGE=localhost/switchboard:ci
echo "Building $IMAGE …"
buildah bud --pull-never --layers=false --format docker -t "$IMAGE" \
    --build-arg PY_IMAGE="$PYTHON_BASE" --build-arg NODE_IMAGE="$NODE_BASE" \
    --build-arg SYSTEM_CERTS=true . >"$CONTAINER_WORK/build.log" 2>&1 ||
    { tail -40 "$CONTAINER_WORK/build.log" >&2; exit 1; }
run_scenes podman "$IMAGE"
