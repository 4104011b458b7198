"""Published wheels for macOS and Windows, and their expected findings."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

# The severity, the kind, and words of a finding; each wheel has no other errors and warnings.
Expected = Tuple[str, str, str]


class Published(NamedTuple):
    """A wheel, and its findings."""

    sha256: str
    expected: Tuple[Expected, ...] = ()


def error(kind: str, words: str) -> Expected:
    return "error", kind, words


def warning(kind: str, words: str) -> Expected:
    return "warning", kind, words


_RPATH_OMP = warning("MACOS_LIBRARY", "@rpath/libomp.dylib")
_TORCH = "may come with torch"
_THREE = "macosx_10_12_x86_64.macosx_11_0_arm64.macosx_10_12_universal2"

WHEELS: Dict[str, Published] = {
    "blosc2-4.14.1-cp311-abi3-win_amd64.whl": Published(
        "79b7c096401f75bea1a0f24b28aa8e783cf6c10178cf077f9260a022abb7b245",
        (
            warning("DEBUG_RUNTIME", "ucrtbased.dll"),
            warning("DEBUG_RUNTIME", "vcruntime140d.dll"),
        ),
    ),
    "capstone-5.0.1-py3-none-macosx_10_9_universal2.whl": Published(
        "740a70624d3f258cf8503898dbfd968052c008ddd4fc4ab938c7046c8828c294",
        (
            error("MACOS_VERSION", "needs macOS 12.0 on x86_64"),
            error("MISSING_SLICE", "none for arm64"),
        ),
    ),
    "cffi-2.1.1-cp314-cp314t-win_amd64.whl": Published(
        "616f097f2fe415bc92a247f02e11f634e1f9e9a83d327e3c915c15089c87869e"
    ),
    "confluent_kafka-2.16.1-cp311-cp311-macosx_10_9_x86_64.whl": Published(
        "6e089a1f561ad08faee2c27f5b3c17de24761880945d1ac2c327c5e245c719ab",
        (error("MACOS_VERSION", "needs macOS 13.0 on x86_64"),),
    ),
    "debugpy-1.8.22-cp311-cp311-win_amd64.whl": Published(
        "1e76339d5510bc17e9181dba9577508afcb21aad5728f1a55ef74d7d97d255f3"
    ),
    "fiona-1.10.1-cp311-cp311-win_amd64.whl": Published(
        "30594c0cd8682c43fd01e7cdbe000f94540f8fa3b7cb5901e805c88c4ff2058b"
    ),
    "lightgbm-4.7.0-py3-none-macosx_12_0_arm64.whl": Published(
        "129535462686f274df179133643118c5c5c5667167fe6c3a28d955f0b3c8e868", (_RPATH_OMP,)
    ),
    "llvmlite-0.46.0b1-cp312-cp312-macosx_11_0_universal2.whl": Published(
        "0e6372f7a48edb3f1952cf193af6e98bc3140c376d261e1e0e07db21abda55cf",
        (
            error("MISSING_SLICE", "none for x86_64"),
            warning("MACOS_VERSION", "needs macOS 11.1 on arm64"),
        ),
    ),
    f"maturin-1.10.0-py3-none-{_THREE}.whl": Published(
        "9c395c8e8b870ce864c001dc6d6392b08d77db8032cee276fc47eea2885e2b78",
        (error("MACOS_LIBRARY", "liblzma.5.dylib on arm64"),),
    ),
    "mlx-0.32.4-cp311-cp311-macosx_26_0_arm64.whl": Published(
        "dfd5269398bb64372137d8c354530b6e81159ce0e92fd1ed7e9140b294fd939a",
        (
            warning("MACOS_LIBRARY", "may come with mlx-metal"),
            warning("MACOS_VERSION", "needs macOS 26.2 on arm64"),
        ),
    ),
    "netcdf4-1.7.5.1.post1-cp311-cp311-win_amd64.whl": Published(
        "5ed5cc38606a7588afbca1f855a606cc6afe13eb7d56fa311aadff0ecfdb911d",
        (*12 * (warning("WINDOWS_LIBRARY", "no module or program"),),),
    ),
    "numpy-2.5.5-cp312-cp312-win_arm64.whl": Published(
        "f6622e32cb46c60bee3b2c7dd7f5c22bdc86fcb8630336b4822ec81c3986111a"
    ),
    "protobuf-7.36.2-cp310-abi3-macosx_10_9_universal2.whl": Published(
        "cbc70b17ee27e28894c7fee8bb04be1abead49e936bc70eb60052531eee2079e",
        (
            error("MACOS_VERSION", "needs macOS 12.0 on arm64"),
            error("MACOS_VERSION", "needs macOS 12.0 on x86_64"),
        ),
    ),
    "pycryptodome-4.4.0-cp39-abi3-macosx_10_9_universal2.whl": Published(
        "99494a2ab8137a9a6967db30e21f54f6dfa70327d8e72863638dece6d6a16374"
    ),
    "pydivsufsort-0.0.12-cp312-cp312-macosx_11_0_arm64.whl": Published(
        "f2c6e622bf41c5d660f8c8e84db2940a85ab10fa3ea4f66a60d39cc2a7a3611f",
        (*2 * (error("MISSING_SLICE", "none for arm64"),),),
    ),
    "pyobjc_core-13.0-cp311-cp311-macosx_10_9_universal2.whl": Published(
        "4627348cb31c8deb2bb94702d9bcaa74869f4fef9559fd134416a6a4ca42006e"
    ),
    "sounddevice-0.5.6-py3-none-macosx_10_6_x86_64.macosx_10_6_universal2.whl": Published(
        "e3aef00ad8b1d1740eb66d9a7671eab88a4d2b8fa4ab33498d742e63b65c309c"
    ),
    "soxr-1.1.0-cp311-cp311-win_amd64.whl": Published(
        "ae30c48ac795378cf23ba3c7c640b8ff794af714ac388b9fd6b31a40b39e6e86",
        (warning("VC_RUNTIME", "msvcp140.dll"),),
    ),
    "torchaudio-2.0.2-cp39-cp39-win_amd64.whl": Published(
        "66df470da29964d7c1e8106a42f5f5c9bc09e824083675ce3aba054d68b4af54",
        (
            *8 * (warning("VC_RUNTIME", "140.dll"),),
            *16 * (warning("WINDOWS_LIBRARY", _TORCH),),
        ),
    ),
    "xgboost-3.0.0-py3-none-macosx_12_0_arm64.whl": Published(
        "314104bd3a1426a40f0c9662eef40e9ab22eb7a8068a42a8d198ce40412db75c", (_RPATH_OMP,)
    ),
    "zstandard-0.25.0-cp311-cp311-win_amd64.whl": Published(
        "daab68faadb847063d0c56f361a289c4f268706b598afbf9ad113cbe5c38b6b2"
    ),
}


def fields(filename: str) -> Dict[str, str]:
    """Return what pip needs to download a wheel of this name."""
    name, version, python, abi, platforms = filename[: -len(".whl")].split("-")
    digits = python.split(".")[-1][2:]
    return {
        "project": name,
        "version": version,
        "python": digits if len(digits) > 1 else "311",
        "abi": abi,
        "platform": platforms.split(".")[-1],
        "filename": filename,
        "sha256": WHEELS[filename].sha256,
    }
