"""The value of `platform`: parses the name of a policy, and says what a wrong one means."""

from __future__ import annotations

from manyshim.optiontypes import Option, closest, nearest

# The audit is imported where a name is parsed, because `--help` needs none of it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Sequence, Tuple

    from manyshim.audit.tags import PlatformTag


def parse_policy(option: Option, value: Any) -> Optional[PlatformTag]:  # noqa: ANN401
    """Return the policy of a name, None for `auto`. Raises ConfigError for an unknown one."""
    from manyshim.audit.policy import policies_of  # noqa: PLC0415
    from manyshim.audit.tags import ARCHES, parse_platform  # noqa: PLC0415

    if value == "auto":
        return None
    if isinstance(value, (list, tuple)):
        raise option.refuse(value, "write one policy")
    text = str(value)
    tag = parse_platform(f"manylinux{text}" if text.startswith("2014") else text)
    if tag is None:
        raise option.refuse(value, _policy_hint(text))
    if not tag.exists:
        raise option.refuse(value, _newest(tag))
    if tag.arch and tag.arch not in ARCHES:
        hint = nearest_arch(tag.arch, tuple(ARCHES))
        raise option.refuse(value, f"{tag.arch}: {hint}")
    if tag.arch and not policies_of(tag.libc, tag.arch).listed:
        raise option.refuse(value, f"there is no {tag.libc} policy for {tag.arch}")
    return tag


# What other tools call the architectures of wheels.
_ARCH_NAMES = {
    "amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "x86": "i686", "i386": "i686",
    "armhf": "armv7l", "armv7": "armv7l", "ppc64el": "ppc64le",
}  # fmt: skip


def nearest_arch(word: str, known: Sequence[str]) -> str:
    """Return a hint for an unknown architecture; other names of known ones are understood."""
    right = _ARCH_NAMES.get(word.lower())
    return f"did you mean {right!r}?" if right else nearest(word, known)


def _newest(tag: PlatformTag) -> str:
    """Return the hint for a libc that does not exist."""
    from manyshim.audit.tags import NEWEST  # noqa: PLC0415

    newest = tag._replace(arch="")
    newest = newest._replace(major=NEWEST[tag.libc][0], minor=NEWEST[tag.libc][1])
    known = ".".join(map(str, newest.version))
    return (
        f"the newest {tag.libc} that this manyshim knows is {known}, so write {newest} or an older "
        "policy (update manyshim if there is a newer one)"
    )


# The least similarity at which a name may mean a policy (difflib's ratio).
_LIKE_A_POLICY = 0.75


def _policy_hint(text: str) -> str:
    """Return the hint for an unknown policy: the one that it means, or what to write."""
    import re  # noqa: PLC0415 (only for an error)

    word = re.sub(r"[-. ]", "_", text.lower())
    word = f"manylinux_{word}" if word[:1].isdigit() else word
    close = closest(word, known_policies(), _LIKE_A_POLICY) if re.search(r"\d", word) else None
    if close:
        return f"did you mean {close!r}?"
    return "write auto, or a policy such as manylinux_2_28 or musllinux_1_2"


def known_policies() -> Tuple[str, ...]:
    """Return the names of `auto` and of all policies, without architectures, oldest first."""
    from manyshim.audit.policy import policies_of  # noqa: PLC0415
    from manyshim.audit.tags import ARCHES, GLIBC, MUSL  # noqa: PLC0415

    policies = {
        (policy.libc, policy.version, policy.without_arch)
        for arch in ARCHES
        for libc in (GLIBC, MUSL)
        for policy in policies_of(libc, arch).listed
    }
    return ("auto", "manylinux2014", *(name for _, _, name in sorted(policies)))
