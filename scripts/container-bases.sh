#!/usr/bin/env bash
# Make stand-ins for the images that our Dockerfile begins with, where no image registry can be reached:
# this machine's own Python and Node.js, the libraries of these two, and the few programs that a
# Dockerfile's commands need. It takes seconds, so nothing of it is kept for the next time.
# Usage: container-bases.sh PYTHON_IMAGE NODE_IMAGE    as root; scripts/container.sh sets what it needs
set -euo pipefail
cd "$(dirname "$0")/.."
readonly PYTHON_IMAGE=$1 NODE_IMAGE=$2
readonly CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
readonly ROOTFS=${CONTAINER_WORK:?}/rootfs
shopt -s nullglob

fresh() {
    rm -rf "$ROOTFS"
    mkdir -p "$ROOTFS"/{bin,etc/ssl/certs,proc,root,sys,tmp,usr/local/bin,usr/local/etc,usr/local/lib}
    chmod 1777 "$ROOTFS/tmp"
}

put() { cp --dereference --parents "$@" "$ROOTFS/"; }

# libraries_of FILE…: the shared libraries that they ask for, and the loader.
libraries_of() {
    { ldd "$@" 2>/dev/null || true; } | sed -nE 's/^\t(.* => )?(\/[^ ]+) \(0x.*/\2/p' | sort -u
}

# What lies where no other system would look goes to /usr/local/lib.
with_libraries() { # FILE…
    local library
    while read -r library; do
        case $library in
        /lib/* | /lib64/* | /usr/lib/*) put "$library" ;;
        *) cp --dereference "$library" "$ROOTFS/usr/local/lib/" ;;
        esac
    done < <(libraries_of "$@")
}

as_image() { # NAME COMMAND
    /sbin/ldconfig -r "$ROOTFS"
    tar --create --directory "$ROOTFS" . | podman import --quiet \
        --change "ENV PATH=/usr/local/bin:/usr/bin:/bin" --change "ENV LANG=C.UTF-8" --change "CMD $2" \
        - "$1" >/dev/null
}

add_system() {
    local programs library
    programs=(/bin/sh "$(type -P env)" "$(type -P cp)" "$(type -P mkdir)" "$(type -P rm)")
    put "${programs[@]}"
    with_libraries "${programs[@]}"
    # Every system has these, so compiled packages take them for granted.
    for library in libdl.so.2 libgcc_s.so.1 libm.so.6 libpthread.so.0 libresolv.so.2 librt.so.1 \
        libstdc++.so.6 libutil.so.1; do
        put "$(/sbin/ldconfig -p | sed -n "s|^\t$library .* => ||p" | head -n 1)"
    done
    echo /usr/local/lib >"$ROOTFS/etc/ld.so.conf"
    echo root:x:0:0:root:/root:/bin/sh >"$ROOTFS/etc/passwd"
    echo root:x:0: >"$ROOTFS/etc/group"
    # This machine's own certificates: a registry may stand behind a proxy that signs with one of its own.
    cp "$CERTIFICATES" "$ROOTFS$CERTIFICATES"
}

# The interpreter and its library go to /usr/local, wherever they lie here; what else this machine has
# installed for it stays here.
add_python() {
    local python stdlib modules
    python=$(scripts/find-python.sh)
    stdlib=$("$python" -I -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
    modules=("$stdlib"/lib-dynload/*.so)
    install -D "$(readlink -f "$python")" "$ROOTFS/usr/local/bin/python3"
    mkdir -p "$ROOTFS/usr/local/lib/${stdlib##*/}"
    tar --create --directory "$stdlib" --exclude=__pycache__ --exclude=site-packages \
        --exclude=dist-packages --exclude=test --exclude='config-3*' . |
        tar --extract --directory "$ROOTFS/usr/local/lib/${stdlib##*/}"
    with_libraries "$python" "${modules[@]}"
    # Where every Python looks, also one that Debian has patched.
    "$(scripts/find-uv.sh "$python")" pip install --quiet --no-config --python "$python" \
        --target "$ROOTFS/usr/local/lib/${stdlib##*/}" pip
    printf '[global]\ncert = %s\n' "$CERTIFICATES" >"$ROOTFS/etc/pip.conf"
}

add_node() {
    local node npm
    node=$(readlink -f "$(type -P node)")
    npm=$(readlink -f "$(type -P npm)")
    install -D "$node" "$ROOTFS/usr/local/bin/node"
    with_libraries "$node"
    case $npm in
    /usr/share/nodejs/*) put --recursive /usr/share/nodejs ;; # Debian's, in many packages
    *) put --recursive "${npm%/bin/npm-cli.js}" ;;
    esac
    ln -s "$npm" "$ROOTFS/usr/local/bin/npm"
    echo "cafile=$CERTIFICATES" >"$ROOTFS/usr/local/etc/npmrc"
}

fresh
add_system
add_python
as_image "$PYTHON_IMAGE" python3
add_node
as_image "$NODE_IMAGE" node
rm -rf "$ROOTFS"
