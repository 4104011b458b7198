"""The SBOM of grafted libraries, validated with the official schema, and its licences."""

from __future__ import annotations

import itertools
import json
import urllib.parse
import uuid
from functools import lru_cache
from typing import Any, Dict, List, Optional, Tuple

import pytest

import needs
from manyshim.audit.tags import WheelName, parse_wheel_name
from manyshim.repair.sbom import licenses
from manyshim.repair.sbom.document import Grafted, document, escape, package_purl, wheel_purl
from manyshim.repair.sbom.packages import Distro, Package

FILE = "Demo_Pkg.x-1.0+cu118-1-cp311-cp311-manylinux_2_28_x86_64.whl"
DEBIAN = Distro("debian", "12")
SSL = Package("deb", "libssl3", "3.0.19-1~deb12u2", "amd64", DEBIAN, ("Apache-2.0", "GPL-2+"))
ZLIB = Package("deb", "zlib1g", "1:1.2.13.dfsg-1", "amd64", DEBIAN, ("Zlib",))


def name(text: str = FILE) -> WheelName:
    parsed = parse_wheel_name(text)
    assert parsed is not None
    return parsed


def library(
    soname: str,
    package: Optional[Package] = None,
    needs: Tuple[str, ...] = (),
    needed_by: Tuple[str, ...] = (),
) -> Grafted:
    new = soname.replace(".so", "-0a1b2c3d.so", 1)
    path = f"demo.libs/{new}"
    source = f"/usr/lib/{soname}"
    return Grafted(soname, new, path, source, "ab" * 32, 1234, needs, needed_by, package)


GRAFTED = (
    library("libssl.so.3", SSL, ("libcrypto-0a1b2c3d.so.3",), ("demo/b.so", "demo/a.so")),
    library("libcrypto.so.3", SSL._replace(name="libcrypto3"), ("libz-0a1b2c3d.so.1",)),
    library("libz.so.1", ZLIB, (), ("demo/a.so",)),
    library("libmine.so", None, ("libmine-0a1b2c3d.so",)),
)


def read(data: bytes) -> Dict[str, Any]:
    content = json.loads(data.decode("ascii"))
    assert isinstance(content, dict)
    return content


def component(data: bytes, soname: str) -> Dict[str, Any]:
    (found,) = (item for item in read(data)["components"] if item["name"] == soname)
    assert isinstance(found, dict)
    return found


def stated(item: Dict[str, Any]) -> List[Tuple[str, str]]:
    return [(row["name"], row["value"]) for row in item["properties"]]


@lru_cache(maxsize=1)
def official() -> Any:
    needs.module("cyclonedx", "cyclonedx-python-lib[json-validation]", (3, 10))
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6)


def validate(data: bytes) -> None:
    """Validate strictly against the official schema, and parse every package URL."""
    assert official().validate_str(data.decode("utf-8")) is None
    from packageurl import PackageURL

    content = read(data)
    components = [content["metadata"]["component"], *content["components"]]
    references = [item["bom-ref"] for item in components]
    assert len(set(references)) == len(references)
    assert [row["ref"] for row in content["dependencies"]] == references
    assert {to for row in content["dependencies"] for to in row["dependsOn"]} <= set(references)
    for purl in (item["purl"] for item in components if "purl" in item):
        assert PackageURL.from_string(purl).to_string() == purl


def test_the_document() -> None:
    data = document(name(), GRAFTED, version="0.1.0", epoch=1700000000)
    validate(data)
    content = read(data)
    assert content["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert content["metadata"]["component"]["version"] == "1.0+cu118"
    assert content["metadata"]["tools"]["components"][0]["version"] == "0.1.0"
    ssl = component(data, "libssl.so.3")
    assert ssl["purl"] == "pkg:deb/debian/libssl3@3.0.19-1~deb12u2?arch=amd64&distro=debian-12"
    assert ssl["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert ssl["version"] == "3.0.19-1~deb12u2"
    assert [item["expression"] for item in ssl["licenses"]] == ["Apache-2.0 AND GPL-2.0-or-later"]
    assert stated(ssl) == [
        ("manyshim:needed-by", "demo/a.so"),
        ("manyshim:needed-by", "demo/b.so"),
        ("manyshim:package", "deb libssl3"),
        ("manyshim:path", "demo.libs/libssl-0a1b2c3d.so.3"),
        ("manyshim:size", "1234"),
        ("manyshim:source", "/usr/lib/libssl.so.3"),
    ]
    depends = {row["ref"]: row["dependsOn"] for row in content["dependencies"]}
    folder = "file:demo.libs"
    own, ssl_file = f"{folder}/libmine-0a1b2c3d.so", f"{folder}/libssl-0a1b2c3d.so.3"
    crypto, zlib = f"{folder}/libcrypto-0a1b2c3d.so.3", f"{folder}/libz-0a1b2c3d.so.1"
    # No library needs libmine, so the wheel depends on it directly. libcrypto is needed by libssl.
    wheel = wheel_purl(name())
    assert depends == {
        wheel: [own, ssl_file, zlib],
        ssl_file: [crypto],
        crypto: [zlib],
        zlib: [],
        own: [],
    }


def test_an_unknown_package_is_listed_as_unknown() -> None:
    data = document(name(), [library("libmine.so")], version="0.1.0")
    validate(data)
    item = component(data, "libmine.so")
    assert ("manyshim:package", "unknown") in stated(item)
    assert item["hashes"][0]["content"] == "ab" * 32
    assert not {"purl", "version", "licenses"} & set(item)
    assert "timestamp" not in read(data)["metadata"]


def test_the_same_facts_give_the_same_bytes() -> None:
    every = {document(name(), order, version="0.1.0") for order in itertools.permutations(GRAFTED)}
    assert len(every) == 1
    number = read(every.pop())["serialNumber"]
    assert uuid.UUID(number).version == 5
    other = document(name(), GRAFTED[:1] + GRAFTED[1:3], version="0.1.0")
    assert read(other)["serialNumber"] != number
    assert read(document(name(), GRAFTED, version="0.1.1"))["serialNumber"] != number


def test_the_serial_number_is_what_uuid5_makes() -> None:
    data = json.loads(document(name(), GRAFTED, version="0.1.0"))
    number = data.pop("serialNumber")
    text = json.dumps(data, indent=2, sort_keys=True)
    assert number == uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_OID, "manyshim sbom"), text).urn


def test_names_are_quoted_as_urllib_does() -> None:
    text = "".join(chr(code) for code in range(1, 127) if chr(code) not in "\\-_.") + "é€😀"
    package = SSL._replace(name=text, version=text)
    quoted = urllib.parse.quote(text, safe=":")
    purl = package_purl(package)
    assert purl == f"pkg:deb/debian/{quoted}@{quoted}?arch=amd64&distro=debian-12"


@pytest.mark.parametrize("epoch", [0, 253402300799, 10**20])
def test_any_epoch_is_valid(epoch: int) -> None:
    validate(document(name(), GRAFTED, version="0.1.0", epoch=epoch))


def test_a_document_without_libraries_is_valid() -> None:
    validate(document(name(), [], version="0.1.0"))


def test_a_needed_library_that_is_not_listed_is_an_error() -> None:
    with pytest.raises(KeyError):
        document(name(), [library("a.so", needs=("b.so",))], version="0.1.0")


ODD = [
    "caf\udce9.so",
    "café.so",
    r"caf\xe9.so",
    "a b.so",
    "日本.so",
    '"\n\x01.so',
    "x\ud800.so",
    "%41.so",
]


def test_unusual_names_stay_different() -> None:
    odd = SSL._replace(name="lib\udcff+x", version="1:2+b\udc80", licenses=("\udcfe", "§ 1"))
    data = document(name(), [library(text, odd) for text in ODD], version="0.1.0")
    validate(data)
    names = {item["name"] for item in read(data)["components"]}
    assert {r"caf\xe9.so", r"caf\\xe9.so", "café.so", r"x\ud800.so"} <= names
    assert len(names) == len(set(map(escape, ODD))) == len(ODD)
    data.decode("ascii")
    for text in names:
        text.encode("utf-8")


def test_package_urls() -> None:
    assert wheel_purl(name()) == (
        "pkg:pypi/demo-pkg-x@1.0%2Bcu118?file_name="
        "Demo_Pkg.x-1.0%2Bcu118-1-cp311-cp311-manylinux_2_28_x86_64.whl"
    )
    assert package_purl(ZLIB) == (
        "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12"
    )
    rpm = Package("rpm", "openssl-libs", "1:1.1.1k-14.el8", "x86_64", Distro("rhel", "8.10"))
    assert package_purl(rpm) == (
        "pkg:rpm/redhat/openssl-libs@1.1.1k-14.el8?arch=x86_64&distro=rhel-8.10&epoch=1"
    )
    leap = rpm._replace(version="1-1", arch="", distro=Distro("opensuse-leap", "15.6"))
    assert package_purl(leap) == "pkg:rpm/opensuse/openssl-libs@1-1?distro=opensuse-leap-15.6"
    rolling = Package("apk", "zlib", "", "", Distro("wolfi"))
    assert package_purl(rolling) == "pkg:apk/wolfi/zlib?distro=wolfi"
    assert package_purl(rpm._replace(distro=Distro())) is None


STATED = {
    # (kind, text): key and value in the document
    ("rpm", "MIT"): ("id", "MIT"),
    ("rpm", "ASL 2.0"): ("name", "ASL 2.0"),
    ("rpm", "GPLv3+ and GPLv3+ with exceptions"): ("name", "GPLv3+ and GPLv3+ with exceptions"),
    ("rpm", "MIT and ISC"): ("name", "MIT and ISC"),
    ("rpm", "GPL-3.0-or-later WITH GCC-exception-3.1 AND (MIT OR Zlib)"): (
        "expression",
        "GPL-3.0-or-later WITH GCC-exception-3.1 AND (MIT OR Zlib)",
    ),
    ("rpm", "MIT AND Nobody-1.0"): ("name", "MIT AND Nobody-1.0"),
    ("apk", "MIT AND"): ("name", "MIT AND"),
    ("apk", "MIT Zlib"): ("name", "MIT Zlib"),
    ("apk", "(MIT OR Zlib"): ("name", "(MIT OR Zlib"),
    ("apk", "MIT) OR (Zlib"): ("name", "MIT) OR (Zlib"),
    ("apk", "( ) MIT"): ("name", "( ) MIT"),
    ("apk", "(MIT OR Zlib) WITH GCC-exception-3.1"): (
        "name",
        "(MIT OR Zlib) WITH GCC-exception-3.1",
    ),
    ("apk", "MIT AND (Zlib)"): ("expression", "MIT AND (Zlib)"),
    ("apk", "BSD-3-clause"): ("name", "BSD-3-clause"),
    ("apk", "MIT AND LicenseRef-own"): ("expression", "MIT AND LicenseRef-own"),
    ("apk", "LicenseRef-own"): ("name", "LicenseRef-own"),
    ("apk", "MIT AND LicenseRef-"): ("name", "MIT AND LicenseRef-"),
    ("apk", "MIT WITH LicenseRef-own"): ("name", "MIT WITH LicenseRef-own"),
    ("apk", "MIT Zlib BSD-2-Clause"): ("name", "MIT Zlib BSD-2-Clause"),
    ("rpm", "BSD with advertising"): ("name", "BSD with advertising"),
    ("rpm", "LGPLv2+ and MIT"): ("name", "LGPLv2+ and MIT"),
    ("rpm", "LicenseRef-Fedora-Public-Domain AND (MIT OR ISC)"): (
        "expression",
        "LicenseRef-Fedora-Public-Domain AND (MIT OR ISC)",
    ),
    ("deb", "BSD-3-clause"): ("id", "BSD-3-Clause"),
    ("deb", "Expat"): ("id", "MIT"),
    ("deb", "expat"): ("id", "MIT"),
    ("deb", "ZLIB"): ("id", "Zlib"),
    ("deb", "MIT"): ("name", "MIT"),
    ("deb", "X11"): ("name", "X11"),
    ("deb", "libpng"): ("name", "libpng"),
    ("deb", "LPGL-2.1+"): ("name", "LPGL-2.1+"),
    ("deb", "GPL"): ("name", "GPL"),
    ("deb", "GPL-1"): ("id", "GPL-1.0-only"),
    ("deb", "GPL-2"): ("id", "GPL-2.0-only"),
    ("deb", "GPL-2.0+"): ("id", "GPL-2.0-or-later"),
    ("deb", "LGPL-2.1"): ("id", "LGPL-2.1-only"),
    ("deb", "LGPL-3.0.0+"): ("id", "LGPL-3.0-or-later"),
    ("deb", "LGPL-1+"): ("name", "LGPL-1+"),
    ("deb", "GPL-2.1+"): ("name", "GPL-2.1+"),
    ("deb", "AGPL-3"): ("id", "AGPL-3.0-only"),
    ("deb", "Apache-2"): ("id", "Apache-2.0"),
    ("deb", "Apache-2.0.0"): ("id", "Apache-2.0"),
    ("deb", "CC0"): ("id", "CC0-1.0"),
    ("deb", "Boost-1.0"): ("id", "BSL-1.0"),
    ("deb", "GPL-2+ or Artistic"): (
        "expression",
        "GPL-2.0-or-later OR LicenseRef-Debian-Artistic",
    ),
    ("deb", "Expat OR ISC and Zlib"): ("expression", "MIT OR ISC AND Zlib"),
    ("deb", "GPL-2+ or Expat, and ISC"): ("expression", "(GPL-2.0-or-later OR MIT) AND ISC"),
    ("deb", "Expat, and ISC, or Zlib"): ("name", "Expat, and ISC, or Zlib"),
    ("deb", "Expat, ISC"): ("name", "Expat, ISC"),
    ("deb", "Expat and"): ("name", "Expat and"),
    ("deb", "or ISC"): ("name", "or ISC"),
    ("deb", "GPL-2 with Linux-syscall-note exception"): (
        "expression",
        "GPL-2.0-only WITH Linux-syscall-note",
    ),
    ("deb", "Apache-2.0 with LLVM exception or Expat"): (
        "expression",
        "Apache-2.0 WITH LLVM-exception OR MIT",
    ),
    ("deb", "GPL-2+ with OpenSSL exception"): ("name", "GPL-2+ with OpenSSL exception"),
    ("deb", "LGPL-2.1+ or GPL-2+ with OpenSSL exception"): (
        "expression",
        "LGPL-2.1-or-later OR LicenseRef-Debian-GPL-2-or-later-with-OpenSSL-exception",
    ),
    ("deb", "BSD3~Müller or X_1"): (
        "expression",
        "LicenseRef-Debian-BSD3-M-ller OR LicenseRef-Debian-X-1",
    ),
    ("deb", "ISC or ~"): ("expression", "ISC OR LicenseRef-Debian-unnamed"),
    ("deb", "public-domain"): ("name", "public-domain"),
}


@pytest.mark.parametrize("case", STATED)
def test_licences_are_written_as_stated(case: Tuple[str, str]) -> None:
    kind, text = case
    key, value = STATED[case]
    package = Package(kind, "x", "1", "", DEBIAN, (text,))
    data = document(name(), [library("x.so", package)], version="0.1.0")
    validate(data)
    (row,) = component(data, "x.so")["licenses"]
    row = row.get("license", row)
    assert row.pop("acknowledgement") == "declared"
    assert row == {key: value}


def test_every_id_is_known_to_spdx() -> None:
    needs.module("cyclonedx", "cyclonedx-python-lib[json-validation]", (3, 10))
    from cyclonedx.schema._res import SPDX_JSON

    with open(SPDX_JSON, encoding="utf-8") as file:
        known = set(json.load(file)["enum"])
    assert known >= licenses.SPDX
    assert known >= licenses.EXCEPTIONS
    assert set(licenses.DEBIAN.values()) <= licenses.SPDX


def test_several_licences_of_one_library_all_apply() -> None:
    package = SSL._replace(licenses=("Expat or ISC", "LGPL-2+", "public-domain"))
    data = document(name(), [library("x.so", package)], version="0.1.0")
    validate(data)
    (row,) = component(data, "x.so")["licenses"]
    expected = "(MIT OR ISC) AND LGPL-2.0-or-later AND LicenseRef-Debian-public-domain"
    assert row == {"expression": expected, "acknowledgement": "declared"}
