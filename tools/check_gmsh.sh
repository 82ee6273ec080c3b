#!/bin/sh
# Usage: check_gmsh.sh VENV. Makes `import gmsh` work in a virtual environment.
#
# gmsh's wheel holds its graphical interface too, and so asks for OpenGL and X libraries that a
# machine without a desktop does not have. Root gets them from Debian's packages. Without root, the
# same libraries are unpacked into the environment, beside libgmsh; they are needed only to exist.
set -eu

venv=$1
. "$(dirname "$0")/common.sh"

packages="libgl1 libglu1-mesa libxcursor1 libxft2 libxinerama1 libgomp1"
# What those need in turn. The drivers that Debian installs beside them (100 MB) are not.
dependencies="libbrotli1 libbsd0 libexpat1 libfontconfig1 libfreetype6 libglvnd0 libglx0 libmd0
libopengl0 libpng16-16 libx11-6 libx11-data libxau6 libxcb1 libxdmcp6 libxext6 libxfixes3
libxrender1"

gmsh_works() { "$venv/bin/python" -c 'import gmsh' 2>/dev/null; }

bundle_libraries() {
    unpacked=$(mktemp -d)
    say "Unpacking the libraries that gmsh needs into $venv/lib"
    unpack_packages "$unpacked" $packages $dependencies || return 1
    for library in "$unpacked"/usr/lib/*/lib*.so.* "$unpacked"/lib/*/lib*.so.*; do
        [ -e "$library" ] && cp -d "$library" "$venv/lib/"
    done
    rm -rf "$unpacked"
    "$venv/bin/python" "$(dirname "$0")/share_search_path.py" "$venv"/lib/libgmsh.so.*
}

gmsh_works && exit

reason=$("$venv/bin/python" -c 'import gmsh' 2>&1 | tail -n 1)
say "gmsh cannot be imported yet ($reason)"
case $reason in
*"cannot open shared object file"*) ;;
*) fail "gmsh is installed but does not work on this machine, see above" ;;
esac

if can_install_packages; then
    install_packages $packages || true
elif can_unpack_packages; then
    bundle_libraries || true
fi
gmsh_works && exit

fail "gmsh needs system libraries. As an administrator, type the line for this system" \
    "Debian, Ubuntu:  sudo apt-get install -y --no-install-recommends $packages" \
    "Fedora, RHEL:    sudo dnf install -y mesa-libGLU libglvnd-glx libglvnd-opengl libXcursor libXft libXinerama libgomp" \
    "and then the same command again. Without an administrator, conda brings them along:" \
    "                 conda env create -f environment.yml"
