"""Let a shared library look up the libraries of its libraries, too.

``share_search_path.py LIBRARY`` turns the ``DT_RUNPATH`` entry of an ELF file, which holds for the
libraries that the file itself names, into ``DT_RPATH``, which holds for those that they name in
turn. The path itself stays. gmsh's wheel has ``$ORIGIN/../lib`` in it, so that what lies beside
``libgmsh`` is found from any shell, without ``LD_LIBRARY_PATH``.
"""

import os
import struct
import sys
from pathlib import Path

PT_DYNAMIC, DT_NULL, DT_RPATH, DT_RUNPATH = 2, 0, 15, 29


def share_search_path(library: Path) -> None:
    """Rewrite the dynamic section of a 64-bit little-endian ELF file.

    The file is replaced, not changed in place: an installer may have hard-linked it from a cache.
    """
    image = bytearray(library.read_bytes())
    if image[:6] != b"\x7fELF\x02\x01":
        raise SystemExit(f"{library}: not a 64-bit little-endian ELF file")
    (headers_at,) = struct.unpack_from("<Q", image, 32)
    header_size, n_headers = struct.unpack_from("<HH", image, 54)
    for header in range(headers_at, headers_at + n_headers * header_size, header_size):
        (kind,) = struct.unpack_from("<I", image, header)
        if kind != PT_DYNAMIC:
            continue
        (entry,) = struct.unpack_from("<Q", image, header + 8)
        while (tag := struct.unpack_from("<q", image, entry)[0]) != DT_NULL:
            if tag == DT_RUNPATH:
                struct.pack_into("<q", image, entry, DT_RPATH)
            entry += 16
    part = library.with_name(library.name + ".part")
    part.write_bytes(image)
    part.chmod(library.stat().st_mode)
    os.replace(part, library)


if __name__ == "__main__":
    share_search_path(Path(sys.argv[1]))
